"""Short answers given on the board: accept, undo, decline, snooze, wake, and keeping a view.

Every one comes back to the place on the board it was given at. With ``X-Live`` accepting and
undoing answer with the one row that has changed, for the script to put in its place.
"""

import uuid

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from patients.models import Patient
from programs.accepting import accept_from_list
from programs.caseload_rows import row_of
from programs.clinician.board import setting_for
from programs.clinician.board_lines import done_line, line
from programs.clinician.fields import PortalForm, date_field, reason_field
from programs.clinician.opening import address_of, open_patient, portal
from programs.form_errors import put_errors
from programs.keeping_views import forget_view, keep_view
from programs.models import Proposal, SavedView
from programs.proposals import decline_proposal
from programs.snoozing import LONGEST_DAYS, snooze_patient, wake_patient
from programs.undoing import can_be_undone, undo_answer, waits_again


class DeclineForm(PortalForm):
    reason = reason_field(
        "Why not",
        required="Say why the step is not taken.",
        help_text="Kept with the version; patients do not see it.",
    )


class SnoozeForm(PortalForm):
    until = date_field(
        "Until",
        help_text=f"They stand in their place again when that day begins; "
        f"{LONGEST_DAYS} days at the most.",
    )
    reason = reason_field("Why this can wait", required="Say why this can wait.")


class ViewForm(PortalForm):
    name = forms.CharField(
        label="Name of this view",
        max_length=40,
        error_messages={"max_length": "Choose a name of at most 40 letters."},
    )


# --- proposals -----------------------------------------------------------------------------------


@require_POST
def accept(request: HttpRequest, pk: uuid.UUID, proposal: int) -> HttpResponse:
    patient = open_patient(request, pk, "board")
    found = proposal_of(patient, proposal)
    step = found.decision.step["words"] if found.decision.step else "the step"
    try:
        version = accept_from_list(proposal=found, by=request.user, at=timezone.now())
    except ValidationError as error:
        return _refused(request, patient, error)
    said = f"Accepted: {step}. Version {version.number}."
    return _answered(request, patient, found, said)


@require_POST
def undo(request: HttpRequest, pk: uuid.UUID, proposal: int) -> HttpResponse:
    patient = open_patient(request, pk, "board")
    found = proposal_of(patient, proposal)
    try:
        version = undo_answer(proposal=found, by=request.user, at=timezone.now())
    except ValidationError as error:
        return _refused(request, patient, error)
    then = (
        "the proposal is open again"
        if waits_again(found)
        else "newer answers have overtaken the proposal"
    )
    said = f"Taken back. Version {version.number} is as before; {then}."
    if _is_live(request):
        row = row_of(patient, at=timezone.now())
        return HttpResponse(
            line(row, setting_for(request)).replace("<tr ", f'<tr data-said="{said}" ', 1)
        )
    messages.success(request, f"{patient.name}: {said}")
    return _back(request, patient)


def decline(request: HttpRequest, pk: uuid.UUID, proposal: int) -> HttpResponse:
    """Ask for the reason, then leave the routine as it is."""
    patient = open_patient(request, pk, "board")
    found = proposal_of(patient, proposal)
    form = DeclineForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            decline_proposal(
                proposal=found, by=request.user, at=timezone.now(), **form.cleaned_data
            )
            messages.success(request, f"{patient.name}: declined. The routine stays as it is.")
            return _back(request, patient, undo=found.pk)
        except ValidationError as error:
            put_errors(form, error)
    step = found.decision.step["words"] if found.decision.step else ""
    return _asking(request, patient, form, "Decline the step", step, "Decline with this reason")


def proposal_of(patient: Patient, pk: int) -> Proposal:
    found = (
        Proposal.objects.filter(pk=pk, program__patient=patient)
        .select_related("program__patient", "decision", "resulting_version")
        .first()
    )
    if found is None:
        raise Http404
    return found


# --- putting off ---------------------------------------------------------------------------------


def snooze(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask for a day and a reason, then move the patient down the board."""
    patient = open_patient(request, pk, "board")
    form = SnoozeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            kept = snooze_patient(
                patient=patient, by=request.user, at=timezone.now(), **form.cleaned_data
            )
            until = kept.until.astimezone(patient.zone)
            messages.success(request, f"{patient.name}: snoozed until {until:%-d %B}.")
            return _back(request, patient)
        except ValidationError as error:
            put_errors(form, error)
    reason = row_of(patient, at=timezone.now()).reason
    return _asking(request, patient, form, "Snooze", reason, "Snooze")


@require_POST
def wake(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    patient = open_patient(request, pk, "board")
    wake_patient(patient=patient, by=request.user, at=timezone.now())
    messages.success(request, f"{patient.name} stands in their place again.")
    return _back(request, patient)


# --- views ---------------------------------------------------------------------------------------


@require_POST
def keep(request: HttpRequest) -> HttpResponse:
    """Keep the question that stands on the board under a name of one's own."""
    form = ViewForm(request.POST)
    if form.is_valid():
        try:
            keep_view(
                user=request.user,
                query=_back_query(request),
                at=timezone.now(),
                **form.cleaned_data,
            )
            messages.success(request, "The view is kept under its name.")
        except ValidationError as error:
            put_errors(form, error)
    for problems in form.errors.values():
        messages.error(request, " ".join(problems))
    return _back(request)


@require_POST
def forget(request: HttpRequest, pk: int) -> HttpResponse:
    view = SavedView.objects.filter(user=request.user, pk=pk).first()
    if view is None:
        raise Http404
    forget_view(view=view, by=request.user)
    messages.success(request, "The view is gone. Nobody’s record has changed.")
    return HttpResponseRedirect(reverse("admin:index"))


# --- answering -----------------------------------------------------------------------------------


def _asking(
    request: HttpRequest, patient: Patient, form: PortalForm, title: str, about: str, button: str
) -> HttpResponse:
    context = {
        "title": title,
        "patient": patient,
        "form": form,
        "about": about,
        "button": button,
        "back": _back_query(request),
    }
    status = 400 if form.errors else 200
    return portal.page(request, "admin/portal/board_ask.html", context, status=status)


def _answered(
    request: HttpRequest, patient: Patient, proposal: Proposal, said: str
) -> HttpResponse:
    if not _is_live(request):
        messages.success(request, f"{patient.name}: {said}")
        return _back(request, patient, undo=proposal.pk)
    row = row_of(patient, at=timezone.now())
    row.proposal_id = proposal.pk
    fresh = proposal_of(patient, proposal.pk)
    undo = can_be_undone(fresh, by=request.user, at=timezone.now())
    return HttpResponse(done_line(row, setting_for(request), said=said, undo=undo))


def _refused(request: HttpRequest, patient: Patient, error: ValidationError) -> HttpResponse:
    said = " ".join(error.messages)
    if not _is_live(request):
        messages.error(request, f"{patient.name}: {said}")
        return _back(request, patient)
    row = row_of(patient, at=timezone.now())
    return HttpResponse(done_line(row, setting_for(request), said=said, undo=False), status=409)


def _is_live(request: HttpRequest) -> bool:
    return request.headers.get("X-Live") == "1"


def _back_query(request: HttpRequest) -> str:
    """The query string of the board one came from; nothing that could lead elsewhere."""
    asked = request.POST.get("back", "") or request.GET.get("back", "")
    is_plain = asked.startswith("?") and len(asked) <= 200 and asked.isprintable()
    return asked if is_plain and "\\" not in asked and "#" not in asked else ""


def _back(
    request: HttpRequest, patient: Patient | None = None, *, undo: int | None = None
) -> HttpResponse:
    if patient and request.POST.get("page") == "patient":
        return redirect(address_of(patient))
    query = _back_query(request)
    if undo is not None:
        query += f"{'&' if query else '?'}undo={undo}"
    place = f"#n-{patient.number}" if patient else ""
    return redirect(f"{reverse('admin:index')}{query}{place}")
