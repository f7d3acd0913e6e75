"""The routine reminder: planned once in the patient's own time, and held back with its reason."""

import datetime as dt
import uuid
from io import StringIO

import pytest
from django.core.management import call_command

from clinic.messaging import links, outbox, sending
from clinic.models import DemoDelivery, OutboxMessage
from clinic.models.messaging import Channel
from patients.consenting import withdraw_consent
from patients.models import Consent, ContactPoint
from programs import reminders, tasks
from programs.adjusting import end_program
from programs.models import Program
from programs.reminders import PlanReport, plan_reminders
from tests.conftest import MONDAY
from tests.faults.carriers import MailServer, environment
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
def test_given_many_patients_then_planning_asks_no_question_per_patient(
    make_patient, make_program, django_assert_max_num_queries, monkeypatch
):
    for number in range(12):
        make_program(patient=make_patient(f"P{number}"))
    with django_assert_max_num_queries(12):
        assert plan_reminders(at=MONDAY).due == 24
    OutboxMessage.objects.all().delete()
    monkeypatch.setattr(reminders, "_BATCH", 5)
    assert plan_reminders(at=MONDAY).due == 24


# --- the last look before it goes out ----------------------------------------------------------


@pytest.fixture
def planned(program, settings):
    settings.SMS_GATEWAY, settings.DEMO = "demo", True
    plan_reminders(at=MONDAY)
    return program


def test_given_nothing_changed_then_both_go_out_and_their_link_opens(planned, mailoutbox):
    assert sending.send_due(at=MONDAY).sent == 2
    assert fates() == both(Status.SENT)
    (mail,), text = mailoutbox, DemoDelivery.objects.get()
    for message, words in zip(
        OutboxMessage.objects.order_by("channel"), (mail.body, text.text), strict=True
    ):
        assert links.link_for(message.pk) in words
        token = links.token_for(message.pk)
        assert links.message_for(token, MONDAY + 39 * HOUR) == message
        assert links.message_for(token, MONDAY + 40 * HOUR) is None


def _exercise(program: Program, by: object) -> None:
    report_session(program, 0, at=MONDAY, day=MONDAY.date())


def _suspend(program: Program, by: object) -> None:
    suspend(program)


def _end(program: Program, by: object) -> None:
    end_program(program=program, by=by, reason="All goals reached.", at=MONDAY)


def _turn_off(program: Program, by: object) -> None:
    program.patient.contact_points.update(reminders=False)


def _move(program: Program, by: object) -> None:
    points = program.patient.contact_points
    points.filter(channel=Channel.EMAIL).update(address="new@patients.example")
    points.filter(channel=Channel.SMS).update(address="+447700900999")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_exercise, reminders.SESSION_DONE),
        (_suspend, reminders.SUSPENDED),
        (_end, reminders.ENDED),
        (_turn_off, reminders.TURNED_OFF),
        (_move, reminders.TURNED_OFF),
    ],
)
def test_given_a_change_since_planning_then_it_is_held_back_at_the_last_moment(
    planned, physio, mailoutbox, change, reason
):
    change(planned, physio)
    assert sending.send_due(at=MONDAY).suppressed == 2
    assert fates() == both(Status.SUPPRESSED, reason)
    assert mailoutbox == []
    assert not DemoDelivery.objects.exists()


def test_given_consent_withdrawn_since_planning_then_only_the_other_channel_goes_out(
    planned, physio
):
    withdraw_consent(patient=planned.patient, purpose=Consent.Purpose.EMAIL, by=physio, at=MONDAY)
    sending.send_due(at=MONDAY)
    assert fates() == {
        "email": (Status.SUPPRESSED, "No consent to reminders by e-mail."),
        "sms": (Status.SENT, ""),
    }


def test_given_a_patient_who_moved_to_where_it_is_night_then_it_is_held_back(planned):
    planned.patient.time_zone = "America/Los_Angeles"
    planned.patient.save()
    sending.send_due(at=MONDAY)
    assert fates() == both(Status.SUPPRESSED, "Outside quiet hours.")


def test_given_a_reminder_nobody_sent_until_the_hours_ended_then_it_is_too_late(planned):
    assert sending.send_due(at=MONDAY + 13 * HOUR).expired == 2


def test_given_a_program_that_is_gone_then_its_reminder_goes_nowhere(planned):
    message = OutboxMessage.objects.first()
    message.key = f"routine_reminder:{uuid.uuid4()}:2026-03-02:email"
    assert reminders.objection(message=message, at=MONDAY) == reminders.ENDED


# --- the doors -------------------------------------------------------------------------------


def test_given_the_task_twice_then_one_message_per_channel(program, time_machine):
    time_machine.move_to(MONDAY)
    tasks.plan_reminders()
    tasks.plan_reminders()
    assert fates() == both(Status.DUE)


@pytest.mark.django_db(transaction=True)
def test_given_send_due_on_the_command_line_then_it_plans_sends_and_says_so_in_one_line(
    library, make_patient, make_program, time_machine, settings
):
    time_machine.move_to(MONDAY + HOUR)
    make_program(patient=make_patient(phone=""))
    with MailServer() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        said = StringIO()
        call_command("send_due", stdout=said)
        call_command("send_due", stdout=said)
    assert said.getvalue().splitlines() == [
        "planned 1, sent 1, failed 0, put back 0, unknown 0, held back 0, too late 0",
        "planned 0, sent 0, failed 0, put back 0, unknown 0, held back 0, too late 0",
    ]
    assert len(server.delivered) == 1


def test_the_environment_of_a_process_names_the_test_database():
    """So that no process of these tests can ever reach a practice's own."""
    assert "/test_" in environment(0)["DATABASE_URL"]
