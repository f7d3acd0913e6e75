"""When an alert must have been seen: working days are those of the site, on its own clocks."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.alerts import acknowledge, due_at, raise_alert, reassign
from clinic.models import Role
from tests.conftest import make_staff

WORKING_DAYS = {"soon": 2, "routine": 5}
ZONES = ["Europe/London", "America/Los_Angeles", "Pacific/Auckland", "Asia/Kathmandu"]
# Every quarter of an hour of 2020 to 2034.
MOMENTS = st.integers(0, 15 * 365 * 96).map(
    lambda n: dt.datetime(2020, 1, 1, tzinfo=dt.UTC) + n * dt.timedelta(minutes=15)
)


def on(zone: str, text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)


@pytest.mark.parametrize(
    "zone, raised, due",
    [
        # Friday evening in California is Saturday already in UTC, and the clocks change between.
        ("America/Los_Angeles", "2026-03-06 17:00", "2026-03-10 17:00"),
        ("America/Los_Angeles", "2026-10-30 17:00", "2026-11-03 17:00"),
        ("America/Los_Angeles", "2026-03-05 17:00", "2026-03-09 17:00"),
        # Saturday morning in Auckland is Friday still.
        ("Pacific/Auckland", "2026-07-04 08:00", "2026-07-07 08:00"),
        ("Pacific/Auckland", "2026-07-06 08:00", "2026-07-08 08:00"),
        ("Europe/London", "2026-03-02 08:00", "2026-03-04 08:00"),
        ("Europe/London", "2026-03-27 09:00", "2026-03-31 09:00"),
        ("Europe/London", "2026-03-29 09:00", "2026-03-31 09:00"),
    ],
)
def test_two_working_days_are_those_of_the_site(zone, raised, due):
    assert due_at("soon", on(zone, raised), ZoneInfo(zone)) == on(zone, due)


def test_a_routine_one_is_due_five_working_days_on():
    zone = "America/Los_Angeles"
    due = due_at("routine", on(zone, "2026-03-06 17:00"), ZoneInfo(zone))
    assert due == on(zone, "2026-03-13 17:00")


@given(
    severity=st.sampled_from(sorted(WORKING_DAYS)),
    at=MOMENTS,
    zone=st.sampled_from(ZONES).map(ZoneInfo),
)
def test_it_is_due_at_the_same_time_of_day_after_so_many_weekdays(severity, at, zone):
    due = due_at(severity, at, zone)
    raised, seen_by = at.astimezone(zone), due.astimezone(zone)
    days = (seen_by.date() - raised.date()).days
    after = [raised.date() + dt.timedelta(days=n) for n in range(1, days + 1)]
    assert sum(day.weekday() < 5 for day in after) == WORKING_DAYS[severity]
    assert after[-1].weekday() < 5
    # A time that the clocks skip is the next one they show.
    if seen_by.time() != raised.time():
        wanted = dt.datetime.combine(seen_by.date(), raised.time(), zone)
        assert wanted.astimezone(dt.UTC).astimezone(zone).time() != raised.time()


@given(
    severity=st.sampled_from([("emergency", 1), ("same_day", 4)]),
    at=MOMENTS,
    zone=st.sampled_from(ZONES).map(ZoneInfo),
)
def test_what_is_urgent_is_due_in_hours_wherever_it_is(severity, at, zone):
    name, hours = severity
    assert due_at(name, at, zone) == at + dt.timedelta(hours=hours)


def test_an_alert_is_due_by_the_clocks_of_its_site_when_raised_and_when_given_on(site, physio):
    site.time_zone = "America/Los_Angeles"
    site.save()
    colleague = make_staff(site, Role.PHYSIOTHERAPIST, "Ivo Hansen")
    friday = on(site.time_zone, "2026-03-06 17:00")
    alert = raise_alert(
        severity="soon",
        subject_type="patient",
        subject_id=1,
        site=site,
        owner=physio,
        summary="A text to read.",
        key="due:1",
        at=friday,
    )
    assert alert.due_at == on(site.time_zone, "2026-03-10 17:00")
    acknowledge(alert=alert, by=physio, at=friday)
    given_at = on(site.time_zone, "2026-03-07 09:00")
    given = reassign(alert=alert, to=colleague, reason="I am away.", by=physio, at=given_at)
    assert given.due_at == on(site.time_zone, "2026-03-10 09:00")
