"""The patient's pages: today, and the routine of the day."""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from patients.late import given_at, moment_of
from patients.models import Preferences
from programs import answering, happened
from programs.day_facts import facts_of
from programs.following_up import farewell_for
from programs.items import Item
from programs.models import Program, Session
from programs.portal_access import (
    as_visitor,
    no_page_of_ones_own,
    note_look,
    patient_required,
    private,
    visitor_of,
)
from programs.portal_session_forms import RoutineForm, SkipForm, session_id
from programs.portal_stop import PAUSED, stop_page, stop_reason
from programs.things import things
from programs.today import Today, minutes_of, program_for, routine_for, short_of, today_for

# Set when answers call for the safety questions; the routine waits until they are answered.
ASK = "ask_red_flags"


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Today, for the patient; the door for everybody else."""
    visitor = visitor_of(request, at=timezone.now())
    if visitor is None:
        if not request.user.is_authenticated:
            return private(render(request, "portal/welcome.html"))
        if request.user.is_staff:
            return redirect("/clinic/")
        return private(no_page_of_ones_own(request))
    with as_visitor(request, visitor):
        note_look(request, visitor)
        return private(_today_page(request))


def _today_page(request: HttpRequest) -> HttpResponse:
    program, at = program_for(request.patient), timezone.now()
    facts = facts_of(program, at) if program else None
    reason = stop_reason(request.patient, program, open_flags=facts and facts.open_flags)
    if reason:
        return _stopped(request, program, reason)
    if program is None or facts is None:
        farewell = farewell_for(request.patient)
        return render(request, "portal/no_program.html", {"farewell": farewell})
    request.nothing_stops = True
    today = today_for(program=program, at=at, facts=facts)
    context = {
        "today": today,
        "action": _first_action(request, today),
        "greeting": _greeting(timezone.localtime().hour),
        "appointment_planned": facts.appointment_planned,
        "was_short": today.session is not None and happened.is_short(today.session.items),
    }
    return render(request, "portal/today.html", context)


def _greeting(hour: int) -> str:
    if 4 <= hour < 12:
        return _("Good morning")
    return _("Good afternoon") if 12 <= hour < 18 else _("Good evening")


def _first_action(request: HttpRequest, today: Today) -> str:
    """The one thing this screen is for."""
    if today.red_flag_questions_due or request.session.get(ASK):
        return "questions"
    if today.after_due:
        return "after"
    if today.morning_due:
        return "morning"
    if today.session is None:
        return "routine" if today.items else "rest"
    return "skipped" if today.session.status == Session.Status.SKIPPED else "done"


def _stopped(request: HttpRequest, program: Any, reason: str) -> HttpResponse:
    return stop_page(
        request,
        site=request.patient.site,
        reason=reason,
        patient=request.patient,
        program=program,
    )


def _open_day(request: HttpRequest, program: Program | None) -> Today | HttpResponse:
    """Today while its exercises may be shown, else what stands in for them."""
    reason = stop_reason(request.patient, program)
    if reason:
        return _stopped(request, program, reason)
    if program is None:
        return redirect("portal_home")
    today = today_for(program=program, at=timezone.now())
    if today.stopped:
        return _stopped(request, program, PAUSED)
    if today.red_flag_questions_due or request.session.get(ASK):
        return redirect("portal_questions")
    recorded = today.session and today.session.status != Session.Status.SKIPPED
    return redirect("portal_home") if recorded or not today.items else today


@require_http_methods(["GET", "HEAD", "POST"])
@patient_required(by_link=True)
def routine(request: HttpRequest) -> HttpResponse:
    """The whole routine, and the form that says what was done of it.

    With ``?short=1`` it is the five-minute version. What is sent is kept even when the safety
    questions have become due meanwhile: they come next.
    """
    program = program_for(request.patient)
    if request.method == "POST":
        return _keep_routine(request, program)
    today = _open_day(request, program)
    if isinstance(today, HttpResponse):
        return today
    short = bool(today.short) and request.GET.get("short") == "1"
    initial = {"client_id": session_id(program.pk, today.day), "short": short}
    form = RoutineForm(items=today.items, short=today.short, initial=initial)
    return _routine_page(request, today, form)


def _routine_page(request: HttpRequest, today: Today, form: RoutineForm) -> HttpResponse:
    shown = list(form.items)
    context = {
        "form": form,
        "today": today,
        "rows": list(zip(shown, form.rows, strict=True)),
        "minutes": minutes_of(shown),
        "left_out": [item for item in today.items if item not in shown],
        "short": today.short,
        "equipment": things(thing for item in shown for thing in item.level.equipment),
        "preferences": Preferences.of(request.patient),
    }
    return render(request, "portal/routine.html", context, status=400 if form.errors else 200)


def _keep_routine(request: HttpRequest, program: Program | None) -> HttpResponse:
    if program is None:
        return redirect("portal_home")
    reason = stop_reason(request.patient, program)
    if reason and given_at(request) is None:
        return _stopped(request, program, reason)
    day = request.patient.local_date(moment_of(request))
    if program.sessions.exercised().filter(day=day).exists():
        return redirect("portal_after")
    items = routine_for(program=program, day=day)
    form = RoutineForm(request.POST, items=items, short=short_of(items, program=program, day=day))
    if items and form.is_valid() and _record_routine(request, form, program, items, day):
        if reason:
            return _stopped(request, program, reason)
        return redirect(_next_page(form.how))
    today = today_for(program=program, at=timezone.now())
    if reason or today.stopped:
        return _stopped(request, program, reason or PAUSED)
    return _routine_page(request, today, form) if items else redirect("portal_home")


def _next_page(how: Mapping[str, str]) -> str:
    """Where what was said of a routine leads: of a skipped one nothing is asked."""
    if happened.PULL in how.values():
        return "portal_questions"
    return "portal_home" if happened.why_nothing(how) else "portal_after"


def _record_routine(
    request: HttpRequest, form: RoutineForm, program: Program, items: list[Item], day: dt.date
) -> bool:
    how = {item.exercise.slug: happened.SHORT for item in items} | dict(form.how)
    status, why = Session.Status.PARTLY, happened.why_nothing(form.how)
    if why:
        # Every exercise was left out: that is “not today”, with its reason.
        status = Session.Status.SKIPPED
    elif all(said in happened.DID for said in how.values()):
        status = Session.Status.DONE
    return _record(
        form,
        program=program,
        day=day,
        status=status,
        known=Session.Known.TIMED if form.cleaned_data["timed"] else Session.Known.SELF_REPORTED,
        given_at=given_at(request),
        skip_reason=why,
        how=how,
    )


def _record(form: RoutineForm | SkipForm, *, program: Program, **session: Any) -> bool:
    """Whether the session is kept; if not, the form says why."""
    client_id: uuid.UUID = form.cleaned_data["client_id"]
    try:
        answering.record_session(program=program, client_id=client_id, at=timezone.now(), **session)
    except ValidationError as error:
        form.take(error)
        return False
    return True


@require_http_methods(["GET", "HEAD", "POST"])
@patient_required(by_link=True)
def skip(request: HttpRequest) -> HttpResponse:
    """“I cannot do it today”, with a reason."""
    program = program_for(request.patient)
    today = _open_day(request, program)
    late = request.method == "POST" and given_at(request) is not None
    if isinstance(today, HttpResponse) and (program is None or not late):
        return today
    form = SkipForm(request.POST or None)
    if (
        request.method == "POST"
        and form.is_valid()
        and _record(
            form,
            program=program,
            day=request.patient.local_date(moment_of(request)),
            status=Session.Status.SKIPPED,
            known=Session.Known.SELF_REPORTED,
            given_at=given_at(request),
            skip_reason=form.cleaned_data["skip_reason"],
        )
    ):
        return redirect("portal_home")
    return render(request, "portal/skip.html", {"form": form}, status=400 if form.errors else 200)
