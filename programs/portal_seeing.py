"""The patient's pages for seeing progress and for reading."""

import datetime as dt

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from patients.models import Patient, Questionnaire
from programs.models import Exercise, Program
from programs.portal_access import patient_required
from programs.portal_measures import due_of
from programs.portal_stop import EMERGENCY, calls, stop_reason
from programs.positions import prescriptions_of
from programs.reading_pages import page_in, pages_in
from programs.seeing import progress_of
from programs.today import program_for
from programs.wording import in_language


@require_safe
@patient_required
def progress(request: HttpRequest) -> HttpResponse:
    """How it has gone so far, as charts with their sentences. ``?all=1`` shows more than twelve
    weeks. An ended program still shows what it came to."""
    patient = request.patient
    running = program_for(patient)
    program = running or patient.programs.whole().order_by("-started_on", "-pk").first()
    if program is None:
        return render(request, "portal/progress_none.html")
    at, whole = timezone.now(), request.GET.get("all") == "1"
    found = progress_of(program=program, at=at, whole=whole)
    context = {
        "program": program,
        "running": running is not None and not stop_reason(patient, running),
        "not_begun": program.started_on > found.last,
        "progress": found,
        "measure_due": due_of(request),
        "again": _again(patient, found.last),
        "longer": not whole and program.started_on < found.first,
        "whole": whole,
    }
    return render(request, "portal/progress.html", context)


def _again(patient: Patient, today: dt.date) -> Questionnaire | None:
    """The questionnaire about one's own activities, unless it was answered today."""
    row = Questionnaire.objects.current().filter(name="activities").first()
    if row is None or patient.measures.filter(questionnaire=row, day=today).exists():
        return None
    return row


@require_safe
@patient_required(by_link=True)
def reading(request: HttpRequest) -> HttpResponse:
    """The list of everything there is to read."""
    return render(request, "portal/reading.html", {"pages": pages_in(_language())})


@require_safe
@patient_required(by_link=True)
def read(request: HttpRequest, slug: str) -> HttpResponse:
    """One page to read."""
    language = _language()
    page = page_in(language, slug)
    if page is None:
        raise Http404
    context = {
        "page": page,
        "following": [other for other in pages_in(language) if other.slug in page.following],
        "calls": calls([request.patient.site], EMERGENCY) if page.calls else [],
        "exercises": _exercises(request) if page.exercises else [],
    }
    return render(request, "portal/read.html", context)


def _exercises(request: HttpRequest) -> list[Exercise]:
    """The patient's own exercises, in their order; none while exercising stands still."""
    program: Program | None = program_for(request.patient)
    if program is None or stop_reason(request.patient, program):
        return []
    return [in_language(p.exercise) for p in prescriptions_of(program.current_version)]


def _language() -> str:
    return get_language() or "en"
