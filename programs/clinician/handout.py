"""The routine on paper, for staff to hand out: a page to print, and the same as a PDF."""

import datetime as dt
import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.views.decorators.http import require_safe

from clinic.audit import record_access
from clinic.language import page_language
from clinic.models import AccessRecord
from patients.models import Patient
from programs.clinician.opening import address_of, open_patient
from programs.handout import handout_of
from programs.handout_pages import pdf_page, print_page
from programs.models import Program
from programs.today import program_for


@require_safe
def handout(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The page to print, in the patient's language."""
    return _paper(request, pk, as_pdf=False)


@require_safe
def handout_file(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The same as a PDF."""
    return _paper(request, pk, as_pdf=True)


def _paper(request: HttpRequest, pk: uuid.UUID, *, as_pdf: bool) -> HttpResponse:
    patient, at = open_patient(request, pk, "handout"), timezone.now()
    program = program_for(patient)
    if program is None:
        messages.warning(request, "There is no program to print yet.")
        return redirect(address_of(patient))
    _note(request, patient, at)
    with translation.override(page_language(patient.language)), timezone.override(patient.zone):
        return _drawn(request, program, at, as_pdf)


def _drawn(request: HttpRequest, program: Program, at: dt.datetime, as_pdf: bool) -> HttpResponse:
    found = handout_of(program=program, at=at)
    return pdf_page(found) if as_pdf else print_page(request, found, for_staff=True)


def _note(request: HttpRequest, patient: Patient, at: dt.datetime) -> None:
    record_access(
        actor=request.user,
        action=AccessRecord.Action.PRINT,
        subject_type="patient",
        subject_id=patient.pk,
        page="handout",
        at=at,
    )
