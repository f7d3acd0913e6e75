"""Letting the rules look at a program, and acting on what they say.

What the rules may do by themselves is done here (lower the load, stop, raise under a policy that
a clinician approved); everything else becomes a proposal.
"""

import datetime as dt
import itertools
import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from clinic import alerts
from clinic.models import Alert, User
from clinic.written_once import together
from programs import ladder, progression, reminders, rule_queries
from programs.evidence import Gathered, gather
from programs.models import Decision, Policy, Program, ProgramVersion, Proposal
from programs.models.decision import policy_in_force
from programs.policies import thresholds_of
from programs.positions import step_as_json
from programs.reasons import PAUSED, REASONS, WAITS
from programs.rule_words import rule_words
from programs.versioning import change_of, make_version

log = logging.getLogger(__name__)


_together: ContextVar[bool] = ContextVar("together", default=False)


@contextmanager
def one_decision(*, program: Program, at: dt.datetime) -> Iterator[None]:
    """Look once at everything that is answered inside, when all of it is there: half of a week on
    paper moves nobody, neither up nor down."""
    with transaction.atomic():
        token = _together.set(True)
        try:
            yield
        finally:
            _together.reset(token)
        consider(program=program, at=at)


@transaction.atomic
def consider(*, program: Program, at: dt.datetime) -> Decision | None:
    """Decide on a program as it stands now, store the decision whole, and act on it.

    Returns the newest decision, or None when the program has ended or is suspended already (then
    only a clinician moves it). The same evidence decided twice is one row and one action.
    """
    return consider_locked(program=lock_program(program), at=at)


def consider_locked(*, program: Program, at: dt.datetime) -> Decision | None:
    """``consider`` for a caller that took the program from ``lock_program`` itself."""
    if program.status != Program.Status.ACTIVE or _together.get():
        return None
    pathway = program.current_version.pathway
    policies, acted_on, decided, proposed = together(
        policy_in_force.about(pathway),
        rule_queries.acted_on.about(program.pk),
        rule_queries.last_decided.about(program.pk),
        rule_queries.open_proposals.about(program.pk),
    )
    policy = policies[0] if policies else Policy.objects.in_force(pathway)
    gathered = gather(program, policy=thresholds_of(policy), at=at)
    settled = _settled(acted_on)
    said = progression.decide(gathered.evidence, thresholds_of(policy), settled=settled)
    step = _step(said, gathered, settled)
    newest = decided[0] if decided else None
    if newest is not None and _is_same(newest, said, step, program):
        return newest
    handling = _handling(said, step, program, policy)
    decision = Decision(
        program=program,
        version=program.current_version,
        policy=policy,
        at=at,
        day=program.patient.local_date(at),
        outcome=said.outcome.value,
        rules=list(said.rules),
        fired=_fired_as_json(said),
        contact=said.contact.value,
        approval=said.approval.value,
        handling=handling,
        exercise=gathered.in_question.exercise if gathered.in_question else "",
        step=step_as_json(step) if step else None,
        evidence=gathered.as_json(),
        patient_text=_patient_text(said, step, handling),
    )
    decision.save()
    _act(decision, step, said, at, proposed=bool(proposed))
    _notify(decision, said, at)
    return decision


def consider_all(*, at: dt.datetime) -> int:
    """Look again at every active program, since silence is an answer too. Returns how many."""
    count = 0
    for program in Program.objects.active().order_by("pk").iterator(chunk_size=200):
        try:
            consider(program=program, at=at)
            count += 1
        except Exception as error:
            # One record that cannot be read must not keep the others from being looked at. The
            # error's own text may quote answers and stays out of the log.
            what = type(error).__name__
            log.error("program %s could not be considered: %s", program.pk, what)
    return count


@transaction.atomic
def suspend_for_red_flag(*, program: Program, at: dt.datetime) -> None:
    """Stop a program whose rules cannot be read; the flag itself says why."""
    program = lock_program(program)
    if program.status == Program.Status.ACTIVE:
        _suspend(program, Program.SuspendedFor.RED_FLAG, at)


def _suspend(program: Program, reason: str, at: dt.datetime) -> None:
    supersede_open_proposal(program=program, at=at)
    program.status, program.suspended_for = Program.Status.SUSPENDED, reason
    program.save(update_fields=["status", "suspended_for"])
    reminders.program_stands_still(program=program, at=at)


def lock_program(program: Program) -> Program:
    """Take the program's row lock and return it fresh, with what every verb needs."""
    # First the lock, then the reading: joined to a lock that had to wait, PostgreSQL would show
    # the row as it became beside its version as it was, which is no version at all.
    locked, rows = together(
        rule_queries.program_lock.about(program.pk), rule_queries.whole_program.about(program.pk)
    )
    if not locked or not rows:
        raise Program.DoesNotExist
    fresh: Program = rows[0]
    if fresh.current_version is not None:
        # The limits of an injury stand on the patient, and the gates ask from the version.
        fresh.current_version.program = fresh
    return fresh


def refuse_overtaken(program: Program, seen: int | None) -> None:
    """Refuse what was decided while looking at another version than the one in force; call with
    the program locked. None is for a caller that looked at nothing."""
    version = program.current_version
    if seen is not None and seen != version.number:
        raise ValidationError(overtaken_words(version))


def overtaken_words(version: ProgramVersion) -> str:
    """What somebody reads who looked at an older version than this one."""
    who = version.by.name if version.by else "a rule"
    return (
        f"The program has changed while this page was open: version {version.number}, by {who}. "
        "Look at the patient’s page, then change it again."
    )


def supersede_open_proposal(*, program: Program, at: dt.datetime) -> None:
    """Newer answers or a newer version have overtaken what was proposed."""
    for proposal in rule_queries.open_proposals(program.pk):
        proposal.status, proposal.answered_at = Proposal.Status.SUPERSEDED, at
        proposal.save(update_fields=["status", "answered_at"])


# --- what the step is, and who takes it ---------------------------------------------------------


def _settled(acted_on: list[Any]) -> dict[str, frozenset[str]]:
    """Per rule, the references of answers that were acted on already (see ``decide``): those that
    fired in the decisions ``acted_on``."""
    settled: dict[str, set[str]] = defaultdict(set)
    for fired in acted_on:
        for rule in fired:
            settled[rule["rule"]].update(a["ref"] for a in rule["answers"] if a["ref"])
    return {rule: frozenset(refs) for rule, refs in settled.items()}


def _step(
    said: progression.Decision, gathered: Gathered, settled: dict[str, frozenset[str]]
) -> ladder.Step | None:
    if said.outcome is progression.Outcome.PROGRESS:
        return gathered.step_up
    rest = None
    pull = next((rule for rule in said.fired if rule.rule == "R10"), None)
    if pull is not None and not (pull.refs and pull.refs <= settled.get("R10", frozenset())):
        rest = ladder.pause_after_pull(gathered.standing)
    if said.outcome is progression.Outcome.HOLD:
        return rest
    if said.outcome is progression.Outcome.REGRESS:
        position, standing = gathered.in_question, gathered.standing
        easier = position and ladder.step_down(position, standing, flagged=gathered.flagged)
        return ladder.easier_and_resting(easier, rest, standing)
    return None


def _handling(
    said: progression.Decision, step: ladder.Step | None, program: Program, policy: Policy
) -> Decision.Handling:
    if said.outcome is progression.Outcome.STOP:
        return Decision.Handling.SUSPENDED
    if step is None:
        return Decision.Handling.NOTED
    if said.outcome is progression.Outcome.PROGRESS:
        by_policy = said.approval is progression.Approval.POLICY and _approved(policy, program)
        return Decision.Handling.APPLIED if by_policy else Decision.Handling.PROPOSED
    if said.outcome is progression.Outcome.REGRESS:
        by_itself = said.approval is progression.Approval.APPLIED
    else:
        by_itself = program.current_version.lock != ProgramVersion.Lock.FROZEN
    return Decision.Handling.APPLIED if by_itself else Decision.Handling.PROPOSED


def _act(
    decision: Decision,
    step: ladder.Step | None,
    said: progression.Decision,
    at: dt.datetime,
    *,
    proposed: bool,
) -> None:
    """``proposed`` says whether a proposal was open before."""
    program = decision.program
    if decision.handling == Decision.Handling.SUSPENDED:
        by_flag = set(decision.rules) & {"R01", "R02"}
        _suspend(
            program, Program.SuspendedFor.RED_FLAG if by_flag else Program.SuspendedFor.RULE, at
        )
    elif decision.handling == Decision.Handling.APPLIED:
        supersede_open_proposal(program=program, at=at)
        raised = said.outcome is progression.Outcome.PROGRESS
        make_version(
            program=program,
            change=change_of(step),
            cause=ProgramVersion.Cause.POLICY_RAISED
            if raised
            else ProgramVersion.Cause.RULE_LOWERED,
            reason=f"{', '.join(decision.rules)}: {step.words}",
            patient_reason=decision.patient_text,
            at=at,
            policy_approved_by=approver_of(program) if raised else None,
        )
    elif decision.handling == Decision.Handling.PROPOSED:
        _propose(decision, at)
    elif proposed and not _only_waits(said):
        supersede_open_proposal(program=program, at=at)


def _only_waits(said: progression.Decision) -> bool:
    """Whether nothing is new but that the newest answers are not complete yet (R28): then a
    proposal may wait. Known answers that are not good enough (hard effort) take it back."""
    return list(said.rules) == ["R28"] and any(a.value is None for a in said.fired[0].answers)


def _propose(decision: Decision, at: dt.datetime) -> None:
    """Keep at most one open proposal; the same step asked again stays the older proposal."""
    standing = decision.program.proposals.open().select_related("decision").first()
    if standing is not None:
        same = (
            standing.decision.step == decision.step
            and standing.decision.outcome == decision.outcome
            and standing.decision.version_id == decision.version_id
        )
        if same:
            return
        supersede_open_proposal(program=decision.program, at=at)
    Proposal.objects.create(program=decision.program, decision=decision)


def approver_of(program: Program) -> User | None:
    """The clinician who let the policy raise this program by itself."""
    approver: User | None = None
    for version in _raised_by_policy(program):
        # Who changed something else since then did not approve of it.
        approver = version.by or approver
    return approver


def _approved(policy: Policy, program: Program) -> bool:
    """Whether a clinician has let this very policy raise the program: by switching it on since it
    was published, or by accepting a step under it. Until then each step is proposed. The supplied
    figures are those that everybody begins with."""
    if policy.published_by_id is None:
        return True
    versions = _raised_by_policy(program)
    return any(
        version.by is not None
        and version.at >= policy.published_at
        and (version is versions[-1] or version.cause == ProgramVersion.Cause.ACCEPTED)
        for version in versions
    )


def _raised_by_policy(program: Program) -> list[ProgramVersion]:
    """The versions since the policy was let raise the program, the newest first."""
    versions = program.versions.select_related("by").order_by("-number")
    return list(itertools.takewhile(lambda version: version.auto_policy, versions))


# --- telling -----------------------------------------------------------------------------------


def _notify(decision: Decision, said: progression.Decision, at: dt.datetime) -> None:
    """Alert the physiotherapist where a rule asks for contact or load was lowered by itself.

    A red flag raised its own alert already, when it was opened.
    """
    if set(decision.rules) & {"R01", "R02"}:
        return
    # Lowered by itself, or nothing easier left: both are news to the physiotherapist.
    regressed = (
        said.outcome is progression.Outcome.REGRESS
        and decision.handling != Decision.Handling.PROPOSED
    )
    rested = (
        said.outcome is progression.Outcome.HOLD and decision.handling == Decision.Handling.APPLIED
    )
    severity = said.contact.value
    if severity == progression.Contact.NONE.value:
        if not (regressed or rested):
            return
        severity = Alert.Severity.ROUTINE
    patient = decision.program.patient
    asking = [r.rule for r in said.fired if r.contact.value == said.contact.value]
    about = "+".join(asking) if said.contact is not progression.Contact.NONE else severity
    alerts.raise_alert(
        severity=severity,
        subject_type="patient",
        subject_id=patient.pk,
        site=patient.site,
        owner=patient.physiotherapist,
        summary=summary_of(decision),
        # Once per program version and kind of news: what stays true is not said every day.
        key=f"{alert_keys_of(decision)}{about}",
        at=at,
    )


def alert_keys_of(decision: Decision) -> str:
    """How the keys of the alerts begin that a decision raises, or one like it of that version."""
    return f"rule:{decision.program_id}:{decision.version.number}:{decision.outcome}:"


def summary_of(decision: Decision) -> str:
    """One line for the physiotherapist: which rules, which step, and what was done."""
    words = rule_words(decision.rules)
    if decision.step:
        words += f". {decision.step['words']}"
    elif decision.outcome == Decision.Outcome.REGRESS:
        words += ". Nothing easier is in the program"
    return f"{words} ({decision.get_handling_display().lower()})"


# Which reason the patient reads first when several rules of one strength fired: what was felt
# comes before what was counted. Reading all of them would be a wall of words.
_LEADING = (
    "R01 R02 R03 R04 R05 R07 R08 R09 R11 R12 R06 "
    "R10 R17 R13 R14 R15 R20 R19 R21 R16 R22 R23 R18 R24 R25 R26 R27 R28"
).split()


def _patient_text(
    said: progression.Decision, step: ladder.Step | None, handling: Decision.Handling
) -> str:
    fresh = [r.rule for r in said.fired if r.rule in said.rules and not r.settled]
    # Only answers that were acted on already: the next answers are what counts now.
    parts = [REASONS[min(fresh or ["R28"], key=_LEADING.index)]]
    if handling == Decision.Handling.APPLIED and step is not None:
        parts.append(step.patient_words)
    if handling == Decision.Handling.PROPOSED:
        parts.append(WAITS)
    if said.outcome is progression.Outcome.STOP:
        parts.append(PAUSED)
    return " ".join(parts)


def _fired_as_json(said: progression.Decision) -> list[dict[str, object]]:
    return [
        {
            "rule": rule.rule,
            "outcome": rule.outcome.value,
            "contact": rule.contact.value,
            "settled": rule.settled,
            "answers": [{"field": a.field, "value": a.value, "ref": a.ref} for a in rule.answers],
        }
        for rule in said.fired
    ]


def _is_same(
    newest: Decision, said: progression.Decision, step: ladder.Step | None, program: Program
) -> bool:
    return (
        newest.version_id == program.current_version_id
        and newest.outcome == said.outcome.value
        and newest.fired == _fired_as_json(said)
        and newest.step == (step_as_json(step) if step else None)
    )
