"""What a sender holds: taken once, started once, settled only forwards, given back when it dies."""

import datetime as dt

import pytest

from clinic.messaging import ledger, outbox
from clinic.messaging.ledger import LeaseLost, Ledger, Outcome, sweep
from clinic.models import OutboxMessage, Sender
from clinic.models.messaging import Channel
from tests.clinic.messages import AT, exchange, queued

Status = OutboxMessage.Status
LATER = AT + dt.timedelta(minutes=10)
pytestmark = pytest.mark.django_db(transaction=True)


def holder(name: str = "w", channel: str = Channel.EMAIL, at: dt.datetime = AT) -> Ledger:
    book = Ledger(channel=channel, name=name)
    book.clock = lambda: at
    return book


def took(book: Ledger, limit: int = 100) -> list[OutboxMessage]:
    book.refill(limit)
    return list(book.stock)


def start(book: Ledger, *messages: OutboxMessage) -> list[OutboxMessage]:
    return exchange(book, start=messages)


def settle(book: Ledger, message: OutboxMessage, status: str, **more) -> None:
    reason = "" if status in (Status.SENT, Status.DELIVERED) else "Why."
    outcome = Outcome(message, status, LATER, **{"reason": reason, **more})
    exchange(book, [outcome], at=LATER)


def state(message: OutboxMessage) -> str:
    message.refresh_from_db()
    return message.status


def test_given_a_message_not_due_yet_then_nobody_takes_it_and_no_lease_is_needed():
    queued(due_at=LATER)
    assert took(holder()) == []
    assert not Sender.objects.exists()


def test_given_two_senders_then_the_second_gets_only_the_rest():
    queued(), queued(), queued()
    first, second = took(holder("one"), 2), took(holder("two"), 2)
    assert (len(first), len(second)) == (2, 1)
    assert not set(first) & set(second)


def test_given_two_channels_then_a_sender_takes_only_its_own():
    queued(channel=Channel.SMS, address="+447700900123")
    assert took(holder()) == []
    assert len(took(holder(channel=Channel.SMS))) == 1


def test_given_a_morning_full_of_reminders_then_what_is_urgent_goes_first_then_the_oldest():
    rows = [
        queued(due_at=AT - dt.timedelta(minutes=minute), priority=OutboxMessage.Priority.USUAL)
        for minute in range(3)
    ]
    alert = queued(due_at=AT, priority=OutboxMessage.Priority.FIRST)
    assert took(holder(), 3) == [alert, rows[2], rows[1]]


def test_given_a_start_then_it_is_committed_and_counted_and_asked_again_it_is_the_same():
    queued()
    book = holder()
    (message,) = took(book)
    assert start(book, message) == [message]
    # Asked again after a commit whose answer was lost: nobody else can have started it.
    assert start(book, message) == [message]
    assert state(message) == Status.SENDING
    assert not start(holder("another"), message)


def test_given_a_message_held_back_after_it_was_taken_then_it_is_not_started():
    queued()
    book = holder()
    (message,) = took(book)
    outbox.hold_back(
        subject=("alert", 1), reason="It was stopped.", at=AT, kinds=OutboxMessage.Kind.values
    )
    assert start(book, message) == []
    assert state(message) == Status.SUPPRESSED


@pytest.mark.parametrize("final", [Status.SENT, Status.FAILED, Status.DELIVERED, Status.BOUNCED])
def test_given_a_settled_message_then_its_sender_cannot_change_it_any_more(final):
    queued()
    book = holder()
    (message,) = took(book)
    start(book, message)
    OutboxMessage.objects.filter(pk=message.pk).update(status=final, reason="why", settled_at=AT)
    for late in (Status.SENT, Status.FAILED, Status.UNKNOWN, Status.DUE):
        settle(book, message, late, wake_at=LATER if late == Status.DUE else None)
        assert state(message) == final
    assert not start(book, message)


def test_given_one_exchange_then_what_came_back_and_what_goes_out_are_one_commit():
    queued(), queued()
    book = holder()
    first, second = took(book)
    start(book, first)
    sent = Outcome(first, Status.SENT, LATER, reference="r")
    assert exchange(book, [sent], [second], at=LATER) == [second]
    assert (state(first), state(second)) == (Status.SENT, Status.SENDING)
    assert (first.carrier, first.carrier_reference, first.settled_at) == ("test", "r", LATER)


def test_given_not_now_then_it_waits_and_anybody_may_take_it_then():
    queued()
    book = holder()
    (message,) = took(book)
    start(book, message)
    settle(book, message, Status.DUE, wake_at=LATER)
    assert state(message) == Status.DUE
    assert took(holder("another", at=LATER - dt.timedelta(seconds=1))) == []
    assert took(holder("another", at=LATER)) == [message]


def test_given_a_sender_that_died_then_what_it_held_is_due_again_and_the_wire_is_unknown():
    queued(), queued()
    dead = holder()
    on_the_wire, waiting = took(dead)
    start(dead, on_the_wire)
    # While the lease runs, nobody touches what it has.
    assert sweep(at=AT) == ledger.SweepReport(0, 0, 0)
    swept = sweep(at=LATER)
    assert (swept.released, swept.unknown) == (1, 1)
    assert (state(on_the_wire), state(waiting)) == (Status.UNKNOWN, Status.DUE)
    assert on_the_wire.reason
    assert took(holder("another", at=LATER)) == [waiting]


def test_given_a_sender_taken_for_dead_that_still_lives_then_it_starts_nothing_it_gave_away():
    queued(), queued()
    slow = holder()
    on_the_wire, waiting = took(slow)
    start(slow, on_the_wire)
    sweep(at=LATER)
    assert start(slow, waiting) == []
    # But what it knows about the one on the wire is believed, and by nobody else's word.
    settle(holder("another"), OutboxMessage(pk=on_the_wire.pk, sender_id=0), Status.FAILED)
    assert state(on_the_wire) == Status.UNKNOWN
    settle(slow, on_the_wire, Status.SENT)
    assert state(on_the_wire) == Status.SENT
    with pytest.raises(LeaseLost):
        slow.renew()
    assert not slow.stock


def test_given_a_claim_whose_answer_was_lost_then_the_rows_come_back_at_the_next_visit():
    queued(), queued()
    book = holder()
    took(book)
    book.stock.clear()
    book.doubt()
    assert len(took(book)) == 2


def test_given_messages_taken_but_no_longer_in_hand_then_the_end_of_a_round_gives_them_back():
    message = queued()
    book = holder()
    took(book)
    book.stock.clear()
    book.doubt()
    book.release()
    assert state(message) == Status.DUE


def test_given_a_claim_committed_after_the_sweep_then_the_next_lease_gives_it_back():
    message = queued()
    slow = holder()
    took(slow)
    Sender.objects.update(ended_at=LATER)
    slow.stock.clear()
    queued(due_at=LATER)
    slow.clock = lambda: LATER
    slow.refill(10)
    assert state(message) == Status.CLAIMED
    assert message in slow.stock


def test_given_the_end_then_everything_taken_is_due_at_once_and_the_lease_is_over():
    messages = [queued(), queued()]
    book = holder()
    took(book)
    book.end()
    assert [state(message) for message in messages] == [Status.DUE, Status.DUE]
    assert Sender.objects.get().ended_at == AT
