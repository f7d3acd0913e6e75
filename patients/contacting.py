"""Keeping a patient's record current: name, physiotherapist, addresses, reminder hour."""

import datetime as dt

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from clinic.models import User
from patients.models import ContactPoint, Patient
from patients.registering import check_language, check_reminder_time

CHANGEABLE = (
    "given_name",
    "family_name",
    "date_of_birth",
    "physiotherapist",
    "time_zone",
    "language",
)


@transaction.atomic
def change_record(*, patient: Patient, by: User, at: dt.datetime, **changes: object) -> Patient:
    """Change what the record says of a person; ``changes`` names fields of ``CHANGEABLE``.

    Raises ValidationError with a message per field, and then nothing is changed.
    """
    _require_staff(by, patient)
    unknown = set(changes) - set(CHANGEABLE)
    if unknown:
        raise ValueError(f"Not a field to change here: {sorted(unknown)[0]}.")
    physiotherapist = changes.get("physiotherapist")
    if physiotherapist is not None and not physiotherapist.is_clinician:
        raise ValidationError({"physiotherapist": "Choose a physiotherapist."})
    born = changes.get("date_of_birth")
    if born and born >= at.date():
        raise ValidationError({"date_of_birth": "The date of birth lies in the future."})
    if "language" in changes:
        check_language(str(changes["language"]))
    patient = Patient.objects.select_for_update(of=["self"]).get(pk=patient.pk)
    for name, value in changes.items():
        setattr(patient, name, value.strip() if isinstance(value, str) else value)
    patient.full_clean(exclude=["user"])
    patient.save(update_fields=list(changes))
    if patient.user_id and {"given_name", "family_name"} & set(changes):
        User.objects.filter(pk=patient.user_id).update(name=patient.name)
    return patient


@transaction.atomic
def remind_at(*, patient: Patient, time: dt.time, by: User) -> int:
    """Set one hour (the patient's own) for all addresses; returns how many it changed.

    Raises ValidationError on ``reminder_time`` for an hour at which the site sends nothing.
    """
    _require_staff(by, patient)
    check_reminder_time(patient.site, time)
    return patient.contact_points.exclude(reminder_time=time).update(reminder_time=time)


@transaction.atomic
def want_reminders(*, point: ContactPoint, wanted: bool, by: User) -> ContactPoint:
    """Say whether routine reminders go to this address."""
    _require_staff(by, point.patient)
    if point.reminders != wanted:
        point.reminders = wanted
        point.save(update_fields=["reminders"])
    return point


@transaction.atomic
def remove_contact_point(*, point: ContactPoint, by: User) -> None:
    """Forget an address. The one a patient signs in with stays until sign-in is moved."""
    _require_staff(by, point.patient)
    user = point.patient.user
    if user is not None and point.channel == "email" and point.address == user.email:
        raise ValidationError("The patient signs in with this address, so it stays.")
    point.delete()


def _require_staff(by: User, patient: Patient) -> None:
    if not by.is_staff or not Patient.objects.visible_to(by).filter(pk=patient.pk).exists():
        raise PermissionDenied("Only staff of the patient’s site may do this.")
