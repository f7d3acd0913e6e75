"""“Cancel” in answer to the reminder of an appointment: a STOP, and somebody reads it."""

import datetime as dt
import uuid

import pytest

from clinic.messaging import incoming
from clinic.models import Alert, OutboxMessage, Suppression
from patients import appointment_reminders
from patients.appointing import cancel_appointment, make_appointment
from patients.models import Appointment, Consent
from tests.conftest import MONDAY
from tests.texting import PHONE, stopped

pytestmark = pytest.mark.django_db

WEDNESDAY = MONDAY + dt.timedelta(days=2, hours=2)
THE_DAY_BEFORE = WEDNESDAY - dt.timedelta(hours=20)


@pytest.fixture
def appointment(patient, physio) -> Appointment:
    return make_appointment(
        patient=patient,
        physiotherapist=physio,
        starts_at=WEDNESDAY,
        minutes=30,
        by=physio,
        at=MONDAY,
    )


def texted(words: str, *, at: dt.datetime = THE_DAY_BEFORE) -> str:
    return incoming.receive(
        carrier="twilio", reference=str(uuid.uuid4()), address=PHONE, words=words, at=at
    )


def reminded(appointment: Appointment, status: str = "delivered") -> None:
    appointment_reminders.plan(at=WEDNESDAY - dt.timedelta(days=1))
    OutboxMessage.objects.filter(kind="appointment_reminder").update(
        status=status, wake_at=None, settled_at=WEDNESDAY - dt.timedelta(days=1), reason="x"
    )


@pytest.mark.parametrize(
    "words", ["Cancel", "please cancel", "CANCLE", "Anular", "cancelar por favor", "Abmelden"]
)
def test_given_an_appointment_soon_then_a_bare_cancel_stops_and_is_read(
    appointment, patient, physio, words
):
    reply = texted(words)
    assert stopped()
    assert not Consent.objects.active().filter(patient=patient, purpose="sms").exists()
    alert = Alert.objects.get()
    assert (alert.owner, alert.severity) == (physio, "soon")
    assert alert.subject_id == str(patient.pk)
    assert f"“{words}” May want to cancel an appointment; it still stands." in alert.summary
    assert "To cancel an appointment, please call +44 20 7946 0100" in reply
    appointment.refresh_from_db()
    assert appointment.status == Appointment.Status.PLANNED


def test_what_staff_are_sent_of_it_names_no_patient_and_none_of_the_words(appointment, patient):
    texted("Cancel")
    sent = OutboxMessage.objects.filter(kind="staff_alert").select_related("text")
    assert sent
    for message in sent:
        said = f"{message.text.subject_line} {message.text.body}"
        for word in ("ancel", "appointment", patient.given_name, patient.family_name):
            assert word not in said


@pytest.mark.parametrize("words", ["STOP", "Stop please", "unsubscribe", "quit", "end", "ALTO"])
def test_given_a_word_that_only_stops_then_nobody_is_called(appointment, words):
    reply = texted(words)
    assert stopped()
    assert not Alert.objects.exists()
    assert "appointment" not in reply


@pytest.mark.parametrize("days", [3, 10])
def test_given_no_appointment_near_and_no_reminder_then_a_cancel_only_stops(patient, physio, days):
    make_appointment(
        patient=patient,
        physiotherapist=physio,
        starts_at=WEDNESDAY + dt.timedelta(days=days),
        minutes=30,
        by=physio,
        at=MONDAY,
    )
    texted("Cancel")
    assert stopped()
    assert not Alert.objects.exists()


@pytest.mark.parametrize(
    ("status", "hours", "read"),
    [
        *(("delivered", 2, True), ("sent", 47, True), ("unknown", 2, True)),
        *(("delivered", 49, False), ("failed", 2, False), ("suppressed", 2, False)),
    ],
)
def test_given_a_reminder_that_went_out_lately_then_a_cancel_is_read_whatever_stands_now(
    appointment, physio, status, hours, read
):
    reminded(appointment, status)
    cancel_appointment(appointment=appointment, reason="Ill.", by=physio, at=THE_DAY_BEFORE)
    texted("Cancel", at=WEDNESDAY - dt.timedelta(days=1) + dt.timedelta(hours=hours))
    assert stopped()
    assert Alert.objects.exists() == read


def test_given_words_that_nobody_has_seen_then_a_cancel_still_gets_an_alert_and_once(appointment):
    texted("Is there parking?")
    texted("Cancel")
    texted("cancel!!")
    assert Alert.objects.count() == 2
    assert Suppression.objects.in_force().count() == 1


def test_given_a_shared_phone_then_the_one_with_the_appointment_is_spoken_of(
    appointment, patient, make_patient
):
    make_patient("Ben")
    texted("Cancel")
    alert = Alert.objects.get()
    assert alert.subject_id == str(patient.pk)
    assert "a phone that several people share" in alert.summary
