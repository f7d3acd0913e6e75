"""What carriers say of a message later, and what follows from it.

Once a carrier has spoken of a message, its status is the best of what was said, whatever the
order in which it arrived and however often: on the way, refused, not delivered, delivered, sent
back for good (``carrier_words`` has the ranks). So a message that was due again, held back or
given up as unknown, because we believed that it had not gone, is settled by its first receipt and
never sent a second time.

Locks are taken by whoever sends in another order than here; a deadlock is tried again.
"""

import datetime as dt
import logging
import uuid

from django.db import OperationalError, transaction
from psycopg.errors import DeadlockDetected

from clinic.messaging import carrier_words, outbox, stopping
from clinic.messaging.carrier_words import Verdict
from clinic.models import OutboxMessage, Receipt
from clinic.models.messaging import Channel

log = logging.getLogger(__name__)
Status = OutboxMessage.Status

_TRIES = 3
# A phone that was switched off for a weekend is no dead number: so many in a row, over so long.
_IN_A_ROW, _AT_LEAST_OVER = 3, dt.timedelta(days=2)
_LOOK_BACK = dt.timedelta(days=30)


def record(
    *,
    message_id: uuid.UUID,
    event: str,
    at: dt.datetime,
    code: str = "",
    reference: str = "",
    carrier: str = "",
) -> bool:
    """Keep one word of a carrier and do what follows from it. True when it was new.

    ``event`` is one of ``carrier_words.EVENTS``, ``code`` the carrier's own, ``reference`` its id
    of the message. The same event of a message is kept once; a message that is not ours is
    ignored. One transaction: the receipt, the status, a closed address and what rooms above do
    about it.
    """
    for left in reversed(range(_TRIES)):
        try:
            with transaction.atomic():
                return _record(message_id, event, at, code, reference, carrier)
        except OperationalError as error:
            if not left or not isinstance(error.__cause__, DeadlockDetected):
                raise
    raise AssertionError("unreachable")


def _record(
    message_id: uuid.UUID, event: str, at: dt.datetime, code: str, reference: str, carrier: str
) -> bool:
    if event not in carrier_words.EVENTS:
        raise ValueError(f"No event of ours: {event!r}.")
    message = OutboxMessage.objects.filter(pk=message_id).first()
    if message is None:
        return False
    _, new = Receipt.objects.get_or_create(
        message=message, event=event, defaults={"code": code[:20], "received_at": at}
    )
    if not new:
        return False
    said = carrier_words.verdict(event, code)
    closes = said.closes or (carrier_words.WORN_OUT if _worn_out(message, said) else "")
    if closes:
        _close(message, closes, by_owner=said.by_owner, at=at)
    _settle(message_id, at=at, reference=reference, carrier=carrier)
    log.info("message %s: the carrier says %s %s", message_id, event, code)
    return True


def _settle(message_id: uuid.UUID, *, at: dt.datetime, reference: str, carrier: str) -> None:
    """Set the status that follows from everything said of this message so far."""
    # Whoever comes second waits here, and then reads the receipt of the first as well.
    row = OutboxMessage.objects.select_for_update(no_key=True).get(pk=message_id)
    best = max(
        (
            carrier_words.verdict(receipt.event, receipt.code)
            for receipt in row.receipts.all()
            if receipt.event in carrier_words.EVENTS
        ),
        key=lambda verdict: verdict.rank,
    )
    OutboxMessage.objects.filter(pk=message_id).update(
        status=best.status,
        reason=best.reason,
        wake_at=None,
        settled_at=row.settled_at if row.settled_at and row.status == best.status else at,
        carrier=row.carrier or carrier[:40],
        carrier_reference=row.carrier_reference or reference[:200],
    )


def _close(message: OutboxMessage, reason: str, *, by_owner: bool, at: dt.datetime) -> None:
    where = {"channel": message.channel, "address": message.address, "reason": reason, "at": at}
    if by_owner:
        # Said of the whole address: everybody who is reached by it is stopped.
        stopping.stop(way="carrier", **where)
    else:
        outbox.suppress_address(**where)


def _worn_out(message: OutboxMessage, said: Verdict) -> bool:
    """Whether this was one too many in a row that did not reach the phone or mailbox."""
    if not said.wears_out:
        return False
    before = list(
        OutboxMessage.objects.about(message.subject_type, message.subject_id)
        .filter(
            channel=message.channel,
            address=message.address,
            due_at__lt=message.due_at,
            due_at__gt=message.due_at - _LOOK_BACK,
            status__in=[Status.BOUNCED, Status.DELIVERED, Status.FAILED],
        )
        .prefetch_related("receipts")
        .order_by("-due_at")[: _IN_A_ROW - 1]
    )
    return (
        len(before) == _IN_A_ROW - 1
        and message.due_at - before[-1].due_at >= _AT_LEAST_OVER
        and all(earlier.status == Status.BOUNCED and _wore(earlier) for earlier in before)
    )


def _wore(message: OutboxMessage) -> bool:
    return any(
        carrier_words.verdict(receipt.event, receipt.code).wears_out
        for receipt in message.receipts.all()
        if receipt.event in carrier_words.EVENTS
    )


def message_of_mail(*, reference: str, address: str, at: dt.datetime) -> uuid.UUID | None:
    """The mail that a service knows by this id of its own, among those of the last 30 days."""
    found = OutboxMessage.objects.filter(
        channel=Channel.EMAIL,
        carrier_reference=reference[:200],
        due_at__gt=at - _LOOK_BACK,
        due_at__lte=at + dt.timedelta(days=1),
    )
    if address:
        found = found.filter(address=outbox.same_address(Channel.EMAIL, address))
    return found.order_by().values_list("pk", flat=True).first()


def is_known_by_another(*, message_id: uuid.UUID, reference: str) -> bool:
    """Whether the carrier gave this message a reference, and it is not this one."""
    known = OutboxMessage.objects.filter(pk=message_id).values_list("carrier_reference", flat=True)
    return bool(reference) and known.exclude(carrier_reference__in=["", reference]).exists()
