"""Whether a routine was asked for on a day: what reminders, silence and adherence all go by.

Pure: no Django, no clock. Every day of a program asks for its routine but those that the taper of
the version in force takes away. Days are the patient's local ones.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from programs import routine, taper

# A taper as it is stored: see ``programs.taper``.
Taper = Sequence[Mapping[str, Any]]
Asked = Callable[[dt.date], bool]
_DAY = dt.timedelta(days=1)
_WEEK = 7


@dataclass(frozen=True)
class Held:
    """From this day on a version with this taper held."""

    first: dt.date
    taper: Taper


def every_day(day: dt.date) -> bool:
    """Without a taper."""
    return True


def is_asked(stored: Taper, day: dt.date, *, started_on: dt.date) -> bool:
    """Whether a version with this taper asks for a routine on ``day``."""
    days = taper.days_on(stored, day) if stored else None
    return days is None or routine.is_on(days, (day - started_on).days)


def asked_by(held: Iterable[Held], *, started_on: dt.date) -> Asked:
    """Whether a routine was asked for on a day, by the versions of one program, oldest first.

    A day on which the version changed was asked for when both of them did.
    """
    versions = list(held)
    if not any(version.taper for version in versions):
        return every_day

    def asked(day: dt.date) -> bool:
        before = [version for version in versions if version.first < day][-1:]
        of_day = before + [version for version in versions if version.first == day]
        return all(is_asked(version.taper, day, started_on=started_on) for version in of_day)

    return asked


def weekdays_asked(stored: Taper, *, started_on: dt.date) -> tuple[tuple[dt.date, int], ...]:
    """From which day the routine falls on which weekdays, as masks (Monday 1 … Sunday 64), oldest
    first: the days of a step are the same ones every week."""
    return tuple(
        (step.first, sum(1 << (started_on + n * _DAY).weekday() for n in _days_of(step.days)))
        for step in sorted(taper.from_json(stored), key=lambda step: step.first)
    )


def _days_of(days: int) -> list[int]:
    return [number for number in range(_WEEK) if routine.is_on(days, number)]


def silent_days(
    *, since: dt.date, answered: bool, today: dt.date, asked: Asked = every_day
) -> int | None:
    """Days of silence up to ``today``, None before ``since``: the day of the last answer, or, not
    ``answered``, of the start. Silence begins with a day on which a routine was asked for."""
    if today < since:
        return None
    first = since + _DAY if answered else since
    while first <= today and not asked(first):
        first += _DAY
    return max(0, (today - first).days + (1 if answered else 0))
