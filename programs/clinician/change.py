"""The routine editor: change, see what changes, issue. With a proposal in hand or without one."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from patients.models import Patient
from programs.adjusting import adjust_program
from programs.clinician import change_seen as seen
from programs.clinician.change_form import ChangeForm, IssueForm
from programs.clinician.cloning import Sources, sources_for, start_from
from programs.clinician.fields import whole_number
from programs.clinician.opening import address_of, open_patient, portal
from programs.clinician.routine_edit import carried, edited, typed, was_edited
from programs.deciding import overtaken_words
from programs.form_errors import put_errors
from programs.models import Program, ProgramVersion, Proposal
from programs.positions import prescriptions_of, step_from_json
from programs.proposals import change_proposal
from programs.reasons import UNCHANGED
from programs.telling import how_to_tell
from programs.today import program_for
from programs.versioning import Change


def change(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The editor. ``?proposal=<id>`` prefills the proposed step and answers that proposal;
    ``?version=<number>`` starts from an earlier version, ``?like=<patient>`` from somebody
    else's program. Nothing is kept until ``step`` is "issue"."""
    patient = open_patient(request, pk, "change")
    program = program_for(patient)
    if program is None:
        raise Http404
    proposal = _proposal(program, request.GET.get("proposal", ""))
    if proposal is not None and proposal.status != Proposal.Status.OPEN:
        messages.warning(request, f"Not open any more: {proposal.get_status_display().lower()}.")
        return redirect(address_of(patient))
    if request.method != "POST":
        return _edit(request, program, proposal, _opened(request, program, proposal))
    form = _sent(request, program)
    if was_edited(request.POST):
        return _edit(request, program, proposal, form)
    version = program.current_version
    if request.POST.get("version") != str(version.number):
        form.add_error(None, overtaken_words(version))
    if not form.is_valid():
        return _edit(request, program, proposal, form)
    try:
        wanted = form.change()
        look = seen.look_at(program=program, change=wanted, at=timezone.now())
    except ValidationError as error:
        put_errors(form, error)
        return _edit(request, program, proposal, form)
    if look.empty:
        form.add_error(None, f"Nothing differs from version {version.number} yet.")
        return _edit(request, program, proposal, form)
    issuing = request.POST.get("step") == "issue"
    issue = IssueForm(
        request.POST if issuing else None,
        obstacles=look.obstacles,
        initial=_first_values(request, look),
        patient=patient,
        telling=how_to_tell(program=program, at=timezone.now()),
    )
    if issuing and issue.is_valid():
        try:
            made = _issue(request, program, proposal, wanted, issue)
            messages.success(request, f"Version {made.number} is in force.{_told(patient, issue)}")
            return redirect(address_of(patient))
        except ValidationError as error:
            put_errors(issue, error)
    return _review(request, program, proposal, form, issue, look)


@require_POST
def change_live(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """What the form comes to as it stands, as a fragment: minutes, changes, closed gates."""
    patient = open_patient(request, pk, "change")
    program = program_for(patient)
    if program is None:
        raise Http404
    form = _sent(request, program)
    context: dict[str, Any] = {"form": form, "look": None}
    if form.is_valid():
        try:
            context["look"] = seen.look_at(program=program, change=form.change(), at=timezone.now())
        except ValidationError as error:
            put_errors(form, error)
    return render(request, "admin/portal/change_live.html", context)


def _opened(request: HttpRequest, program: Program, proposal: Proposal | None) -> ChangeForm:
    step = step_from_json(proposal.decision.step) if proposal and proposal.decision.step else None
    return ChangeForm(
        version=program.current_version,
        today=program.patient.local_date(timezone.now()),
        step=step,
        start=start_from(request, program),
        by=request.user,
    )


def _sent(request: HttpRequest, program: Program) -> ChangeForm:
    version = program.current_version
    own = [p.exercise.slug for p in prescriptions_of(version)]
    return ChangeForm(
        edited(request.POST, standing=own),
        version=version,
        today=program.patient.local_date(timezone.now()),
        by=request.user,
    )


def _issue(
    request: HttpRequest,
    program: Program,
    proposal: Proposal | None,
    wanted: Change,
    issue: IssueForm,
) -> ProgramVersion:
    reason = issue.cleaned_data["reason"]
    wanted.overrides = issue.reasons()
    for prescription in wanted.prescriptions.values():
        if prescription.paused:
            prescription.pause_reason = reason[:200]
    said = {
        "change": wanted,
        "by": request.user,
        "reason": reason,
        "patient_reason": issue.cleaned_data["patient_reason"],
        "tell": issue.cleaned_data.get("tell", False),
        "at": timezone.now(),
    }
    if proposal is not None:
        return change_proposal(proposal=proposal, **said)
    return adjust_program(program=program, seen=program.current_version.number, **said)


def _first_values(request: HttpRequest, look: seen.Seen) -> dict[str, Any]:
    """What the second step begins with, or what was said there before somebody went back."""
    initial = {
        "patient_reason": look.patient_words,
        # Of a brake alone the patient notices nothing.
        "tell": look.patient_words != UNCHANGED,
        **dict(typed(request.POST)),
    }
    return initial | {"tell": initial["tell"] in (True, "on")}


def _told(patient: Patient, issue: IssueForm) -> str:
    if not issue.cleaned_data.get("tell"):
        return ""
    return f" {patient.given_name} is told {issue.told_how}."


def _edit(
    request: HttpRequest, program: Program, proposal: Proposal | None, form: ChangeForm
) -> HttpResponse:
    quiet = form.is_bound and was_edited(request.POST)
    context = _context(program, proposal, form) | {
        "look": None if form.is_bound and form.errors else _look(program, form),
        "typed": typed(request.POST),
        "sources": sources_for(request, program) if request.method == "GET" else Sources(),
    }
    status = 400 if form.errors and not quiet else 200
    return portal.page(request, "admin/portal/change.html", context, status=status)


def _look(program: Program, form: ChangeForm) -> seen.Seen | None:
    """What stands beside the form at first: of an unbound one, what its first values come to."""
    at = timezone.now()
    if not form.is_bound:
        form = form.as_if_sent()
    if not form.is_valid():
        return None
    try:
        return seen.look_at(program=program, change=form.change(), at=at)
    except ValidationError:
        return None


def _review(
    request: HttpRequest,
    program: Program,
    proposal: Proposal | None,
    form: ChangeForm,
    issue: IssueForm,
    look: seen.Seen,
) -> HttpResponse:
    context = _context(program, proposal, issue) | {
        "telling": issue.telling,
        "title": f"What version {program.current_version.number + 1} changes",
        "look": look,
        "carried": carried(form.data),
    }
    status = 400 if issue.errors else 200
    return portal.page(request, "admin/portal/change_review.html", context, status=status)


def _context(
    program: Program, proposal: Proposal | None, form: ChangeForm | IssueForm
) -> dict[str, object]:
    patient: Patient = program.patient
    return {
        "title": "Take another step" if proposal else "Adjust the program",
        "patient": patient,
        "program": program,
        "version": program.current_version,
        "proposal": proposal,
        "form": form,
        "query": f"?proposal={proposal.pk}" if proposal else "",
    }


def _proposal(program: Program, text: str) -> Proposal | None:
    if not text:
        return None
    # None finds nothing.
    found = program.proposals.select_related("decision").filter(pk=whole_number(text)).first()
    if found is None:
        raise Http404
    return found
