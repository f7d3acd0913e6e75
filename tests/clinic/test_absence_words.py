"""An absence is said as whoever entered it said it: its last day is a day of it."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.absence_words import moment, when, within_day
from clinic.quiet_hours import local_moment

BERLIN = ZoneInfo("Europe/Berlin")
TODAY = dt.date(2026, 11, 23)


def at(day: int, hour: int = 0, month: int = 11, year: int = 2026) -> dt.datetime:
    return local_moment(dt.date(year, month, day), dt.time(hour), BERLIN)


@pytest.mark.parametrize(
    ("begins", "ends", "said"),
    [
        (at(26), at(27), "Thu 26 Nov"),
        (at(26), at(28), "Thu 26 Nov to Fri 27 Nov"),
        (at(26, 9), at(26, 12), "Thu 26 Nov, 09:00 to 12:00"),
        (at(26, 14), at(27), "Thu 26 Nov, from 14:00"),
        (at(26), at(26, 12), "Thu 26 Nov, until 12:00"),
        (at(26, 14), at(28), "Thu 26 Nov, 14:00 to Fri 27 Nov"),
        (at(26), at(27, 12), "Thu 26 Nov to Fri 27 Nov, 12:00"),
        (at(28), at(3, 0, 1, 2027), "Sat 28 Nov to Sat 2 Jan 2027"),
    ],
)
def test_given_first_and_last_then_they_are_said_as_they_were_entered(begins, ends, said):
    assert when(begins, ends, zone=BERLIN, today=TODAY) == said


@pytest.mark.parametrize(
    ("day", "said"), [(25, "from 14:00"), (26, "all day"), (27, "until 09:00")]
)
def test_given_a_day_of_it_then_its_hours_are_said(day, said):
    found = within_day(at(25, 14), at(27, 9), day=dt.date(2026, 11, day), zone=BERLIN)
    assert found == said


def test_given_a_moment_then_midnight_is_the_day_itself():
    assert moment(at(26), zone=BERLIN, today=TODAY) == "Thu 26 Nov"
    assert moment(at(26, 14), zone=BERLIN, today=TODAY) == "Thu 26 Nov, 14:00"


@given(
    first=st.dates(dt.date(2026, 1, 1), dt.date(2026, 12, 1)),
    days=st.integers(0, 30),
    zone=st.sampled_from(["Europe/Berlin", "America/Santiago", "Africa/Cairo"]),
)
def test_whole_days_are_said_without_a_time_also_where_clocks_skip_midnight(first, days, zone):
    zone = ZoneInfo(zone)
    last = first + dt.timedelta(days=days)
    begins = local_moment(first, dt.time(), zone)
    ends = local_moment(last + dt.timedelta(days=1), dt.time(), zone)
    said = when(begins, ends, zone=zone, today=first)
    assert ":" not in said
    assert f" {first.day} " in said and f" {last.day} " in said
    assert (" to " in said) == (days > 0)
    assert within_day(begins, ends, day=last, zone=zone) == "all day"
