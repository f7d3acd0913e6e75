"""What messages must not say: the names of the exercises, in every language they have one in."""

from typing import Any

from django.dispatch import receiver

from clinic.signals import names_not_to_say
from programs.models import Exercise


@receiver(names_not_to_say, dispatch_uid="programs.unsaid")
def exercise_names(sender: object, **given: Any) -> list[str]:
    """All names of the library, approved or not."""
    names = []
    for name, words in Exercise.objects.values_list("name", "words"):
        names += [name, *(said["name"] for said in words.values() if said.get("name"))]
    return names
