"""The outbox's verbs: writing a message, and each step of its fate.

Every step is one conditional UPDATE that says from which states it may be taken, so that two
senders, a late sender and a sweep never undo each other: a step that no longer applies changes
nothing and answers False. States only move forward; the one way back to ``due`` is a carrier's
clear "not now", after which nothing can have reached anybody.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import Case, F, Q, Value, When

from clinic.models import OutboxMessage, Suppression
from clinic.models.messaging import Channel

Status = OutboxMessage.Status

# A sender that has not said anything for this long is taken for dead. A claimed message goes
# back; one on the wire has longer, because a slow carrier may use its whole time on every reply.
CLAIM_LEASE = dt.timedelta(minutes=2)
SENDING_LEASE = dt.timedelta(minutes=5)
_REASON_LENGTH = OutboxMessage._meta.get_field("reason").max_length


def same_address(channel: str, address: str) -> str:
    """The one spelling under which an address is kept and compared."""
    return address.strip().lower() if channel == Channel.EMAIL else address.strip()


# --- writing ---------------------------------------------------------------------------------


def draft(
    *,
    key: str,
    kind: str,
    channel: str,
    subject_type: str,
    subject_id: object,
    address: str,
    body: str,
    due_at: dt.datetime,
    expires_at: dt.datetime,
    at: dt.datetime,
    subject_line: str = "",
    local_date: dt.date | None = None,
    language: str = "en",
    link_expires_at: dt.datetime | None = None,
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
        subject_line=subject_line,
        body=body,
        due_at=due_at,
        expires_at=expires_at,
        link_expires_at=link_expires_at,
        local_date=local_date,
        language=language,
        status=status,
        reason=reason[:_REASON_LENGTH],
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


def queue_message(**fields) -> OutboxMessage:
    """Put one message into the outbox (fields as in ``draft``).

    The same ``key`` is written once: a repetition returns the first row, unchanged.
    """
    write([draft(**fields)])
    return OutboxMessage.objects.get(key=fields["key"])


# --- a sender takes messages -----------------------------------------------------------------


def claim(*, limit: int, worker: str, at: dt.datetime) -> list[OutboxMessage]:
    """Take up to ``limit`` due messages for one sender; no other sender gets the same ones.

    Alerts to staff come first: a morning full of reminders must not hold up one of them.
    """
    # One name per claim: a sender that lost its lease must not settle rows it was given anew.
    holder = f"{worker[:43]}/{uuid.uuid4()}"
    alerts_first = Case(When(kind=OutboxMessage.Kind.STAFF_ALERT, then=Value(0)), default=Value(1))
    with transaction.atomic(durable=True):
        messages = list(
            OutboxMessage.objects.due(at)
            .order_by(alerts_first, "due_at", "pk")
            .select_for_update(skip_locked=True)[:limit]
        )
        until = at + CLAIM_LEASE
        OutboxMessage.objects.filter(pk__in=[message.pk for message in messages]).update(
            status=Status.CLAIMED, claimed_by=holder, claimed_until=until
        )
    for message in messages:
        message.status, message.claimed_by, message.claimed_until = Status.CLAIMED, holder, until
    return messages


def _step(message: OutboxMessage, *, allowed: Iterable[str], to: str, **changes) -> bool:
    """Move this holder's message to ``to`` if it still is where the holder left it."""
    moved = OutboxMessage.objects.filter(
        pk=message.pk, status__in=list(allowed), claimed_by=message.claimed_by
    ).update(status=to, **changes)
    if moved:
        message.refresh_from_db()
    return bool(moved)


def start_sending(*, message: OutboxMessage, at: dt.datetime) -> bool:
    """Note that the wire is about to be touched. False: somebody else has the message now."""
    return _step(
        message,
        allowed=[Status.CLAIMED],
        to=Status.SENDING,
        attempts=F("attempts") + 1,
        claimed_until=at + SENDING_LEASE,
    )


def mark_sent(*, message: OutboxMessage, carrier: str, reference: str, at: dt.datetime) -> bool:
    """Note that the carrier took it. A slow sender that was given up may still say so."""
    return _step(
        message,
        allowed=[Status.SENDING, Status.UNKNOWN],
        to=Status.SENT,
        reason="",
        carrier=carrier,
        carrier_reference=reference[:200],
        claimed_until=None,
        settled_at=at,
    )


def mark_failed(*, message: OutboxMessage, carrier: str, reason: str, at: dt.datetime) -> bool:
    """Note that the carrier refused it for good."""
    return _step(
        message,
        allowed=[Status.SENDING, Status.UNKNOWN],
        to=Status.FAILED,
        reason=reason[:_REASON_LENGTH],
        carrier=carrier,
        claimed_until=None,
        settled_at=at,
    )


def mark_unknown(*, message: OutboxMessage, carrier: str, reason: str, at: dt.datetime) -> bool:
    """Note that it may or may not have arrived. It is never sent again by itself."""
    return _step(
        message,
        allowed=[Status.SENDING],
        to=Status.UNKNOWN,
        reason=reason[:_REASON_LENGTH],
        carrier=carrier,
        claimed_until=None,
        settled_at=at,
    )


def put_back(*, message: OutboxMessage, reason: str, due_at: dt.datetime) -> bool:
    """Back into the queue until ``due_at``, after a "not now" or before the wire was touched."""
    return _step(
        message,
        allowed=[Status.CLAIMED, Status.SENDING],
        to=Status.DUE,
        reason=reason[:_REASON_LENGTH],
        due_at=due_at,
        claimed_by="",
        claimed_until=None,
    )


def suppress(*, message: OutboxMessage, reason: str, at: dt.datetime) -> bool:
    """Hold a claimed message back, with the reason in words."""
    return _step(
        message,
        allowed=[Status.CLAIMED],
        to=Status.SUPPRESSED,
        reason=reason[:_REASON_LENGTH],
        claimed_until=None,
        settled_at=at,
    )


def expire(*, message: OutboxMessage, at: dt.datetime) -> bool:
    """Note that a claimed message's time has passed; the last refusal stays as its reason."""
    return _step(
        message, allowed=[Status.CLAIMED], to=Status.EXPIRED, claimed_until=None, settled_at=at
    )


# --- a sweep cleans up after senders that died -------------------------------------------------


def release_claims(*, at: dt.datetime) -> int:
    """Claimed by a sender that died before the wire: due again. Returns how many."""
    return OutboxMessage.objects.filter(status=Status.CLAIMED, claimed_until__lte=at).update(
        status=Status.DUE, claimed_by="", claimed_until=None
    )


def give_up_sending(*, at: dt.datetime) -> int:
    """On the wire when the sender died: nobody knows, so nobody sends again. Returns how many."""
    return OutboxMessage.objects.filter(status=Status.SENDING, claimed_until__lte=at).update(
        status=Status.UNKNOWN,
        reason="The sender stopped while the message was on its way.",
        claimed_until=None,
        settled_at=at,
    )


def expire_due(*, at: dt.datetime) -> int:
    """Due past its time: too late. Returns how many."""
    return OutboxMessage.objects.filter(status=Status.DUE, expires_at__lte=at).update(
        status=Status.EXPIRED, settled_at=at
    )


# --- addresses -------------------------------------------------------------------------------


def suppress_address(
    *, channel: str, address: str, reason: str, at: dt.datetime, by_owner: bool = False
) -> Suppression:
    """Never write to this address again. The first reason stands, the owner's own no above it."""
    row, created = Suppression.objects.get_or_create(
        channel=channel,
        address=same_address(channel, address),
        defaults={"reason": reason[:200], "by_owner": by_owner, "since": at},
    )
    if by_owner and not created:
        Suppression.objects.filter(pk=row.pk, by_owner=False).update(
            by_owner=True, reason=reason[:200], since=at
        )
        row.refresh_from_db()
    return row


def suppressed_addresses(addresses: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Of these (channel, address) pairs, the suppressed ones and the reason to write down."""
    wanted = {(channel, same_address(channel, address)) for channel, address in addresses}
    found = Suppression.objects.filter(Q(address__in={address for _, address in wanted}))
    return {
        (row.channel, row.address): f"The address is suppressed: {row.reason}"
        for row in found
        if (row.channel, row.address) in wanted
    }
