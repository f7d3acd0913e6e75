"""What a patient's answers show over weeks: then and now, and the rhythm of the routines.

Pure: no Django, no clock. Weeks of a trend are counted from the first day of the program, as the
rules count them; weeks of the rhythm are those of the calendar, Monday to Sunday, as people live
them.
"""

import datetime as dt
import math
import statistics
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from patients.measures import change_words, clear_change
from programs.asked_for import Asked, every_day

# A weekly median of one or two days says more about the day than about the week.
MIN_DAYS_A_WEEK = 3
# A week is in rhythm from this share of its planned days on (the rules ask for no more, R18).
RHYTHM = 0.7
# So many weeks below the rhythm, one after the other, do not end a run.
FORGIVEN_WEEKS = 1
CLEAR_POINTS = 2.0
CLEAR_PERCENT = 30.0


@dataclass(frozen=True)
class Trend:
    """The median of the first known week and of the newest. ``limit`` is how far they must part to
    count as a clear change; ``verdict`` is better, worse or same."""

    first: float
    newest: float
    weeks_apart: int
    limit: float
    verdict: str

    @property
    def band(self) -> tuple[float, float]:
        """Values that are about the same as the first."""
        return self.first - self.limit, self.first + self.limit


def trend(
    values: Mapping[dt.date, float],
    *,
    started_on: dt.date,
    higher_is: str,
    points: float = CLEAR_POINTS,
    percent: float | None = CLEAR_PERCENT,
) -> Trend | None:
    """Compare the first known week with the newest; None before two weeks are known."""
    weeks = weekly_medians(values, started_on=started_on)
    if len(weeks) < 2:
        return None
    (first_week, first), (last_week, newest) = weeks[0], weeks[-1]
    limit = clear_change(first, points=points, percent=percent)
    assert limit is not None
    verdict = change_words(first, newest, limit=limit, higher_is=higher_is)
    return Trend(first, newest, last_week - first_week, limit, verdict)


def weekly_medians(
    values: Mapping[dt.date, float], *, started_on: dt.date
) -> list[tuple[int, float]]:
    """Number of the week (from 0) and median, for each week with at least three known days."""
    weeks: dict[int, list[float]] = defaultdict(list)
    for day, value in values.items():
        if day >= started_on:
            weeks[(day - started_on).days // 7].append(value)
    return [
        (week, float(statistics.median(known)))
        for week, known in sorted(weeks.items())
        if len(known) >= MIN_DAYS_A_WEEK
    ]


# --- the rhythm --------------------------------------------------------------------------------


@dataclass(frozen=True)
class RhythmWeek:
    """``done`` counts the days with a routine, a partly done one too; ``planned`` those on which
    one was wanted; ``goal`` is how many of them make the week a good one."""

    monday: dt.date
    planned: int
    done: int
    goal: int

    @property
    def good(self) -> bool:
        return self.planned > 0 and self.done >= self.goal


@dataclass(frozen=True)
class Rhythm:
    """``run`` is the number of good weeks in the present run; ``to_go`` how many days are missing
    for this week, None when it can no longer be reached."""

    weeks: tuple[RhythmWeek, ...]
    run: int
    forgiven: bool
    to_go: int | None

    @property
    def this_week(self) -> RhythmWeek:
        return self.weeks[-1]


def rhythm(
    *,
    since: dt.date,
    today: dt.date,
    done: Collection[dt.date],
    weekdays: Collection[int] = range(7),
    days_a_week: int = 7,
    asked: Asked = every_day,
) -> Rhythm:
    """How many of the planned days had a routine, week by week from ``since`` to ``today``.

    ``weekdays`` are the patient's own days (0 is Monday), ``days_a_week`` the most a program asks
    for, ``asked`` whether it asked for a routine on a day: no week plans for more days than that. A
    day that was missed takes nothing away: only what was done counts, on whatever day. One week
    below the goal does not end a run, and this week can only add to it. Before the first day there
    is one empty week.
    """
    start = min(since, today)
    weeks = []
    monday = start - dt.timedelta(days=start.weekday())
    while monday <= today:
        week = [monday + dt.timedelta(days=n) for n in range(7)]
        own = [day for day in week if day >= start and day.weekday() in weekdays]
        planned = min(len(own), days_a_week, sum(1 for d in week if d >= start and asked(d)))
        within = sum(1 for day in done if 0 <= (day - monday).days < 7 and start <= day <= today)
        weeks.append(RhythmWeek(monday, planned, within, math.ceil(planned * RHYTHM)))
        monday += dt.timedelta(days=7)
    run, forgiven = _run(weeks)
    return Rhythm(tuple(weeks), run, forgiven, _to_go(weeks[-1], today, done))


def _run(weeks: Sequence[RhythmWeek]) -> tuple[int, bool]:
    """Good weeks of the present run, and whether it went over a quieter week."""
    run, quiet, forgiven = 0, 0, False
    *past, this = [week for week in weeks if week.planned] or [weeks[-1]]
    for week in [*([this] if this.good else []), *reversed(past)]:
        if week.good:
            run += 1
            forgiven = forgiven or quiet > 0
            quiet = 0
            continue
        quiet += 1
        if quiet > FORGIVEN_WEEKS:
            break
    return run, forgiven


def _to_go(week: RhythmWeek, today: dt.date, done: Collection[dt.date]) -> int | None:
    needed = max(0, week.goal - week.done)
    days_left = 6 - today.weekday() + (0 if today in done else 1)
    return needed if needed <= days_left else None
