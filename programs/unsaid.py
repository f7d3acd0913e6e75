"""What messages must not say: the names of the exercises."""

from typing import Any

from django.dispatch import receiver

from clinic.signals import names_not_to_say
from programs.models import Exercise


@receiver(names_not_to_say, dispatch_uid="programs.unsaid")
def exercise_names(sender: object, **given: Any) -> list[str]:
    """All names of the library, approved or not."""
    return list(Exercise.objects.values_list("name", flat=True))
