"""The outbox's verbs: writing a message, holding it back, and the addresses not to write to.

What a sender does with a message it took is in ``ledger``, what carriers say of it later in
``receipts``. Every step is one conditional UPDATE that says from which states it may be taken, so
that two senders, a late sender and a sweep never undo each other. States only move forward; the
ways back to ``due`` are a carrier's clear "not now" and a sender that died before the wire, after
which nothing can have reached anybody.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Sequence

from django.db import connection, transaction
from django.db.models import Q

from clinic.models import MessageText, OutboxMessage, Suppression
from clinic.models.messaging import Channel

Status = OutboxMessage.Status

REASON_LENGTH = OutboxMessage._meta.get_field("reason").max_length
# No message is sent longer than this after it was due.
LONGEST_LIFE = dt.timedelta(days=4)
# The answer to a STOP is the one thing still to be said; of a code ``goes_all_the_same`` decides.
_NOT_HELD_BACK = (OutboxMessage.Kind.REPLY, OutboxMessage.Kind.SIGN_IN_CODE)
# Whoever lets a message onto the wire holds this lock shared, whoever closes an address holds it
# alone: after a person's STOP is committed, nothing more starts.
_GOING_OUT = 0x57EAD1
_AGAIN = re.compile(r":again(\d+)$")


def same_address(channel: str, address: str) -> str:
    """The one spelling under which an address is kept and compared."""
    return address.strip().lower() if channel == Channel.EMAIL else address.strip()


def goes_all_the_same(message: OutboxMessage) -> bool:
    """Whether a message may start although its address is closed: the answer to a STOP, and the
    code that somebody asks for at this moment, which no STOP to reminders by mail was about. A
    telephone that was told STOP gets no code either: its carrier would refuse it."""
    if message.kind == OutboxMessage.Kind.SIGN_IN_CODE:
        return message.channel == Channel.EMAIL
    return message.kind == OutboxMessage.Kind.REPLY


# --- keys ------------------------------------------------------------------------------------


def first_key(key: str) -> str:
    """The key of the message that this one repeats; its own where it repeats none. Whoever reads
    something from a key reads it from this one."""
    return _AGAIN.sub("", key)


def again_key(key: str) -> str:
    """The key under which the same words go out once more."""
    found = _AGAIN.search(key)
    return f"{first_key(key)}:again{int(found.group(1)) + 1 if found else 1}"


# --- writing ---------------------------------------------------------------------------------


def keep_text(
    *, channel: str, body: str, subject_line: str = "", language: str = "en"
) -> MessageText:
    """The row for these words, the same one however often they are asked for."""
    parts = (str(channel), language, subject_line, body)
    digest = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
    found = MessageText.objects.filter(digest=digest).first()
    if found is None:
        text = MessageText(
            digest=digest,
            channel=channel,
            language=language,
            subject_line=subject_line,
            body=body,
        )
        MessageText.objects.bulk_create([text], ignore_conflicts=True)
        found = MessageText.objects.get(digest=digest)
    return found


def draft(
    *,
    key: str,
    kind: str,
    channel: str,
    subject_type: str,
    subject_id: object,
    address: str,
    text: MessageText,
    due_at: dt.datetime,
    expires_at: dt.datetime,
    at: dt.datetime,
    local_date: dt.date | None = None,
    link_expires_at: dt.datetime | None = None,
    priority: int = OutboxMessage.Priority.USUAL,
    status: str = Status.DUE,
    reason: str = "",
) -> OutboxMessage:
    """A message as a row not yet written; ``write`` takes any number of them."""
    return OutboxMessage(
        key=key,
        kind=kind,
        channel=channel,
        subject_type=subject_type,
        subject_id=str(subject_id),
        address=same_address(channel, address),
        text=text,
        priority=priority,
        due_at=due_at,
        wake_at=due_at if status == Status.DUE else None,
        expires_at=expires_at,
        link_expires_at=link_expires_at,
        local_date=local_date,
        status=status,
        reason=reason[:REASON_LENGTH],
        created_at=at,
        settled_at=None if status == Status.DUE else at,
    )


def write(messages: Sequence[OutboxMessage]) -> list[OutboxMessage]:
    """Write rows whose keys are new; return those that were. Two writers never make two rows."""
    if not messages:
        return []
    OutboxMessage.objects.bulk_create(messages, ignore_conflicts=True)
    # PostgreSQL does not say which rows a conflict kept out; their ids do.
    written = set(
        OutboxMessage.objects.filter(pk__in=[message.pk for message in messages]).values_list(
            "pk", flat=True
        )
    )
    return [message for message in messages if message.pk in written]


def queue_message(
    *, channel: str, body: str, subject_line: str = "", language: str = "en", **fields
) -> OutboxMessage:
    """Put one message into the outbox (other fields as in ``draft``).

    The same ``key`` is written once: a repetition returns the first row, unchanged.
    """
    text = keep_text(channel=channel, body=body, subject_line=subject_line, language=language)
    write([draft(channel=channel, text=text, **fields)])
    return OutboxMessage.objects.get(key=fields["key"])


# --- holding back ----------------------------------------------------------------------------


def hold_back(
    *,
    reason: str,
    at: dt.datetime,
    subject: tuple[str, object] | None = None,
    address: tuple[str, str] | None = None,
    kinds: Sequence[str] = OutboxMessage.REMINDERS,
    spare: Sequence[str] = (),
) -> int:
    """Suppress what waits or was taken but is not on the wire yet. Returns how many.

    Of one ``subject`` (type and id), to one ``address`` (channel and address), or what is both;
    never those whose keys are in ``spare``, nor what repeats them. A sender that has taken such a
    message finds it changed and lets it be.
    """
    theirs = OutboxMessage.objects.filter(kind__in=list(kinds))
    if subject is None and address is None:
        raise ValueError("Hold back for whom?")
    if subject is not None:
        theirs = theirs.about(*subject)
    if address is not None:
        theirs = theirs.filter(channel=address[0], address=same_address(*address))
    for key in spare:
        theirs = theirs.exclude(Q(key=key) | Q(key__startswith=f"{key}:again"))
    # No index knows addresses: what waits is found by that it waits, what was taken by its day.
    waiting = theirs.filter(status=Status.DUE, wake_at__isnull=False)
    taken = theirs.filter(status=Status.CLAIMED, due_at__gt=at - LONGEST_LIFE)
    held_back = {
        "status": Status.SUPPRESSED,
        "reason": reason[:REASON_LENGTH],
        "wake_at": None,
        "settled_at": at,
    }
    # In this order: what is taken in between is found by the second. What is given back in between
    # is asked about once more before it goes out.
    return waiting.update(**held_back) + taken.update(**held_back)


def expire_due(*, at: dt.datetime) -> int:
    """Due past its time: too late. Returns how many."""
    return OutboxMessage.objects.filter(
        status=Status.DUE, wake_at__isnull=False, expires_at__lte=at
    ).update(status=Status.EXPIRED, wake_at=None, settled_at=at)


# --- addresses -------------------------------------------------------------------------------


def going_out(cursor) -> None:
    """Inside a transaction: nobody closes an address until it ends."""
    cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_GOING_OUT])


def nothing_goes_out(cursor) -> None:
    """Inside a transaction: nothing starts until it ends, and what starts then sees what it did."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_GOING_OUT])


@transaction.atomic
def suppress_address(
    *, channel: str, address: str, reason: str, at: dt.datetime, by_owner: bool = False
) -> Suppression:
    """Never write to this address again. The first reason stands, the owner's own no above it.

    Once this is committed no message of any kind starts to this address any more.
    """
    with connection.cursor() as cursor:
        nothing_goes_out(cursor)
    address = same_address(channel, address)
    row, created = Suppression.objects.in_force().get_or_create(
        channel=channel,
        address=address,
        defaults={"reason": reason[:200], "by_owner": by_owner, "since": at},
    )
    if by_owner and not created:
        Suppression.objects.filter(pk=row.pk, by_owner=False).update(
            by_owner=True, reason=reason[:200], since=at
        )
        row.refresh_from_db()
    hold_back(
        reason=suppressed_because(row.reason),
        at=at,
        address=(channel, address),
        kinds=[kind for kind in OutboxMessage.Kind.values if kind not in _NOT_HELD_BACK],
    )
    return row


@transaction.atomic
def lift_suppression(*, channel: str, address: str, at: dt.datetime) -> bool:
    """The owner of the address says yes again. Nobody else can lift the owner's no."""
    return bool(
        Suppression.objects.in_force()
        .filter(channel=channel, address=same_address(channel, address))
        .update(lifted_at=at)
    )


def suppressed_because(reason: str) -> str:
    """What is written on a message that a suppression with this reason holds back."""
    return f"The address is suppressed: {reason}"[:REASON_LENGTH]


def suppressed_addresses(addresses: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Of these (channel, address) pairs, the suppressed ones and the reason to write down."""
    wanted = {(channel, same_address(channel, address)) for channel, address in addresses}
    found = Suppression.objects.in_force().filter(Q(address__in={address for _, address in wanted}))
    return {
        (row.channel, row.address): suppressed_because(row.reason)
        for row in found
        if (row.channel, row.address) in wanted
    }
