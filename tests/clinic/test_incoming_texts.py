"""Texts that people send to the practice: who is answered what."""

import datetime as dt
import threading

import pytest
from django.db import connection
from django.utils import timezone

from clinic.messaging import outbox, sending
from clinic.messaging.filling import SMS_LENGTH, not_gsm, sent_length
from clinic.messaging.health_words import given_away
from clinic.messaging.reply_words import PURPOSES, reply_words
from clinic.messaging.texts import link_length
from clinic.models import Alert, DemoDelivery, IncomingText, OutboxMessage, Suppression
from patients.models import Consent, Refusal
from tests.texting import PHONE, SECRET, TOKEN, post_twilio, stopped, text, twilio_fields

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def carriers(settings):
    settings.TWILIO_AUTH_TOKEN = TOKEN
    settings.SMS_HTTP_SECRET = SECRET
    settings.BASE_URL = "https://steadyback.example"


def replies() -> int:
    return OutboxMessage.objects.filter(kind="reply").count()


# --- stop, start, help ---------------------------------------------------------------------------


def test_a_stop_closes_the_number_withdraws_consent_and_is_confirmed_once(patient):
    first = text("Please STOP!")
    assert stopped()
    assert Suppression.objects.in_force().get().by_owner
    assert not Consent.objects.active().filter(patient=patient, purpose="sms").exists()
    assert Refusal.objects.in_force().filter(patient=patient, channel="sms").exists()
    assert first == (
        "Harbour Street: done. You get no more messages on this number. "
        "To start again, reply START."
    )
    assert text("stop") == ""
    assert text("stop texting me") == ""
    assert replies() == 1


def test_the_confirmation_of_a_stop_goes_out_first_and_within_five_minutes(patient):
    before = timezone.now()
    text("STOP")
    message = OutboxMessage.objects.get(kind="reply")
    assert message.priority == OutboxMessage.Priority.FIRST
    assert message.status == "due"
    assert message.expires_at - message.due_at == dt.timedelta(minutes=5)
    assert before <= message.due_at <= timezone.now()


@pytest.mark.django_db(transaction=True)
def test_the_confirmation_goes_out_to_the_closed_number_and_nothing_else_does(patient, settings):
    settings.SMS_GATEWAY, settings.DEMO = "demo", True
    waits = {"channel": "sms", "address": PHONE, "body": "Hello", "at": timezone.now()}
    waits |= {"subject_type": "alert", "subject_id": 1, "due_at": timezone.now()}
    waits |= {"expires_at": timezone.now() + dt.timedelta(hours=1)}
    confirmation = text("STOP")
    # Planned by somebody who had not heard of it yet.
    outbox.queue_message(key="late", kind="staff_alert", **waits)
    sending.send_all_due(at=timezone.now())
    assert [kept.text for kept in DemoDelivery.objects.all()] == [confirmation]


def test_reminders_that_wait_are_held_back_by_a_stop(patient):
    waiting = outbox.queue_message(
        key="waits",
        kind="routine_reminder",
        channel="sms",
        subject_type="patient",
        subject_id=patient.pk,
        address=PHONE,
        body="Your ten minutes {link}",
        due_at=timezone.now() + dt.timedelta(hours=1),
        expires_at=timezone.now() + dt.timedelta(hours=9),
        at=timezone.now(),
    )
    text("STOP")
    waiting.refresh_from_db()
    assert waiting.status == "suppressed"


def test_start_opens_the_number_again_with_a_new_consent(patient):
    text("STOP")
    reply = text("START")
    assert "again" in reply
    assert not stopped()
    consent = Consent.objects.active().get(patient=patient, purpose="sms")
    assert consent.way == "text"


def test_yes_means_start_only_for_somebody_who_has_stopped(patient):
    assert "Ruth Adeyemi will read this" in text("yes")
    text("STOP")
    assert stopped()
    text("Yes!")
    assert not stopped()


def test_staff_cannot_undo_a_stop(patient, physio):
    from django.core.exceptions import ValidationError

    from patients.consenting import give_consent

    text("STOP")
    with pytest.raises(ValidationError):
        give_consent(patient=patient, purpose="sms", way="in_person", by=physio, at=timezone.now())
    assert stopped()


def test_help_says_who_we_are_how_to_reach_us_and_how_to_stop_also_after_a_stop(patient):
    text("STOP")
    for words in ("HELP", "info"):
        reply = text(words)
        for part in ("Harbour Street", "+44 20 7946 0100", "STOP", "999"):
            assert part in reply


def test_a_stop_in_own_words_is_honoured_and_read(patient, physio):
    text("Stop texting me, you never called me back")
    assert stopped()
    alert = Alert.objects.get()
    assert alert.owner == physio
    assert alert.severity == "routine"
    assert "you never called me back" in alert.summary


def test_what_the_carrier_took_for_a_stop_is_one_and_was_answered_by_it(patient):
    assert text("arrêtez svp", OptOutType="STOP") == ""
    assert stopped()
    assert text("weiter", OptOutType="START") == ""
    assert not stopped()
    assert text("que", OptOutType="HELP") == ""
    assert not Alert.objects.exists()


# --- again and again -----------------------------------------------------------------------------


def test_the_same_text_again_changes_nothing_and_is_not_answered_again(patient):
    fields = twilio_fields("STOP")
    post_twilio(fields)
    text("START")
    for _ in range(3):
        assert post_twilio(fields).status_code == 200
    assert not stopped()
    assert IncomingText.objects.filter(meaning="stop").count() == 1
    assert replies() == 2


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_the_same_text_from_several_threads_at_once_is_one_text(patient):
    fields = twilio_fields("My back is better, thank you")
    codes: list[int] = []
    barrier = threading.Barrier(6)

    def bring() -> None:
        try:
            barrier.wait()
            codes.append(post_twilio(fields).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=bring) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [200] * 6
    assert IncomingText.objects.count() == 1
    assert replies() == 1
    assert Alert.objects.count() == 1


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_stops_and_starts_at_once_leave_one_clear_state(patient):
    barrier = threading.Barrier(6)
    codes: list[int] = []

    def bring(words: str) -> None:
        try:
            barrier.wait()
            codes.append(post_twilio(twilio_fields(words)).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=bring, args=[w]) for w in ["STOP", "START", "STOP"] * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [200] * 6
    newest = IncomingText.objects.order_by("-pk").first()
    assert stopped() == (newest.meaning == "stop")
    refused = Refusal.objects.in_force().filter(patient=patient, channel="sms").exists()
    assert refused == stopped()


def test_two_machines_that_answer_each_other_come_to_an_end(patient):
    said = [text("I am driving and will reply later.") for _ in range(20)]
    assert sum(bool(reply) for reply in said) == 1
    sent = [text("HELP") for _ in range(3)]
    assert all(sent)


# --- strangers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["hello", "7", "DONE", "HELP", "A", "STOP", "START", "Ana"])
def test_a_stranger_learns_nothing_and_their_words_are_not_kept(patient, words):
    assert text(words, phone="+447700900555") == ""
    assert replies() == 0
    kept = IncomingText.objects.get()
    assert (kept.meaning, kept.words, kept.subject_type) == ("stranger", "", "")
    assert not Alert.objects.exists()


def test_a_strangers_stop_is_honoured_and_their_start_too(patient):
    text("STOP", phone="+447700900555")
    assert stopped("+447700900555")
    text("START", phone="+447700900555")
    assert not stopped("+447700900555")


# --- words for a person --------------------------------------------------------------------------


def test_words_reach_the_physiotherapist_and_the_reply_says_what_to_do_in_an_emergency(
    patient, physio
):
    reply = text("I can't stop the pain, when should I stop?")
    assert not stopped()
    assert reply == (
        "Thank you. Ruth Adeyemi will read this, but not day and night. "
        "In an emergency call 999. To end messages, reply STOP."
    )
    alert = Alert.objects.get()
    assert (alert.owner, alert.severity) == (physio, "soon")
    assert "I can't stop the pain" in alert.summary
    mail = OutboxMessage.objects.get(kind="staff_alert")
    assert "pain" not in mail.text.body + mail.text.subject_line


def test_a_second_text_before_anybody_looked_is_one_alert_and_one_thank_you(patient, physio):
    from clinic.alerts import acknowledge

    assert text("My knee hurts too.")
    assert text("Since Monday.") == ""
    alert = Alert.objects.get()
    acknowledge(alert=alert, by=physio, at=timezone.now())
    text("Are you there?")
    assert Alert.objects.count() == 2


def test_words_after_a_stop_still_reach_a_person_and_are_answered_without_a_sale(patient):
    text("STOP")
    reply = text("My leg feels odd since yesterday")
    assert "999" in reply
    assert "STOP" not in reply
    assert Alert.objects.filter(severity="soon").count() == 1


def test_a_picture_is_not_kept_and_a_person_knows_that_one_came(patient):
    text("", NumMedia="1")
    kept = IncomingText.objects.get()
    assert kept.meaning == "words"
    assert "picture" in kept.words


# --- replies -------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "de", "es", "de-AT", "xx"])
@pytest.mark.parametrize("purpose", PURPOSES)
def test_every_reply_is_one_plain_text_that_says_nothing_of_health(site, purpose, language):
    site.name = "Praxis am Alten Hafen und Partner"
    body = reply_words(
        purpose, site=site, language=language, reader="Ruth Adeyemi", names=["Annemarie", "Ben"]
    )
    assert not_gsm(body.replace("{link}", "")) == []
    assert sent_length(body, link_length()) <= SMS_LENGTH
    assert given_away(body) == []
    assert "{" not in body.replace("{link}", "")


def test_a_family_with_names_no_plain_text_can_spell_is_asked_by_their_names(site):
    body = reply_words("who", site=site, language="en", names=["نور", "Zoë", "Łukasz"])
    assert "A for نور, B for Zoe or C for Łukasz" in body


def test_replies_come_in_the_language_of_the_patient(make_patient):
    make_patient(phone="+4915123456789", language="de")
    make_patient("Sol", phone="+34600123456", language="es")
    assert "Im Notfall 999 anrufen" in text("Mir geht es gut", phone="+4915123456789")
    assert "START antworten" in text("Bitte keine Nachrichten mehr", phone="+4915123456789")
    assert "emergencia llama al 999" in text("Estoy mejor", phone="+34600123456")
    assert "responde START" in text("BAJA", phone="+34600123456")
