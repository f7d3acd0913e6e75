"""The rules that decide a program's next step: progress, hold, regress or stop.

Pure: no Django, no clock. ``decide(evidence, policy)`` looks at every rule R01 to R28 and returns
the strongest that fired, with the very answers that fired it. Every number that a practice may
set for itself is in ``programs.thresholds.Policy``; the shape of the rules is here.

Pain, effort, sleep, stress and fear are 0–10; adherence is 0–1. Source of the rules: the clinical
content document, §4.1 to §4.5 (see ``docs/rules.md``).
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from programs.reasons import REASONS
from programs.thresholds import Policy


class Outcome(StrEnum):
    PROGRESS = "PROGRESS"
    HOLD = "HOLD"
    REGRESS = "REGRESS"
    STOP = "STOP"


class Contact(StrEnum):
    NONE = "none"
    ROUTINE = "routine"
    SOON = "soon"
    SAME_DAY = "same_day"
    EMERGENCY = "emergency"


class Approval(StrEnum):
    NONE = "none"
    POLICY = "policy"
    CLINICIAN = "clinician"
    APPLIED = "applied_and_notified"
    REOPENS = "clinician_reopens"


_STRENGTH = [Outcome.PROGRESS, Outcome.HOLD, Outcome.REGRESS, Outcome.STOP]
_URGENCY = list(Contact)


@dataclass(frozen=True)
class SessionEvidence:
    """One session of the last 14 days with its answers; ``ref`` names it in the record."""

    pain_before: int | None
    pain_during: int | None
    pain_next_morning: int | None
    completed: bool
    form_kept: bool | None
    effort_rpe: int | None
    stiffer_after: bool | None
    neck_tension: bool | None
    one_sided_pull: bool | None
    ref: str = ""

    @property
    def rise(self) -> int | None:
        """Points by which the next morning was above the pain before; None when not known."""
        if self.pain_next_morning is None or self.pain_before is None:
            return None
        return self.pain_next_morning - self.pain_before


@dataclass(frozen=True)
class NextStep:
    """What the next step would open; ``blocked_by_gate`` is the movement class it is held for."""

    blocked_by_gate: str | None = None
    phase_change: bool = False
    opens_class: bool = False


@dataclass(frozen=True)
class Evidence:
    """All that the rules may look at, for one program and the exercise in question.

    ``sessions`` and ``weekly_median_pain`` run oldest first. ``pain_ceiling`` None means the
    policy's. ``at_top`` says that no exercise has a step left; None derives it from ``level``.
    """

    pathway: str
    phase: int
    level: int
    lock: str = "none"
    auto_policy: bool = False
    pain_ceiling: int | None = None
    red_flag: str | None = None
    usual_pain_now: int | None = None
    weekly_median_pain: tuple[float, ...] = ()
    weeks_in_program: int = 0
    adherence: float | None = None
    check_ins_last_7_days: int = 0
    days_since_last_check_in: int | None = None
    symmetrical_soreness_days: int = 0
    fear_of_movement: int | None = None
    start_back_risk: str | None = None
    poor_recovery_days: int = 0
    days_at_level: int = 0
    sessions_at_level: int = 0
    next_step: NextStep = field(default_factory=NextStep)
    sessions: tuple[SessionEvidence, ...] = ()
    at_top: bool | None = None
    usual_pain_ref: str = ""
    weekly_refs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """One answer that fired a rule: which, its value, and where it stands in the record."""

    field: str
    value: object
    ref: str = ""


@dataclass(frozen=True)
class Fired:
    """A rule that fired. ``settled`` is set when it was acted on already and nothing is new."""

    rule: str
    outcome: Outcome
    contact: Contact
    answers: tuple[Answer, ...]
    settled: bool = False

    @property
    def refs(self) -> frozenset[str]:
        return frozenset(answer.ref for answer in self.answers if answer.ref)


@dataclass(frozen=True)
class Decision:
    """The strongest outcome with all rules of that strength; ``fired`` holds every fired rule."""

    outcome: Outcome
    rules: tuple[str, ...]
    contact: Contact
    approval: Approval
    reasons: tuple[str, ...]
    fired: tuple[Fired, ...]


def decide(
    evidence: Evidence, policy: Policy, *, settled: Mapping[str, frozenset[str]] | None = None
) -> Decision:
    """Return what the rules say of this evidence under this policy.

    ``settled`` maps a rule to the references of answers that were acted on already: a REGRESS or
    STOP rule whose answers are all among them only holds, so that one sore week is not answered
    seven times, and a program that a clinician reopened is not stopped again by the same answers.
    """
    fired = [_settle(rule, settled or {}) for check in _CHECKS for rule in check(evidence, policy)]
    if not fired:
        fired = [_none_of_the_above(evidence, policy)]
    outcome = max((rule.outcome for rule in fired), key=_STRENGTH.index)
    strongest = sorted((rule for rule in fired if rule.outcome is outcome), key=lambda r: r.rule)
    return Decision(
        outcome=outcome,
        rules=tuple(rule.rule for rule in strongest),
        contact=max((rule.contact for rule in fired), key=_URGENCY.index),
        approval=_approval(outcome, evidence, policy),
        reasons=tuple(REASONS[rule.rule] for rule in strongest),
        fired=tuple(sorted(fired, key=lambda r: (-_STRENGTH.index(r.outcome), r.rule))),
    )


def _settle(rule: Fired, settled: Mapping[str, frozenset[str]]) -> Fired:
    acted_on = settled.get(rule.rule)
    if acted_on is None or rule.outcome not in (Outcome.REGRESS, Outcome.STOP):
        return rule
    if rule.refs and rule.refs <= acted_on:
        return Fired(rule.rule, Outcome.HOLD, Contact.NONE, rule.answers, settled=True)
    return rule


def _approval(outcome: Outcome, evidence: Evidence, policy: Policy) -> Approval:
    if outcome is Outcome.STOP:
        return Approval.REOPENS
    if outcome is Outcome.HOLD:
        return Approval.NONE
    if outcome is Outcome.REGRESS:
        may_apply = policy.regress_applies_by_itself and evidence.lock != "frozen"
        return Approval.APPLIED if may_apply else Approval.CLINICIAN
    by_policy = (
        evidence.auto_policy
        and policy.auto_policy_offered
        and evidence.pathway != "post_injury"
        and not evidence.next_step.phase_change
        and not evidence.next_step.opens_class
    )
    return Approval.POLICY if by_policy else Approval.CLINICIAN


# --- the rules, strongest first ----------------------------------------------------------------

Rules = Iterator[Fired]


def _answers(sessions: list[SessionEvidence], *fields: str) -> tuple[Answer, ...]:
    return tuple(
        Answer(name, getattr(session, name), session.ref) for session in sessions for name in fields
    )


def _red_flags(evidence: Evidence, policy: Policy) -> Rules:
    answer = (Answer("red_flag", evidence.red_flag),)
    if evidence.red_flag == "emergency":
        yield Fired("R01", Outcome.STOP, Contact.EMERGENCY, answer)
    if evidence.red_flag == "same_day":
        yield Fired("R02", Outcome.STOP, Contact.SAME_DAY, answer)


def _pain_level(evidence: Evidence, policy: Policy) -> Rules:
    now = evidence.usual_pain_now
    if now is not None and now >= policy.severe_pain:
        answer = Answer("usual_pain_now", now, evidence.usual_pain_ref)
        yield Fired("R03", Outcome.STOP, Contact.SAME_DAY, (answer,))


def _one_sided_pull(evidence: Evidence, policy: Policy) -> Rules:
    pulls = [session for session in evidence.sessions if session.one_sided_pull]
    if len(pulls) >= policy.pulls_to_stop:
        yield Fired("R04", Outcome.STOP, Contact.SOON, _answers(pulls, "one_sided_pull"))
    elif pulls:
        yield Fired("R10", Outcome.HOLD, Contact.ROUTINE, _answers(pulls, "one_sided_pull"))


def _weekly_trend(evidence: Evidence, policy: Policy) -> Rules:
    weeks = evidence.weekly_median_pain
    refs = evidence.weekly_refs or ("",) * len(weeks)
    rises = [later - earlier for earlier, later in itertools.pairwise(weeks)]
    if not rises or rises[-1] < policy.weekly_rise:
        return
    twice = len(rises) >= 2 and rises[-2] >= policy.weekly_rise
    # The newest week is the news; the ones before it are what it is compared with.
    answers = tuple(
        Answer("weekly_median_pain", value, ref)
        for value, ref in list(zip(weeks, refs, strict=True))[-3 if twice else -2 :]
    )
    if twice:
        yield Fired("R05", Outcome.STOP, Contact.SOON, answers)
    yield Fired("R06", Outcome.REGRESS, Contact.ROUTINE, answers)


def _too_much_during(evidence: Evidence, policy: Policy) -> Rules:
    ceiling = _ceiling(evidence, policy)
    over = [
        s for s in evidence.sessions[-2:] if s.pain_during is not None and s.pain_during > ceiling
    ]
    if over:
        yield Fired("R07", Outcome.REGRESS, Contact.NONE, _answers(over, "pain_during"))


def _next_morning(evidence: Evidence, policy: Policy) -> Rules:
    flares = [
        s for s in evidence.sessions[-3:] if s.rise is not None and s.rise >= policy.flare_rise
    ]
    answers = _answers(flares, "pain_before", "pain_next_morning")
    if len(flares) >= policy.flares_to_regress:
        yield Fired("R08", Outcome.REGRESS, Contact.NONE, answers)
    elif flares:
        yield Fired("R13", Outcome.HOLD, Contact.NONE, answers)


def _stiffness(evidence: Evidence, policy: Policy) -> Rules:
    stiffer = [s for s in evidence.sessions[-3:] if s.stiffer_after]
    if len(stiffer) >= 2:
        yield Fired("R09", Outcome.REGRESS, Contact.NONE, _answers(stiffer, "stiffer_after"))
    elif stiffer:
        yield Fired("R14", Outcome.HOLD, Contact.NONE, _answers(stiffer, "stiffer_after"))


def _neck(evidence: Evidence, policy: Policy) -> Rules:
    tense = [s for s in evidence.sessions[-3:] if s.neck_tension]
    if len(tense) >= 2:
        yield Fired("R11", Outcome.REGRESS, Contact.NONE, _answers(tense, "neck_tension"))
    elif tense:
        yield Fired("R15", Outcome.HOLD, Contact.NONE, _answers(tense, "neck_tension"))


def _form(evidence: Evidence, policy: Policy) -> Rules:
    last_two = list(evidence.sessions[-2:])
    if len(last_two) == 2 and all(s.form_kept is False for s in last_two):
        yield Fired("R12", Outcome.REGRESS, Contact.NONE, _answers(last_two, "form_kept"))


def _enough_data(evidence: Evidence, policy: Policy) -> Rules:
    missing: list[Answer] = []
    if evidence.check_ins_last_7_days < policy.min_check_in_days:
        missing.append(Answer("check_ins_last_7_days", evidence.check_ins_last_7_days))
    since = evidence.days_since_last_check_in
    if since is None or since > policy.stale_after_days:
        missing.append(Answer("days_since_last_check_in", since))
    if len(evidence.sessions) < policy.min_sessions:
        missing.append(Answer("sessions", len(evidence.sessions)))
    if missing:
        yield Fired("R16", Outcome.HOLD, Contact.NONE, tuple(missing))


def _soreness(evidence: Evidence, policy: Policy) -> Rules:
    days = evidence.symmetrical_soreness_days
    if days > policy.normal_soreness_days:
        contact = Contact.ROUTINE if days > policy.long_soreness_days else Contact.NONE
        yield Fired("R17", Outcome.HOLD, contact, (Answer("symmetrical_soreness_days", days),))


def _adherence(evidence: Evidence, policy: Policy) -> Rules:
    if evidence.adherence is not None and evidence.adherence < policy.adherence_floor:
        answer = Answer("adherence", evidence.adherence)
        yield Fired("R18", Outcome.HOLD, Contact.NONE, (answer,))


def _fear(evidence: Evidence, policy: Policy) -> Rules:
    answers: list[Answer] = []
    if evidence.fear_of_movement is not None and evidence.fear_of_movement >= policy.high_fear:
        answers.append(Answer("fear_of_movement", evidence.fear_of_movement))
    if evidence.start_back_risk == "high":
        answers.append(Answer("start_back_risk", evidence.start_back_risk))
    if answers:
        yield Fired("R19", Outcome.HOLD, Contact.ROUTINE, tuple(answers))


def _recovery(evidence: Evidence, policy: Policy) -> Rules:
    days = evidence.poor_recovery_days
    if days >= policy.poor_recovery_days:
        yield Fired("R20", Outcome.HOLD, Contact.NONE, (Answer("poor_recovery_days", days),))


def _no_improvement(evidence: Evidence, policy: Policy) -> Rules:
    weeks = evidence.weekly_median_pain
    if (
        not weeks
        or evidence.weeks_in_program < policy.review_weeks
        or evidence.adherence is None
        or evidence.adherence < policy.review_adherence
        or weeks[0] < policy.review_start_pain
    ):
        return
    first, last = weeks[0], weeks[-1]
    if first - last < max(policy.meaningful_points, policy.meaningful_share * first):
        answers = (
            Answer("weekly_median_pain", first),
            Answer("weekly_median_pain", last),
            Answer("weeks_in_program", evidence.weeks_in_program),
        )
        yield Fired("R21", Outcome.HOLD, Contact.ROUTINE, answers)


def _gate(evidence: Evidence, policy: Policy) -> Rules:
    blocked = evidence.next_step.blocked_by_gate
    if blocked is not None:
        answer = Answer("blocked_by_gate", blocked)
        yield Fired("R22", Outcome.HOLD, Contact.ROUTINE, (answer,))


def _not_easy_yet(evidence: Evidence, policy: Policy) -> Rules:
    ceiling = _ceiling(evidence, policy)
    between = [
        s
        for s in evidence.sessions[-2:]
        if s.pain_during is not None and policy.progress_max_pain < s.pain_during <= ceiling
    ]
    if between:
        yield Fired("R23", Outcome.HOLD, Contact.NONE, _answers(between, "pain_during"))


def _time_at_level(evidence: Evidence, policy: Policy) -> Rules:
    short: list[Answer] = []
    if evidence.days_at_level < policy.min_days_at_level:
        short.append(Answer("days_at_level", evidence.days_at_level))
    if evidence.sessions_at_level < policy.min_sessions_at_level:
        short.append(Answer("sessions_at_level", evidence.sessions_at_level))
    if short:
        yield Fired("R24", Outcome.HOLD, Contact.NONE, tuple(short))


def _lock(evidence: Evidence, policy: Policy) -> Rules:
    if evidence.lock in ("no_progress", "frozen"):
        yield Fired("R25", Outcome.HOLD, Contact.NONE, (Answer("lock", evidence.lock),))


def _none_of_the_above(evidence: Evidence, policy: Policy) -> Fired:
    """R26 to R28, which are looked at only when no other rule fired."""
    last_two = list(evidence.sessions[-2:])
    at_top = evidence.level >= 4 if evidence.at_top is None else evidence.at_top
    good = len(last_two) == 2 and all(_qualifies(s, policy) for s in last_two)
    answers = _answers(last_two, "pain_during", "effort_rpe", "pain_next_morning")
    if good and at_top:
        return Fired("R27", Outcome.HOLD, Contact.NONE, (*answers, Answer("level", evidence.level)))
    # Without a known adherence the picture has a hole, and a hole never moves anyone up.
    if good and evidence.adherence is not None:
        return Fired("R26", Outcome.PROGRESS, Contact.NONE, answers)
    return Fired("R28", Outcome.HOLD, Contact.NONE, answers)


def _qualifies(session: SessionEvidence, policy: Policy) -> bool:
    """A good session: everything known, done, in good form, easy enough."""
    return (
        session.completed
        and session.form_kept is True
        and session.pain_during is not None
        and session.pain_during <= policy.progress_max_pain
        and session.effort_rpe is not None
        and session.effort_rpe <= policy.max_effort
        and session.pain_next_morning is not None
    )


def _ceiling(evidence: Evidence, policy: Policy) -> int:
    return policy.pain_ceiling if evidence.pain_ceiling is None else evidence.pain_ceiling


_CHECKS: tuple[Callable[[Evidence, Policy], Rules], ...] = (
    _red_flags,
    _pain_level,
    _one_sided_pull,
    _weekly_trend,
    _too_much_during,
    _next_morning,
    _stiffness,
    _neck,
    _form,
    _enough_data,
    _soreness,
    _adherence,
    _fear,
    _recovery,
    _no_improvement,
    _gate,
    _not_easy_yet,
    _time_at_level,
    _lock,
)
