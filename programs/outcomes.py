"""What became of programs, in figures that say how sure they are and what is missing.

Pure: no Django, no clock. A share comes with its 95 % interval after Wilson (J Am Stat Assoc
1927;22:209), a mean with the usual one after Student. Nothing here compares groups: where two
intervals overlap, the groups cannot be told apart, and where they do not, people still chose their
group themselves.
"""

import datetime as dt
import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

# A change in pain or in activities that people notice: 2 points, or 30 % of the start (Ostelo
# 2008); of activities 2 points (the mean of three to five).
POINTS, SHARE = 2.0, 0.30
# With fewer pairs than this an interval says nothing, and one person could be recognised.
FEWEST = 5
_Z = 1.959964
# Student's t for 95 % and 1, 2, … degrees of freedom; above the last it is the normal one's 1.96.
_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


@dataclass(frozen=True)
class Course:
    """One program: pain is the median of a week (0–10), activities a mean (0 unable, 10 as
    before); None where nobody knows. ``adherence`` is 0–1 over the days that were asked for."""

    pathway: str
    template: str
    physiotherapist: str
    site: str
    started_on: dt.date
    adherence: float | None
    pain_start: float | None
    pain_end: float | None
    activities_start: float | None
    activities_end: float | None

    def has_come_to(self, weeks: int, today: dt.date) -> bool:
        """Whether the last day of that week is over, so that an answer of it could be there."""
        return self.started_on + dt.timedelta(weeks=weeks) <= today


@dataclass(frozen=True)
class Share:
    """``count`` of ``of``; ``low`` and ``high`` are the 95 % interval (0–1), None when too few."""

    count: int
    of: int
    low: float | None = None
    high: float | None = None

    @property
    def value(self) -> float | None:
        return self.count / self.of if self.of else None


@dataclass(frozen=True)
class Mean:
    """A mean of ``of`` values with its 95 % interval, None when too few."""

    value: float | None
    of: int
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Change:
    """What became of one figure between the start and the end of the time looked at.

    ``pairs`` have both values; the others are counted in ``no_start`` and ``no_end`` (both missing
    counts as no start). ``at_least`` is the share improved if nobody of those had improved.
    """

    due: int
    pairs: int
    no_start: int
    no_end: int
    mean: Mean
    improved: Share
    worse: Share
    at_least: float | None

    @property
    def missing(self) -> int:
        return self.no_start + self.no_end


@dataclass(frozen=True)
class Summary:
    """One group of programs. ``adherence`` is the median (0–1) of the ``adherence_of`` programs
    whose figure is known; ``ahead`` have not come to the end of the time looked at yet."""

    name: str
    programs: int
    ahead: int
    adherence: float | None
    adherence_of: int
    pain: Change
    activities: Change


def summarise(name: str, courses: Sequence[Course], *, weeks: int, today: dt.date) -> Summary:
    """The figures of one group after ``weeks`` weeks, as they stand ``today``."""
    due = [course for course in courses if course.has_come_to(weeks, today)]
    kept = [course.adherence for course in courses if course.adherence is not None]
    return Summary(
        name=name,
        programs=len(courses),
        ahead=len(courses) - len(due),
        adherence=statistics.median(kept) if kept else None,
        adherence_of=len(kept),
        # Less pain is better, more activity is.
        pain=_change([(c.pain_start, c.pain_end) for c in due], better=-1, share=SHARE),
        activities=_change([(c.activities_start, c.activities_end) for c in due], better=1),
    )


def by(
    courses: Iterable[Course], key: Callable[[Course], str], *, weeks: int, today: dt.date
) -> list[Summary]:
    """A summary for each group, in the order of their names."""
    groups: dict[str, list[Course]] = {}
    for course in courses:
        groups.setdefault(key(course), []).append(course)
    return [
        summarise(name, found, weeks=weeks, today=today) for name, found in sorted(groups.items())
    ]


def wilson(count: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share, 0–1; the whole range for nothing."""
    if not of:
        return 0.0, 1.0
    share, z2 = count / of, _Z * _Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    reach = _Z / (1 + z2 / of) * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    # At 0 and at 1 the limit is the share itself, whatever the last digit of the sum says.
    return (0.0 if count == 0 else max(0.0, middle - reach)), (
        1.0 if count == of else min(1.0, middle + reach)
    )


def mean_of(values: Sequence[float]) -> Mean:
    """The mean; with fewer than ``FEWEST`` values without an interval."""
    if not values:
        return Mean(None, 0)
    middle = statistics.fmean(values)
    if len(values) < FEWEST:
        return Mean(middle, len(values))
    t = _T[len(values) - 2] if len(values) - 2 < len(_T) else _Z
    reach = t * statistics.stdev(values) / math.sqrt(len(values))
    return Mean(middle, len(values), middle - reach, middle + reach)


def _share(count: int, of: int) -> Share:
    return Share(count, of, *wilson(count, of)) if of >= FEWEST else Share(count, of)


def _change(
    values: Sequence[tuple[float | None, float | None]], *, better: int, share: float = 0.0
) -> Change:
    pairs = [(start, end) for start, end in values if start is not None and end is not None]
    no_start = sum(start is None for start, _ in values)
    improved = sum(_gain(start, end, better) >= _least(start, share) for start, end in pairs)
    worse = sum(-_gain(start, end, better) >= _least(start, share) for start, end in pairs)
    return Change(
        due=len(values),
        pairs=len(pairs),
        no_start=no_start,
        no_end=len(values) - len(pairs) - no_start,
        mean=mean_of([end - start for start, end in pairs]),
        improved=_share(improved, len(pairs)),
        worse=_share(worse, len(pairs)),
        at_least=improved / len(values) if values else None,
    )


def _gain(start: float, end: float, better: int) -> float:
    return (end - start) * better


def _least(start: float, share: float) -> float:
    """The smallest change that counts: both thresholds have to be passed."""
    return max(POINTS, share * start)
