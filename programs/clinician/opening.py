"""Opening a patient's record in the portal: who may, and that it is written down."""

import uuid

from django.contrib import admin
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils import timezone

from clinic.audit import record_access
from clinic.models import AccessRecord
from patients.models import Patient

portal = admin.site


def open_patient(request: HttpRequest, pk: uuid.UUID, page: str) -> Patient:
    """The patient, if this member of staff works at their site; the look is written down.

    Somebody of another site gets the same 404 as for a patient who does not exist.
    """
    patient = (
        Patient.objects.visible_to(request.user)
        .select_related("site", "physiotherapist", "user")
        .filter(pk=pk)
        .first()
    )
    if patient is None:
        raise Http404
    record_access(
        actor=request.user,
        action=AccessRecord.Action.READ,
        subject_type="patient",
        subject_id=patient.pk,
        page=page,
        at=timezone.now(),
    )
    return patient


def address_of(patient: Patient, page: str = "patient") -> str:
    return reverse(f"admin:{page}", args=[patient.pk])
