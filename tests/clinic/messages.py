"""Messages for tests of the outbox: alerts to staff, which no room above has a say in."""

import asyncio
import datetime as dt
import uuid
from collections.abc import Sequence

from clinic.messaging import outbox
from clinic.messaging.exchange import Exchange
from clinic.messaging.ledger import Ledger, Outcome
from clinic.models import OutboxMessage
from clinic.models.messaging import Channel

AT = dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC)


def queued(address: str = "ruth@practice.example", **fields) -> OutboxMessage:
    return outbox.queue_message(
        **{
            "key": f"test:{uuid.uuid4()}",
            "kind": OutboxMessage.Kind.STAFF_ALERT,
            "channel": Channel.EMAIL,
            "subject_type": "alert",
            "subject_id": 1,
            "address": address,
            "subject_line": "Someone on your caseload needs you: today",
            "body": "Open your caseload:\n{link}",
            "due_at": AT,
            "expires_at": AT + dt.timedelta(hours=13),
            "at": AT,
            **fields,
        }
    )


def exchange(
    ledger: Ledger,
    outcomes: Sequence[Outcome] = (),
    start: Sequence[OutboxMessage] = (),
    *,
    at: dt.datetime = AT,
) -> list[OutboxMessage]:
    """One step of a sender: what came back, and what goes out; returns what may go."""

    async def once() -> list[OutboxMessage]:
        line = Exchange()
        try:
            return await line.exchange(
                outcomes, start, senders=ledger.sender_ids, carrier="test", at=at
            )
        finally:
            await line.close()

    return asyncio.run(once())
