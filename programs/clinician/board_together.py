"""Accepting several proposals on one page that shows every single case."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from clinic.audit import record_access
from clinic.models import AccessRecord
from clinic.portal_site import sites_of
from patients.models import CheckIn
from programs.accepting import Told, accept_together
from programs.caseload_rows import settle_for
from programs.clinician.fields import whole_number
from programs.clinician.opening import portal
from programs.models import CaseloadRow, Decision, Proposal, Session
from programs.models.caseload import IN_ORDER
from programs.rule_words import answer_words, rule_words

# More than these nobody looks at one by one.
AT_MOST = 30
_TOLD = "together_told"


@dataclass
class Case:
    """One patient with the step, the rules and the very answers that fired them."""

    row: CaseloadRow
    proposal: Proposal
    rules: str = ""
    answers: list[tuple[str, str]] = field(default_factory=list)


def together(request: HttpRequest) -> HttpResponse:
    """Show the cases of one's own caseload; accept those that stayed ticked."""
    if request.method == "POST":
        return _accept(request)
    at = timezone.now()
    cases = _cases(request, at)
    for case in cases:
        record_access(
            actor=request.user,
            action=AccessRecord.Action.READ,
            subject_type="patient",
            subject_id=case.row.patient_id,
            page="together",
            at=at,
        )
    return portal.page(
        request,
        "admin/portal/board_together.html",
        {
            "title": "Accept together",
            "cases": cases,
            "told": request.session.pop(_TOLD, []),
            "full": len(cases) == AT_MOST,
        },
    )


def _accept(request: HttpRequest) -> HttpResponse:
    numbers = (whole_number(pk) for pk in request.POST.getlist("proposal"))
    ids = [number for number in numbers if number is not None]
    # The proposals of patients whom this person may see; the verb asks everything else again.
    found = (
        Proposal.objects.filter(pk__in=ids[:AT_MOST], program__patient__site__in=_sites(request))
        .select_related("program__patient", "decision")
        .order_by("pk")
    )
    told = accept_together(proposals=list(found), by=request.user, at=timezone.now())
    request.session[_TOLD] = [_as_words(case) for case in told]
    return redirect(reverse("admin:board_together"))


def _as_words(told: Told) -> dict[str, Any]:
    patient = told.proposal.program.patient
    return {
        "name": patient.name,
        "patient": str(patient.pk),
        "proposal": told.proposal.pk,
        "refused": told.refused,
        "version": told.version,
    }


def _sites(request: HttpRequest) -> list[int]:
    return [site.pk for site in sites_of(request.user)]


def _cases(request: HttpRequest, at: dt.datetime) -> list[Case]:
    """In a fixed number of queries, however many cases there are."""
    settle_for("physiotherapist_id = %s", [request.user.pk], at=at)
    mine = CaseloadRow.objects.filter(physiotherapist=request.user, site__in=_sites(request))
    rows = list(mine.filter(may_bulk=True, need="waiting").order_by(*IN_ORDER)[:AT_MOST])
    proposals = {
        proposal.pk: proposal
        for proposal in Proposal.objects.open()
        .filter(pk__in=[row.proposal_id for row in rows])
        .select_related("decision__program")
        .defer("decision__evidence")
    }
    cases = [Case(row, proposals[row.proposal_id]) for row in rows if row.proposal_id in proposals]
    _add_answers(cases)
    return cases


def _add_answers(cases: Sequence[Case]) -> None:
    days = _days_of([case.proposal.decision for case in cases])
    for case in cases:
        decision = case.proposal.decision
        case.rules = rule_words(decision.rules)
        lines: dict[str, list[str]] = defaultdict(list)
        for fired in decision.fired:
            if fired["rule"] in decision.rules:
                for answer in fired["answers"]:
                    words = answer_words(answer["field"], answer["value"])
                    lines[days.get(answer["ref"], "")].append(words)
        case.answers = [(day, ", ".join(words)) for day, words in lines.items()]


def _days_of(decisions: Sequence[Decision]) -> dict[str, str]:
    """When each session or check-in that an answer names took place, in 2 queries."""
    refs = {a["ref"] for d in decisions for f in d.fired for a in f["answers"] if a["ref"]}
    keys: dict[str, list[str]] = defaultdict(list)
    for ref in refs:
        kind, _, key = ref.partition(":")
        keys[kind].append(key)
    sessions = Session.objects.filter(pk__in=keys["session"]).values_list("pk", "day")
    check_ins = CheckIn.objects.filter(pk__in=keys["checkin"]).values_list("pk", "day")
    found = {f"session:{pk}": f"{day:%a %-d %b}, session" for pk, day in sessions}
    found |= {f"checkin:{pk}": f"{day:%a %-d %b}, check-in" for pk, day in check_ins}
    return found | {f"week:{number}": f"Week {number}" for number in keys["week"]}
