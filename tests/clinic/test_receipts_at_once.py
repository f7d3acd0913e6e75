"""Receipts that come while the sender is still writing down its own outcome."""

import functools
import random

import pytest

from clinic.messaging import outbox, receipts, stopping
from clinic.messaging.ledger import Ledger, Outcome
from clinic.models import OutboxMessage, Suppression
from clinic.models.messaging import Channel
from tests.clinic.fates import LATER, PHONE, Status, reminder
from tests.clinic.messages import AT, exchange, queued
from tests.programs.test_at_once import at_once

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def text(number: int = 1, **fields) -> OutboxMessage:
    """Of a kind in which no room above has a say."""
    return queued(address=f"+4477009{number:05}", channel=Channel.SMS, subject_line="", **fields)


@pytest.fixture
def ledger():
    made = Ledger(channel=Channel.SMS, name="a sender")
    made.clock = lambda: AT
    yield made
    made.end()


def on_the_wire(ledger: Ledger) -> list[OutboxMessage]:
    ledger.refill(100)
    stock = list(ledger.stock)
    ledger.stock.clear()
    return exchange(ledger, start=stock)


def came_back(ledger: Ledger, message: OutboxMessage, status: str = Status.SENT, **said) -> None:
    outcome = Outcome(message, status, at=LATER, **said)
    exchange(ledger, [outcome], at=LATER)


def fate(message: OutboxMessage) -> tuple[str, str]:
    message.refresh_from_db()
    return message.status, message.carrier_reference


def test_given_a_receipt_before_the_sender_has_spoken_then_its_late_word_changes_nothing(ledger):
    text()
    (message,) = on_the_wire(ledger)
    receipts.record(message_id=message.pk, event="delivered", reference="SM1", at=LATER)
    came_back(ledger, message, reference="SM1")
    assert fate(message) == (Status.DELIVERED, "SM1")


def test_given_a_receipt_when_the_sender_believes_it_was_put_off_then_it_is_not_sent_again(ledger):
    text()
    (message,) = on_the_wire(ledger)
    receipts.record(message_id=message.pk, event="accepted", reference="SM1", at=LATER)
    came_back(ledger, message, Status.DUE, wake_at=LATER)
    assert fate(message) == (Status.SENT, "SM1")
    assert ledger.refill(10).claimed == 0


def test_given_a_message_in_a_sender_s_hands_when_a_receipt_comes_then_it_does_not_start(ledger):
    message = text()
    ledger.refill(10)
    stock = list(ledger.stock)
    receipts.record(message_id=message.pk, event="delivered", at=LATER)
    assert exchange(ledger, start=stock) == []


def test_given_sender_and_receipts_at_the_same_moment_then_the_best_word_stands(ledger):
    for number in range(12):
        text(number)
    messages = on_the_wire(ledger)
    assert len(messages) == 12
    for message in messages:
        words = ["delivered", "sent", "accepted", "delivered"]
        random.Random(message.address).shuffle(words)
        answers = at_once(
            lambda message=message: came_back(ledger, message, reference="SM1"),
            *[
                functools.partial(
                    receipts.record, message_id=message.pk, event=word, at=LATER, reference="SM1"
                )
                for word in words
            ],
        )
        assert not [answer for answer in answers if isinstance(answer, Exception)]
        assert fate(message) == (Status.DELIVERED, "SM1")
        assert message.receipts.count() == 3


def test_given_receipts_that_close_addresses_at_the_same_moment_then_none_is_lost(ledger):
    for number in range(4):
        text(number % 2)
    messages = on_the_wire(ledger)
    waiting = [text(number) for number in range(2)]
    answers = at_once(
        *[
            functools.partial(
                receipts.record, message_id=message.pk, event=event, code=code, at=LATER
            )
            for message in messages
            for event, code in (("undelivered", "30006"), ("unsubscribed", ""))
        ]
    )
    assert answers == [True] * 8
    assert {fate(message)[0] for message in messages} == {Status.BOUNCED}
    assert {fate(message)[0] for message in waiting} == {Status.SUPPRESSED}
    assert Suppression.objects.in_force().filter(by_owner=True).count() == 2


def test_given_the_same_no_many_times_at_once_then_the_address_is_closed_once():
    reminder(Status.DUE)
    call = functools.partial(
        stopping.stop, channel="sms", address=PHONE, at=AT, way="carrier", reason="No more."
    )
    assert at_once(*[call] * 4) == [True] * 4
    assert Suppression.objects.in_force().count() == 1
    assert outbox.suppressed_addresses([("sms", PHONE)])
