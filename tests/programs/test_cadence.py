"""On which days, at which moment: every zone of the world, every choice of days."""

import datetime as dt
import itertools
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.models import OutboxMessage
from programs import cadence
from programs.cadence import NUDGE, ROUTINE, SILENCE, Rhythm, Span

DAY = dt.timedelta(days=1)
# A Monday.
START = dt.date(2026, 3, 2)
EVERY_DAY = 127

masks = st.integers(min_value=1, max_value=127)
zones = st.sampled_from(sorted(zoneinfo.available_timezones()))
hours = st.times(min_value=dt.time(8), max_value=dt.time(20, 59)).map(
    lambda time: time.replace(second=0, microsecond=0)
)
dates = st.dates(min_value=dt.date(2025, 1, 1), max_value=dt.date(2030, 12, 31))


def rhythm(zone="Europe/London", time=dt.time(8), days=EVERY_DAY, **more) -> Rhythm:
    return Rhythm(zone, time, days, **{"quiet_start": dt.time(8), "quiet_end": dt.time(21), **more})


def days_of(a_rhythm: Rhythm, span: Span, count: int) -> list[dt.date]:
    since = dt.datetime.combine(span.first - DAY, dt.time(), tzinfo=dt.UTC)
    found = cadence.events(a_rhythm, span, since)
    return [event.day for event in itertools.islice(found, count)]


def numbers(days: list[dt.date]) -> list[int]:
    return [(day - START).days for day in days]


@pytest.mark.parametrize("zone", sorted(zoneinfo.available_timezones()))
def test_given_any_zone_then_two_years_have_one_moment_a_day_and_none_at_night(zone):
    """The days that clocks change on, that is: 600 zones, 730 days each, another hour for each."""
    hour = 8 + hash_of(zone) % 13
    here = rhythm(zone, dt.time(hour, hash_of(zone) % 60))
    local = zoneinfo.ZoneInfo(zone)
    seen = []
    for number in range(730):
        moments = cadence.moments_of.__wrapped__(here, START + number * DAY)
        shown = moments.due_at.astimezone(local)
        seen.append(shown.date())
        assert dt.time(8) <= shown.time() < dt.time(21)
        assert moments.due_at < moments.expires_at <= moments.link_expires_at
    assert seen == [START + number * DAY for number in range(730)]


def hash_of(text: str) -> int:
    return sum(text.encode())


@given(zone=zones, day=dates, time=st.times(), start=st.integers(8, 19), length=st.integers(1, 12))
def test_given_any_hour_and_narrower_hours_of_a_site_then_never_outside_them(
    zone, day, time, start, length
):
    quiet = {"quiet_start": dt.time(start), "quiet_end": dt.time(min(start + length, 21))}
    here = rhythm(zone, time, nudge=True, **quiet)
    moments = cadence.moments_of(here, day)
    if moments.outside:
        assert moments.nudge_at is None
        return
    for at in filter(None, [moments.due_at, moments.nudge_at]):
        shown = at.astimezone(zoneinfo.ZoneInfo(zone))
        assert shown.date() == day
        assert quiet["quiet_start"] <= shown.time() < quiet["quiet_end"]


def test_given_every_day_then_daily_for_three_weeks_thrice_until_the_ninth_then_weekly():
    days = numbers(days_of(rhythm(), Span(START), 21 + 18 + 3))
    assert days[:21] == list(range(21))
    assert days[21:39] == [7 * week + day for week in range(3, 9) for day in (0, 2, 4)]
    assert days[39:] == [63, 70, 77]


@pytest.mark.parametrize(
    ("chosen", "thrice"),
    [
        (0b1111111, 0b0010101),
        (0b0011111, 0b0010101),
        (0b1100000, 0b1100000),
        (0b0000111, 0b0000111),
        (0b1111000, 0b1011000),
    ],
    ids=["every day", "weekdays", "the weekend", "three in a row", "four in a row"],
)
def test_given_chosen_days_then_the_three_that_stay_lie_apart(chosen, thrice):
    assert cadence.days_after(chosen, cadence.THRICE_FROM) == thrice


@given(chosen=masks, since_start=st.integers(0, 200))
def test_given_any_days_then_fewer_later_and_never_another_day(chosen, since_start):
    left = cadence.days_after(chosen, since_start)
    assert left
    assert left & ~chosen == 0
    assert cadence.days_after(chosen, since_start + 1) & ~left == 0
    if since_start >= cadence.THRICE_FROM:
        assert left.bit_count() == min(3, chosen.bit_count()) or since_start >= cadence.WEEKLY_FROM
    if since_start >= cadence.WEEKLY_FROM:
        assert left.bit_count() == 1


@given(zone=zones, chosen=masks, time=hours, first=dates, number=st.integers(0, 100))
def test_given_any_program_then_the_week_ahead_leads_to_the_day_that_is_next(
    zone, chosen, time, first, number
):
    """What the statement that plans is told equals what the days themselves say."""
    here, span = rhythm(zone, time, chosen), Span(first)
    day = first + number * DAY
    ahead = cadence.ahead(here, day)
    if number + ahead.daily < cadence.THRICE_FROM:
        step = ahead.daily
    elif number + ahead.thrice < cadence.WEEKLY_FROM:
        step = ahead.thrice
    else:
        step = ahead.weekly
    later = next(
        d for d in (day + n * DAY for n in itertools.count(1)) if cadence.falls_on(chosen, span, d)
    )
    assert day + step * DAY == later
    assert ahead.due_at[step - 1] == cadence.moments_of(here, later).due_at


def test_given_a_program_that_ends_then_nothing_after_its_last_day():
    assert days_of(rhythm(), Span(START, START + 2 * DAY), 9) == [START + n * DAY for n in range(3)]


@pytest.mark.parametrize(
    ("time", "nudge"),
    [
        (dt.time(8), dt.time(12)),
        (dt.time(16, 30), dt.time(20, 30)),
        (dt.time(17), dt.time(20, 30)),
        (dt.time(18, 30), dt.time(20, 30)),
        (dt.time(18, 31), None),
        (dt.time(20, 59), None),
    ],
)
def test_given_a_second_nudge_then_four_hours_later_or_earlier_in_the_evening_or_not(time, nudge):
    at = cadence.moments_of(rhythm("Etc/UTC", time, nudge=True), START).nudge_at
    assert (at and at.time()) == nudge


def test_given_a_nudge_is_wanted_then_it_follows_each_reminder_but_not_the_kind_message():
    span = Span(START, silent_on=START + DAY)
    since = dt.datetime.combine(START, dt.time(), tzinfo=dt.UTC)
    found = itertools.islice(cadence.events(rhythm(nudge=True), span, since), 5)
    assert [(numbers([event.day])[0], event.kind) for event in found] == [
        (0, ROUTINE),
        (0, NUDGE),
        (1, SILENCE),
        (2, ROUTINE),
        (2, NUDGE),
    ]


def test_given_a_silence_in_weekly_times_then_the_kind_message_waits_for_no_friday():
    span = Span(START, silent_on=START + 72 * DAY)
    assert numbers(days_of(rhythm(), span, 45))[39:42] == [63, 70, 72]


def silent_day(here: list[Rhythm], answered: dt.date, since=None, first=START) -> dt.date:
    """The day of the kind message of somebody who answered last on this day."""
    zone = zoneinfo.ZoneInfo(here[0].zone)
    midnight = dt.datetime.combine(answered + DAY, dt.time(), tzinfo=zone).astimezone(dt.UTC)
    return cadence.silent_day(
        here, Span(first), cadence.Heard(answered, midnight), since or midnight
    )


@given(
    zone=zones,
    chosen=masks,
    time=hours,
    first=dates,
    on=st.integers(0, 90),
    late=st.integers(0, 20 * 24),
)
def test_given_a_silence_then_the_kind_message_is_on_a_chosen_day_three_days_on_or_later(
    zone, chosen, time, first, on, late
):
    heard = first + on * DAY
    since = dt.datetime.combine(heard, dt.time(), tzinfo=dt.UTC) + dt.timedelta(hours=late)
    here = rhythm(zone, time, chosen)
    day = silent_day([here], heard, since, first)
    assert day >= heard + 3 * DAY
    assert chosen >> day.weekday() & 1
    assert cadence.moments_of(here, day).due_at >= since
    reminded = [
        d
        for d in (heard + n * DAY for n in range(1, (day - heard).days))
        if cadence.falls_on(chosen, Span(first), d)
    ]
    assert reminded, "Nobody is called silent who was not reminded."
    if not cadence.falls_on(chosen, Span(first), heard):
        assert day >= reminded[0] + 3 * DAY


@pytest.mark.parametrize(
    ("answered", "kind"),
    [(5, 8), (20, 23), (21, 26), (25, 31), (63, 73), (70, 80)],
    ids=["daily", "last daily", "a Monday", "a Friday", "weekly", "weekly again"],
)
def test_given_the_last_answer_then_silence_begins_with_the_reminder_that_got_none(answered, kind):
    assert silent_day([rhythm()], START + answered * DAY) == START + kind * DAY


@given(
    patterns=st.lists(masks, min_size=1, max_size=2),
    time=hours,
    begins=st.integers(0, 6),
    extra=st.sets(st.integers(0, 13 * 7)),
)
def test_given_an_answer_on_every_reminded_day_of_13_weeks_then_never_a_kind_message(
    patterns, time, begins, extra
):
    span = Span(START + begins * DAY)
    here = [rhythm(time=time, days=days) for days in patterns]
    since = dt.datetime.combine(span.first, dt.time(), tzinfo=dt.UTC)
    kind = cadence.silent_day(here, span, cadence.Heard(span.first, since), since)
    for number in range(13 * 7):
        day = span.first + number * DAY
        assert day < kind
        if number in extra or any(cadence.falls_on(one.days, span, day) for one in here):
            kind = silent_day(here, day, first=span.first)


def test_the_kinds_are_those_of_the_outbox():
    kinds = OutboxMessage.Kind
    assert (ROUTINE, NUDGE, SILENCE) == (kinds.ROUTINE_REMINDER, kinds.SECOND_NUDGE, kinds.SILENCE)
