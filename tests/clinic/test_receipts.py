"""What carriers say of a message later, in any order and however often."""

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic.messaging import carrier_words, outbox, receipts
from clinic.models import OutboxMessage, Receipt, Suppression
from clinic.signals import address_stopped
from tests.clinic.fates import LATER, PHONE, Status, mail, reminder
from tests.clinic.messages import AT

pytestmark = pytest.mark.django_db

CODES = ["", "30003", "30005", "30006", "30007", "30008", "21610", "mailbox", "99999"]
WORDS = st.tuples(st.sampled_from(sorted(carrier_words.EVENTS)), st.sampled_from(CODES))


def say(
    message: OutboxMessage, event: str, code: str = "", at: dt.datetime = LATER, **more
) -> bool:
    new = receipts.record(message_id=message.pk, event=event, code=code, at=at, **more)
    message.refresh_from_db()
    return new


# --- forward only ----------------------------------------------------------------------------


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(WORDS, min_size=1, max_size=6, unique_by=lambda word: word[0]), data=st.data()
)
def test_given_any_order_and_repetition_then_the_status_is_that_of_the_best_word(words, data):
    message = reminder()
    order = data.draw(st.permutations(words + words))
    so_far = 0
    for event, code in order:
        say(message, event, code)
        so_far = max(so_far, carrier_words.verdict(event, code).rank)
        assert message.status == carrier_words.verdict(*_best(words, so_far)).status
    best = max(words, key=lambda word: carrier_words.verdict(*word).rank)
    assert message.status == carrier_words.verdict(*best).status
    assert message.receipts.count() == len(words)
    assert message.settled_at is not None


def _best(words, rank):
    return next(word for word in words if carrier_words.verdict(*word).rank == rank)


@pytest.mark.parametrize("status", list(Status))
def test_given_a_message_anywhere_on_its_way_when_it_was_delivered_then_it_is(status):
    message = reminder(status)
    say(message, "delivered", reference="SM1", carrier="twilio")
    assert (message.status, message.reason, message.wake_at) == (Status.DELIVERED, "", None)
    assert (message.carrier_reference, message.carrier) == ("SM1", "twilio")


def test_given_a_message_that_is_due_again_when_a_receipt_comes_then_nobody_takes_it_any_more():
    message = reminder(Status.DUE)
    say(message, "sent")
    assert not OutboxMessage.objects.due(LATER).exists()


def test_given_a_word_that_changes_nothing_then_the_time_at_which_its_fate_was_known_stays():
    message = reminder(Status.SENT)
    say(message, "sent")
    assert message.settled_at == AT
    say(message, "delivered")
    assert message.settled_at == LATER
    say(message, "accepted", at=LATER + dt.timedelta(hours=1))
    assert message.settled_at == LATER


def test_given_a_reference_when_a_receipt_has_another_then_the_first_stays():
    message = reminder(Status.SENT, reference="SM1")
    say(message, "delivered", reference="SM2")
    assert message.carrier_reference == "SM1"


def test_given_a_delivered_mail_when_it_comes_back_for_good_then_it_did_not_arrive():
    message = mail(Status.DELIVERED)
    say(message, "delivered")
    say(message, "bounced")
    assert (message.status, message.reason) == ("bounced", "The address does not take messages.")


def test_given_a_delivered_mail_when_an_absence_note_comes_then_it_stays_delivered():
    message = mail()
    say(message, "delivered")
    say(message, "undelivered", "mailbox")
    assert message.status == Status.DELIVERED
    assert not Suppression.objects.exists()


def test_given_a_message_that_is_not_ours_then_nothing_is_kept():
    message = reminder()
    OutboxMessage.objects.all().delete()
    assert not receipts.record(message_id=message.pk, event="delivered", at=LATER)
    assert not Receipt.objects.exists()


def test_given_the_same_word_twice_then_the_second_changes_nothing():
    message = reminder()
    assert say(message, "sent") is True
    assert say(message, "sent", at=LATER + dt.timedelta(hours=1)) is False
    assert message.receipts.get().received_at == LATER


# --- addresses that are closed ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "code", "reason", "by_owner"),
    [
        ("undelivered", "30005", "There is no such number, or it is no longer in use.", False),
        ("undelivered", "30006", "The number is a landline, or its network takes no texts.", False),
        ("refused", "21614", "The number cannot receive texts.", False),
        ("refused", "21610", "The person has told the carrier STOP.", True),
        ("bounced", "", "The address does not take messages.", False),
        ("bounced", "invalid", "There is no such address.", False),
        ("complained", "", "The person has reported our mail as unwanted.", True),
        ("unsubscribed", "", "The person has told the carrier to stop.", True),
        ("refused", "spam", "The person has reported our mail as unwanted.", True),
    ],
)
def test_given_a_dead_address_or_a_no_then_nothing_goes_there_any_more(
    event, code, reason, by_owner
):
    message, waiting = reminder(), reminder(Status.DUE)
    say(message, event, code)
    found = Suppression.objects.in_force().get()
    assert (found.address, found.reason, found.by_owner) == (PHONE, reason, by_owner)
    waiting.refresh_from_db()
    assert waiting.status == Status.SUPPRESSED


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ("undelivered", "30003"),
        ("undelivered", "30007"),
        ("undelivered", "30008"),
        ("undelivered", ""),
        ("refused", "30001"),
        ("refused", ""),
        ("delivered", "30006"),
        ("deferred", ""),
    ],
)
def test_given_a_trouble_that_may_pass_then_the_address_stays_open(event, code):
    say(reminder(), event, code)
    assert not Suppression.objects.exists()


def test_given_a_closed_address_when_the_same_word_comes_after_it_was_opened_then_it_stays_open():
    message = reminder()
    say(message, "undelivered", "30006")
    outbox.lift_suppression(channel="sms", address=PHONE, at=LATER)
    say(message, "undelivered", "30006")
    assert not Suppression.objects.in_force().exists()


def test_given_a_no_to_the_carrier_then_the_rooms_above_hear_of_it_in_the_same_transaction():
    heard = []

    def hear(sender, **said):
        heard.append({name: said[name] for name in ("channel", "address", "way", "subject")})
        raise RuntimeError

    address_stopped.connect(hear)
    try:
        message = reminder()
        with pytest.raises(RuntimeError):
            say(message, "refused", "21610")
    finally:
        address_stopped.disconnect(hear)
    assert heard == [{"channel": "sms", "address": PHONE, "way": "carrier", "subject": None}]
    message.refresh_from_db()
    assert message.status == Status.SENDING
    assert not Receipt.objects.exists()


def days(*fates: str) -> list[OutboxMessage]:
    """One text a day: "off" (phone could not be reached), "there" (delivered) or "" (no word)."""
    sent = []
    for day, fate in enumerate(fates):
        message = reminder(Status.SENT, due_at=AT + dt.timedelta(days=day))
        if fate:
            words = ("undelivered", "30003") if fate == "off" else ("delivered", "")
            say(message, *words, at=message.due_at + dt.timedelta(minutes=3))
        sent.append(message)
    return sent


@pytest.mark.parametrize(
    ("fates", "closed"),
    [
        (["off", "off", "off"], True),
        (["off", "", "off", "off"], True),
        (["off", "off"], False),
        (["off", "off", "there", "off"], False),
        (["off", "there", "off", "off"], False),
    ],
)
def test_given_a_phone_that_was_switched_off_then_only_three_days_in_a_row_close_the_number(
    fates, closed
):
    days(*fates)
    assert Suppression.objects.exists() is closed
    if closed:
        assert Suppression.objects.get().reason == carrier_words.WORN_OUT


def test_given_three_texts_within_one_day_of_a_switched_off_phone_then_the_number_stays_open():
    for hour in (0, 4, 8):
        say(reminder(Status.SENT, due_at=AT + dt.timedelta(hours=hour)), "undelivered", "30003")
    assert not Suppression.objects.exists()


# --- words -----------------------------------------------------------------------------------


@pytest.mark.parametrize("event", sorted(carrier_words.EVENTS))
@pytest.mark.parametrize("code", CODES)
def test_given_any_word_then_what_is_not_delivered_says_why(event, code):
    verdict = carrier_words.verdict(event, code)
    assert bool(verdict.reason) == (verdict.status in ("failed", "bounced"))
    assert len(verdict.reason) <= outbox.REASON_LENGTH
    assert not any(sign in verdict.reason + verdict.closes for sign in ("_", "300", "error"))


def test_given_any_receipt_then_staff_read_it_in_words():
    assert set(carrier_words.IN_WORDS) >= carrier_words.EVENTS
    assert str(Receipt(event="patient_got_it")) == "The patient got it, staff say"


@pytest.mark.parametrize(
    ("event_type", "reject_reason", "kind", "answer", "said"),
    [
        ("delivered", None, "", "250 2.0.0 OK", ("delivered", "")),
        ("deferred", None, "", "451 later", ("deferred", "")),
        ("bounced", "bounced", "HardBounce", "550 5.1.1 no such user", ("bounced", "")),
        ("bounced", "bounced", "SoftBounce", "", ("undelivered", "mailbox")),
        ("bounced", "bounced", "Transient", "", ("undelivered", "mailbox")),
        ("bounced", "bounced", "", "452 4.2.2 mailbox full", ("undelivered", "mailbox")),
        ("bounced", "bounced", "", "552 5.2.2 over quota", ("bounced", "")),
        ("bounced", "invalid", "", "", ("bounced", "invalid")),
        ("bounced", "timed_out", "", "", ("undelivered", "mailbox")),
        ("bounced", "spam", "", "", ("undelivered", "blocked")),
        ("rejected", "bounced", "", "", ("refused", "bounced_before")),
        ("rejected", "unsubscribed", "", "", ("refused", "unsubscribed")),
        ("rejected", None, "", "", ("refused", "")),
        ("complained", "spam", "", "", ("complained", "")),
    ],
)
def test_given_what_a_mail_service_says_then_it_is_one_of_our_words(
    event_type, reject_reason, kind, answer, said
):
    found = carrier_words.of_anymail(event_type, reject_reason, kind=kind, answer=answer)
    assert (found.event, found.code) == said


@pytest.mark.parametrize(
    "event_type", ["opened", "clicked", "autoresponded", "subscribed", "unknown", "inbound"]
)
def test_given_who_opens_or_clicks_then_it_is_none_of_our_business(event_type):
    assert carrier_words.of_anymail(event_type) is None
