"""Putting a patient off on the board until a day, and taking that back."""

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction

from clinic.models import User
from patients.access import require_clinician
from patients.models import Patient
from programs import caseload
from programs.models import Snooze

LONGEST_DAYS = 60


@transaction.atomic
def snooze_patient(
    *, patient: Patient, until: dt.date, reason: str, by: User, at: dt.datetime
) -> Snooze:
    """Move a patient down the board until that day begins at their place. Clinicians only.

    Refused without a reason, for a stop and for an overdue alert. What is stronger than today's
    need ends it before its day. A later snooze takes the place of the one before.
    """
    require_clinician(by, patient)
    patient = Patient.objects.select_for_update().get(pk=patient.pk)
    today = patient.local_date(at)
    found: dict[str, str] = {}
    if not reason.strip():
        found["reason"] = "Say why this can wait."
    if until <= today:
        found["until"] = "Choose a day from tomorrow on."
    elif until > today + dt.timedelta(days=LONGEST_DAYS):
        found["until"] = f"Choose a day within the next {LONGEST_DAYS} days."
    [row] = caseload.rows_for([patient], at=at)
    if not row.need.snoozable:
        found["__all__"] = _WHY_NOT.get(row.need.key, "Nothing here waits for you.")
    if found:
        raise ValidationError(found)
    Snooze.objects.open().filter(patient=patient).update(ended_at=at)
    return Snooze.objects.create(
        patient=patient,
        need=row.need.key,
        reason=reason.strip(),
        until=dt.datetime.combine(until, dt.time(), tzinfo=patient.zone).astimezone(dt.UTC),
        by=by,
        at=at,
    )


_WHY_NOT = {
    "stopped": "A stopped program cannot be snoozed. Look into it first.",
    "overdue": "An overdue alert cannot be snoozed. Acknowledge it first.",
}


@transaction.atomic
def wake_patient(*, patient: Patient, by: User, at: dt.datetime) -> None:
    """End a snooze before its day. Clinicians only; without an open one nothing changes."""
    require_clinician(by, patient)
    Snooze.objects.open().filter(patient=patient).update(ended_at=at)
