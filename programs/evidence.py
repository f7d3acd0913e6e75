"""Collects what the rules may look at, for one program at one moment.

Queries live here; every judgement lives in ``programs.progression``.
"""

import datetime as dt
import statistics
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clinic.written_once import together
from patients.models import CheckIn, RedFlag
from programs import day_queries, ladder, rule_queries
from programs.adherence import WINDOW_DAYS, adherence
from programs.asked_for import Asked, Held, asked_by
from programs.happened import all_as_asked
from programs.models import Program, ProgramVersion, Session
from programs.positions import standing_of, take_prescriptions
from programs.progression import Evidence, NextStep, SessionEvidence
from programs.thresholds import Policy

# A weekly median of one or two days says more about the day than about the week.
MIN_DAYS_A_WEEK = 3
CALM_PAIN = 3


@dataclass(frozen=True)
class Gathered:
    """The evidence with the steps it speaks of, so that a decision can be acted on."""

    evidence: Evidence
    standing: ladder.Standing
    in_question: ladder.Position | None
    flagged: bool
    step_up: ladder.Step | None

    def as_json(self) -> dict[str, object]:
        # What asdict() says, without its deep copies.
        found = vars(self.evidence)
        return found | {
            "next_step": vars(self.evidence.next_step),
            "sessions": [vars(session) for session in self.evidence.sessions],
        }


def gather(program: Program, *, policy: Policy, at: dt.datetime) -> Gathered:
    """Read the sessions and check-ins of this program and what they are judged by, in 5 queries
    and one round to the database."""
    version = program.current_version
    patient = program.patient
    today = patient.local_date(at)
    window_start = today - dt.timedelta(days=WINDOW_DAYS - 1)
    check_ins, sessions, steps, [(open_flags, stopped)], prescriptions = together(
        rule_queries.answers_of.about(program.pk, patient.pk, today),
        rule_queries.sessions_until.about(program.pk, today),
        rule_queries.steps_of.about(program.pk),
        rule_queries.stands_on.about(program.pk, patient.pk, window_start),
        day_queries.prescriptions.about(version.pk),
    )
    take_prescriptions(version, prescriptions)
    sessions = _with_answers(sessions, check_ins)
    recent = [s for s in sessions if s.day >= window_start and s.status != Session.Status.SKIPPED]
    evidence_sessions = tuple(_session_evidence(s) for s in recent)
    red_flag = _worst(open_flags)
    standing = standing_of(
        version,
        today=today,
        calm_fortnight=red_flag is None and _calm(evidence_sessions, policy) and not stopped,
    )
    flagged = _flagged(recent)
    in_question = ladder.exercise_in_question(standing, flagged)
    step = ladder.step_up(standing)
    since = _step_since(version, in_question)
    weeks, week_refs = _weekly_medians(check_ins, program.started_on)
    usual = next((c for c in reversed(check_ins) if c.usual_pain is not None), None)
    stale = usual is not None and (today - usual.day).days > 7
    return Gathered(
        evidence=Evidence(
            pathway=version.pathway,
            phase=version.phase,
            level=in_question.level if in_question else 1,
            lock=version.lock,
            auto_policy=version.auto_policy,
            pain_ceiling=standing.facts.limits.strictest_ceiling(
                version.pain_ceiling, policy.pain_ceiling
            ),
            red_flag=red_flag,
            usual_pain_now=usual.usual_pain if usual and not stale else None,
            usual_pain_ref=_ref(usual) if usual else "",
            weekly_median_pain=weeks,
            weekly_refs=week_refs,
            weeks_in_program=max(0, (today - program.started_on).days // 7),
            adherence=adherence(
                today=today,
                active_since=_active_since(program, steps),
                sessions={s.day: s.status for s in sessions},
                asked=_asked(program, steps),
            ),
            check_ins_last_7_days=len(
                {c.day for c in check_ins if c.day > today - dt.timedelta(days=7)}
            ),
            days_since_last_check_in=(today - check_ins[-1].day).days if check_ins else None,
            symmetrical_soreness_days=_soreness_days(check_ins, today),
            fear_of_movement=_fear(check_ins),
            poor_recovery_days=_poor_recovery_days(check_ins, today),
            days_at_level=(today - since).days,
            sessions_at_level=_sessions_at_level(sessions, in_question, since, steps),
            next_step=NextStep(
                blocked_by_gate=step.blocked_by if step else None,
                phase_change=step.phase_change if step else False,
                opens_class=step.opens_class if step else False,
            ),
            sessions=evidence_sessions,
            at_top=step is None and in_question is not None,
        ),
        standing=standing,
        in_question=in_question,
        flagged=in_question is not None and in_question.exercise == flagged,
        step_up=step,
    )


def _ref(row: CheckIn | Session) -> str:
    return f"{type(row).__name__.lower()}:{row.pk}"


def _session_evidence(session: Session) -> SessionEvidence:
    after, morning = session.after_check_in, session.morning_check_in
    # The pull may be felt during the session or the morning after; either counts once.
    sore = [c.soreness for c in (after, morning) if c is not None and c.soreness]
    return SessionEvidence(
        pain_before=after.pain_before if after else None,
        pain_during=after.pain_during if after else None,
        pain_next_morning=morning.pain_this_morning if morning else None,
        # An easier form says nothing of the step that was asked for.
        completed=session.status == Session.Status.DONE and all_as_asked(session.items),
        form_kept=after.form_kept if after else None,
        effort_rpe=after.effort if after else None,
        stiffer_after=after.stiffer_after if after else None,
        neck_tension=after.neck_tension if after else None,
        one_sided_pull=CheckIn.Soreness.ONE_SIDED in sore if sore else None,
        ref=_ref(session),
    )


def _with_answers(sessions: list[Session], check_ins: Sequence[CheckIn]) -> list[Session]:
    """The sessions with the check-ins they point at; one that is not among them is read when it
    is looked at."""
    known = {check_in.pk: check_in for check_in in check_ins}
    for session in sessions:
        if session.after_check_in_id in known:
            session.after_check_in = known[session.after_check_in_id]
        if session.morning_check_in_id in known:
            session.morning_check_in = known[session.morning_check_in_id]
    return sessions


def _worst(severities: Collection[str]) -> str | None:
    for severity in (RedFlag.Severity.EMERGENCY, RedFlag.Severity.SAME_DAY):
        if severity in severities:
            return str(severity)
    return None


def _flagged(recent: Sequence[Session]) -> str | None:
    """The exercise the patient pointed at in the newest of the last two sessions that has one."""
    for session in reversed(recent[-2:]):
        for check_in in (session.morning_check_in, session.after_check_in):
            if check_in is not None and check_in.exercise:
                return str(check_in.exercise)
    return None


def _calm(sessions: Sequence[SessionEvidence], policy: Policy) -> bool:
    """14 days without a flare and with pain during of 3 or less; unknown is not calm."""
    known = [s.rise for s in sessions[:-1]]
    newest = sessions[-1].rise if sessions else None
    rises = known if newest is None else [*known, newest]
    return (
        bool(rises)
        and all(rise is not None and rise < policy.flare_rise for rise in rises)
        and all(s.pain_during is not None and s.pain_during <= CALM_PAIN for s in sessions)
        and not any(s.one_sided_pull for s in sessions)
    )


def _step_since(version: ProgramVersion, in_question: ladder.Position | None) -> dt.date:
    """The day from which days and sessions at the present level are counted."""
    if in_question is None or in_question.since is None:
        return version.step_since
    return max(version.step_since, in_question.since)


def _sessions_at_level(
    sessions: Sequence[Session],
    in_question: ladder.Position | None,
    since: dt.date,
    steps: Sequence[tuple[Any, ...]],
) -> int:
    """Sessions with the exercise as it is now: on the day of a step only those after it."""
    if in_question is None:
        return 0
    # Versions whose step had begun by then.
    later = {version for version, _, step_since, *_rest in steps if step_since >= since}
    return sum(
        any(_is_of_step(item, session, in_question, since, later) for item in session.items)
        for session in sessions
        if session.day >= since and session.status != Session.Status.SKIPPED
    )


def _is_of_step(
    item: Mapping[str, object],
    session: Session,
    position: ladder.Position,
    since: dt.date,
    later: Collection[int],
) -> bool:
    if not item["done"] or item.get("did"):
        return False
    if (item["exercise"], item["level"]) != (position.exercise, position.level):
        return False
    if session.day > since:
        return True
    same_dose = (item["reps"], item["hold_s"]) == (position.reps, position.hold_s)
    return same_dose and session.version_id in later


def _weekly_medians(
    check_ins: Sequence[CheckIn], started_on: dt.date
) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Medians of the days of each week, a day's newest answer standing for it."""
    weeks: dict[int, dict[dt.date, int]] = defaultdict(dict)
    for check_in in check_ins:
        if check_in.usual_pain is not None:
            weeks[(check_in.day - started_on).days // 7][check_in.day] = check_in.usual_pain
    known = [
        (week, float(statistics.median(days.values())))
        for week, days in sorted(weeks.items())
        if len(days) >= MIN_DAYS_A_WEEK
    ]
    return tuple(median for _, median in known), tuple(f"week:{week + 1}" for week, _ in known)


def _soreness_days(check_ins: Sequence[CheckIn], today: dt.date) -> int:
    """Length in days of the run of even soreness that has not ended; silence does not end it."""
    first: dt.date | None = None
    for check_in in check_ins:
        if check_in.soreness == CheckIn.Soreness.EVEN:
            first = first or check_in.day
        elif check_in.soreness:
            first = None
    return (today - first).days + 1 if first else 0


def _fear(check_ins: Sequence[CheckIn]) -> int | None:
    newest = next((c for c in reversed(check_ins) if c.feels_safe is not None), None)
    return 10 - newest.feels_safe if newest else None


def _poor_recovery_days(check_ins: Sequence[CheckIn], today: dt.date) -> int:
    poor = {
        c.day
        for c in check_ins
        if c.day > today - dt.timedelta(days=7)
        and ((c.sleep is not None and c.sleep <= 3) or (c.stress is not None and c.stress >= 8))
    }
    return len(poor)


def _active_since(program: Program, steps: Sequence[tuple[Any, ...]]) -> dt.date:
    """The first day routines were asked for since the program last stood still."""
    reopened = next(
        (since for _, cause, since, *_rest in steps if cause == ProgramVersion.Cause.REOPENED),
        None,
    )
    return max(program.started_on, reopened) if reopened else program.started_on


def _asked(program: Program, steps: Sequence[tuple[Any, ...]]) -> Asked:
    """On which days a routine was asked for."""
    day_of = program.patient.local_date
    held = [Held(day_of(at), taper) for *_rest, at, taper in reversed(steps)]
    return asked_by(held, started_on=program.started_on)
