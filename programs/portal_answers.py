"""The patient's pages for answers: check-ins, what follows from them, and the safety questions."""

import logging
import uuid
from dataclasses import fields
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from patients.asking_schedule import morning_questions
from patients.checking_in import answered_before
from patients.late import given_at, moment_of
from patients.models import CheckIn, RedFlagScreening
from patients.red_flagging import answer_red_flags
from patients.red_flags import assess
from programs import answering
from programs.answer_forms import AfterSessionForm, CheckInForm, MorningForm, RedFlagForm
from programs.day_facts import facts_of
from programs.happened import hurt_most
from programs.meaning import Answers, Meaning, meaning_of
from programs.models import Decision, Program, Session
from programs.policies import thresholds_of
from programs.portal import ASK
from programs.portal_access import (
    as_visitor,
    is_of_another,
    patient_required,
    private,
    visitor_of,
)
from programs.portal_stop import EMERGENCY, SAME_DAY, advice, calls, stop_page, stop_reason
from programs.portal_unsaved import unsaved_page
from programs.today import AnswersDue, answers_due, program_for, today_for
from programs.wording import exercise_names

log = logging.getLogger(__name__)


# --- check-ins -------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@patient_required(by_link=True)
def after(request: HttpRequest) -> HttpResponse:
    """How the back answered right after the routine."""
    program, due = _due(request)
    if program is None or due is None or due.unanswered is None:
        return _already_answered(request) or redirect("portal_home")
    session = due.unanswered
    form = AfterSessionForm(
        request.POST or None,
        exercises=exercises_of(session),
        hurts=hurt_most(session.items),
    )
    return _check_in(
        request,
        form,
        template="portal/check_in_after.html",
        answer=lambda **answers: answering.answer_after_session(session=session, **answers),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@patient_required(by_link=True)
def morning(request: HttpRequest) -> HttpResponse:
    """How the back is this morning."""
    program, due = _due(request)
    if program is None or due is None or not due.morning_due:
        return _already_answered(request) or redirect("portal_home")
    asked = morning_questions(
        answered_before(program.patient, today=due.day),
        days_in_program=(due.day - program.started_on).days,
    )
    return _check_in(
        request,
        MorningForm(request.POST or None, asked=asked),
        template="portal/check_in_morning.html",
        answer=lambda **answers: answering.answer_morning(program=program, **answers),
    )


def exercises_of(session: Session) -> dict[str, str]:
    """Slug → name of what the session asked for, in its order, whatever the program is now."""
    slugs = [item["exercise"] for item in session.items]
    names = exercise_names(slugs)
    return {slug: names[slug] for slug in slugs if slug in names}


def _due(request: HttpRequest) -> tuple[Program | None, AnswersDue | None]:
    """The patient's program and what it may ask; twice None while there is nothing to check in
    about."""
    program, at = program_for(request.patient), moment_of(request)
    if program is None:
        return None, None
    facts = facts_of(program, at)
    # What was answered before a stop and comes late is judged by the verbs; no exercise is shown.
    late = given_at(request) is not None
    if not late and stop_reason(request.patient, program, open_flags=facts.open_flags):
        return None, None
    return program, answers_due(program=program, at=at, facts=facts)


def _already_answered(request: HttpRequest) -> HttpResponse | None:
    """Lead a form that was sent twice to the result of the first."""
    try:
        client_id = uuid.UUID(request.POST.get("client_id", ""))
    except ValueError:
        return None
    kept = CheckIn.objects.filter(patient=request.patient, client_id=client_id).exists()
    return redirect("portal_result", client_id=client_id) if kept else None


def _check_in(
    request: HttpRequest, form: CheckInForm, *, template: str, answer: Any
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        client_id = form.cleaned_data["client_id"]
        try:
            answered = answer(
                client_id=client_id,
                at=timezone.now(),
                given_at=given_at(request),
                **form.answers(),
            )
        except ValidationError as error:
            form.take(error)
        else:
            if answered.ask_red_flags:
                request.session[ASK] = str(client_id)
                return redirect("portal_questions")
            return redirect("portal_result", client_id=answered.check_in.client_id)
    already = _already_answered(request) if form.errors else None
    return already or render(request, template, {"form": form}, status=400 if form.errors else 200)


# --- what follows ----------------------------------------------------------------------------


@require_safe
@patient_required(by_link=True)
def result(request: HttpRequest, client_id: uuid.UUID) -> HttpResponse:
    """What the answers lead to, why, and when the physiotherapist sees them."""
    check_in = CheckIn.objects.filter(patient=request.patient, client_id=client_id).first()
    if check_in is None or (request.pass_only and check_in.at < request.pass_since):
        raise Http404
    program = program_for(request.patient)
    reason = stop_reason(request.patient, program)
    if reason:
        return stop_page(
            request,
            site=request.patient.site,
            reason=reason,
            patient=request.patient,
            program=program,
        )
    decision = _decision_after(program, check_in)
    today = today_for(program=program, at=timezone.now()) if program else None
    context = {
        "check_in": check_in,
        "decision": decision,
        "meaning": _meaning(check_in, decision, program),
        "today": today,
    }
    return render(request, "portal/result.html", context)


def _decision_after(program: Program | None, check_in: CheckIn) -> Decision | None:
    if program is None:
        return None
    later = program.decisions.filter(at__gte=check_in.at).order_by("at", "pk").first()
    return later or program.decisions.first()


def _meaning(
    check_in: CheckIn, decision: Decision | None, program: Program | None
) -> list[Meaning]:
    if program is None or decision is None:
        return []
    answers = {field.name: getattr(check_in, field.name) for field in fields(Answers)}
    session = getattr(check_in, "morning_after", None)
    if session is not None and session.after_check_in is not None:
        answers["pain_before"] = session.after_check_in.pain_before
    policy = thresholds_of(decision.policy)
    return meaning_of(
        Answers(**answers),
        comfortable=policy.progress_max_pain,
        ceiling=program.current_version.pain_ceiling or policy.pain_ceiling,
        rules=decision.rules,
    )


# --- the safety questions ----------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def serious(request: HttpRequest) -> HttpResponse:
    """“Something feels seriously wrong”: open to everybody, answered on the same page."""
    visitor = visitor_of(request, at=timezone.now())
    if visitor is None:
        return unsaved_page(request)
    with as_visitor(request, visitor):
        if is_of_another(request):
            return unsaved_page(request)
        return private(_questions(request, RedFlagScreening.Source.BUTTON, "portal/serious.html"))


@require_http_methods(["GET", "HEAD", "POST"])
def questions(request: HttpRequest) -> HttpResponse:
    """The same questions, asked once a week and whenever answers call for them."""
    visitor = visitor_of(request, at=timezone.now()) if request.method == "POST" else None
    if request.method == "POST" and visitor is None:
        # Somebody whose sign-in ended meanwhile: first what to do, then who it is.
        return unsaved_page(request)
    if visitor is not None:
        with as_visitor(request, visitor):
            if is_of_another(request):
                return unsaved_page(request)
    return _asked_questions(request)


@patient_required(by_link=True)
def _asked_questions(request: HttpRequest) -> HttpResponse:
    asked_for = request.session.get(ASK)
    source = RedFlagScreening.Source.CHECK_IN if asked_for else RedFlagScreening.Source.WEEKLY
    return _questions(request, source, "portal/questions.html")


def _questions(request: HttpRequest, source: str, template: str) -> HttpResponse:
    if request.method != "POST" and source != RedFlagScreening.Source.BUTTON:
        # Asked before a routine; while everything stands still there is none to ask for.
        stopped = _stopped(request)
        if stopped is not None:
            return stopped
    form = RedFlagForm(request.POST if request.method == "POST" else None)
    site = request.patient.site
    context = {
        "form": form,
        "calls": calls([site], EMERGENCY),
        "offline": [advice([site], reason) for reason in (EMERGENCY, SAME_DAY)],
        "sites": [site],
    }
    if form.is_bound and form.is_valid():
        answers = form.answers()
        severity = assess(answers).severity
        saved = _save_red_flags(request, form.cleaned_data["client_id"], answers, source)
        if severity is not None:
            # Whatever became of saving, the advice is on this very response.
            return stop_page(
                request,
                site=site,
                reason=severity,
                patient=request.patient,
                fresh=True,
                saved=saved,
            )
        if saved:
            # Whoever is stopped stays so: a later no takes nothing back, and must not sound so.
            return _stopped(request) or _all_clear(request)
        form.add_error(
            None,
            _("We could not save your answers. Please call %(phone)s.") % {"phone": site.phone},
        )
        response = render(request, template, context, status=503)
        response.says_what_to_do = True
        return response
    return render(request, template, context, status=400 if form.errors else 200)


def _stopped(request: HttpRequest) -> HttpResponse | None:
    """The advice that stands, or None when nothing stops the patient."""
    patient = request.patient
    program = program_for(patient)
    reason = stop_reason(patient, program)
    if not reason:
        return None
    return stop_page(request, site=patient.site, reason=reason, patient=patient, program=program)


def _save_red_flags(
    request: HttpRequest, client_id: uuid.UUID, answers: dict[str, str], source: str
) -> bool:
    """Whether the answers are kept. Nothing that goes wrong here may hide the advice."""
    try:
        answer_red_flags(
            patient=request.patient,
            answers=answers,
            source=source,
            client_id=client_id,
            at=timezone.now(),
            given_at=given_at(request),
        )
    except Exception as error:
        # Only the kind of error: its text may hold the answers.
        log.error("Safety answers could not be saved: %s", type(error).__name__)
        return False
    return True


def _all_clear(request: HttpRequest) -> HttpResponse:
    context = {
        "asked_after": request.session.pop(ASK, None),
        "sites": [request.patient.site],
        "saved": True,
    }
    return render(request, "portal/all_clear.html", context)
