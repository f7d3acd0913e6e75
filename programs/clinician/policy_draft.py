"""One policy draft: its thresholds with a live look at what they change, and putting it away."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from programs.clinician.opening import portal
from programs.clinician.policy_form import PERIODS, DraftForm, seen
from programs.form_errors import put_errors
from programs.models import Policy, PolicyDraft
from programs.policies import change_draft, discard_draft, drafts, renew_draft, whats_missing
from programs.rehearsing import rehearse_draft


def open_draft(number: int) -> PolicyDraft:
    found = drafts().filter(pk=number).first() if number < 2**63 else None
    if found is None:
        raise Http404
    return found


def draft(request: HttpRequest, draft: int) -> HttpResponse:
    """The author's form; for everybody else, and once it is closed, what the draft comes to."""
    row = open_draft(draft)
    mine = row.author_id == request.user.pk and row.state == PolicyDraft.State.OPEN
    form = DraftForm(request.POST or None, draft=row) if mine else None
    if request.method == "POST":
        if form is None:
            raise PermissionDenied("This draft is a colleague’s, or not open any more.")
        if form.is_valid() and _keep(request, row, form):
            return _onward(request, row, form)
    return portal.page(
        request,
        "admin/portal/policy_draft.html",
        _context(row, form),
        status=400 if form is not None and form.errors else 200,
    )


def _keep(request: HttpRequest, row: PolicyDraft, form: DraftForm) -> bool:
    try:
        change_draft(
            draft=row,
            thresholds=form.thresholds(),
            reason=form.cleaned_data["reason"],
            looser_because=form.cleaned_data.get("looser_because", ""),
            by=request.user,
            at=timezone.now(),
        )
    except ValidationError as error:
        put_errors(form, error)
        return False
    return True


def _onward(request: HttpRequest, row: PolicyDraft, form: DraftForm) -> HttpResponse:
    if request.POST.get("then") != "rehearse":
        messages.success(request, "The draft is kept. Nothing is in force yet.")
        return redirect("admin:policy_draft", row.pk)
    return rehearsed(request, open_draft(row.pk), form.cleaned_data["period"])


def rehearsed(request: HttpRequest, row: PolicyDraft, period: str) -> HttpResponse:
    """Rehearse over the last ``period`` days and go to what came out."""
    at = timezone.now()
    days = int(period) if period in dict(PERIODS) else 84
    since = timezone.localdate(at) - dt.timedelta(days=days)
    try:
        rehearse_draft(draft=row, since=since, by=request.user, at=at)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("admin:policy_draft", row.pk)
    return redirect("admin:policy_rehearsal", row.pk)


def _context(row: PolicyDraft, form: DraftForm | None) -> dict[str, Any]:
    is_open = row.state == PolicyDraft.State.OPEN
    in_force = Policy.objects.in_force(row.pathway)
    return {
        "title": f"{row.get_pathway_display()}: draft",
        "draft": row,
        "form": form,
        "seen": form.seen() if form else seen(row, row.whole),
        "is_open": is_open,
        "overtaken_by": in_force if is_open and in_force.pk != row.based_on_id else None,
        "missing": whats_missing(row, in_force=in_force) if is_open else [],
        "rehearsal": row.rehearsals.select_related("by").defer("found", "courses").first(),
    }


@require_POST
def check(request: HttpRequest, draft: int) -> HttpResponse:
    """The difference of what stands in the form, as a fragment; keeps nothing."""
    row = open_draft(draft)
    form = DraftForm(request.POST, draft=row)
    form.is_valid()
    return portal.page(
        request,
        "admin/portal/part_policy_difference.html",
        {"seen": form.seen(), "draft": row},
    )


@require_POST
def renew(request: HttpRequest, draft: int) -> HttpResponse:
    row = open_draft(draft)
    try:
        renewed = renew_draft(draft=row, by=request.user, at=timezone.now())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        version = renewed.based_on.version
        messages.success(request, f"The draft now starts from version {version}.")
    return redirect("admin:policy_draft", row.pk)


@require_POST
def discard(request: HttpRequest, draft: int) -> HttpResponse:
    row = open_draft(draft)
    try:
        discard_draft(draft=row, by=request.user, at=timezone.now())
    except ValidationError as error:
        messages.info(request, " ".join(error.messages))
    else:
        messages.success(request, "The draft is put away.")
    return redirect("admin:policy", row.pathway)
