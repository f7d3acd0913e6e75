"""What the patient sees today: the routine, what is due, and what changed. Reads only."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypedDict

from django.utils.translation import gettext as _

from clinic.models import Seen
from patients.models import Patient, RedFlag
from programs import day_queries, routine, taper
from programs.asking import questions_due
from programs.day_facts import NIGHT_ENDS, DayFacts, facts_of, morning_of
from programs.items import Item, open_items
from programs.models import (
    Decision,
    HabitTask,
    Program,
    ProgramVersion,
    Session,
)
from programs.positions import prescriptions_of
from programs.reasons import STAYS, UNCHANGED, WAITS
from programs.stop_seen import seen_stop
from programs.wording import in_language, retold, told

# Which exercise a habit asks for: while that one is paused, the habit is not offered.
ASKS_FOR = {"stiffness-self-check": "cat-cow", "brace-before-lifting": "deep-core-hold"}


class Course(TypedDict):
    """What ``routine.routine_of`` takes of a version beside its exercises."""

    days: int | None
    own_order: bool


@dataclass(frozen=True)
class Today:
    """Everything the page of the day needs. ``items`` is empty while the program stands still.

    ``unanswered`` is the session whose after-session answers are still to come.
    """

    program: Program
    version: ProgramVersion
    day: dt.date
    items: list[Item] = field(default_factory=list)
    session: Session | None = None
    unanswered: Session | None = None
    morning_due: bool = False
    red_flag: RedFlag | None = None
    suspended: bool = False
    seen: Seen | None = None
    news: ProgramVersion | None = None
    red_flag_questions_due: bool = False

    @cached_property
    def next_step_text(self) -> str:
        """What follows from the answers so far, in the language of the page; asked when read."""
        if self.stopped:
            return ""
        return _next_step_text(self.version, day_queries.newest_decision.first(self.program.pk))

    @property
    def news_heading(self) -> str:
        """What the news comes to: a new version need not have changed anything."""
        if self.version.cause == ProgramVersion.Cause.ASSIGNED:
            return _("Your routine is ready")
        if self.version.cause == ProgramVersion.Cause.REOPENED:
            return _("Your exercises go on")
        if self.version.patient_reason in (STAYS, UNCHANGED):
            return _("Your routine stays as it is")
        return _("Your routine has changed")

    @cached_property
    def habit(self) -> HabitTask | None:
        """The small thing of the day; asked when read."""
        return None if self.stopped else habit_for(program=self.program, day=self.day)

    @property
    def minutes(self) -> int:
        return minutes_of(self.items)

    @property
    def short(self) -> list[Item]:
        return short_of(self.items, program=self.program, day=self.day)

    @property
    def after_due(self) -> bool:
        return self.unanswered is not None

    @property
    def stopped(self) -> bool:
        return self.suspended or self.red_flag is not None


def program_for(patient: Patient) -> Program | None:
    """The patient's running program with what every page needs of it."""
    program = day_queries.running_program.first(patient.pk)
    if program is not None:
        # The patient at hand knows the site and everything else that was read already.
        program.patient = patient
        if program.current_version is not None:
            program.current_version.program = program
    return program


def today_for(
    *,
    program: Program,
    at: dt.datetime,
    stopped_too: bool = False,
    facts: DayFacts | None = None,
) -> Today:
    """Describe the patient's day at the moment ``at``.

    ``stopped_too`` describes it while the program stands still as well: for answers that were
    given before the stop and arrive after it, never for a page. ``facts`` are those of the
    day where the caller has just asked for them.
    """
    patient, version = program.patient, program.current_version
    day = patient.local_date(at)
    facts = facts or facts_of(program, at)
    red_flag = patient.red_flags.open().first() if facts.open_flags else None
    suspended = program.status != Program.Status.ACTIVE
    if (suspended or red_flag is not None) and not stopped_too:
        return Today(
            program=program,
            version=version,
            day=day,
            red_flag=red_flag,
            suspended=suspended,
            seen=seen_stop(patient, program),
        )
    session = facts.lately.get(day)
    yesterday = facts.lately.get(day - dt.timedelta(days=1))
    return Today(
        program=program,
        version=version,
        day=day,
        items=_routine(program, day, version, yesterday),
        session=session,
        unanswered=_unanswered(session or _of_last_night(yesterday, at)),
        morning_due=_morning_due(program, day, at, facts),
        news=_news(program, facts.lately.values()),
        red_flag_questions_due=questions_due(program, at, facts),
    )


@dataclass(frozen=True)
class AnswersDue:
    """What a patient may be asked now; ``unanswered`` as in ``Today``."""

    day: dt.date
    unanswered: Session | None
    morning_due: bool


def answers_due(*, program: Program, at: dt.datetime, facts: DayFacts | None = None) -> AnswersDue:
    """The part of a patient's day that the check-ins need. Whether the program stands still is for
    the caller to say: answers from before a stop may arrive after it. ``facts`` are
    those of the day where the caller has just asked for them."""
    day = program.patient.local_date(at)
    facts = facts or facts_of(program, at)
    yesterday = facts.lately.get(day - dt.timedelta(days=1))
    session = facts.lately.get(day) or _of_last_night(yesterday, at)
    return AnswersDue(day, _unanswered(session), _morning_due(program, day, at, facts))


def _next_step_text(version: ProgramVersion, decision: Decision | None) -> str:
    """What the rules said last. A stop that a clinician has answered since is over: then what she
    says stands in its place."""
    if decision is None:
        return ""
    if decision.outcome == Decision.Outcome.STOP:
        return retold(version.patient_reason)
    return retold(decision.patient_text)


def habit_for(*, program: Program, day: dt.date) -> HabitTask | None:
    """The day's habit task; those of the template take turns, without one that asks for an
    exercise that is paused. Never counted as exercise."""
    slugs = program.template.habits if program.template else []
    if not slugs:
        return None
    turn = (day - program.started_on).days % len(slugs)
    resting = {p.exercise.slug for p in prescriptions_of(program.current_version) if p.paused}
    in_turn = (slug for slug in slugs[turn:] + slugs[:turn] if ASKS_FOR.get(slug) not in resting)
    chosen = next(in_turn, None)
    habit = day_queries.habit.first(chosen) if chosen else None
    return in_language(habit) if habit else None


def routine_for(
    *, program: Program, day: dt.date, version: ProgramVersion | None = None
) -> list[Item]:
    """The exercises of one local day in the order they are done; none before the first day.

    ``version`` is the current one unless the day was another's.
    """
    if day < program.started_on:
        return []
    yesterday = program.sessions.filter(day=day - dt.timedelta(days=1)).first()
    return _routine(program, day, version or program.current_version, yesterday)


def _routine(
    program: Program, day: dt.date, version: ProgramVersion, yesterday: Session | None
) -> list[Item]:
    if day < program.started_on:
        return []
    items = {item.exercise.slug: item for item in open_items(version, day)}
    chosen = routine.routine_of(
        [candidate_of(item) for item in items.values()],
        day_index=(day - program.started_on).days,
        loaded_yesterday=_was_loaded(yesterday),
        **course_of(version, day),
    )
    return [items[candidate.exercise] for candidate in chosen]


def short_of(items: list[Item], *, program: Program, day: dt.date) -> list[Item]:
    """The five-minute version of a day's routine; empty where there is nothing to leave out."""
    chosen = {
        candidate.exercise
        for candidate in routine.routine_of(
            [candidate_of(item) for item in items],
            day_index=(day - program.started_on).days,
            budget_s=routine.SHORT_S,
            **course_of(program.current_version, day),
        )
    }
    short = [item for item in items if item.exercise.slug in chosen]
    return short if len(short) < len(items) else []


def course_of(version: ProgramVersion, day: dt.date) -> Course:
    """What a version says of the whole routine: the days of its taper, and whose order it has."""
    return {"days": taper.days_on(version.taper, day), "own_order": version.own_order}


def minutes_of(items: list[Item]) -> int:
    """Whole minutes that these exercises take; 0 for none."""
    return max(1, round(sum(item.seconds for item in items) / 60)) if items else 0


def candidate_of(item: Item) -> routine.Candidate:
    return routine.Candidate(
        exercise=item.exercise.slug,
        movement_class=item.level.movement_class,
        loaded=item.level.loaded,
        days_per_week=item.prescription.days_per_week,
        seconds=item.seconds,
        order=item.prescription.order,
    )


def _was_loaded(session: Session | None) -> bool:
    """Whether something was done with a load in this session."""
    if session is None or session.status == Session.Status.SKIPPED:
        return False
    # Of a session without a list of what was done, anything may have been.
    listed = any(item["done"] for item in session.items)
    return any(item.get("loaded") and (item["done"] or not listed) for item in session.items)


def _morning_due(program: Program, day: dt.date, at: dt.datetime, facts: DayFacts) -> bool:
    if day <= program.started_on or at < morning_of(program, day):
        return False
    return not facts.morning_answered


def _of_last_night(yesterday: Session | None, at: dt.datetime) -> Session | None:
    """Yesterday's session, as long as it is still that night for the patient."""
    if yesterday is None:
        return None
    local = at.astimezone(yesterday.program.patient.zone)
    return yesterday if local.time() < NIGHT_ENDS else None


def _unanswered(session: Session | None) -> Session | None:
    """The session, as long as nobody said how it felt."""
    if session is None or session.status == Session.Status.SKIPPED:
        return None
    return session if session.after_check_in_id is None else None


def _news(program: Program, lately: Iterable[Session]) -> ProgramVersion | None:
    """The current version, as long as no session was done with it."""
    version = program.current_version
    if version.patient_reason == WAITS:
        # Nothing has changed: what waits stands with the next step.
        return None
    if any(session.version_id == version.pk for session in lately):
        return None
    return None if program.sessions.filter(version=version).exists() else told(version)
