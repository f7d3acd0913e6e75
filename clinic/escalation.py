"""When an alert that nobody has seen is told again, and to how many. Pure: no Django, no clock.

The stages of one alert are a fixed, finite row of moments. They hang on nothing but the alert and
the hours of its site, so that two planners, or one that was killed, come to the same row.
"""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from clinic.opening import Hours, next_open
from clinic.quiet_hours import next_allowed

# Whom a stage speaks to: the person on duty; beside them who stands in; beside both the managers.
RAISED, HALF_TIME, DUE, AGAIN, OPENING = "raised", "half_time", "due", "again", "opening"
EMERGENCY, SAME_DAY, SOON, ROUTINE = "emergency", "same_day", "soon", "routine"

# How often and how many times it is said again once the due time has passed.
_AGAIN = {
    EMERGENCY: (dt.timedelta(minutes=30), 8),
    SAME_DAY: (dt.timedelta(hours=2), 6),
    SOON: (dt.timedelta(days=1), 5),
    ROUTINE: (dt.timedelta(days=1), 1),
}
# After that only once at each of the next openings.
_OPENINGS = {EMERGENCY: 5, SAME_DAY: 5, SOON: 0, ROUTINE: 0}


@dataclass(frozen=True)
class Stage:
    """Stage ``number`` of an alert, counted from 0, is told at ``at`` (UTC)."""

    number: int
    kind: str
    at: dt.datetime


@dataclass(frozen=True)
class Site:
    """What of a site the stages hang on: its zone, when it is open, and when a message that is no
    emergency may reach its staff."""

    zone: ZoneInfo
    hours: Hours
    quiet_start: dt.time = dt.time(8)
    quiet_end: dt.time = dt.time(21)

    def opening_after(self, at: dt.datetime) -> dt.datetime:
        """The next opening; where no hours are known, the next time messages begin."""
        opens = next_open(at, self.zone, self.hours)
        return next_allowed(opens, self.zone, self.quiet_start, self.quiet_end)


def stages(
    *,
    severity: str,
    raised_at: dt.datetime,
    due_at: dt.datetime,
    site: Site,
) -> list[Stage]:
    """All stages of an alert, each later than the one before; the first is that it was raised."""
    every, times = _AGAIN[severity]
    wanted = [(RAISED, raised_at)]
    if severity != ROUTINE:
        wanted.append((HALF_TIME, raised_at + (due_at - raised_at) / 2))
    wanted.append((DUE, due_at))
    wanted += [(AGAIN, due_at + every * number) for number in range(1, times + 1)]
    found: list[Stage] = []
    for kind, at in wanted:
        moment = at if kind == RAISED else moved(at, severity=severity, site=site)
        # What the night has pushed together is said once, as the later of the two.
        if len(found) > 1 and moment <= found[-1].at:
            found[-1] = Stage(found[-1].number, kind, found[-1].at)
        else:
            found.append(Stage(len(found), kind, moment))
    for _ in range(_OPENINGS[severity]):
        opens = _next_day_opening(found[-1].at, site)
        found.append(Stage(len(found), OPENING, opens))
    return found


def moved(at: dt.datetime, *, severity: str, site: Site) -> dt.datetime:
    """When staff may be told of it: an emergency always, one of the same day from morning to
    evening, everything else while the site is open."""
    if severity == EMERGENCY:
        return at
    if severity == SAME_DAY:
        return next_allowed(at, site.zone, site.quiet_start, site.quiet_end)
    return site.opening_after(at)


def reached(row: list[Stage], *, last: int, at: dt.datetime) -> Stage | None:
    """The newest stage that is due and comes after ``last``; what was missed meanwhile is said
    once, with it. None when nothing is due."""
    due = [stage for stage in row if stage.number > last and stage.at <= at]
    return due[-1] if due else None


def following(row: list[Stage], *, last: int) -> dt.datetime | None:
    """When the stage after ``last`` is due; None when there is none left."""
    return next((stage.at for stage in row if stage.number > last), None)


def _next_day_opening(at: dt.datetime, site: Site) -> dt.datetime:
    local = at.astimezone(site.zone)
    midnight = dt.datetime.combine(
        local.date() + dt.timedelta(days=1), dt.time(), site.zone
    ).astimezone(dt.UTC)
    # A zone may skip midnight; one second on is the same day wherever it lies.
    return site.opening_after(max(midnight, at + dt.timedelta(seconds=1)))
