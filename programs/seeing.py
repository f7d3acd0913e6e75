"""What a patient's answers come to over time: charts with their sentences. Reads only.

The charts say nothing of the page they stand on; the sentences speak to the patient.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext

from patients.measures import change_words, clear_change
from patients.measuring import shape_of
from patients.models import CheckIn, Measure
from patients.weekdays import EVERY_DAY, weekdays_of
from programs import charts, progress_words
from programs.asked_for import Asked, Held, asked_by
from programs.models import Program, ProgramVersion, Session
from programs.positions import prescriptions_of
from programs.progress_words import Say
from programs.trends import Rhythm, Trend, rhythm, trend

# Twelve weeks, the time a program is judged by.
DAYS_SHOWN = 84


@dataclass(frozen=True)
class DayValue:
    day: dt.date
    value: str


@dataclass(frozen=True)
class Seen:
    """One chart with what it says and, in the order of time, what it was drawn from."""

    chart: charts.LineChart | charts.BarChart
    sentences: list[str]
    rows: list[Any]
    newest: str = ""
    low: str = ""
    high: str = ""
    trend: Trend | None = None

    @property
    def empty(self) -> bool:
        return not self.rows


@dataclass(frozen=True)
class ActivityMove:
    name: str
    move: charts.Move
    then: str
    now: str


@dataclass(frozen=True)
class Activities:
    """The patient's own activities, then and now; ``rows`` are the days with every number."""

    moves: list[ActivityMove]
    sentences: list[str]
    names: list[str]
    rows: list[tuple[dt.date, list[str]]]


@dataclass(frozen=True)
class WeekRow:
    monday: dt.date
    done: int
    partly: int
    reported: int
    planned: int
    stiffer: int
    answered: int


@dataclass(frozen=True)
class Progress:
    """Everything on the page “how you are doing” for one program."""

    first: dt.date
    last: dt.date
    rhythm: Rhythm
    rhythm_sentences: list[str]
    pain: Seen
    safety: Seen
    stiffness: Seen
    activity: Seen
    activities: Activities | None

    @property
    def empty(self) -> bool:
        return (
            self.pain.empty
            and self.safety.empty
            and self.activity.empty
            and self.activities is None
        )


def say_here() -> Say:
    """Speak the language that is active."""
    return Say(gettext=gettext, ngettext=ngettext, number=_number)


def _number(value: float) -> str:
    words = number_format(round(value, 1), decimal_pos=None if value % 1 else 0)
    return words.replace("-", "−")


def progress_of(
    *, program: Program, at: dt.datetime, whole: bool = False, say: Say | None = None
) -> Progress:
    """Gather one program's charts: the last twelve weeks, or with ``whole`` all of it."""
    say = say or say_here()
    patient = program.patient
    today = patient.local_date(at)
    began = min(program.started_on, today)
    first = began if whole else max(began, today - dt.timedelta(days=DAYS_SHOWN - 1))
    check_ins = list(patient.check_ins.filter(day__gte=began, day__lte=today).order_by("at", "pk"))
    sessions = list(
        program.sessions.filter(day__lte=today).select_related("after_check_in").order_by("day")
    )
    exercised = {s.day for s in sessions if s.status != Session.Status.SKIPPED}
    versions = list(program.versions.order_by("number").only("at", "number", "program", "taper"))
    kept = rhythm(
        since=program.started_on,
        today=today,
        done=exercised,
        weekdays=own_weekdays(program),
        days_a_week=days_a_week(program),
        asked=_asked(program, versions),
    )
    weeks = _weeks(kept, sessions, first)
    span = {"first": first, "last": today, "versions": _versions(program, versions)}
    pain, safety = _newest_of(check_ins, "usual_pain"), _newest_of(check_ins, "feels_safe")
    pain_trend = trend(pain, started_on=program.started_on, higher_is="worse")
    safety_trend = trend(safety, started_on=program.started_on, higher_is="better", percent=None)
    return Progress(
        first=first,
        last=today,
        rhythm=kept,
        rhythm_sentences=progress_words.rhythm_words(kept, say),
        pain=_line(pain, pain_trend, progress_words.pain_words(pain_trend, len(pain), say), span),
        safety=_line(
            safety,
            safety_trend,
            progress_words.safety_words(safety_trend, len(safety), say),
            span,
            # Asked every few days only: a line may bridge the days between.
            joins=4,
        ),
        stiffness=_stiffness(weeks, sessions, today, say),
        activity=_activity(weeks, sessions, say),
        activities=_activities(program, say),
    )


def own_weekdays(program: Program) -> list[int]:
    """The weekdays on which the patient wants to be reminded, which is their own plan; all seven
    for somebody without reminders."""
    mask = 0
    for point in program.patient.contact_points.all():
        if point.reminders:
            mask |= point.reminder_days
    return weekdays_of(mask or EVERY_DAY)


def days_a_week(program: Program) -> int:
    """The most days a week that any exercise of the program is asked for."""
    days = [p.days_per_week for p in prescriptions_of(program.current_version)]
    return max(days, default=7)


# --- lines ---------------------------------------------------------------------------------------


def _newest_of(check_ins: Iterable[CheckIn], name: str) -> dict[dt.date, float]:
    """One value a day: the day's newest answer stands for it."""
    return {c.day: float(getattr(c, name)) for c in check_ins if getattr(c, name) is not None}


def _versions(program: Program, versions: Iterable[ProgramVersion]) -> list[tuple[dt.date, str]]:
    patient = program.patient
    return [
        (patient.local_date(version.at), str(version.number))
        for version in versions
        if version.number > 1
    ]


def _asked(program: Program, versions: Iterable[ProgramVersion]) -> Asked:
    """On which days a routine was asked for."""
    held = [Held(program.patient.local_date(v.at), v.taper) for v in versions]
    return asked_by(held, started_on=program.started_on)


def _line(
    values: dict[dt.date, float],
    found: Trend | None,
    sentences: list[str],
    span: dict[str, Any],
    joins: int = 1,
) -> Seen:
    band = (max(0.0, found.band[0]), min(10.0, found.band[1])) if found else None
    chart = charts.line_chart(
        values, low=0, high=10, band=band, joins=joins, ticks=(0, 5, 10), **span
    )
    rows = [DayValue(dot.day, _number(dot.value)) for dot in chart.dots]
    newest = rows[-1].value if rows else ""
    return Seen(chart, sentences, rows, newest=newest, trend=found)


# --- weeks ---------------------------------------------------------------------------------------


def _weeks(kept: Rhythm, sessions: Sequence[Session], first: dt.date) -> list[WeekRow]:
    by_week: dict[dt.date, list[Session]] = defaultdict(list)
    for session in sessions:
        by_week[session.day - dt.timedelta(days=session.day.weekday())].append(session)
    rows = []
    for week in kept.weeks:
        if week.monday + dt.timedelta(days=6) < first:
            continue
        of = [s for s in by_week[week.monday] if s.status != Session.Status.SKIPPED]
        answers = [_stiffer(s) for s in of]
        rows.append(
            WeekRow(
                monday=week.monday,
                done=sum(s.status == Session.Status.DONE for s in of),
                partly=sum(s.status == Session.Status.PARTLY for s in of),
                reported=sum(s.known != Session.Known.TIMED for s in of),
                planned=week.planned,
                stiffer=sum(answer is True for answer in answers),
                answered=sum(answer is not None for answer in answers),
            )
        )
    return rows


def _stiffer(session: Session) -> bool | None:
    return session.after_check_in.stiffer_after if session.after_check_in else None


def _activity(weeks: Sequence[WeekRow], sessions: Sequence[Session], say: Say) -> Seen:
    chart = charts.bar_chart(
        [
            charts.Week(
                row.monday,
                {"timed": row.done + row.partly - row.reported, "reported": row.reported},
                planned=row.planned or None,
            )
            for row in weeks
        ],
        high=7,
    )
    of = [s for s in sessions if s.status != Session.Status.SKIPPED]
    sentences = progress_words.activity_words(
        done=sum(s.status == Session.Status.DONE for s in of),
        partly=sum(s.status == Session.Status.PARTLY for s in of),
        reported=sum(s.known != Session.Known.TIMED for s in of),
        say=say,
    )
    return Seen(chart, sentences, list(weeks) if of else [])


def _stiffness(
    weeks: Sequence[WeekRow], sessions: Sequence[Session], today: dt.date, say: Say
) -> Seen:
    chart = charts.bar_chart(
        [
            charts.Week(
                row.monday,
                {"stiffer": row.stiffer, "eased": row.answered - row.stiffer},
                label=f"{row.stiffer}/{row.answered}" if row.answered else " ",
            )
            for row in weeks
        ],
        high=7,
        height=130.0,
    )

    def between(last: int, first: int) -> tuple[int, int]:
        answers = [
            _stiffer(s)
            for s in sessions
            if today - dt.timedelta(days=first) < s.day <= today - dt.timedelta(days=last)
        ]
        return sum(a is True for a in answers), sum(a is not None for a in answers)

    sentences = progress_words.stiffness_words(
        recent=between(0, 14), earlier=between(14, 28), say=say
    )
    answered = any(row.answered for row in weeks)
    return Seen(chart, sentences, list(weeks) if answered else [])


# --- the patient's own activities ------------------------------------------------------------


def _activities(program: Program, say: Say) -> Activities | None:
    taken = list(
        program.patient.measures.filter(
            questionnaire__name="activities", day__gte=program.started_on
        )
        .exclude(answers={})
        .select_related("questionnaire")
        .order_by("day", "at", "pk")
    )
    rows = [(measure.day, _numbers(measure)) for measure in taken]
    if not rows:
        return None
    first, newest = rows[0][1], rows[-1][1]
    # In the order in which they were first named.
    names = list(dict.fromkeys(name for _day, numbers in rows for name in numbers))
    moves = [
        ActivityMove(
            name,
            charts.move(first.get(name) if len(rows) > 1 else None, now, low=0, high=10),
            _number(first[name]) if name in first else "",
            _number(now),
        )
        for name, now in newest.items()
    ]
    return Activities(
        moves=moves,
        sentences=_activity_sentences(taken, say),
        names=names,
        rows=[
            (day, [_number(numbers[n]) if n in numbers else "–" for n in names])
            for day, numbers in rows
        ],
    )


def _numbers(measure: Measure) -> dict[str, float]:
    return {
        row["name"]: float(row["number"])
        for answer in measure.answers.values()
        if isinstance(answer, list)
        for row in answer
    }


def _activity_sentences(taken: Sequence[Measure], say: Say) -> list[str]:
    averages = [measure.scores[0]["value"] for measure in taken if measure.scores]
    if len(averages) < 2 or averages[0] is None or averages[-1] is None:
        return [
            say.gettext(
                "This is where you begin. We ask again after 6 and 12 weeks, and you can look "
                "again whenever you like."
            )
        ]
    shape = shape_of(taken[-1].questionnaire)
    limit = clear_change(averages[0], points=shape.change_points, percent=shape.change_percent)
    verdict = change_words(averages[0], averages[-1], limit=limit, higher_is=shape.higher_is)
    return progress_words.activities_words(
        averages[0], averages[-1], verdict=verdict, limit=limit or 0.0, say=say
    )
