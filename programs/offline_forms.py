"""The check-ins as a device keeps them: asked before anything is due, for when there is no line.

Only the device opens them, in place of the pages where the same forms are answered.
"""

import datetime as dt

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from patients.asking_schedule import morning_questions
from patients.checking_in import answered_before
from programs.answer_forms import AfterSessionForm, MorningForm
from programs.models import Session
from programs.portal_access import patient_required
from programs.portal_answers import exercises_of
from programs.portal_stop import stop_reason
from programs.today import Today, program_for, today_for


@require_safe
@patient_required(by_link=True)
def after(request: HttpRequest) -> HttpResponse:
    """How the back answered to today's routine, whether or not it is recorded already."""
    today = _today(request)
    if today is None:
        return redirect("portal_home")
    asked_for = [{"exercise": item.exercise.slug} for item in today.items]
    session = today.unanswered or Session(items=asked_for)
    form = AfterSessionForm(exercises=exercises_of(session))
    return render(request, "portal/check_in_after.html", {"form": form})


@require_safe
@patient_required(by_link=True)
def morning(request: HttpRequest) -> HttpResponse:
    """This morning's questions, or tomorrow's once these are answered."""
    today = _today(request)
    if today is None:
        return redirect("portal_home")
    day = today.day if today.morning_due else today.day + dt.timedelta(days=1)
    asked = morning_questions(
        answered_before(today.program.patient, today=day),
        days_in_program=(day - today.program.started_on).days,
    )
    return render(request, "portal/check_in_morning.html", {"form": MorningForm(asked=asked)})


def _today(request: HttpRequest) -> Today | None:
    program = program_for(request.patient)
    if program is None or stop_reason(request.patient, program):
        return None
    today = today_for(program=program, at=timezone.now())
    return today if today.items else None
