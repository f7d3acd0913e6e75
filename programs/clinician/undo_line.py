"""The line that offers to take back what was just answered, on the board and a patient's page."""

import datetime as dt
import uuid

from django.http import HttpRequest

from programs.models import Proposal
from programs.undoing import can_be_undone


def to_undo(
    request: HttpRequest, at: dt.datetime, *, patient: uuid.UUID | None = None
) -> Proposal | None:
    """The proposal (of ``patient``) that this person has just accepted or declined and may still
    take back; GET ``undo`` names it. Without that no query."""
    number = request.GET.get("undo", "")
    if not (number.isascii() and number.isdigit() and len(number) < 18):
        return None
    asked = Proposal.objects.filter(pk=int(number), answered_by=request.user)
    if patient is not None:
        asked = asked.filter(program__patient=patient)
    found = asked.select_related("program__patient", "resulting_version", "decision").first()
    return found if found and can_be_undone(found, by=request.user, at=at) else None
