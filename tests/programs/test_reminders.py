"""The routine reminder: planned once in the patient's own time, and held back with its reason."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.messaging import outbox
from clinic.models import OutboxMessage
from clinic.models.messaging import Channel
from patients.models import ContactPoint
from programs import reminders
from programs.adjusting import end_program
from programs.models import Program
from programs.reminders import PlanReport, plan_reminders
from tests.conftest import MONDAY
from tests.living import report_session

Status = OutboxMessage.Status
HOUR = dt.timedelta(hours=1)
pytestmark = pytest.mark.django_db


def fates() -> dict[str, tuple[str, str]]:
    """Status and reason by channel; there must be one message per channel."""
    rows = list(OutboxMessage.objects.filter(kind="routine_reminder"))
    assert len({row.channel for row in rows}) == len(rows)
    return {row.channel: (row.status, row.reason) for row in rows}


def both(status: str, reason: str = "") -> dict[str, tuple[str, str]]:
    return {"email": (status, reason), "sms": (status, reason)}


def suspend(program: Program) -> None:
    Program.objects.filter(pk=program.pk).update(status="suspended", suspended_for="red_flag")


# --- planning --------------------------------------------------------------------------------


def test_given_the_patients_hour_has_come_then_each_channel_has_one_message(program):
    assert plan_reminders(at=MONDAY - dt.timedelta(seconds=1)) == PlanReport()
    assert plan_reminders(at=MONDAY) == PlanReport(due=2)
    assert fates() == both(Status.DUE)
    for message in OutboxMessage.objects.all():
        assert message.key == f"routine_reminder:{program.pk}:2026-03-02:{message.channel}"
        assert (message.subject_type, message.subject_id) == ("patient", str(program.patient.pk))
        assert message.local_date == MONDAY.date()
        assert message.due_at == MONDAY
        assert message.expires_at == MONDAY + 13 * HOUR
        assert message.link_expires_at == MONDAY.replace(hour=0) + 48 * HOUR
        assert "{link}" in message.text.body
        assert program.patient.given_name not in message.text.body + message.text.subject_line
    assert {message.address for message in OutboxMessage.objects.all()} == {
        point.address for point in program.patient.contact_points.all()
    }


def test_given_planning_runs_again_and_again_then_nothing_is_doubled(program):
    plan_reminders(at=MONDAY)
    before = list(OutboxMessage.objects.values_list("pk", "text", "created_at"))
    for minutes in (0, 1, 300, 600):
        assert plan_reminders(at=MONDAY + dt.timedelta(minutes=minutes)) == PlanReport()
    assert list(OutboxMessage.objects.values_list("pk", "text", "created_at")) == before


def test_given_the_next_day_then_the_next_message(program):
    plan_reminders(at=MONDAY)
    assert plan_reminders(at=MONDAY + 24 * HOUR) == PlanReport(due=2)
    days = set(OutboxMessage.objects.values_list("local_date", flat=True))
    assert days == {MONDAY.date(), MONDAY.date() + dt.timedelta(days=1)}


def test_given_patients_around_the_world_then_each_is_reminded_at_their_own_eight(
    make_patient, make_program
):
    zones = {"Asia/Kathmandu": (2, 15), "Europe/London": (8, 0), "America/Los_Angeles": (16, 0)}
    for zone in zones:
        make_program(patient=make_patient(time_zone=zone, phone=""), at=MONDAY - 24 * HOUR)
    plan_reminders(at=MONDAY + 16 * HOUR)
    planned = {
        tuple(message.due_at.timetuple()[3:5])
        for message in OutboxMessage.objects.filter(local_date=MONDAY.date())
    }
    assert planned == set(zones.values())


@pytest.mark.parametrize(
    ("sunday", "hour"),
    [(dt.date(2026, 3, 29), 7), (dt.date(2026, 10, 25), 8)],
    ids=["clocks forward", "clocks back"],
)
def test_given_the_clocks_change_then_the_reminder_still_comes_at_eight_once(program, sunday, hour):
    at = dt.datetime.combine(sunday, dt.time(hour), tzinfo=dt.UTC)
    Program.objects.update(started_on=sunday)
    assert plan_reminders(at=at - dt.timedelta(seconds=1)) == PlanReport()
    assert plan_reminders(at=at) == PlanReport(due=2)
    assert plan_reminders(at=at + HOUR) == PlanReport()


def test_given_a_worker_that_slept_for_hours_then_it_catches_up(program):
    assert plan_reminders(at=MONDAY + 6 * HOUR) == PlanReport(due=2)


def test_given_it_slept_for_too_long_then_the_reminder_is_known_as_too_late(program):
    assert plan_reminders(at=MONDAY + 6 * HOUR + dt.timedelta(seconds=1)) == PlanReport(expired=2)
    assert fates() == both(Status.EXPIRED, "Planned too late.")


def test_given_it_slept_through_the_evening_then_yesterdays_reminder_is_not_missing(
    make_patient, make_program
):
    make_program(patient=make_patient(reminder_time=dt.time(20), phone=""))
    assert plan_reminders(at=MONDAY + 20 * HOUR) == PlanReport(expired=1)
    message = OutboxMessage.objects.get()
    assert (message.local_date, message.status) == (MONDAY.date(), Status.EXPIRED)


def test_given_a_program_that_starts_tomorrow_then_nobody_is_reminded_today(make_program):
    make_program(started_on=MONDAY.date() + dt.timedelta(days=1))
    assert plan_reminders(at=MONDAY + HOUR) == PlanReport()
    assert plan_reminders(at=MONDAY + 24 * HOUR) == PlanReport(due=2)


@pytest.mark.parametrize(
    ("time", "due_hour", "reason"),
    [
        (dt.time(6), 8, ""),
        (dt.time(8), 8, ""),
        (dt.time(20, 59), 20, ""),
        (dt.time(21), None, reminders.OUTSIDE_HOURS),
        (dt.time(23, 30), None, reminders.OUTSIDE_HOURS),
    ],
)
def test_given_an_hour_outside_the_allowed_ones_then_it_moves_that_day_or_is_held_back(
    make_patient, make_program, time, due_hour, reason
):
    patient = make_patient(phone="")
    # As it stands after a site has narrowed its hours: the record itself refuses such an hour.
    patient.contact_points.update(reminder_time=time)
    make_program(patient=patient)
    plan_reminders(at=MONDAY.replace(hour=7, minute=59))
    assert not OutboxMessage.objects.exists()
    plan_reminders(at=MONDAY.replace(hour=23, minute=59))
    message = OutboxMessage.objects.get()
    assert message.reason == (reason or message.reason)
    if due_hour:
        assert message.due_at.hour == due_hour
        assert message.status == Status.EXPIRED
    else:
        assert message.status == Status.SUPPRESSED


@pytest.mark.parametrize(
    ("status", "options", "reason"),
    [
        ("done", {}, reminders.SESSION_DONE),
        ("partly", {}, reminders.SESSION_DONE),
        ("skipped", {"skip_reason": "time"}, reminders.SESSION_SKIPPED),
    ],
)
def test_given_todays_session_is_reported_then_the_reminder_is_held_back(
    program, status, options, reason
):
    report_session(program, 0, status=status, at=MONDAY, day=MONDAY.date(), **options)
    assert plan_reminders(at=MONDAY) == PlanReport(suppressed=2)
    assert fates() == both(Status.SUPPRESSED, reason)


def test_given_a_suspended_program_then_the_reminder_is_held_back(program):
    suspend(program)
    plan_reminders(at=MONDAY)
    assert fates() == both(Status.SUPPRESSED, "The program is suspended.")


def test_given_a_program_that_ended_today_then_its_reminder_is_held_back_and_no_other_follows(
    program, physio
):
    end_program(program=program, by=physio, reason="All goals reached.", at=MONDAY - HOUR)
    plan_reminders(at=MONDAY)
    assert fates() == both(Status.SUPPRESSED, "The program has ended.")
    assert plan_reminders(at=MONDAY + 24 * HOUR) == PlanReport()


def test_given_consent_to_one_channel_then_the_other_is_held_back_with_its_reason(
    make_patient, make_program
):
    make_program(patient=make_patient(consents=["record", "email"]))
    plan_reminders(at=MONDAY)
    assert fates() == {
        "email": (Status.DUE, ""),
        "sms": (Status.SUPPRESSED, "No consent to reminders by text message."),
    }


def test_given_a_suppressed_address_then_the_reason_says_so(program):
    point = ContactPoint.objects.get(channel=Channel.EMAIL)
    outbox.suppress_address(
        channel=point.channel, address=point.address.upper(), reason="It bounced.", at=MONDAY
    )
    plan_reminders(at=MONDAY)
    assert fates()["email"] == (Status.SUPPRESSED, "The address is suppressed: It bounced.")
    assert fates()["sms"] == (Status.DUE, "")


def test_given_reminders_turned_off_on_a_channel_then_there_is_no_message_for_it(program):
    ContactPoint.objects.filter(channel=Channel.SMS).update(reminders=False)
    assert plan_reminders(at=MONDAY) == PlanReport(due=1)


@pytest.mark.database
def test_given_many_patients_then_planning_asks_no_question_per_patient(make_patient, make_program):
    counts = []
    for day in range(2):
        for number in range(6):
            make_program(
                patient=make_patient(f"P{day}{number}"), at=MONDAY + dt.timedelta(days=day)
            )
        with CaptureQueriesContext(connection) as queries:
            plan_reminders(at=MONDAY + dt.timedelta(days=day))
        counts.append(len(queries))
    assert OutboxMessage.objects.count() == 12 + 24
    assert counts[1] <= counts[0]
