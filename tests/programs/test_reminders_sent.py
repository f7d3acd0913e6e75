"""The last look before a reminder goes out, through the sender; and the doors of planning."""

import datetime as dt
import uuid
from io import StringIO

import pytest
from django.core.management import call_command

from clinic.messaging import links, sending
from clinic.models import DemoDelivery, OutboxMessage
from clinic.models.messaging import Channel
from patients.consenting import withdraw_consent
from patients.models import Consent
from programs import reminders, tasks
from programs.adjusting import end_program
from programs.models import Program
from programs.reminders import plan_reminders
from tests.conftest import MONDAY
from tests.faults.carriers import MailServer, environment
from tests.living import report_session

Status = OutboxMessage.Status
HOUR = dt.timedelta(hours=1)
pytestmark = pytest.mark.django_db(transaction=True)


def fates() -> dict[str, tuple[str, str]]:
    return {row.channel: (row.status, row.reason) for row in OutboxMessage.objects.all()}


def both(status: str, reason: str = "") -> dict[str, tuple[str, str]]:
    return {"email": (status, reason), "sms": (status, reason)}


def suspend(program: Program) -> None:
    Program.objects.filter(pk=program.pk).update(status="suspended", suspended_for="red_flag")


# --- the last look before it goes out ----------------------------------------------------------


@pytest.fixture
def planned(program, settings):
    settings.SMS_GATEWAY, settings.DEMO = "demo", True
    plan_reminders(at=MONDAY)
    return program


def test_given_nothing_changed_then_both_go_out_and_their_link_opens(planned, mailoutbox):
    assert sending.send_all_due(at=MONDAY).sent == 2
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
    assert sending.send_all_due(at=MONDAY).sent == 0
    assert fates() == both(Status.SUPPRESSED, reason)
    assert mailoutbox == []
    assert not DemoDelivery.objects.exists()


def test_given_consent_withdrawn_since_planning_then_only_the_other_channel_goes_out(
    planned, physio
):
    withdraw_consent(patient=planned.patient, purpose=Consent.Purpose.EMAIL, by=physio, at=MONDAY)
    sending.send_all_due(at=MONDAY)
    assert fates() == {
        "email": (Status.SUPPRESSED, "The patient withdrew consent to these reminders."),
        "sms": (Status.SENT, ""),
    }


def test_given_a_patient_who_moved_to_where_it_is_night_then_it_is_held_back(planned):
    planned.patient.time_zone = "America/Los_Angeles"
    planned.patient.save()
    sending.send_all_due(at=MONDAY)
    assert fates() == both(Status.SUPPRESSED, "Outside quiet hours.")


def test_given_a_reminder_nobody_sent_until_the_hours_ended_then_it_is_too_late(planned):
    assert sending.send_all_due(at=MONDAY + 13 * HOUR).expired == 2


def test_given_a_program_that_is_gone_then_its_reminder_goes_nowhere(planned):
    message = OutboxMessage.objects.first()
    message.key = f"routine_reminder:{uuid.uuid4()}:2026-03-02:email"
    assert reminders.objections(messages=[message], at=MONDAY) == {message.pk: reminders.ENDED}


# --- the doors -------------------------------------------------------------------------------


def test_given_the_task_twice_then_one_message_per_channel(program, time_machine):
    time_machine.move_to(MONDAY)
    tasks.plan_reminders()
    tasks.plan_reminders()
    assert fates() == both(Status.DUE)


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
