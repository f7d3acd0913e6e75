"""What pages of other rooms of the portal show of outcome measures."""

from typing import Any

from django import template

from patients.measuring import MeasureDue
from programs.portal_measures import due_of

register = template.Library()


@register.simple_tag(takes_context=True)
def measures_due(context: dict[str, Any]) -> MeasureDue | None:
    """The questionnaires that are open for the patient of this request, or None."""
    today = context.get("today")
    return due_of(context["request"], today.program if today and not today.stopped else None)
