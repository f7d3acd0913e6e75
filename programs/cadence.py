"""On which local days a patient is reminded, and at what moment. Pure: no Django, no clock.

Every day of the chosen ones in the first three weeks of a program, three of them a week until the
end of the ninth, one a week from then on. A day has at most one reminder at an address; where the
patient asked for it, a second nudge follows hours later, and three days after a reminder was
first left without an answer a kind message takes the reminder's place. Moments are aware and in
UTC; days are local dates of the patient; a mask of days has a bit for each, Monday 1 … Sunday 64.

Daily, then three a week, then weekly: shared clinical notes, section 2.5 (a choice, no trial).
"""

import datetime as dt
import functools
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from clinic import quiet_hours

ROUTINE = "routine_reminder"
NUDGE = "second_nudge"
SILENCE = "silence"

# Days since the program's first day from which reminders are fewer.
THRICE_FROM = 21
WEEKLY_FROM = 63
SILENT_DAYS = 3
# A reminder this late is no reminder any more; a nudge loses its sense sooner.
STALE_AFTER = dt.timedelta(hours=6)
NUDGE_STALE_AFTER = dt.timedelta(hours=2)

# Never sooner after the reminder than this, or it would be the same message twice.
NUDGE_LEAST = dt.timedelta(hours=2)
_NUDGE_AFTER = dt.timedelta(hours=4)
_NUDGE_ROOM = dt.timedelta(minutes=30)
_DAY = dt.timedelta(days=1)
_WEEK = 7
_EVERY_DAY = 127
_MIDNIGHT = dt.time(0)


@dataclass(frozen=True)
class Rhythm:
    """What decides about the reminders to one address, besides the program: its zone, the wanted
    hour and days there, the site's hours, and whether a second nudge is wanted."""

    zone: str
    time: dt.time
    days: int
    quiet_start: dt.time
    quiet_end: dt.time
    nudge: bool = False


@dataclass(frozen=True)
class Moments:
    """The moments of one local day. ``outside``: the day has no moment at which the hour wanted
    is allowed, so nothing may go out. ``nudge_at`` is None where the day has no room for one."""

    due_at: dt.datetime
    expires_at: dt.datetime
    link_expires_at: dt.datetime
    outside: bool
    nudge_at: dt.datetime | None


@dataclass(frozen=True, order=True)
class Event:
    """One message to come."""

    at: dt.datetime
    day: dt.date
    kind: str


@dataclass(frozen=True)
class Span:
    """The days of a program that reminders may fall on, and the day of the kind message.

    ``asked``: from which day a routine is asked for on which weekdays only, as masks, oldest
    first (``programs.asked_for``)."""

    first: dt.date
    last: dt.date | None = None
    silent_on: dt.date | None = None
    asked: tuple[tuple[dt.date, int], ...] = ()

    def holds(self, day: dt.date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)

    def asked_on(self, day: dt.date) -> int:
        """The weekdays on which a routine is asked for, as things stand on ``day``."""
        return next((mask for first, mask in reversed(self.asked) if first <= day), _EVERY_DAY)

    def never_again(self, days: int, day: dt.date) -> bool:
        """Whether none of these weekdays has a routine from ``day`` on."""
        last_step = not self.asked or self.asked[-1][0] <= day
        return last_step and not days & self.asked_on(day)


@functools.lru_cache(maxsize=50_000)
def moments_of(rhythm: Rhythm, day: dt.date) -> Moments:
    """When the reminder of ``day`` is due, is too late, and when its link stops opening."""
    zone = ZoneInfo(rhythm.zone)
    wanted = quiet_hours.local_moment(day, rhythm.time, zone)
    allowed = quiet_hours.next_allowed(wanted, zone, rhythm.quiet_start, rhythm.quiet_end)
    ends = quiet_hours.local_moment(day, rhythm.quiet_end, zone)
    outside = allowed.astimezone(zone).date() != day
    due_at = wanted if outside else allowed
    nudge_at = min(due_at + _NUDGE_AFTER, ends - _NUDGE_ROOM)
    has_room = rhythm.nudge and not outside and nudge_at >= due_at + NUDGE_LEAST
    return Moments(
        due_at=due_at,
        expires_at=ends,
        link_expires_at=quiet_hours.local_moment(day + 2 * _DAY, _MIDNIGHT, zone),
        outside=outside,
        nudge_at=nudge_at if has_room else None,
    )


@functools.cache
def spread(days: int, wanted: int) -> int:
    """At most ``wanted`` of the days of a mask, as far from each other as they allow."""
    chosen = [day for day in range(_WEEK) if days >> day & 1]
    if len(chosen) <= wanted:
        return days
    best = max(itertools.combinations(chosen, wanted), key=_gaps)
    return sum(1 << day for day in best)


def _gaps(days: tuple[int, ...]) -> list[int]:
    around = zip(days, days[1:] + days[:1], strict=True)
    return sorted((later - day - 1) % _WEEK for day, later in around)


def days_after(days: int, since_start: int) -> int:
    """The mask that is left of the chosen days, so many days after the program began."""
    if since_start < THRICE_FROM:
        return days
    thrice = spread(days, 3)
    if since_start < WEEKLY_FROM:
        return thrice
    return thrice & -thrice


def falls_on(days: int, span: Span, day: dt.date) -> bool:
    """Whether a message belongs to this day: the routine's, or the kind one."""
    wanted = days & span.asked_on(day)
    if not span.holds(day) or not wanted >> day.weekday() & 1:
        return False
    left = days_after(wanted, (day - span.first).days)
    return day == span.silent_on or bool(left >> day.weekday() & 1)


def events(rhythm: Rhythm, span: Span, since: dt.datetime) -> Iterator[Event]:
    """What is to be sent from the moment ``since`` on (included), in order, without an end where
    the program has none."""
    local = since.astimezone(ZoneInfo(rhythm.zone)).date()
    day = max(span.first, local - _DAY)
    while not span.never_again(rhythm.days, day) and (span.last is None or day <= span.last):
        if falls_on(rhythm.days, span, day):
            for event in _of_day(rhythm, span, day):
                if event.at >= since:
                    yield event
        day += _DAY


def _of_day(rhythm: Rhythm, span: Span, day: dt.date) -> Iterator[Event]:
    moments = moments_of(rhythm, day)
    if day == span.silent_on:
        # Kind means once: no nudge on top of it.
        yield Event(moments.due_at, day, SILENCE)
        return
    yield Event(moments.due_at, day, ROUTINE)
    if moments.nudge_at is not None:
        yield Event(moments.nudge_at, day, NUDGE)


@dataclass(frozen=True)
class Heard:
    """The local day a patient was last heard of (an answer, else the start or the reopening), and
    the moment from which a reminder waits for an answer."""

    day: dt.date
    waits_from: dt.datetime


def silent_day(
    rhythms: Sequence[Rhythm], span: Span, heard: Heard, since: dt.datetime
) -> dt.date | None:
    """The first chosen day with a routine (however few are reminded of) on which three days of
    silence have passed, and whose moment is not before ``since``. None where nothing reminds.

    ``span`` is without a kind message. Days on which nobody was reminded are no silence: it begins
    with the first reminder that got no answer.
    """
    began = _silence_began(rhythms, span, heard)
    if began is None:
        return None
    first = began + SILENT_DAYS * _DAY
    found = [_silent_day(rhythm, span, first, since) for rhythm in rhythms]
    return min((day for day in found if day), default=None)


def _silence_began(rhythms: Sequence[Rhythm], span: Span, heard: Heard) -> dt.date | None:
    firsts = [_first_reminder(rhythm, span, heard.waits_from) for rhythm in rhythms]
    missed = min((day for day in firsts if day), default=None)
    if missed is None:
        return None
    # From one reminded day to the next the silence runs on from the last word.
    runs_on = missed <= heard.day + _DAY and any(
        falls_on(rhythm.days, span, heard.day) for rhythm in rhythms
    )
    return heard.day if runs_on else missed


def _first_reminder(rhythm: Rhythm, span: Span, since: dt.datetime) -> dt.date | None:
    found = events(rhythm, span, since)
    return next((event.day for event in found if event.kind == ROUTINE), None)


def _silent_day(rhythm: Rhythm, span: Span, first: dt.date, since: dt.datetime) -> dt.date | None:
    local = since.astimezone(ZoneInfo(rhythm.zone)).date()
    day = max(first, local - _DAY)
    while not span.never_again(rhythm.days, day):
        wanted = rhythm.days & span.asked_on(day)
        if wanted >> day.weekday() & 1 and moments_of(rhythm, day).due_at >= since:
            return day
        day += _DAY
    return None


@dataclass(frozen=True)
class Ahead:
    """The week after a day: how many days on the next reminder falls in each of the three parts
    of a program (1 to 7), and the moment of each of the seven days."""

    daily: int
    thrice: int
    weekly: int
    due_at: tuple[dt.datetime, ...]


@functools.lru_cache(maxsize=10_000)
def ahead(rhythm: Rhythm, day: dt.date) -> Ahead:
    """What planning must know to move on from ``day``, whichever part a program is in.

    The days of a later part are among those of an earlier one, so the first of the three whose
    part holds on its own day is the next: see ``following``.
    """
    week = [day + number * _DAY for number in range(1, _WEEK + 1)]

    def next_in(mask: int) -> int:
        return next(n for n, later in enumerate(week, 1) if mask >> later.weekday() & 1)

    return Ahead(
        daily=next_in(rhythm.days),
        thrice=next_in(days_after(rhythm.days, THRICE_FROM)),
        weekly=next_in(days_after(rhythm.days, WEEKLY_FROM)),
        due_at=tuple(moments_of(rhythm, later).due_at for later in week),
    )
