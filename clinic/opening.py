"""When a site is open. Pure: no Django, no clock.

Hours are written as people write them, "Mon-Fri 08:00-18:00, Sat 09:00-12:00", and read into a
mapping from weekday (Monday is 0) to the local times of opening and closing. Days that are not
named are closed.
"""

import datetime as dt
import re
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from clinic.quiet_hours import local_moment, within

Hours = Mapping[int, tuple[dt.time, dt.time]]

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_PART = re.compile(
    r"(?P<first>[a-z]{3})(?:\s*[-–]\s*(?P<last>[a-z]{3}))?\s+"
    r"(?P<opens>\d{1,2}[:.]\d{2})\s*[-–]\s*(?P<closes>\d{1,2}[:.]\d{2})",
    re.IGNORECASE,
)
HOW = "Write it like Mon-Fri 08:00-18:00, Sat 09:00-12:00."


def read_hours(words: str) -> dict[int, tuple[dt.time, dt.time]]:
    """Hours from their words; none for empty ones. Raises ValueError with a sentence."""
    hours: dict[int, tuple[dt.time, dt.time]] = {}
    for part in filter(None, (piece.strip() for piece in re.split(r"[,;\n]", words))):
        found = _PART.fullmatch(part)
        if found is None:
            raise ValueError(f"“{part}” is not understood. {HOW}")
        opens, closes = _time(found["opens"]), _time(found["closes"])
        if opens >= closes:
            raise ValueError(f"“{part}” closes before it opens.")
        first = _day(found["first"])
        for day in range(first, (_day(found["last"]) if found["last"] else first) + 1):
            if day in hours:
                raise ValueError(f"{DAYS[day]} stands there twice.")
            hours[day] = (opens, closes)
        if found["last"] and _day(found["last"]) < first:
            raise ValueError(f"“{part}” ends before it begins.")
    return hours


def is_open(at: dt.datetime, zone: ZoneInfo, hours: Hours) -> bool:
    """Whether somebody works there at this moment; never where no hours are known."""
    span = hours.get(at.astimezone(zone).weekday())
    return span is not None and within(at, zone, *span)


def next_opening(at: dt.datetime, zone: ZoneInfo, hours: Hours) -> dt.datetime | None:
    """The first moment after ``at`` at which the site opens; None where no hours are known."""
    today = at.astimezone(zone).date()
    for ahead in range(9):
        day = today + dt.timedelta(days=ahead)
        span = hours.get(day.weekday())
        if span is not None:
            opens = local_moment(day, span[0], zone)
            if opens > at:
                return opens
    return None


def next_open(at: dt.datetime, zone: ZoneInfo, hours: Hours) -> dt.datetime:
    """``at`` itself while the site is open, or where no hours are known, else the next opening."""
    if is_open(at, zone, hours):
        return at
    return next_opening(at, zone, hours) or at


def closes_at(at: dt.datetime, zone: ZoneInfo, hours: Hours) -> dt.datetime | None:
    """When a site that is open at this moment closes."""
    if not is_open(at, zone, hours):
        return None
    local = at.astimezone(zone)
    return local_moment(local.date(), hours[local.weekday()][1], zone)


def _day(word: str) -> int:
    try:
        return DAYS.index(word.capitalize())
    except ValueError:
        raise ValueError(f"“{word}” is not a day. Days are {', '.join(DAYS)}.") from None


def _time(word: str) -> dt.time:
    hour, minute = map(int, re.split(r"[:.]", word))
    try:
        return dt.time(hour, minute)
    except ValueError:
        raise ValueError(f"“{word}” is not a time of day.") from None
