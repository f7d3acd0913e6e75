"""Rehearsing changed thresholds over the practice's own past, and over made-up courses.

Every stored decision of a pathway is decided once more on the evidence it was stored with, under
the policy in force and under the changed thresholds. Nothing of a patient is changed by it.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Case, F, JSONField, Q, QuerySet, When

from clinic.audit import record_access
from clinic.models import AccessRecord, User
from programs.comparing import Tally, UnreadableEvidence, decide_again
from programs.models import Decision, Policy, PolicyDraft, Rehearsal
from programs.policies import may_draft, thresholds_of
from programs.policy_checks import nonsense
from programs.simulating import compare_courses
from programs.thresholds import Policy as Thresholds

# Somebody waits before the page: about ten seconds of rehearsing. The command has no such end.
MOST_AT_ONCE = 40_000
_CHUNK = 500
_SAME_PRESS = dt.timedelta(minutes=1)
# What was acted on settles the answers that were acted on (see ``programs.deciding``).
_ACTED_ON = (Decision.Handling.APPLIED, Decision.Handling.SUSPENDED)


@dataclass
class _Row:
    """A stored decision, as much of it as a rehearsal looks at."""

    pk: int
    program: int
    at: dt.datetime
    policy: int
    outcome: str
    rules: list[str]
    handling: str
    fired: list[dict[str, Any]]
    rehearsed: bool
    evidence: Any
    answered_at: dt.datetime | None
    answered_by: int | None


def rehearse(*, against: Policy, thresholds: dict[str, object], since: dt.date) -> Tally:
    """Decide every decision of the pathway since a day again; count what would be otherwise.

    ``against`` is the policy in force, ``thresholds`` the whole changed set. Decisions are read as
    a stream, so that memory does not grow with the practice. Raises ValidationError when the
    thresholds cannot be meant.
    """
    found = nonsense(against.pathway, thresholds)
    if found:
        raise ValidationError(found)
    tally, books = Tally(), _Books(against)
    changed = Thresholds(**thresholds)
    for _, rows in groupby(_rows(against.pathway, since), key=lambda row: row.program):
        tally.programs += 1
        settled, turned = _Settled(), False
        for row in rows:
            settled.until(row.at)
            if row.rehearsed:
                turned = _decide(row, settled, books, changed, tally, turned=turned) or turned
            settled.take(row)
    return tally


@dataclass
class _Books:
    """The policy rehearsed against, and those that older decisions were made under."""

    against: Policy
    _known: dict[int, Thresholds] = field(default_factory=dict)

    def of(self, pk: int) -> Thresholds:
        if pk not in self._known:
            policy = self.against if pk == self.against.pk else Policy.objects.get(pk=pk)
            self._known[pk] = thresholds_of(policy)
        return self._known[pk]


@dataclass
class _Settled:
    """Which answers of a program were acted on so far, as it was when each decision was made."""

    _refs: dict[str, frozenset[str]] = field(default_factory=dict)
    _waiting: list[_Row] = field(default_factory=list)

    def until(self, at: dt.datetime) -> None:
        """A proposal settles its answers from the moment a clinician answered it."""
        for row in [row for row in self._waiting if row.answered_at and row.answered_at <= at]:
            self._waiting.remove(row)
            self._add(row)

    def take(self, row: _Row) -> None:
        if row.handling in _ACTED_ON:
            self._add(row)
        elif row.answered_by is not None:
            self._waiting.append(row)

    def _add(self, row: _Row) -> None:
        for rule in row.fired:
            refs = {answer["ref"] for answer in rule["answers"] if answer["ref"]}
            self._refs[rule["rule"]] = self._refs.get(rule["rule"], frozenset()) | refs

    @property
    def refs(self) -> dict[str, frozenset[str]]:
        return self._refs


def _decide(
    row: _Row, settled: _Settled, books: _Books, changed: Thresholds, tally: Tally, *, turned: bool
) -> bool:
    tally.decisions += 1
    in_force = books.of(books.against.pk)
    of_its_own = books.of(row.policy)
    try:
        old, new, own = decide_again(row.evidence, settled.refs, in_force, changed, of_its_own)
    except UnreadableEvidence:
        tally.unreadable += 1
        return False
    if (own.outcome.value, list(own.rules)) != (row.outcome, row.rules):
        tally.unlike += 1
    elif old.outcome is not own.outcome:
        tally.already += 1
    return tally.note(row.pk, old, new, first=not turned)


def _rows(pathway: str, since: dt.date) -> Iterator[_Row]:
    """The decisions to rehearse, with what of the same programs was acted on before, in order."""
    wanted = Q(day__gte=since, policy__pathway=pathway)
    programs = decisions_since(pathway, since).values("program")
    rows = (
        Decision.objects.filter(program__in=programs)
        .filter(wanted | Q(handling__in=_ACTED_ON) | Q(proposal__answered_by__isnull=False))
        .order_by("program_id", "at", "pk")
        .values_list(
            "pk",
            "program_id",
            "at",
            "policy_id",
            "outcome",
            "rules",
            "handling",
            "fired",
            Case(When(wanted, then=True), default=False),
            # Evidence of what is not rehearsed stays where it is.
            Case(When(wanted, then=F("evidence")), output_field=JSONField()),
            "proposal__answered_at",
            "proposal__answered_by",
        )
    )
    return (_Row(*row) for row in rows.iterator(chunk_size=_CHUNK))


def decisions_since(pathway: str, since: dt.date) -> QuerySet[Decision]:
    """The stored decisions that a rehearsal from this day on would decide again."""
    return Decision.objects.order_by().filter(day__gte=since, policy__pathway=pathway)


# --- the verbs ---------------------------------------------------------------------------------


def rehearse_draft(*, draft: PolicyDraft, since: dt.date, by: User, at: dt.datetime) -> Rehearsal:
    """Rehearse a draft exactly as it stands, over the past since a day and over made-up courses.

    Physiotherapists and managers. Raises ValidationError for a draft that is not open, holds
    nonsense, or has more decisions to rehearse than anybody waits for. Kept and audited, since it
    looks at the answers of many patients.
    """
    if not may_draft(by):
        raise PermissionDenied("Only a physiotherapist or a manager rehearses a policy.")
    if draft.state != PolicyDraft.State.OPEN:
        raise ValidationError("This draft is not open any more.")
    newest = draft.rehearsals.first()
    if newest is not None and _is_same_press(newest, draft, since, by, at):
        return newest
    against = draft.based_on
    number = decisions_since(draft.pathway, since).count()
    if number > MOST_AT_ONCE:
        raise ValidationError(
            {
                "since": f"That is {number:,} decisions, too many to wait for. Choose a shorter "
                "time, or have it rehearsed at the server (manage.py rehearse_policy)."
            }
        )
    whole = draft.whole
    tally = rehearse(against=against, thresholds=whole, since=since)
    with transaction.atomic():
        record_access(
            actor=by,
            action=AccessRecord.Action.READ,
            subject_type="policy draft",
            subject_id=draft.pk,
            page="rehearsal",
            at=at,
        )
        return Rehearsal.objects.create(
            draft=draft,
            against=against,
            thresholds=whole,
            since=since,
            found=tally.as_json(),
            courses=courses_of(against, whole),
            by=by,
            at=at,
        )


def _is_same_press(
    newest: Rehearsal, draft: PolicyDraft, since: dt.date, by: User, at: dt.datetime
) -> bool:
    """Whether the button was pressed twice, rather than the question asked again."""
    same = newest.is_of(draft) and (newest.since, newest.by_id) == (since, by.pk)
    return same and at - newest.at < _SAME_PRESS


def rehearse_at_the_server(
    *, against: Policy, thresholds: dict[str, object], since: dt.date, at: dt.datetime
) -> tuple[Tally, list[dict[str, object]]]:
    """The same for the command, where nobody signs in: written down as taken out at the server."""
    tally = rehearse(against=against, thresholds=thresholds, since=since)
    record_access(
        actor=None,
        action=AccessRecord.Action.EXPORT,
        subject_type="policy",
        subject_id=against.pk,
        page="rehearse_policy",
        at=at,
    )
    return tally, courses_of(against, thresholds)


def courses_of(against: Policy, thresholds: dict[str, object]) -> list[dict[str, object]]:
    compared = compare_courses(against.pathway, thresholds_of(against), Thresholds(**thresholds))
    return [one.as_json() for one in compared]
