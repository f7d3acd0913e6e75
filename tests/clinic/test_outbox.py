"""The outbox: written once, taken once, and only forwards."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction

from clinic.messaging import links, outbox
from clinic.models import MessageText, OutboxMessage, Sender, Suppression
from clinic.models.messaging import Channel
from tests.clinic.messages import AT, queued

Status = OutboxMessage.Status
LATER = AT + dt.timedelta(minutes=1)
pytestmark = pytest.mark.django_db


def test_given_the_same_key_twice_then_there_is_one_message_and_it_is_the_first():
    first = queued(key="routine:1:2026-03-02:email", body="one")
    second = queued(key="routine:1:2026-03-02:email", body="two")
    assert (second.pk, second.text.body) == (first.pk, "one")
    assert OutboxMessage.objects.count() == 1


def test_given_a_message_held_back_then_it_is_settled_with_its_reason_and_never_waits():
    message = queued(status=Status.SUPPRESSED, reason="The program is suspended.")
    assert (message.status, message.reason) == (Status.SUPPRESSED, "The program is suspended.")
    assert (message.settled_at, message.wake_at) == (AT, None)


def test_given_some_keys_already_written_then_only_the_new_rows_are_said_to_be_written():
    old = queued(key="a")
    copy = {
        field: getattr(old, field)
        for field in (
            "kind", "channel", "subject_type", "subject_id", "address", "text", "due_at",
            "expires_at",
        )
    }  # fmt: skip
    rows = [outbox.draft(key=key, at=AT, **copy) for key in ("a", "b", "c")]
    assert [row.key for row in outbox.write(rows)] == ["b", "c"]


def test_given_the_same_words_a_thousand_times_then_they_are_kept_once():
    first, second, other = queued(), queued(), queued(body="Something else.")
    assert first.text_id == second.text_id != other.text_id
    assert MessageText.objects.count() == 2


def test_given_a_due_message_past_its_time_then_the_sweep_settles_it_as_too_late():
    message = queued(expires_at=LATER)
    assert outbox.expire_due(at=LATER) == 1
    message.refresh_from_db()
    assert (message.status, message.settled_at) == (Status.EXPIRED, LATER)


def test_given_somebody_stops_then_what_waits_for_them_is_held_back_and_the_rest_is_not():
    mine = queued(kind="routine_reminder", subject_type="patient", subject_id=7)
    alert = queued(subject_type="patient", subject_id=7)
    other = queued(kind="routine_reminder", subject_type="patient", subject_id=8)
    assert outbox.hold_back(subject=("patient", 7), reason="It was stopped.", at=LATER) == 1
    mine.refresh_from_db(), alert.refresh_from_db(), other.refresh_from_db()
    assert (mine.status, mine.reason) == (Status.SUPPRESSED, "It was stopped.")
    assert alert.status == other.status == Status.DUE


@pytest.mark.parametrize(
    "final",
    [Status.SENDING, Status.SENT, Status.DELIVERED, Status.BOUNCED, Status.FAILED, Status.EXPIRED],
)
def test_given_a_message_on_the_wire_or_settled_then_holding_back_leaves_it(final):
    message = queued(kind="routine_reminder", subject_type="patient", subject_id=7)
    sender = Sender.objects.create(name="w", started_at=AT, alive_until=LATER)
    OutboxMessage.objects.filter(pk=message.pk).update(
        status=final,
        wake_at=None,
        sender=sender,
        reason="why",
        settled_at=None if final == Status.SENDING else AT,
    )
    assert outbox.hold_back(subject=("patient", 7), reason="no", at=LATER) == 0
    message.refresh_from_db()
    assert (message.status, message.reason) == (final, "why")


@pytest.mark.database
def test_given_a_state_without_what_it_needs_then_the_database_refuses_it():
    message = queued()
    for change in (
        {"status": "failed", "wake_at": None, "settled_at": AT},
        {"status": "claimed", "wake_at": None},
        {"status": "sent", "wake_at": None},
        {"status": "sent", "settled_at": AT},
        {"wake_at": None},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            OutboxMessage.objects.filter(pk=message.pk).update(**change)


def test_given_a_stop_then_everything_waiting_for_that_address_is_held_back_but_the_answer():
    reminder = queued("ANA@example.org", kind="routine_reminder")
    reply = queued("ana@example.org", kind="reply")
    outbox.suppress_address(
        channel=Channel.EMAIL, address="ana@example.org", reason="She said no.", at=AT
    )
    reminder.refresh_from_db(), reply.refresh_from_db()
    assert reminder.status == Status.SUPPRESSED
    assert reminder.reason == "The address is suppressed: She said no."
    assert reply.status == Status.DUE


def test_given_a_stop_that_was_taken_back_then_it_stays_as_history_and_can_come_again():
    where = {"channel": Channel.SMS, "address": "+447700900123", "at": AT}
    outbox.suppress_address(reason="No.", by_owner=True, **where)
    assert outbox.lift_suppression(**where)
    assert not outbox.lift_suppression(**where)
    assert outbox.suppressed_addresses([(Channel.SMS, "+447700900123")]) == {}
    outbox.suppress_address(reason="No again.", by_owner=True, **where)
    assert Suppression.objects.in_force().get().reason == "No again."
    assert Suppression.objects.count() == 2


def test_given_an_address_suppressed_twice_then_the_owners_own_no_stands():
    where = {"channel": Channel.EMAIL, "at": AT}
    outbox.suppress_address(address="Ana@Example.org ", reason="It bounced.", **where)
    outbox.suppress_address(
        address="ana@example.org", reason="She said no.", by_owner=True, **where
    )
    outbox.suppress_address(address="ana@example.org", reason="It bounced again.", **where)
    row = Suppression.objects.get()
    assert (row.reason, row.by_owner) == ("She said no.", True)
    found = outbox.suppressed_addresses([(Channel.EMAIL, "ANA@example.org"), (Channel.SMS, "+44")])
    assert found == {(Channel.EMAIL, "ana@example.org"): "The address is suppressed: She said no."}


# --- links -----------------------------------------------------------------------------------


def _linked(**fields) -> OutboxMessage:
    return queued(kind="routine_reminder", **{"link_expires_at": LATER, **fields})


def test_given_a_token_then_it_finds_its_message_until_its_time_has_passed():
    message = _linked()
    token = links.token_for(message.pk)
    assert links.link_for(message.pk).endswith(f"/r/{token}")
    assert links.message_for(token, AT) == message
    assert links.message_for(token, LATER) is None


def test_given_any_change_to_a_token_then_it_opens_nothing():
    message, other = _linked(), _linked()
    token, second = links.token_for(message.pk), links.token_for(other.pk)
    letters = "AZaz09-_"
    spoilt = [
        token[:place] + letter + token[place + 1 :]
        for place in range(len(token))
        for letter in letters
        if letter != token[place]
    ]
    spoilt += ["", "x", token + "=", token + "A", token[:-1], second[:22] + token[22:], "ü" * 35]
    assert all(links.message_for(wrong, AT) is None for wrong in spoilt)


def test_given_a_message_without_a_link_then_its_token_opens_nothing():
    assert links.message_for(links.token_for(queued(link_expires_at=LATER).pk), AT) is None
    assert links.message_for(links.token_for(_linked(link_expires_at=None).pk), AT) is None


def test_given_a_new_secret_key_then_old_links_work_while_the_old_key_is_kept(settings):
    message = _linked()
    token, old = links.token_for(message.pk), settings.SECRET_KEY
    settings.SECRET_KEY = "the next one"
    assert links.message_for(token, AT) is None
    settings.SECRET_KEY_FALLBACKS = [old]
    assert links.message_for(token, AT) == message


def test_given_the_table_of_messages_then_no_link_stands_in_it():
    message = _linked(body="Start today's routine:\n{link}")
    with connection.cursor() as cursor:
        cursor.execute("SELECT m::text FROM clinic_outboxmessage m")
        assert links.token_for(message.pk) not in str(cursor.fetchall())
