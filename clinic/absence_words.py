"""How an absence is said, on the clocks of whoever reads it. Pure: no Django, no clock.

It runs from ``begins`` until before ``ends`` (aware). A midnight at either end is the edge of a
day and not a time: the day before is the last one.
"""

import datetime as dt
from zoneinfo import ZoneInfo

from clinic.quiet_hours import local_moment

_DAY = dt.timedelta(days=1)
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip


def when(begins: dt.datetime, ends: dt.datetime, *, zone: ZoneInfo, today: dt.date) -> str:
    """Such as "Thu 26 Nov", "Thu 26 Nov to Fri 27 Nov", "Thu 26 Nov, 09:00 to 12:00"; with the
    year where it is not that of ``today``."""
    start, end = begins.astimezone(zone), ends.astimezone(zone)
    from_time = "" if _is_midnight(begins, zone) else f"{start:%H:%M}"
    until_time = "" if _is_midnight(ends, zone) else f"{end:%H:%M}"
    first, last = start.date(), end.date() if until_time else end.date() - _DAY
    if first == last:
        hours = _hours(from_time, until_time)
        return f"{_day(first, today)}, {hours}" if hours else _day(first, today)
    said = [
        f"{_day(day, today)}, {time}" if time else _day(day, today)
        for day, time in ((first, from_time), (last, until_time))
    ]
    return " to ".join(said)


def within_day(begins: dt.datetime, ends: dt.datetime, *, day: dt.date, zone: ZoneInfo) -> str:
    """What of it falls on ``day``: "all day", "from 14:00", "until 12:00", "09:00 to 12:00"."""
    opens, closes = (local_moment(date, dt.time(), zone) for date in (day, day + _DAY))
    from_time = f"{begins.astimezone(zone):%H:%M}" if begins > opens else ""
    until_time = f"{ends.astimezone(zone):%H:%M}" if ends < closes else ""
    return _hours(from_time, until_time) or "all day"


def moment(at: dt.datetime, *, zone: ZoneInfo, today: dt.date) -> str:
    """When something changes: "Thu 26 Nov" as the day begins, "Thu 26 Nov, 14:00" within it."""
    local = at.astimezone(zone)
    day = _day(local.date(), today)
    return day if _is_midnight(at, zone) else f"{day}, {local:%H:%M}"


def _hours(from_time: str, until_time: str) -> str:
    if from_time and until_time:
        return f"{from_time} to {until_time}"
    return f"from {from_time}" if from_time else f"until {until_time}" if until_time else ""


def _day(day: dt.date, today: dt.date) -> str:
    said = f"{_WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]}"
    return said if day.year == today.year else f"{said} {day.year}"


def _is_midnight(at: dt.datetime, zone: ZoneInfo) -> bool:
    """Whether the day begins, also where its clocks skip midnight."""
    return at == local_moment(at.astimezone(zone).date(), dt.time(), zone)
