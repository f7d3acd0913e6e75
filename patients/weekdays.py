"""The days of the week on which something is wanted, as a bit mask. Pure: no Django, no clock.

Monday is 1, Tuesday 2, Wednesday 4 … Sunday 64; a weekday is a number from 0 (Monday) to 6, as
Python's ``date.weekday`` has it.
"""

import datetime as dt
from collections.abc import Iterable

NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
EVERY_DAY = 127
_SPOKEN = {EVERY_DAY: "every day", 31: "Monday to Friday", 96: "at the weekend"}


def mask_of(weekdays: Iterable[int]) -> int:
    """The mask of these weekdays; ValueError for a number that is none."""
    mask = 0
    for weekday in weekdays:
        if not 0 <= weekday <= 6:
            raise ValueError(f"No weekday: {weekday}.")
        mask |= 1 << weekday
    return mask


def weekdays_of(mask: int) -> list[int]:
    """The weekdays in a mask, Monday first."""
    return [weekday for weekday in range(7) if mask >> weekday & 1]


def falls_on(mask: int, day: dt.date) -> bool:
    return bool(mask >> day.weekday() & 1)


def in_words(mask: int) -> str:
    """Such as "every day", or "Monday, Wednesday and Friday"."""
    if mask in _SPOKEN:
        return _SPOKEN[mask]
    names = [NAMES[weekday] for weekday in weekdays_of(mask)]
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
