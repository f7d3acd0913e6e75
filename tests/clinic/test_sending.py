"""Sending what is due: every message to exactly one known outcome."""

import asyncio
import datetime as dt
import logging

import pytest
from django.db import connections, transaction

from clinic import tasks
from clinic.messaging import outbox, sending
from clinic.messaging.gateways import GatewayError, OutcomeUnknown
from clinic.models import DemoDelivery, Heartbeat, OutboxMessage, Suppression
from clinic.models.messaging import Channel
from clinic.signals import before_sending
from tests.clinic.messages import AT, queued

Status = OutboxMessage.Status
pytestmark = pytest.mark.django_db(transaction=True)


class Carrier:
    """A carrier that does what the test says, message by message; then it takes everything."""

    name, lines = "test", 1

    def __init__(self) -> None:
        self.does: list[Exception | None] = []
        self.took: list[tuple[str, str]] = []
        self.opened = self.closed = 0

    async def deliver(self, message, link):
        step = self.does.pop(0) if self.does else None
        if step:
            raise step
        # What is on the wire stands in the table first, and by its own transaction.
        assert await asyncio.to_thread(status_of, message) == Status.SENDING
        self.took.append((message.address, message.text.body.replace("{link}", link)))
        return f"reference {len(self.took)}"

    async def close(self):
        self.closed += 1


def status_of(message: OutboxMessage) -> str:
    try:
        return OutboxMessage.objects.get(pk=message.pk).status
    finally:
        connections.close_all()


@pytest.fixture
def carrier(monkeypatch):
    carrier = Carrier()

    def make(channel):
        carrier.opened += 1
        return carrier

    monkeypatch.setattr(sending, "gateway_for", make)
    return carrier


@pytest.fixture
def objecting():
    """Lets a test object to messages, as a room above would; takes the answers back after."""
    receivers = []

    def connect(receiver):
        before_sending.connect(receiver)
        receivers.append(receiver)

    yield connect
    for receiver in receivers:
        before_sending.disconnect(receiver)


def fate(message: OutboxMessage) -> tuple[str, str]:
    message.refresh_from_db()
    return message.status, message.reason


def not_now(**options) -> GatewayError:
    return GatewayError(permanent=False, code="451", text="Not now.", **options)


def test_given_due_messages_then_each_is_sent_with_its_link_over_one_gateway(carrier, settings):
    messages = [queued(f"{number}@practice.example") for number in range(3)]
    report = sending.send_all_due(at=AT)
    assert (report.claimed, report.sent) == (3, 3)
    assert len({words for _, words in carrier.took}) == 3
    assert all(f"{settings.BASE_URL}/r/" in words for _, words in carrier.took)
    assert carrier.opened == carrier.closed
    for message in messages:
        assert fate(message) == (Status.SENT, "")
        assert (message.carrier, message.settled_at, message.attempts) == ("test", AT, 1)
        assert message.carrier_reference.startswith("reference")


def test_given_some_went_out_by_a_channel_then_it_leaves_a_sign_that_its_carrier_takes_them(
    carrier,
):
    queued(), queued(channel=Channel.SMS, address="+447700900123")
    carrier.does = [not_now(), not_now()]
    sending.send_all_due(at=AT)
    assert not Heartbeat.objects.exists()
    queued(), queued()
    carrier.does = [not_now()]
    sending.send_all_due(at=AT)
    assert list(Heartbeat.objects.values_list("name", "at")) == [("taken:email", AT)]


def test_given_nothing_due_then_nothing_happens(carrier):
    queued(due_at=AT + dt.timedelta(seconds=1))
    assert sending.send_all_due(at=AT) == sending.SendReport()
    assert carrier.took == []


def test_given_a_message_past_its_time_then_it_is_settled_as_too_late_and_not_sent(carrier):
    message = queued(expires_at=AT)
    assert sending.send_all_due(at=AT).expired == 1
    assert fate(message)[0] == Status.EXPIRED
    assert carrier.took == []


def test_given_a_suppressed_address_then_the_reason_is_kept_and_nothing_sent(carrier):
    outbox.suppress_address(
        channel=Channel.EMAIL, address="ruth@practice.example", reason="It bounced.", at=AT
    )
    message = queued("Ruth@practice.example")
    assert sending.send_all_due(at=AT).suppressed == 1
    assert fate(message) == (Status.SUPPRESSED, "The address is suppressed: It bounced.")
    assert carrier.took == []


def test_given_a_room_above_objects_then_the_message_is_held_back_in_its_words(carrier, objecting):
    first, second = queued("a@practice.example"), queued("b@practice.example")

    def object_to_first(sender, *, messages, at, **kwargs):
        return {row.pk: "Today's session is done." for row in messages if row.pk == first.pk}

    objecting(object_to_first)
    report = sending.send_all_due(at=AT)
    assert (report.suppressed, report.sent) == (1, 1)
    assert fate(first) == (Status.SUPPRESSED, "Today's session is done.")
    assert fate(second)[0] == Status.SENT


def test_given_a_room_above_that_names_an_hour_then_it_waits_and_is_asked_about_once_more(
    carrier, objecting
):
    later = AT + dt.timedelta(hours=9)
    waits, stays = queued("a@practice.example"), queued("b@practice.example")
    asked = []

    def not_yet(sender, *, messages, at, **kwargs):
        asked.append((at, len(messages)))
        return {waits.pk: later}

    def not_at_all(sender, *, messages, **kwargs):
        return {stays.pk: "Not this one."}

    objecting(not_yet), objecting(not_at_all)
    report = sending.send_all_due(at=AT)
    assert (report.put_back, report.suppressed, report.sent) == (1, 1, 0)
    assert fate(waits) == (Status.DUE, "")
    assert (waits.wake_at, waits.due_at, waits.attempts) == (later, later, 0)
    assert fate(stays) == (Status.SUPPRESSED, "Not this one.")
    assert sending.send_all_due(at=later - dt.timedelta(seconds=1)).claimed == 0
    # The same answer again, of a moment that has come, keeps nothing back.
    assert sending.send_all_due(at=later).sent == 1
    assert asked == [(AT, 2), (later, 1)]


def test_given_an_hour_named_for_a_closed_address_then_it_is_held_back_all_the_same(
    carrier, objecting
):
    message = queued("a@practice.example")
    Suppression.objects.create(
        channel="email", address="a@practice.example", reason="Asked us to stop.", since=AT
    )
    objecting(lambda sender, **kwargs: {message.pk: AT + dt.timedelta(hours=9)})
    assert sending.send_all_due(at=AT).suppressed == 1
    assert fate(message)[0] == Status.SUPPRESSED


def test_given_asking_goes_wrong_then_nothing_goes_out_and_all_are_asked_about_again(
    carrier, objecting, caplog
):
    message = queued("a@practice.example")
    broken = [True]

    def break_once(sender, *, messages, at, **kwargs):
        if broken:
            raise ValueError("secret of a@practice.example")

    objecting(break_once)
    assert sending.send_all_due(at=AT).put_back == 1
    assert fate(message) == (Status.DUE, "It could not be checked whether it may go out.")
    assert message.wake_at > AT
    broken.clear()
    assert sending.send_all_due(at=message.wake_at).sent == 1
    assert "secret" not in caplog.text


def test_given_one_message_that_cannot_be_asked_about_then_the_others_go_out(
    carrier, objecting, caplog
):
    messages = [queued(f"{number}@practice.example") for number in range(9)]
    poison = messages[4]
    shut = messages[7]

    def choke(sender, *, messages, at, **kwargs):
        if poison in messages:
            raise ValueError(f"secret of {poison.address}")
        return {shut.pk: "Seen."} if shut in messages else {}

    objecting(choke)
    report = sending.send_all_due(at=AT)
    assert (report.sent, report.suppressed, report.put_back) == (7, 1, 1)
    assert fate(poison) == (Status.DUE, "It could not be checked whether it may go out.")
    assert fate(shut) == (Status.SUPPRESSED, "Seen.")
    assert "ValueError while checking a message of kind staff_alert" in caplog.text
    assert "secret" not in caplog.text and "@" not in caplog.text
    # A minute later it is alone, and holds up nobody either.
    later = queued("later@practice.example", due_at=poison.wake_at)
    assert sending.send_all_due(at=poison.wake_at).sent == 1
    assert fate(later)[0] == Status.SENT


def test_given_a_carrier_that_says_not_now_then_it_is_tried_later_and_later_and_then_sent(carrier):
    message = queued()
    carrier.does = [not_now() for _ in range(4)]
    at, waits = AT, []
    for _ in range(4):
        assert sending.send_all_due(at=at).put_back == 1
        assert fate(message) == (Status.DUE, "Not now.")
        waits.append(message.wake_at - at)
        assert sending.send_all_due(at=message.wake_at - dt.timedelta(seconds=1)).claimed == 0
        at = message.wake_at
    for wait, longest in zip(waits, (30, 60, 120, 240), strict=True):
        assert dt.timedelta(seconds=longest / 2) <= wait <= dt.timedelta(seconds=longest)
    assert sending.send_all_due(at=at).sent == 1
    assert fate(message) == (Status.SENT, "")
    # When it was meant to go is still known.
    assert (message.attempts, message.due_at) == (5, AT)


def test_given_a_carrier_that_never_says_yes_then_the_message_ends_as_too_late_with_its_last_word(
    carrier,
):
    message = queued(expires_at=AT + dt.timedelta(minutes=10))
    carrier.does = [not_now() for _ in range(99)]
    at = AT
    while fate(message)[0] == Status.DUE:
        sending.sweep(at=at)
        sending.send_all_due(at=at)
        at += dt.timedelta(seconds=30)
    assert fate(message) == (Status.EXPIRED, "Not now.")
    assert at <= AT + dt.timedelta(minutes=11)


def test_given_a_carrier_that_is_away_then_the_rest_of_the_batch_waits_without_asking_it(carrier):
    messages = [queued(f"{number}@practice.example") for number in range(3)]
    carrier.does = [not_now(carrier_away=True)]
    report = sending.send_all_due(at=AT)
    assert (report.put_back, report.sent) == (3, 0)
    assert {fate(message)[0] for message in messages} == {Status.DUE}
    assert sorted(message.attempts for message in messages) == [0, 0, 1]
    assert all(message.wake_at > AT for message in messages)


def test_given_a_carrier_that_says_when_to_come_back_then_nobody_comes_before(carrier):
    messages = [queued(f"{number}@practice.example") for number in range(3)]
    carrier.does = [not_now(retry_after=90)]
    assert sending.send_all_due(at=AT).put_back == 3
    assert [fate(message)[0] for message in messages] == [Status.DUE] * 3
    asked = AT + dt.timedelta(seconds=90)
    assert all(asked <= message.wake_at <= asked + dt.timedelta(seconds=20) for message in messages)


def test_given_one_channels_carrier_is_away_then_the_other_channel_goes_on(monkeypatch, settings):
    settings.SMS_GATEWAY, settings.DEMO = "demo", True
    away = Carrier()
    away.does = [not_now(carrier_away=True) for _ in range(9)]
    real = sending.gateway_for
    monkeypatch.setattr(
        sending, "gateway_for", lambda channel: away if channel == "email" else real(channel)
    )
    queued("a@practice.example"), queued("+447700900123", channel=Channel.SMS)
    report = sending.send_all_due(at=AT)
    assert (report.put_back, report.sent) == (1, 1)
    assert DemoDelivery.objects.get().address == "+447700900123"


def test_given_a_refusal_for_good_then_the_message_has_failed_with_the_reason(carrier):
    message = queued()
    carrier.does = [GatewayError(permanent=True, code="550", text="The mail server refused it.")]
    assert sending.send_all_due(at=AT).failed == 1
    assert fate(message) == (Status.FAILED, "The mail server refused it.")
    assert not Suppression.objects.exists()


def test_given_a_dead_address_then_it_is_never_written_to_again(carrier):
    first = queued("+447700900123", channel=Channel.SMS)
    carrier.does = [
        GatewayError(
            permanent=True,
            code="21610",
            text="The person has told the carrier STOP.",
            dead_address=True,
            by_owner=True,
        )
    ]
    sending.send_all_due(at=AT)
    second = queued("+447700900123", channel=Channel.SMS)
    sending.send_all_due(at=AT)
    assert fate(first)[0] == Status.FAILED
    said = "The address is suppressed: The person has told the carrier STOP."
    assert fate(second) == (Status.SUPPRESSED, said)
    assert Suppression.objects.get().by_owner


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (OutcomeUnknown("The line broke."), "The line broke."),
        (KeyError("ruth@practice.example"), "An unforeseen error while delivering (KeyError)."),
    ],
)
def test_given_nobody_can_tell_then_the_outcome_is_unknown_and_it_is_never_sent_again(
    carrier, caplog, step, reason
):
    message = queued()
    carrier.does = [step]
    assert sending.send_all_due(at=AT).unknown == 1
    assert fate(message) == (Status.UNKNOWN, reason)
    sending.sweep(at=AT + dt.timedelta(hours=1))
    assert sending.send_all_due(at=AT + dt.timedelta(hours=1)).claimed == 0
    assert carrier.took == []
    assert "ruth@" not in caplog.text


def test_given_no_carrier_for_texts_then_the_text_fails_openly(settings):
    settings.SMS_GATEWAY = ""
    message = queued("+447700900123", channel=Channel.SMS)
    assert sending.send_all_due(at=AT).failed == 1
    assert fate(message) == (Status.FAILED, "No text message carrier is set up.")


def test_given_more_than_a_batch_then_all_are_sent_once(carrier):
    for number in range(53):
        queued(f"{number}@practice.example")
    assert sending.send_all_due(at=AT).sent == 53
    assert len(set(carrier.took)) == 53


def test_given_sending_then_the_log_has_ids_and_states_only(carrier, caplog):
    caplog.set_level(logging.DEBUG)
    queued()
    sending.send_all_due(at=AT)
    assert "sent 1 of 1 taken" in caplog.text
    assert "ruth@" not in caplog.text
    assert "/r/" not in caplog.text


def test_given_an_open_transaction_then_sending_refuses_to_start(carrier):
    """Otherwise a rollback would forget what is already on its way."""
    queued()
    with pytest.raises(RuntimeError), transaction.atomic():
        sending.send_all_due(at=AT)
    assert carrier.took == []


def test_given_the_tasks_then_they_take_no_arguments_and_do_the_work(carrier):
    sent, late = queued(expires_at=AT.replace(year=2999)), queued(expires_at=AT)
    sending.close_own()
    tasks.sweep()
    tasks.send_due()
    tasks.send_due()
    sending.close_own()
    assert fate(sent)[0] == Status.SENT
    assert fate(late)[0] == Status.EXPIRED
    assert len(carrier.took) == 1
