"""Changing a program, with a proposal in hand or without one."""

import uuid

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from patients.models import Patient
from programs.adjusting import adjust_program
from programs.clinician.change_form import ChangeForm
from programs.clinician.opening import address_of, open_patient, portal
from programs.form_errors import put_errors
from programs.models import Program, ProgramVersion, Proposal
from programs.positions import step_from_json
from programs.proposals import change_proposal
from programs.today import program_for


def change(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The change form; ``?proposal=<id>`` prefills the proposed step and answers that proposal."""
    patient = open_patient(request, pk, "change")
    program = program_for(patient)
    if program is None:
        raise Http404
    proposal = _proposal(program, request.GET.get("proposal", ""))
    if proposal is not None and proposal.status != Proposal.Status.OPEN:
        messages.warning(request, f"Not open any more: {proposal.get_status_display().lower()}.")
        return redirect(address_of(patient))
    step = step_from_json(proposal.decision.step) if proposal and proposal.decision.step else None
    version = program.current_version
    form = ChangeForm(
        request.POST or None,
        version=version,
        today=patient.local_date(timezone.now()),
        step=step,
    )
    if request.method == "POST":
        if request.POST.get("version") != str(version.number):
            form.add_error(None, _overtaken(version))
        elif form.is_valid():
            try:
                made = _issue(request, program, proposal, form)
                messages.success(request, f"Version {made.number} is in force.")
                return redirect(address_of(patient))
            except ValidationError as error:
                put_errors(form, error)
    return portal.page(
        request,
        "admin/portal/change.html",
        _context(patient, program, proposal, form),
        status=400 if form.errors else 200,
    )


def _issue(
    request: HttpRequest, program: Program, proposal: Proposal | None, form: ChangeForm
) -> ProgramVersion:
    said = {
        "change": form.change(),
        "by": request.user,
        "reason": form.cleaned_data["reason"],
        "patient_reason": form.cleaned_data["patient_reason"],
        "at": timezone.now(),
    }
    if proposal is not None:
        return change_proposal(proposal=proposal, **said)
    return adjust_program(program=program, **said)


def _context(
    patient: Patient, program: Program, proposal: Proposal | None, form: ChangeForm
) -> dict[str, object]:
    return {
        "title": "Take another step" if proposal else "Adjust the program",
        "patient": patient,
        "program": program,
        "version": program.current_version,
        "proposal": proposal,
        "form": form,
    }


def _proposal(program: Program, text: str) -> Proposal | None:
    if not text:
        return None
    found = None
    if text.isdigit():
        found = program.proposals.select_related("decision").filter(pk=int(text)).first()
    if found is None:
        raise Http404
    return found


def _overtaken(version: ProgramVersion) -> str:
    who = version.by.name if version.by else "a rule"
    return (
        f"The program has changed while this page was open: version {version.number}, by {who}. "
        "Look at the patient’s page, then change it again."
    )
