"""The next appointment, a small line on a patient's page."""

from typing import Any

from django import template
from django.utils import timezone
from django.utils.translation import get_language

from patients.appointment_reminders import when_words
from patients.models import Patient
from programs.portal_appointments import next_of

register = template.Library()


@register.inclusion_tag("portal/appointment_line.html")
def next_appointment(patient: Patient) -> dict[str, Any]:
    """When the patient comes next; nothing where no appointment is planned."""
    found = next_of(patient.pk, at=timezone.now())
    return {
        "appointment": found,
        "when": when_words(found, get_language() or "en") if found else "",
    }
