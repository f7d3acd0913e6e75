"""Local moments and quiet hours, over the zones and days of the world."""

import datetime as dt
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.quiet_hours import local_moment, next_allowed, within

ZONES = sorted(zoneinfo.available_timezones() - {"localtime", "Factory"})
EIGHT, NINE_PM = dt.time(8), dt.time(21)
zones = st.sampled_from(ZONES).map(zoneinfo.ZoneInfo)
days = st.dates(dt.date(2020, 1, 1), dt.date(2037, 12, 31))
minutes = st.integers(0, 24 * 60 - 1).map(lambda n: dt.time(n // 60, n % 60))
allowed_minutes = st.integers(8 * 60, 21 * 60 - 1).map(lambda n: dt.time(n // 60, n % 60))


@given(day=days, time=minutes, zone=zones)
def test_given_any_zone_and_day_then_a_time_is_one_moment_that_shows_it_or_the_next_there_is(
    day, time, zone
):
    moment = local_moment(day, time, zone)
    wanted = dt.datetime.combine(day, time)
    shown = moment.astimezone(zone).replace(tzinfo=None, fold=0)
    assert moment.tzinfo is dt.UTC
    assert shown >= wanted
    if shown == wanted:
        earlier = (moment - dt.timedelta(hours=3)).astimezone(zone)
        assert (
            earlier.replace(tzinfo=None) < wanted
            or earlier.utcoffset() != moment.astimezone(zone).utcoffset()
        )
    else:
        # The second before shows a time before the wanted one: nothing lies between.
        before = (moment - dt.timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None)
        assert before < wanted


@given(day=days, time=allowed_minutes, zone=zones)
def test_given_a_reminder_time_in_the_allowed_hours_then_it_falls_on_its_day_and_inside_them(
    day, time, zone
):
    moment = local_moment(day, time, zone)
    assert moment.astimezone(zone).date() == day
    assert within(moment, zone, EIGHT, NINE_PM)


@given(day=days, time=allowed_minutes, zone=zones)
def test_given_two_days_in_a_row_then_their_moments_are_two_and_in_order(day, time, zone):
    assert local_moment(day, time, zone) < local_moment(day + dt.timedelta(days=1), time, zone)


@given(day=days, time=minutes, zone=zones)
def test_given_any_moment_then_the_next_allowed_one_is_inside_the_hours_and_not_before(
    day, time, zone
):
    at = dt.datetime.combine(day, time, tzinfo=dt.UTC)
    allowed = next_allowed(at, zone, EIGHT, NINE_PM)
    assert allowed >= at
    assert within(allowed, zone, EIGHT, NINE_PM)
    assert (allowed == at) == within(at, zone, EIGHT, NINE_PM)
    assert allowed - at < dt.timedelta(hours=24)


@pytest.mark.parametrize(
    ("zone", "day", "time", "expected"),
    [
        # London leaves out 1:00 to 2:00 on the last Sunday of March.
        ("Europe/London", (2026, 3, 29), (1, 30), (2026, 3, 29, 1, 0)),
        # It shows 1:30 twice in October; the first is still summer time.
        ("Europe/London", (2026, 10, 25), (1, 30), (2026, 10, 25, 0, 30)),
        # Lord Howe Island moves by half an hour.
        ("Australia/Lord_Howe", (2026, 10, 4), (2, 15), (2026, 10, 3, 15, 30)),
        # Midnight itself is left out in Cairo.
        ("Africa/Cairo", (2026, 4, 24), (0, 0), (2026, 4, 23, 22, 0)),
        ("Asia/Kathmandu", (2026, 3, 2), (8, 0), (2026, 3, 2, 2, 15)),
    ],
)
def test_given_a_clock_change_then_the_moment_is_as_the_house_rule_says(zone, day, time, expected):
    moment = local_moment(dt.date(*day), dt.time(*time), zoneinfo.ZoneInfo(zone))
    assert moment == dt.datetime(*expected, tzinfo=dt.UTC)


def test_given_a_day_a_country_left_out_then_the_moment_is_the_start_of_the_next():
    apia = zoneinfo.ZoneInfo("Pacific/Apia")
    moment = local_moment(dt.date(2011, 12, 30), EIGHT, apia)
    assert moment.astimezone(apia) == dt.datetime(2011, 12, 31, tzinfo=apia)


def test_given_the_edges_of_the_hours_then_the_first_minute_is_in_and_the_last_is_out():
    zone = zoneinfo.ZoneInfo("UTC")
    day = dt.date(2026, 3, 2)
    assert within(local_moment(day, EIGHT, zone), zone, EIGHT, NINE_PM)
    assert not within(local_moment(day, NINE_PM, zone), zone, EIGHT, NINE_PM)
    late = local_moment(day, NINE_PM, zone)
    assert next_allowed(late, zone, EIGHT, NINE_PM) == dt.datetime(2026, 3, 3, 8, tzinfo=dt.UTC)
