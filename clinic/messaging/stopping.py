"""The owner of an address says no to messages."""

import datetime as dt

from django.db import connection, transaction

from clinic.messaging import outbox
from clinic.models import OutboxMessage
from clinic.signals import address_stopped


@transaction.atomic
def stop(
    *,
    channel: str,
    address: str,
    at: dt.datetime,
    way: str,
    reason: str,
    subject: tuple[str, str] | None = None,
) -> bool:
    """Take a person's no. Once this is committed nothing more starts to them there.

    ``subject`` is the person whose message it was. Where somebody else wants messages at the same
    address, only that person's stop and theirs go on; else the address itself is closed, for all
    messages. True when the address was closed. Saying no twice changes nothing.
    """
    # First of all, so that no sender has asked for consent before it is withdrawn and starts after.
    with connection.cursor() as cursor:
        outbox.nothing_goes_out(cursor)
    answers = address_stopped.send(
        OutboxMessage,
        channel=channel,
        address=outbox.same_address(channel, address),
        at=at,
        way=way,
        subject=subject,
    )
    if subject is not None and any(answer is True for _, answer in answers):
        outbox.hold_back(
            subject=subject,
            address=(channel, address),
            reason=reason,
            at=at,
            kinds=OutboxMessage.STOPPABLE,
        )
        return False
    outbox.suppress_address(channel=channel, address=address, reason=reason, at=at, by_owner=True)
    return True
