"""Keeping a patient's record current: name, physiotherapist, language, addresses."""

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction

from clinic import alerts
from clinic.messaging import outbox
from clinic.models import User
from patients.access import require_staff
from patients.models import ContactPoint, Patient
from patients.registering import check_language

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

    Alerts about the patient that wait for an outcome go along to another physiotherapist or site.
    Raises ValidationError with a message per field, and then nothing is changed.
    """
    require_staff(by, patient)
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
    before = (patient.site_id, patient.physiotherapist)
    for name, value in changes.items():
        setattr(patient, name, value.strip() if isinstance(value, str) else value)
    patient.full_clean(exclude=["user"])
    patient.save(update_fields=list(changes))
    if patient.user_id and {"given_name", "family_name"} & set(changes):
        User.objects.filter(pk=patient.user_id).update(name=patient.name)
    if before != (patient.site_id, patient.physiotherapist):
        alerts.move(
            subject=("patient", patient.pk),
            site=patient.site,
            owner=patient.physiotherapist,
            before=before[1],
            at=at,
        )
    return patient


@transaction.atomic
def remove_contact_point(*, point: ContactPoint, by: User, at: dt.datetime) -> None:
    """Forget an address, and send nothing more of what waits for it.

    The one a patient signs in with stays until sign-in is moved.
    """
    require_staff(by, point.patient)
    user = point.patient.user
    if user is not None and point.channel == "email" and point.address == user.email:
        raise ValidationError("The patient signs in with this address, so it stays.")
    outbox.hold_back(
        subject=("patient", point.patient_id),
        address=(point.channel, point.address),
        reason="The address was removed.",
        at=at,
    )
    point.delete()
