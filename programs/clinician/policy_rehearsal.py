"""What a draft would have decided, patient by patient, and publishing it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from clinic.audit import record_access
from clinic.models import AccessRecord, User
from patients.models import Patient
from programs.clinician.fields import PortalForm, reason_field
from programs.clinician.opening import portal
from programs.clinician.policy_draft import open_draft, rehearsed
from programs.clinician.policy_form import PERIODS, seen
from programs.comparing import OUTCOMES, in_words, more_or_fewer
from programs.form_errors import put_errors
from programs.models import Decision, PolicyDraft, Program, Rehearsal
from programs.policies import publish_draft, whats_missing
from programs.rule_words import RULES

_APPROVALS = {
    "policy": "raised by the policy",
    "clinician": "waits for a physiotherapist",
    "applied_and_notified": "applied at once",
    "clinician_reopens": "a physiotherapist reopens",
    "none": "",
}


class PublishForm(PortalForm):
    reason = reason_field("Why the thresholds change", help_text="It stands beside the version.")


class PeriodForm(forms.Form):
    period = forms.ChoiceField(label="Over the last", choices=PERIODS, initial="84")


@require_POST
def rehearse(request: HttpRequest, draft: int) -> HttpResponse:
    """Rehearse the draft as it is kept."""
    return rehearsed(request, open_draft(draft), request.POST.get("period", ""))


@require_GET
def rehearsal(request: HttpRequest, draft: int) -> HttpResponse:
    """The newest rehearsal of a draft; the look at these patients is written down."""
    row = open_draft(draft)
    newest = row.rehearsals.select_related("by", "against").first()
    if newest is None:
        messages.info(request, "This draft has not been rehearsed yet.")
        return redirect("admin:policy_draft", row.pk)
    return _page(request, row, newest, PublishForm(initial={"reason": row.reason}))


@require_POST
def publish(request: HttpRequest, draft: int) -> HttpResponse:
    """Put the draft in force; the manager's form stands below the rehearsal."""
    row = open_draft(draft)
    form = PublishForm(request.POST)
    if form.is_valid():
        try:
            policy = publish_draft(
                draft=row,
                reason=form.cleaned_data["reason"],
                read=request.POST.get("read", ""),
                by=request.user,
                at=timezone.now(),
            )
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(
                request,
                f"Version {policy.version} is in force. Decisions from now on are made under it.",
            )
            return redirect("admin:policy", row.pathway)
    newest = row.rehearsals.select_related("by", "against").first()
    if newest is None or row.state != PolicyDraft.State.OPEN:
        messages.error(request, " ".join(form.non_field_errors()) or "This draft is closed.")
        return redirect("admin:policy_draft", row.pk)
    return _page(request, row, newest, form, status=400)


def _page(
    request: HttpRequest, row: PolicyDraft, newest: Rehearsal, form: PublishForm, status: int = 200
) -> HttpResponse:
    record_access(
        actor=request.user,
        action=AccessRecord.Action.READ,
        subject_type="policy draft",
        subject_id=row.pk,
        page="rehearsal",
        at=timezone.now(),
    )
    found = newest.found
    is_open = row.state == PolicyDraft.State.OPEN
    current = is_open and newest.is_of(row)
    listed, elsewhere = _listed(newest, request.user)
    return portal.page(
        request,
        "admin/portal/policy_rehearsal.html",
        {
            "title": f"{row.get_pathway_display()}: rehearsal",
            "draft": row,
            "rehearsal": newest,
            "found": found,
            "turned": sum(found["first"].values()),
            "in_all": sum(found["all"].values()),
            "sentence": in_words(found["first"]),
            "tiles": more_or_fewer(found["first"]),
            "listed": listed,
            "elsewhere": elsewhere,
            "unlisted": sum(found["first"].values()) - len(found["turns"]),
            "seen": seen(row, newest.thresholds),
            "courses": newest.courses,
            "is_open": is_open,
            "current": current,
            "missing": whats_missing(row) if is_open else [],
            "raised": _raised_by_policy(row) if is_open else 0,
            "form": form,
            "period_form": PeriodForm(),
            "flare_rise_moved": newest.thresholds.get("flare_rise")
            != newest.against.thresholds.get("flare_rise"),
        },
        status=status,
    )


def _raised_by_policy(row: PolicyDraft) -> int:
    """How many programs follow this policy upward without being asked each time."""
    return (
        Program.objects.active()
        .filter(current_version__pathway=row.pathway, current_version__auto_policy=True)
        .count()
    )


def _listed(newest: Rehearsal, user: User) -> tuple[list[dict[str, Any]], int]:
    """The turns of patients this person may see, the strongest first, and how many are others'."""
    turns = {turn["ref"]: turn for turn in newest.found["turns"]}
    visible = Patient.objects.visible_to(user)
    decisions = Decision.objects.filter(pk__in=turns, program__patient__in=visible)
    order = [outcome.value for outcome in OUTCOMES]
    rows = [
        {
            "patient": decision.program.patient,
            "day": decision.day,
            "turn": turn,
            "old_words": _words(turn["old_rules"]),
            "new_words": _words(turn["new_rules"]),
            "approvals": None
            if turn["old"] != turn["new"]
            else [_APPROVALS[turn["old_approval"]], _APPROVALS[turn["new_approval"]]],
        }
        for decision in decisions.select_related("program__patient").defer("evidence", "fired")
        for turn in [turns[decision.pk]]
    ]
    rows.sort(key=lambda row: (order.index(row["turn"]["new"]), -row["day"].toordinal()))
    return rows, len(turns) - len(rows)


def _words(rules: list[str]) -> list[tuple[str, str]]:
    return [(rule, RULES.get(rule, rule)) for rule in rules]
