"""Writing down an injury, what limits it sets, and lifting them. Clinicians only."""

import datetime as dt
from collections.abc import Collection
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from clinic.models import User
from patients.access import require_clinician
from patients.models import Injury, Limit, Patient
from patients.models.injury import CLOSABLE

# What ``record_injury`` and ``change_injury`` take.
FIELDS = (
    "kind",
    "words",
    "happened_on",
    "precautions",
    "surgeon_words",
    "cleared_by",
    "cleared_on",
    "review_on",
)


@transaction.atomic
def record_injury(*, patient: Patient, by: User, at: dt.datetime, **said: object) -> Injury:
    """Put an injury on the record; ``said`` names fields of ``FIELDS``.

    The same injury sent twice is one row. Raises ValidationError with words per field.
    """
    require_clinician(by, patient)
    patient = Patient.objects.select_for_update(of=["self"]).get(pk=patient.pk)
    _refuse(patient, said, at)
    injury = Injury(patient=patient, entered_by=by, entered_at=at, **_tidy(said))
    same = patient.injuries.filter(
        kind=injury.kind, happened_on=injury.happened_on, words=injury.words
    ).first()
    if same is not None:
        return same
    injury.full_clean(exclude=["patient", "entered_by"])
    injury.save(force_insert=True)
    return injury


@transaction.atomic
def change_injury(*, injury: Injury, by: User, at: dt.datetime, **said: object) -> Injury:
    """Change what is written of an injury; earlier words stay in its history."""
    require_clinician(by, injury.patient)
    injury = Injury.objects.select_for_update(of=["self"]).get(pk=injury.pk)
    _refuse(injury.patient, said, at)
    tidy = _tidy(said)
    if all(getattr(injury, name) == value for name, value in tidy.items()):
        return injury
    for name, value in tidy.items():
        setattr(injury, name, value)
    injury.changed_by, injury.changed_at = by, at
    injury.full_clean(exclude=["patient", "entered_by", "changed_by"])
    injury.save()
    return injury


@transaction.atomic
def set_limits(
    *,
    injury: Injury,
    by: User,
    at: dt.datetime,
    classes: Collection[str] = (),
    max_load_kg: Decimal | None = None,
    pain_ceiling: int | None = None,
    until: dt.date | None = None,
    said_by: str = "",
) -> list[Limit]:
    """Set limits that hold from now to the end of ``until`` (None: until lifted).

    ``classes`` are movement classes to keep closed, ``max_load_kg`` 0 means no load at all,
    ``pain_ceiling`` is from 2 to 6. What is in force already in the same words is not set twice.
    Raises ValidationError with words per field.
    """
    require_clinician(by, injury.patient)
    patient = Patient.objects.select_for_update(of=["self"]).get(pk=injury.patient_id)
    today = patient.local_date(at)
    unknown = sorted(set(classes) - set(CLOSABLE))
    found: dict[str, str] = {}
    if unknown:
        found["classes"] = f"“{unknown[0]}” is no class that can be kept closed."
    if max_load_kg is not None and not 0 <= max_load_kg <= 500:
        found["max_load_kg"] = "Write a load from 0 to 500 kg."
    if pain_ceiling is not None and pain_ceiling not in range(2, 7):
        found["pain_ceiling"] = "Choose a pain ceiling from 2 to 6."
    if until is not None and until < today:
        found["until"] = "A limit ends today or later."
    if not (classes or max_load_kg is not None or pain_ceiling is not None):
        found["classes"] = "Choose at least one limit."
    if found:
        raise ValidationError(found)
    wanted: list[dict[str, object]] = [
        {"kind": Limit.Kind.CLOSED, "movement_class": name} for name in CLOSABLE if name in classes
    ]
    if max_load_kg is not None:
        wanted.append({"kind": Limit.Kind.LOAD, "amount": max_load_kg})
    if pain_ceiling is not None:
        wanted.append({"kind": Limit.Kind.PAIN, "amount": Decimal(pain_ceiling)})
    standing = Limit.objects.filter(injury__patient=patient).in_force(today)
    made = []
    for what in wanted:
        if standing.filter(**what, until=until).exists():
            continue
        limit = Limit(
            injury=injury,
            until=until,
            said_by=said_by.strip(),
            entered_by=by,
            entered_at=at,
            **what,
        )
        limit.full_clean(exclude=["injury", "entered_by"])
        limit.save(force_insert=True)
        made.append(limit)
    _keep(patient)
    return made


@transaction.atomic
def lift_limit(*, limit: Limit, reason: str, by: User, at: dt.datetime) -> Limit:
    """End a limit before its day. Needs a reason; a second time changes nothing."""
    require_clinician(by, limit.injury.patient)
    patient = Patient.objects.select_for_update(of=["self"]).get(pk=limit.injury.patient_id)
    limit = Limit.objects.select_for_update(of=["self"]).get(pk=limit.pk)
    if limit.lifted_at is not None:
        return limit
    if not reason.strip():
        raise ValidationError({"reason": "Say why the limit ends, or who ended it."})
    limit.lifted_by, limit.lifted_at, limit.lift_reason = by, at, reason.strip()
    limit.save(update_fields=["lifted_by", "lifted_at", "lift_reason"])
    _keep(patient)
    return limit


def _keep(patient: Patient) -> None:
    """Write on the patient what is not lifted; the day it ends is looked at by the reader."""
    rows = Limit.objects.filter(injury__patient=patient, lifted_at__isnull=True)
    patient.limits = [
        {
            "kind": row.kind,
            "movement_class": row.movement_class,
            "amount": None if row.amount is None else str(row.amount),
            "until": row.until.isoformat() if row.until else None,
        }
        for row in rows
    ]
    patient.save(update_fields=["limits"])


def _refuse(patient: Patient, said: dict[str, object], at: dt.datetime) -> None:
    unknown = set(said) - set(FIELDS)
    if unknown:
        raise ValueError(f"Not a field of an injury: {sorted(unknown)[0]}.")
    today = patient.local_date(at)
    found: dict[str, str] = {}
    happened, cleared = said.get("happened_on"), said.get("cleared_on")
    born = patient.date_of_birth
    if "words" in said and not str(said["words"]).strip():
        found["words"] = "Say what happened."
    if isinstance(happened, dt.date) and happened > today:
        found["happened_on"] = "The injury lies in the future."
    elif isinstance(happened, dt.date) and born and happened < born:
        found["happened_on"] = "The injury lies before the date of birth."
    if isinstance(cleared, dt.date) and cleared > today:
        found["cleared_on"] = "The clearance lies in the future."
    if bool(said.get("cleared_by")) != bool(cleared):
        found["cleared_by"] = "A clearance needs both: who gave it, and the day."
    if found:
        raise ValidationError(found)


def _tidy(said: dict[str, object]) -> dict[str, object]:
    return {
        name: value.strip() if isinstance(value, str) else value for name, value in said.items()
    }
