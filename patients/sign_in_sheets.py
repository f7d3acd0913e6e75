"""The printed sheet whose QR code leads a patient to the sign-in."""

import datetime as dt

from django.db import transaction

from clinic.audit import record_access
from clinic.models import AccessRecord, User
from patients.access import require_staff
from patients.models import Patient, SignInSheet


@transaction.atomic
def make_sheet(*, patient: Patient, by: User, at: dt.datetime) -> SignInSheet:
    """Make a new sheet; from now on the one before leads nowhere."""
    require_staff(by, patient)
    Patient.objects.select_for_update(of=["self"]).get(pk=patient.pk)
    patient.sign_in_sheets.filter(revoked_at__isnull=True).update(revoked_at=at)
    sheet = SignInSheet.objects.create(patient=patient, made_by=by, made_at=at)
    record_access(
        actor=by,
        action=AccessRecord.Action.PRINT,
        subject_type="patient",
        subject_id=patient.pk,
        page="sign_in_sheet",
        at=at,
    )
    return sheet


def sheet_in_force(patient: Patient) -> SignInSheet | None:
    return patient.sign_in_sheets.filter(revoked_at__isnull=True).first()
