"""The patient's own routine on paper: a page to print, and the same as a PDF."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from clinic.audit import record_access
from clinic.models import AccessRecord
from programs.handout import handout_of
from programs.handout_pages import pdf_page, print_page
from programs.portal_access import patient_required
from programs.today import program_for


@require_safe
@patient_required(by_carer=True)
def print_routine(request: HttpRequest) -> HttpResponse:
    """Black on white. While exercising stands still it holds the advice and no exercise."""
    program = program_for(request.patient)
    if program is None:
        return redirect("portal_home")
    return print_page(request, handout_of(program=program, at=timezone.now()), for_staff=False)


@require_safe
@patient_required(by_carer=True)
def routine_pdf(request: HttpRequest) -> HttpResponse:
    """The same as a file to keep; taking it out is written down."""
    program = program_for(request.patient)
    if program is None:
        return redirect("portal_home")
    at = timezone.now()
    record_access(
        actor=request.user,
        action=AccessRecord.Action.PRINT,
        subject_type="patient",
        subject_id=request.patient.pk,
        page="portal_routine_pdf",
        at=at,
    )
    return pdf_page(handout_of(program=program, at=at))
