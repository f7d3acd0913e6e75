"""Deciding once more on stored evidence, under other thresholds, and counting what differs.

Pure: no Django, no clock. ``programs.rehearsing`` reads the stored decisions and calls this.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from programs.progression import Decision, Evidence, NextStep, Outcome, SessionEvidence, decide
from programs.thresholds import Policy

Settled = Mapping[str, frozenset[str]]
# A list of more patients than this is read by nobody; they are counted.
MOST_LISTED = 300
# Fields that say where an answer stands, or follow from others: older evidence may lack them.
_MAY_BE_MISSING = frozenset({"usual_pain_ref", "weekly_refs", "at_top", "ref"})
_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError)


class UnreadableEvidence(ValueError):
    """Stored evidence that is not of the shape the rules look at now."""


def evidence_from(stored: Any) -> Evidence:
    """The evidence as it was stored with a decision. Raises UnreadableEvidence where a field is
    missing that a rule would miss, or one is there that no rule knows."""
    try:
        values = _of_shape(stored, _EVIDENCE)
        values["next_step"] = NextStep(**_of_shape(values["next_step"], _NEXT_STEP))
        values["sessions"] = tuple(
            SessionEvidence(**_of_shape(session, _SESSION)) for session in values["sessions"]
        )
        for name in ("weekly_median_pain", "weekly_refs"):
            if name in values:
                values[name] = tuple(values[name])
        return Evidence(**values)
    except _UNREADABLE as error:
        raise UnreadableEvidence(str(error)) from error


def _of_shape(stored: Any, names: frozenset[str]) -> dict[str, Any]:
    given = frozenset(stored)
    if given - names or names - given - _MAY_BE_MISSING:
        raise UnreadableEvidence("The fields are not those of today.")
    return dict(stored)


def _names(kind: Any) -> frozenset[str]:
    return frozenset(one.name for one in fields(kind))


_EVIDENCE, _NEXT_STEP, _SESSION = _names(Evidence), _names(NextStep), _names(SessionEvidence)


def decide_again(stored: Any, settled: Settled, *policies: Policy) -> list[Decision]:
    """What the rules say of stored evidence under each of ``policies``, in their order.

    Raises UnreadableEvidence also where a value is of a kind that a rule cannot compare.
    """
    evidence = evidence_from(stored)
    try:
        return [decide(evidence, policy, settled=settled) for policy in policies]
    except _UNREADABLE as error:
        raise UnreadableEvidence(str(error)) from error


@dataclass(frozen=True)
class Turn:
    """A stored decision that would have been another. ``ref`` names it in the record."""

    ref: int
    old: str
    new: str
    old_rules: tuple[str, ...]
    new_rules: tuple[str, ...]
    old_approval: str
    new_approval: str

    @property
    def kind(self) -> str:
        return f"{self.old}>{self.new}"


@dataclass
class Tally:
    """What a rehearsal counts. Decisions are counted whole; ``first`` counts each program once,
    by the first decision of it that would have been another."""

    decisions: int = 0
    programs: int = 0
    unreadable: int = 0
    unlike: int = 0
    already: int = 0
    contact: int = 0
    rules: int = 0
    all: Counter[str] = field(default_factory=Counter)
    first: Counter[str] = field(default_factory=Counter)
    turns: list[Turn] = field(default_factory=list)

    @property
    def turned(self) -> int:
        """Programs in which something would have been otherwise."""
        return sum(self.first.values())

    def as_json(self) -> dict[str, object]:
        plain = {one.name: getattr(self, one.name) for one in fields(self)}
        return plain | {
            "all": dict(self.all),
            "first": dict(self.first),
            "turns": [asdict(turn) for turn in self.turns],
        }

    def note(self, ref: int, old: Decision, new: Decision, *, first: bool) -> bool:
        """Count one decision, said under the policy in force (``old``) and under the draft.

        ``first`` says whether its program had no turn before. Returns whether this is one: another
        outcome, or the same one applied by somebody else.
        """
        if (old.outcome, old.approval) == (new.outcome, new.approval):
            if old.contact is not new.contact:
                self.contact += 1
            elif old.rules != new.rules:
                self.rules += 1
            return False
        turn = Turn(
            ref,
            old.outcome.value,
            new.outcome.value,
            old.rules,
            new.rules,
            old.approval.value,
            new.approval.value,
        )
        self.all[turn.kind] += 1
        if first:
            self.first[turn.kind] += 1
            if len(self.turns) < MOST_LISTED:
                self.turns.append(turn)
        return True


# Strongest first: what one looks for before anything else.
OUTCOMES = (Outcome.STOP, Outcome.REGRESS, Outcome.HOLD, Outcome.PROGRESS)


@dataclass(frozen=True)
class MoreOrFewer:
    """How many programs would have come to ``outcome`` that did not, and the other way round."""

    outcome: str
    more: int
    fewer: int


def more_or_fewer(counted: Mapping[str, int]) -> list[MoreOrFewer]:
    """Counts by kind of turn ("HOLD>STOP") as more and fewer of each outcome, strongest first."""
    return [
        MoreOrFewer(
            outcome.value,
            _sum(counted, lambda old, new, o=outcome.value: new == o != old),
            _sum(counted, lambda old, new, o=outcome.value: old == o != new),
        )
        for outcome in OUTCOMES
    ]


def _sum(counted: Mapping[str, int], takes: Any) -> int:
    return sum(number for kind, number in counted.items() if takes(*kind.split(">")))


_VERBS = {"STOP": "stopped", "REGRESS": "regressed", "PROGRESS": "progressed"}


def in_words(counted: Mapping[str, int]) -> str:
    """Such as “stopped 3 more, regressed 9 more and progressed 14 fewer”; empty for nothing.

    Holds are left out: whoever was held otherwise is counted where they went or came from.
    """
    said = []
    for one in more_or_fewer(counted):
        if one.outcome == Outcome.HOLD:
            continue
        if one.more:
            said.append(f"{_VERBS[one.outcome]} {one.more} more")
        if one.fewer:
            said.append(f"{_VERBS[one.outcome]} {one.fewer} fewer")
    return _joined(said)


def _joined(parts: Iterable[str]) -> str:
    *most, last = [*parts] or [""]
    return f"{', '.join(most)} and {last}" if most else last
