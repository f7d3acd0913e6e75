"""What came back from the wire and what goes out next: one statement, one commit.

That is one round trip for every handful of messages, and there are never more rows on the wire
than a sender has lines. It has an asynchronous connection of its own, on the loop of the lines:
handing each commit to a thread and back cost more than the commit.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connection

from clinic.messaging import outbox
from clinic.messaging.ledger import Outcome
from clinic.models import OutboxMessage

Status = OutboxMessage.Status

# A start may be asked for again after a commit whose answer was lost; only this sender starts what
# it holds. IS NOT DISTINCT FROM and the function around the array keep the planner off the index
# on the sender, which would read everything that this sender has ever sent.
_START = """
UPDATE clinic_outboxmessage SET status = 'sending', attempts = attempts + 1
WHERE id = ANY(%(start)b::uuid[]) AND sender_id IS NOT DISTINCT FROM %(sender)b::bigint
  AND status IN ('claimed', 'sending')
RETURNING id
"""
_ALL_SENT = f"""
WITH settled AS (
    UPDATE clinic_outboxmessage AS message
    SET status = 'sent', reason = '', carrier = %(carrier)t,
        carrier_reference = said.reference, settled_at = %(at)b
    FROM unnest(%(ids)b::uuid[], %(references)b::text[]) AS said (id, reference)
    WHERE message.id = said.id
      AND array_position(%(senders)b::bigint[], message.sender_id) IS NOT NULL
      AND message.status IN ('sending', 'unknown')
)
{_START}"""
_MIXED = f"""
WITH settled AS (
    UPDATE clinic_outboxmessage AS message
    SET status = said.status, reason = said.reason, carrier = %(carrier)t,
        carrier_reference = said.reference, wake_at = said.wake_at,
        settled_at = CASE said.status WHEN 'due' THEN NULL ELSE %(at)b::timestamptz END,
        sender_id = CASE said.status WHEN 'due' THEN NULL ELSE message.sender_id END
    FROM unnest(%(ids)b::uuid[], %(statuses)b::text[], %(reasons)b::text[],
                %(references)b::text[], %(wake_ats)b::timestamptz[])
        AS said (id, status, reason, reference, wake_at)
    WHERE message.id = said.id
      AND array_position(%(senders)b::bigint[], message.sender_id) IS NOT NULL
      AND (message.status = 'sending' OR message.status = 'unknown' AND said.status <> 'due')
)
{_START}"""
# A handful of rows found by their ids, whatever the statistics say of the table.
_BY_ID_ONLY = (
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; "
    "SET plan_cache_mode = force_generic_plan; SET jit = off"
)
_WHERE_TO = ("dbname", "user", "password", "host", "port", "options", "service", "passfile")


class Exchange:
    """One lane's connection. Raises psycopg.Error, after which the same may be asked again."""

    def __init__(self) -> None:
        self._line: psycopg.AsyncConnection | None = None

    async def exchange(
        self,
        outcomes: Sequence[Outcome],
        start: Sequence[OutboxMessage],
        *,
        senders: Sequence[int],
        carrier: str,
        at: dt.datetime,
    ) -> list[OutboxMessage]:
        """Write down ``outcomes`` and that ``start`` goes on the wire; return what may go.

        Committed when this returns. ``senders`` are this sender's ids, the present one last. A
        message that was held back or given away meanwhile is not among those returned.
        """
        if self._line is None or self._line.closed:
            self._line = await _open()
        values: dict[str, Any] = {
            "senders": list(senders),
            "sender": senders[-1] if senders else None,
            "carrier": carrier,
            "at": at,
            "ids": [outcome.message.pk for outcome in outcomes],
            "references": [outcome.reference[:200] for outcome in outcomes],
            "start": [message.pk for message in start],
        }
        statement = _ALL_SENT
        if any(outcome.status != Status.SENT for outcome in outcomes):
            statement = _MIXED
            values |= {
                "statuses": [str(outcome.status) for outcome in outcomes],
                "reasons": [outcome.reason[: outbox.REASON_LENGTH] for outcome in outcomes],
                "wake_ats": [outcome.wake_at for outcome in outcomes],
            }
        try:
            cursor = await self._line.execute(statement, values, prepare=True, binary=True)
            if cursor.rowcount == len(start):
                return list(start)
            started = {row[0] for row in await cursor.fetchall()}
        except BaseException:
            # Also when cancelled: an answer left on the line would be taken for the next one's.
            await self.close()
            raise
        return [message for message in start if message.pk in started]

    async def close(self) -> None:
        if self._line is not None:
            await self._line.close()
            self._line = None


async def _open() -> psycopg.AsyncConnection:
    known = connection.get_connection_params()
    where = {
        name: value
        for name, value in known.items()
        if name in _WHERE_TO or name.startswith(("ssl", "keepalives", "connect_timeout"))
    }
    line = await psycopg.AsyncConnection.connect(**where, autocommit=True)
    await line.execute(_BY_ID_ONLY)
    return line
