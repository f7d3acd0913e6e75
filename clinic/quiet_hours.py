"""When a person may be written to, in that person's own time. Pure: no Django, no clock.

Moments are aware and in UTC, hours are local times of an IANA zone.
"""

import datetime as dt
from zoneinfo import ZoneInfo

_SECOND = dt.timedelta(seconds=1)


def local_moment(day: dt.date, time: dt.time, zone: ZoneInfo) -> dt.datetime:
    """The moment (UTC) at which the clocks of ``zone`` show ``time`` on ``day``.

    A time that the clocks skip becomes the next one they show; one they show twice is the first.
    """
    wanted = dt.datetime.combine(day, time.replace(tzinfo=None, fold=0))
    late = wanted.replace(tzinfo=zone, fold=0).astimezone(dt.UTC)
    if _shown(late, zone) == wanted:
        return late
    # Skipped: read with the offset of either side of the jump, the two moments lie around it.
    early = wanted.replace(tzinfo=zone, fold=1).astimezone(dt.UTC)
    while late - early > _SECOND:
        middle = early + (late - early) // 2
        if _shown(middle, zone) < wanted:
            early = middle
        else:
            late = middle
    return late.replace(microsecond=0)


def within(at: dt.datetime, zone: ZoneInfo, start: dt.time, end: dt.time) -> bool:
    """Whether the clocks of ``zone`` show ``start`` or later, and not yet ``end``."""
    return start <= at.astimezone(zone).time() < end


def next_allowed(at: dt.datetime, zone: ZoneInfo, start: dt.time, end: dt.time) -> dt.datetime:
    """``at`` itself inside the hours, else the moment they begin next."""
    if within(at, zone, start, end):
        return at
    local = at.astimezone(zone)
    day = local.date() if local.time() < start else local.date() + dt.timedelta(days=1)
    return local_moment(day, start, zone)


def _shown(at: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    return at.astimezone(zone).replace(tzinfo=None, fold=0)
