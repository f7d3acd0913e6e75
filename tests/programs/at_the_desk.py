"""What a clinician opens and sends on the pages of one patient."""

from django.urls import reverse

from patients.red_flags import REPEATED
from programs.models import Program
from tests.reading import sent_by

NO_TO_ALL = {question.id: "no" for question in REPEATED}


def at_address(name, program, *more):
    return reverse(f"admin:{name}", args=[program.patient_id, *more])


def whole_form(client, program, **changes):
    """What the change form holds when it is opened, with ``changes`` by field name, sent from its
    second step."""
    form = client.get(at_address("patient_change", program)).context["form"]
    return {
        "version": program.current_version.number,
        "step": "issue",
        **sent_by(form),
        **changes,
    }


def fresh(program) -> Program:
    return Program.objects.select_related("current_version").get(pk=program.pk)
