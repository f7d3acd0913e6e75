"""The patient's pages: today, and the routine one exercise at a time."""

import functools
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from programs import answering
from programs.models import Session
from programs.portal_access import as_visitor, patient_required, private, visitor_of
from programs.portal_forms import FinishForm, SkipForm
from programs.portal_progress import Progress
from programs.portal_stop import PAUSED, stop_page, stop_reason
from programs.today import Today, program_for, today_for

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
        return private(render(request, "portal/not_a_patient.html", status=403))
    with as_visitor(request, visitor):
        return private(_today_page(request))


def _today_page(request: HttpRequest) -> HttpResponse:
    program = program_for(request.patient)
    reason = stop_reason(request.patient, program)
    if reason:
        return _stopped(request, program, reason)
    if program is None:
        return render(request, "portal/no_program.html")
    today = today_for(program=program, at=timezone.now())
    progress = Progress(request, today)
    return render(
        request,
        "portal/today.html",
        {
            "today": today,
            "progress": progress,
            "action": _first_action(request, today),
            "greeting": _greeting(timezone.localtime().hour),
        },
    )


def _greeting(hour: int) -> str:
    if 4 <= hour < 12:
        return "Good morning"
    return "Good afternoon" if 12 <= hour < 18 else "Good evening"


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


def routine_open(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let a page about today's exercises open only while there are any to show.

    The view gets ``today`` and ``progress``. A standing program shows the stop page instead,
    whatever the address says; a recorded day leads back to the first page.
    """

    @functools.wraps(view)
    @patient_required(by_link=True)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        program = program_for(request.patient)
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
        if recorded or not today.items:
            return redirect("portal_home")
        progress = Progress(request, today)
        return view(request, *args, today=today, progress=progress, **kwargs)

    return guarded


def _stopped(request: HttpRequest, program: Any, reason: str) -> HttpResponse:
    return stop_page(
        request,
        site=request.patient.site,
        reason=reason,
        patient=request.patient,
        program=program,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@routine_open
def routine(request: HttpRequest, number: int, *, today: Today, progress: Progress) -> HttpResponse:
    """One exercise. Numbers run from 1; one beyond the last leads to the end."""
    if not 1 <= number <= len(today.items):
        return redirect("portal_finish")
    item = today.items[number - 1]
    if request.method == "POST":
        return _mark(request, number, item.exercise.slug, progress)
    left = sum(i.seconds for i in today.items[number - 1 :])
    context = {
        "today": today,
        "item": item,
        "number": number,
        "total": len(today.items),
        "beads": progress.beads(number),
        "is_done": item.exercise.slug in progress.done,
        "minutes_left": max(1, round(left / 60)),
    }
    return render(request, "portal/routine.html", context)


def _mark(request: HttpRequest, number: int, slug: str, progress: Progress) -> HttpResponse:
    what = request.POST.get("what")
    if what == "hurts":
        progress.mark_hurts(slug)
        return redirect("portal_finish")
    if what not in ("done", "skip"):
        return redirect("portal_routine", number=number)
    progress.mark(slug, done=what == "done")
    following = number + 1
    if following <= len(progress.slugs):
        return redirect("portal_routine", number=following)
    return redirect("portal_finish")


@require_http_methods(["GET", "HEAD", "POST"])
@routine_open
def finish(request: HttpRequest, *, today: Today, progress: Progress) -> HttpResponse:
    """What was done today; saving it leads on to how it felt."""
    form = FinishForm(
        request.POST or None,
        items=today.items,
        initial={"done": sorted(progress.done), "client_id": progress.client_id},
    )
    if request.method == "POST" and request.POST.get("what") == "go_on":
        progress.forget_hurts()
        return redirect("portal_routine", number=progress.next_number or len(today.items))
    if request.method == "POST" and form.is_valid():
        done = set(form.cleaned_data["done"])
        if not done and not progress.hurts:
            form.add_error("done", "Tick what you did, or say that you cannot do it today.")
        elif _record(form, today, progress, done):
            return redirect("portal_after")
    context = {
        "form": form,
        "today": today,
        "progress": progress,
        "hurts": next((i for i in today.items if i.exercise.slug == progress.hurts), None),
    }
    return render(request, "portal/finish.html", context, status=400 if form.errors else 200)


def _record(form: FinishForm, today: Today, progress: Progress, done: set[str]) -> bool:
    everything = done == set(progress.slugs)
    try:
        answering.record_session(
            program=today.program,
            day=today.day,
            status=Session.Status.DONE if everything else Session.Status.PARTLY,
            client_id=form.cleaned_data["client_id"],
            known=progress.known(done),
            at=timezone.now(),
            done=done,
        )
    except ValidationError as error:
        form.take(error)
        return False
    return True


@require_http_methods(["GET", "HEAD", "POST"])
@routine_open
def skip(request: HttpRequest, *, today: Today, progress: Progress) -> HttpResponse:
    """“I cannot do it today”, with a reason."""
    form = SkipForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            answering.record_session(
                program=today.program,
                day=today.day,
                status=Session.Status.SKIPPED,
                client_id=form.cleaned_data["client_id"],
                known=Session.Known.SELF_REPORTED,
                at=timezone.now(),
                skip_reason=form.cleaned_data["skip_reason"],
            )
        except ValidationError as error:
            form.take(error)
        else:
            return redirect("portal_home")
    status = 400 if form.errors else 200
    return render(request, "portal/skip.html", {"form": form, "today": today}, status=status)
