"""The page of one patient, and the short answers given on it."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST

from clinic import alerts as alerting
from clinic.models import Alert
from clinic.roles import May, may
from patients.models import Patient
from patients.red_flagging import close_red_flags, describe
from patients.sign_in_sheets import sheet_in_force
from programs.adjusting import reopen_program
from programs.caseload import NEED, is_over
from programs.caseload_rows import fresh
from programs.clinician.answers import Picture, look_at, newest_decision
from programs.clinician.change_form import title_of
from programs.clinician.consents import lines_of
from programs.clinician.conversation import waiting
from programs.clinician.course import course_of
from programs.clinician.fields import PortalForm, reason_field, whole_number
from programs.clinician.notes import note_form, notes_of
from programs.clinician.opening import address_of, open_patient, portal
from programs.clinician.panels import panels_of
from programs.clinician.patient_messages import reminders_of
from programs.clinician.timeline import KINDS, time_line
from programs.clinician.undo_line import to_undo
from programs.form_errors import put_errors
from programs.items import dose_text
from programs.models import (
    CaseloadMark,
    CaseloadRow,
    Decision,
    Prescription,
    Program,
    ProgramVersion,
    Proposal,
)
from programs.positions import prescriptions_of, standing_of
from programs.proposals import accept_proposal, decline_proposal
from programs.stop_seen import seen_stop
from programs.today import program_for


class DeclineForm(PortalForm):
    reason = reason_field("Why not", required="Say why the step is not taken.")


class ReopenForm(PortalForm):
    reason = reason_field(
        "What was found, and why it is safe to go on",
        required="Say what was found and why it is safe to go on.",
        help_text="Closes an open red flag. A running program gets a new version and goes on, with "
        "its reminders.",
    )


@dataclass
class Shown:
    """One exercise of the program as the page shows it."""

    prescription: Prescription
    title: str
    dose: str
    waits_for: str


# --- reading ---------------------------------------------------


def patient_page(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Everything about one patient; ``before`` (ISO time) pages the time line back, ``kind``
    narrows it, ``correct`` opens the note of that id for a correction, ``undo`` names a proposal
    that was just answered."""
    return _page(request, open_patient(request, pk, "patient"))


def _page(
    request: HttpRequest,
    patient: Patient,
    *,
    status: int = 200,
    problem: str = "",
    written: str = "",
    **shown_forms: forms.Form,
) -> HttpResponse:
    """``problem`` and what was ``written`` stand at the top: for a form that is not drawn."""
    at = timezone.now()
    clinical = may(request.user, May.SEE_CLINICAL)
    prefetch_related_objects([patient], "contact_points")
    context: dict[str, Any] = {
        "title": patient.name,
        "patient": patient,
        "age": _age(patient, at),
        "contact_points": list(patient.contact_points.all()),
        "consents": lines_of(patient),
        "carers": list(patient.carers.helping()),
        "sheet": sheet_in_force(patient),
        "problem": problem,
        "written": written,
        "at": at,
    }
    program = program_for(patient)
    if program is not None:
        # The same person, with the addresses that are read already.
        program.patient = patient
    context["program"] = program
    context["reminders"] = reminders_of(patient, program, at)
    context["panels"] = panels_of(patient, program, user=request.user, at=at)
    if clinical:
        before = _moment(request.GET.get("before", ""))
        kind = request.GET.get("kind", "")
        kind = kind if kind in KINDS else ""
        context |= {
            "line": time_line(patient=patient, before=before, kind=kind),
            "before": before,
            "kind": kind,
            "kinds": KINDS.items(),
            "notes": notes_of(patient),
            "note_form": note_form(patient, request.GET.get("correct", "")),
        }
        context |= _clinical(request, patient, program, at, shown_forms)
    return portal.page(request, "admin/portal/patient.html", context, status=status)


def _clinical(
    request: HttpRequest,
    patient: Patient,
    program: Program | None,
    at: dt.datetime,
    shown_forms: dict[str, forms.Form],
) -> dict[str, Any]:
    texts = waiting(patient)
    open_alerts = (
        Alert.objects.open().about("patient", patient.pk).select_related("owner").order_by("due_at")
    )
    flags = list(patient.red_flags.open())
    row = _row(patient, at)
    found: dict[str, Any] = {
        "row": row,
        "need": NEED[row.need],
        # Those of texts stand beside the words themselves.
        "alerts": list(open_alerts.exclude(pk__in=[t.alert.pk for t in texts if t.alert])),
        "texts": texts,
        "texts_newest": next((t.text for t in reversed(texts) if t.text.subject_type), None),
        "flags": [(flag, describe(flag.answers)) for flag in flags],
        "seen": seen_stop(patient, program) if flags or _suspended(program) else None,
        "reopen_form": shown_forms.get("reopen_form") or ReopenForm(),
        "decline_form": shown_forms.get("decline_form") or DeclineForm(),
        "stopped": bool(flags) or _suspended(program),
        "can_reopen": (flags or _suspended(program)) and may(request.user, May.DECIDE),
    }
    if program is None:
        return found | {
            "intake": patient.intake_screenings.select_related("taken_by").first(),
            "ended": patient.programs.filter(status=Program.Status.ENDED).first(),
        }
    decision = newest_decision(program)
    proposal = (
        program.proposals.open()
        .select_related("decision__policy", "decision__program")
        .defer("decision__evidence")
        .first()
    )
    spoken = proposal.decision if proposal else decision
    fired, pictures = look_at(spoken) if spoken else ([], [])
    return found | {
        "version": program.current_version,
        "proposal": proposal,
        "undo": to_undo(request, at, patient=patient.pk) if may(request.user, May.DECIDE) else None,
        "decision": spoken,
        "reopened": _reopening(program, decision),
        "fired": fired,
        "pictures": pictures,
        "step_figures": _step_figures(program, spoken, pictures) if proposal and spoken else [],
        "course": course_of(program=program, at=at),
        "shown": _shown(program, patient.local_date(at)),
        "weeks": max(0, (patient.local_date(at) - program.started_on).days // 7) + 1,
    }


def _row(patient: Patient, at: dt.datetime) -> CaseloadRow:
    """Where the patient stands on the board: the kept row while it is true, else made afresh."""
    marks = CaseloadMark.objects.filter(patient_id=OuterRef("patient_id"))
    kept = CaseloadRow.objects.annotate(marked=Exists(marks)).filter(patient=patient).first()
    overtaken = kept is None or kept.marked or (kept.looks_again_at and kept.looks_again_at <= at)
    return fresh([patient], at=at)[0] if overtaken else kept


def _shown(program: Program, today: dt.date) -> list[Shown]:
    version = program.current_version
    standing = standing_of(version, today=today, calm_fortnight=True)
    waits = {position.exercise: standing.waits_for(position) for position in standing.positions}
    return [
        Shown(p, title_of(p), dose_text(p), waits[p.exercise.slug])
        for p in prescriptions_of(version)
    ]


@dataclass(frozen=True)
class StepFigure:
    """One level of the exercise that a proposal speaks of."""

    exercise: str
    level: int
    name: str
    words: str


def _step_figures(
    program: Program, decision: Decision, pictures: list[Picture]
) -> list[StepFigure]:
    """The exercise of the proposed step as it is now and, where its level changes, as proposed."""
    step = decision.step or {}
    prescribed = next(
        (
            p
            for p in prescriptions_of(program.current_version)
            if p.exercise.slug == step.get("exercise")
        ),
        None,
    )
    if prescribed is None:
        return []
    slug, now, then = prescribed.exercise.slug, prescribed.level, step.get("level")
    pointed = {(one.exercise, one.level) for one in pictures}
    found = [] if (slug, now) in pointed else [(now, f"level {now}, now")]
    if then and int(str(then)) != now:
        found.append((int(str(then)), f"level {then}, proposed"))
    return [StepFigure(slug, level, prescribed.exercise.name, words) for level, words in found]


def _reopening(program: Program, decision: Decision | None) -> ProgramVersion | None:
    """The reopening that answered the stop which the newest decision was; None for any other."""
    answered = decision is not None and is_over(decision, program)
    return _newest_reopening(program) if answered else None


def _newest_reopening(program: Program) -> ProgramVersion | None:
    reopened = program.versions.filter(cause=ProgramVersion.Cause.REOPENED)
    return reopened.select_related("by").first()


def _suspended(program: Program | None) -> bool:
    return program is not None and program.status == Program.Status.SUSPENDED


def _age(patient: Patient, at: dt.datetime) -> int | None:
    born, today = patient.date_of_birth, patient.local_date(at)
    if born is None:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _moment(text: str) -> dt.datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found and timezone.is_aware(found) else None


# --- answering ---------------------------------------------------


@require_POST
def accept(request: HttpRequest, pk: uuid.UUID, proposal: int) -> HttpResponse:
    patient = open_patient(request, pk, "proposal")
    found = _proposal(patient, proposal)
    try:
        version = accept_proposal(proposal=found, by=request.user, at=timezone.now())
    except ValidationError as error:
        return _page(request, patient, status=400, problem=" ".join(error.messages))
    messages.success(request, f"Accepted. {patient.name} is on version {version.number} now.")
    return redirect(f"{address_of(patient)}?undo={found.pk}")


@require_POST
def decline(request: HttpRequest, pk: uuid.UUID, proposal: int) -> HttpResponse:
    patient = open_patient(request, pk, "proposal")
    found = _proposal(patient, proposal)
    form = DeclineForm(request.POST)
    if not form.is_valid() and found.status == Proposal.Status.OPEN:
        return _page(request, patient, status=400, decline_form=form)
    reason = form.cleaned_data.get("reason", "")
    try:
        decline_proposal(proposal=found, by=request.user, at=timezone.now(), reason=reason)
    except ValidationError as error:
        # Answered since this page was drawn, or stopped: the form stands there no more.
        problem = " ".join(error.messages)
        return _page(request, patient, status=400, problem=problem, written=reason)
    messages.success(request, "Declined. The routine stays as it is.")
    return redirect(f"{address_of(patient)}?undo={found.pk}")


@require_POST
def seen(request: HttpRequest, pk: uuid.UUID, alert: int) -> HttpResponse:
    patient = open_patient(request, pk, "alert")
    found = Alert.objects.about("patient", patient.pk).filter(pk=alert).first()
    if found is None:
        raise Http404
    outcome = request.POST.get("outcome", "").replace("\0", "").strip()[:500]
    kept = alerting.acknowledge(alert=found, by=request.user, at=timezone.now(), outcome=outcome)
    if outcome and kept.outcome != outcome:
        who = kept.resolved_by.name
        messages.warning(request, f"Closed already by {who}. What you wrote: “{outcome}”")
    elif kept.acknowledged_by_id == request.user.pk:
        messages.success(request, "Noted: you have seen it.")
    else:
        messages.info(request, f"{kept.acknowledged_by.name} had seen it before.")
    return redirect(address_of(patient))


@require_POST
def reopen(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Close what stopped the patient: with a program it goes on, without one it may be assigned."""
    patient = open_patient(request, pk, "reopen")
    program = program_for(patient)
    form = ReopenForm(request.POST)
    if not _stands_still(patient):
        return _nothing_to_reopen(request, patient, form)
    if form.is_valid():
        # The flags that stood on the page she answers, so that none is closed unread.
        flags = (whole_number(pk) for pk in request.POST.getlist("flag"))
        seen = {pk for pk in flags if pk is not None}
        said = {"by": request.user, "at": timezone.now(), "seen": seen, **form.cleaned_data}
        try:
            if program is None:
                close_red_flags(patient=patient, **said)
                messages.success(request, "The red flag is closed. A program can be assigned.")
            else:
                # When that page was drawn, so that no alert is either.
                read_at = _moment(request.POST.get("read_at", ""))
                reopen_program(program=program, read_at=read_at, **said)
                messages.success(request, "Reopened. The patient can go on with the routine.")
            return redirect(address_of(patient))
        except ValidationError as error:
            if not _stands_still(patient):
                return _nothing_to_reopen(request, patient, form)
            put_errors(form, error)
    return _page(request, patient, status=400, reopen_form=form)


def _stands_still(patient: Patient) -> bool:
    return _suspended(program_for(patient)) or patient.red_flags.open().exists()


def _nothing_to_reopen(request: HttpRequest, patient: Patient, form: ReopenForm) -> HttpResponse:
    """A colleague, or another window, was first: who and when, and what was written meanwhile."""
    program = program_for(patient)
    version = _newest_reopening(program) if program else None
    closed = patient.red_flags.filter(closed_at__isnull=False).order_by("-closed_at")
    flag = closed.select_related("closed_by").first()
    if version is not None:
        problem = f"Reopened already by {version.by.name}, {_said(version.at)}."
    elif flag is not None:
        problem = f"The red flag is closed already: {flag.closed_by.name}, {_said(flag.closed_at)}."
    elif program is not None:
        problem = "This program is not suspended."
    else:
        raise Http404
    form.is_valid()
    written = form.cleaned_data.get("reason", "")
    return _page(request, patient, status=400, problem=problem, written=written)


def _said(at: dt.datetime) -> str:
    return f"{timezone.localtime(at):%a %-d %b, %H:%M}"


def _proposal(patient: Patient, pk: int) -> Proposal:
    found = (
        Proposal.objects.filter(pk=pk, program__patient=patient)
        .select_related("program__patient")
        .first()
    )
    if found is None:
        raise Http404
    return found
