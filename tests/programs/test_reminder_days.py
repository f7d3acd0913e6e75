"""Fewer reminders with time, a second nudge, a kind message after silence."""

import datetime as dt
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic.models import OutboxMessage
from patients.models import ContactPoint
from programs import cadence, reminder_reasons
from programs.adjusting import reopen_program
from programs.models import Program, ReminderSchedule
from programs.reminders import PlanReport, plan_reminders, upcoming
from tests.conftest import MONDAY
from tests.living import at_day, do_morning, report_session

Kind = OutboxMessage.Kind
Status = OutboxMessage.Status
HOUR = dt.timedelta(hours=1)
DAY = 24 * HOUR
pytestmark = pytest.mark.django_db

# Clocks that change by half an hour, at midnight, on other days than elsewhere, or by two hours.
HARD_ZONES = [
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "America/Havana",
    "Asia/Gaza",
    "Asia/Beirut",
    "Africa/Cairo",
    "America/Santiago",
    "America/Scoresbysund",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Asia/Kathmandu",
    "America/St_Johns",
]


def days_of(kind: str = Kind.ROUTINE_REMINDER) -> list[int]:
    """The days on which there is a message of a kind, counted from MONDAY."""
    found = OutboxMessage.objects.filter(kind=kind).order_by("local_date")
    return [(day - MONDAY.date()).days for day in found.values_list("local_date", flat=True)]


def messages(kind: str) -> list[tuple[str, str]]:
    found = OutboxMessage.objects.filter(kind=kind).order_by("due_at")
    return list(found.values_list("status", "reason"))


@pytest.fixture
def by_mail(make_patient, make_program) -> Program:
    return make_program(patient=make_patient(phone=""))


@pytest.fixture
def nudged(by_mail) -> Program:
    by_mail.patient.contact_points.update(second_nudge=True)
    return by_mail


def plan_each(*moments: dt.datetime) -> None:
    for at in moments:
        plan_reminders(at=at)


# --- fewer with time -------------------------------------------------------------------------


def test_given_a_patient_who_exercises_then_daily_thrice_a_week_and_weekly(by_mail):
    for number in range(80):
        # In April the clocks of London show an hour more.
        plan_reminders(at=at_day(number, 8))
        by_mail.sessions.all().delete()
        ReminderSchedule.objects.update(silent_on=None)
    assert days_of() == [
        *range(21),
        *(7 * w + d for w in range(3, 9) for d in (0, 2, 4)),
        63,
        70,
        77,
    ]


def test_given_chosen_days_then_only_those(by_mail):
    by_mail.patient.contact_points.update(reminder_days=0b0100010)
    ReminderSchedule.objects.update(silent_on=None)
    plan_each(*(at_day(number, 8) for number in range(8)))
    assert [*days_of(), *days_of(Kind.SILENCE)] == [1, 5]


def test_given_each_channel_has_its_own_hour_and_days_then_each_keeps_them(make_program):
    program = make_program()
    points = program.patient.contact_points
    points.filter(channel="sms").update(reminder_time=dt.time(17), reminder_days=0b0000010)
    plan_each(*(at_day(number, 18) for number in range(2)))
    rows = OutboxMessage.objects.order_by("due_at").values_list("channel", "due_at")
    assert list(rows) == [
        ("email", MONDAY),
        ("email", MONDAY + DAY),
        ("sms", at_day(1, 17)),
    ]


# --- late, twice, at once --------------------------------------------------------------------


def test_given_nobody_planned_for_three_days_then_each_day_is_known_and_only_today_goes_out(
    by_mail,
):
    report = plan_reminders(at=at_day(3, 9))
    assert report == PlanReport(due=1, expired=3)
    rows = OutboxMessage.objects.order_by("local_date").values_list("kind", "status", "reason")
    assert list(rows) == [
        *[(Kind.ROUTINE_REMINDER, Status.EXPIRED, reminder_reasons.TOO_LATE)] * 3,
        (Kind.ROUTINE_REMINDER, Status.DUE, ""),
    ]
    assert plan_reminders(at=at_day(3, 10)) == PlanReport()


@pytest.mark.parametrize("zone", HARD_ZONES)
def test_given_two_years_at_once_then_the_statement_writes_the_moments_of_the_days(
    make_patient, make_program, zone
):
    program = make_program(patient=make_patient(phone="", time_zone=zone))
    plan_reminders(at=MONDAY)
    ReminderSchedule.objects.update(silent_on=None)
    row = ReminderSchedule.objects.get(program=program)
    plan_reminders(at=MONDAY + 730 * DAY)
    there = OutboxMessage.objects.filter(due_at__gte=row.next_due_at).order_by("due_at")
    span = cadence.Span(row.started_on)
    expected = cadence.events(row.pattern.rhythm, span, row.next_due_at)
    assert list(there.values_list("local_date", "due_at")) == [
        (event.day, event.at)
        for event in itertools.takewhile(lambda event: event.at <= MONDAY + 730 * DAY, expected)
    ]
    assert there.count() > 100


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wakes=st.lists(st.integers(0, 9 * 24), min_size=1, max_size=12))
def test_given_planners_that_wake_whenever_then_each_day_is_written_once_and_none_is_missing(
    by_mail, wakes
):
    OutboxMessage.objects.all().delete()
    ReminderSchedule.objects.all().delete()
    Program.objects.update(status="active")
    plan_reminders(at=MONDAY - DAY)
    for hours in sorted(wakes):
        plan_reminders(at=MONDAY + hours * HOUR)
        plan_reminders(at=MONDAY + hours * HOUR)
    days = sorted(days_of() + days_of(Kind.SILENCE))
    assert days == list(range(max(wakes) // 24 + 1))


# --- the second nudge ------------------------------------------------------------------------


def test_given_nothing_recorded_then_a_second_nudge_four_hours_later(nudged):
    plan_each(MONDAY, MONDAY + 4 * HOUR - dt.timedelta(seconds=1))
    assert messages(Kind.SECOND_NUDGE) == []
    plan_each(MONDAY + 4 * HOUR, MONDAY + 4 * HOUR)
    assert messages(Kind.SECOND_NUDGE) == [(Status.DUE, "")]
    assert OutboxMessage.objects.get(kind=Kind.SECOND_NUDGE).key == (
        f"second_nudge:{nudged.pk}:2026-03-02:email"
    )


def test_given_it_was_not_asked_for_then_there_is_no_nudge(by_mail):
    plan_each(MONDAY, MONDAY + 10 * HOUR)
    assert messages(Kind.SECOND_NUDGE) == []


def test_given_a_session_or_an_answer_that_day_then_the_nudge_is_held_back(nudged):
    plan_reminders(at=MONDAY)
    report_session(nudged, 0, at=MONDAY + HOUR)
    plan_reminders(at=MONDAY + 4 * HOUR)
    plan_reminders(at=MONDAY + DAY)
    do_morning(nudged, 1)
    plan_reminders(at=MONDAY + DAY + 4 * HOUR)
    assert messages(Kind.SECOND_NUDGE) == [
        (Status.SUPPRESSED, reminder_reasons.SESSION_DONE),
        (Status.SUPPRESSED, reminder_reasons.ANSWERED),
    ]


def test_given_the_nudge_was_planned_hours_late_then_it_is_too_late(nudged):
    plan_each(MONDAY, MONDAY + 6 * HOUR + dt.timedelta(seconds=1))
    assert messages(Kind.SECOND_NUDGE) == [(Status.EXPIRED, reminder_reasons.TOO_LATE)]


# --- silence ---------------------------------------------------------------------------------


def silences_of(days: int) -> list[int]:
    plan_each(*(at_day(number, 8) for number in range(days)))
    return days_of(Kind.SILENCE)


def test_given_three_silent_days_then_one_kind_message_instead_of_the_reminder_and_no_other(
    by_mail,
):
    assert silences_of(12) == [3]
    assert days_of() == [0, 1, 2, *range(4, 12)]


def test_given_two_channels_on_one_day_then_the_first_of_them_carries_the_kind_message(
    make_program,
):
    program = make_program()
    program.patient.contact_points.filter(channel="email").update(reminder_time=dt.time(17))
    plan_each(*(at_day(number, hour) for number in range(6) for hour in (8, 17)))
    silences = OutboxMessage.objects.filter(kind=Kind.SILENCE)
    assert list(silences.values_list("local_date", "channel")) == [
        ((MONDAY + 3 * DAY).date(), "sms")
    ]


def test_given_an_answer_and_a_new_silence_then_a_new_kind_message(by_mail):
    silences_of(5)
    do_morning(by_mail, 5)
    assert silences_of(12) == [3, 8]


def test_given_answers_then_no_kind_message(by_mail):
    for number in range(7):
        plan_reminders(at=at_day(number, 8))
        if number % 2:
            report_session(by_mail, number)
    assert days_of(Kind.SILENCE) == []


def test_given_a_session_on_every_reminded_day_of_13_weeks_then_no_kind_message(by_mail):
    for number in range(13 * 7):
        before = OutboxMessage.objects.count()
        # In April the clocks of London show an hour more.
        plan_reminders(at=at_day(number, 8))
        if OutboxMessage.objects.count() > before:
            report_session(by_mail, number)
    assert days_of(Kind.SILENCE) == []
    assert days_of()[-4:] == [63, 70, 77, 84]


def test_given_a_session_filled_in_late_then_it_breaks_the_silence(by_mail):
    silences_of(3)
    report_session(by_mail, 0, at=at_day(2, 20), known="back_filled", day=MONDAY.date())
    assert silences_of(6) == [5]


def test_given_the_day_of_the_kind_message_was_slept_through_then_it_comes_the_next_day(by_mail):
    plan_each(*(at_day(number, 8) for number in range(3)), at_day(3, 20))
    assert messages(Kind.SILENCE) == [(Status.EXPIRED, reminder_reasons.TOO_LATE)]
    plan_each(at_day(4, 8), at_day(5, 8))
    assert messages(Kind.SILENCE)[1:] == [(Status.DUE, "")]


def test_given_a_silence_on_days_that_were_not_chosen_then_the_kind_message_waits_for_one(by_mail):
    by_mail.patient.contact_points.update(reminder_days=0b0000001)
    assert silences_of(15) == [7]
    assert days_of() == [0, 14]


def test_given_a_program_that_was_paused_then_the_silence_counts_from_the_reopening(
    by_mail, physio
):
    Program.objects.update(status="suspended", suspended_for="rule")
    by_mail.refresh_from_db()
    reopen_program(program=by_mail, by=physio, reason="All is well.", at=at_day(10, 9))
    assert silences_of(14)[-1:] == [13]


# --- what comes next -------------------------------------------------------------------------


def told(program: Program, at: dt.datetime, count: int = 7) -> list[tuple[int, str, str, str]]:
    return [
        ((one.day - MONDAY.date()).days, f"{one.local:%H:%M}", one.channel, one.kind)
        for one in upcoming(patient=program.patient, at=at, count=count)
    ]


def test_given_a_program_then_the_next_sends_are_those_that_planning_makes(make_program):
    program = make_program()
    ContactPoint.objects.filter(channel="sms").update(
        reminder_time=dt.time(18), reminder_days=0b0000101, second_nudge=True
    )
    plan_reminders(at=MONDAY)
    said = upcoming(patient=program.patient, at=MONDAY, count=12)
    plan_each(*(MONDAY + hours * HOUR for hours in range(1, 8 * 24)))
    made = OutboxMessage.objects.filter(due_at__gt=MONDAY).order_by("due_at", "channel")
    assert [(one.at, one.channel, one.kind) for one in said] == list(
        made.values_list("due_at", "channel", "kind")[:12]
    )


def test_given_today_is_done_or_planned_then_the_next_send_is_tomorrows(by_mail):
    assert told(by_mail, MONDAY, 1) == [(0, "08:00", "email", Kind.ROUTINE_REMINDER)]
    plan_reminders(at=MONDAY)
    assert told(by_mail, MONDAY, 2)[0][0] == 1
    report_session(by_mail, 1, at=at_day(1, 7))
    assert told(by_mail, at_day(1, 7), 1)[0][0] == 2


def test_given_no_consent_or_a_suspended_program_then_nothing_is_to_come(by_mail):
    by_mail.patient.consents.filter(purpose="email").delete()
    assert told(by_mail, MONDAY) == []
    by_mail.patient.consents.all()
    Program.objects.update(status="suspended", suspended_for="rule")
    assert told(by_mail, MONDAY) == []


def test_given_clocks_that_change_then_the_next_sends_show_the_same_hour(by_mail):
    saturday = dt.datetime(2026, 3, 28, 7, tzinfo=dt.UTC)
    Program.objects.update(started_on=saturday.date())
    said = upcoming(patient=by_mail.patient, at=saturday, count=3)
    assert [one.at.hour for one in said] == [8, 7, 7]
    assert {f"{one.local:%H:%M}" for one in said} == {"08:00"}
