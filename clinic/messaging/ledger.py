"""One sender's side of the outbox: what it has taken, what goes on the wire, what became of it.

A sender holds a lease. It takes messages in batches (``refill``), asks what speaks against them,
and then, one step at a time and each step one statement, notes what became of those that came back
and that the next ones go on the wire (``exchange``). Whatever kills it in between, the rows say
how far each message came, and ``sweep`` settles what it held.

Every function here speaks to the database and waits for it; none may be called on an event loop.
"""

import collections
import dataclasses
import datetime as dt
import logging
import threading
import uuid
from collections.abc import Callable, Sequence

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import connection, transaction
from django.db.models import F
from django.db.models.base import ModelState
from django.utils import timezone

from clinic.messaging import outbox, stopping
from clinic.messaging.gateways.errors import GatewayError
from clinic.models import MessageText, OutboxMessage, Sender
from clinic.models.messaging import OutboxQuerySet
from clinic.prepared import prepared_rows
from clinic.signals import before_sending

log = logging.getLogger(__name__)
Status = OutboxMessage.Status

_ASK_AGAIN_AFTER = dt.timedelta(minutes=1)
# What a sender, a gateway or a room above asks of a message.
_FIELDS = [
    "id", "key", "kind", "channel", "subject_type", "subject_id", "local_date", "address",
    "text_id", "priority", "due_at", "expires_at", "link_expires_at", "status", "attempts",
    "sender_id",
]  # fmt: skip

# For this transaction: a few hundred rows found by their ids, whatever the statistics say of the
# tables. Reading a whole table for each batch costs more than all the rest. And nobody waits for
# the disk: a claim that a crash forgets was never acted on, because what goes on the wire is
# committed to the disk first, and this commit lies before that one in the log.
_FOR_TAKING = """
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
       set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true),
       set_config('plan_cache_mode', 'force_generic_plan', true),
       set_config('synchronous_commit', 'off', true)
"""
# A row that is locked stays where it is on its page, so it is found there and not by an index.
_CLAIM = f"""
WITH waiting AS MATERIALIZED (
    SELECT ctid FROM clinic_outboxmessage
    WHERE channel = %s AND wake_at <= %s
    ORDER BY priority, wake_at LIMIT %s FOR UPDATE SKIP LOCKED
)
UPDATE clinic_outboxmessage AS message
SET status = 'claimed', sender_id = %s, wake_at = NULL
FROM waiting WHERE message.ctid = waiting.ctid
RETURNING {", ".join(f"message.{name}" for name in _FIELDS)}, (
    SELECT reason FROM clinic_suppression AS closed
    WHERE closed.channel = message.channel AND closed.address = message.address
      AND closed.lifted_at IS NULL)
"""


@dataclasses.dataclass(slots=True, frozen=True)
class Outcome:
    """What became of one message: a settled status, or ``due`` again at ``wake_at``."""

    message: OutboxMessage
    status: str
    at: dt.datetime
    reason: str = ""
    reference: str = ""
    wake_at: dt.datetime | None = None
    # The carrier's no, when the address itself may be the reason.
    refusal: GatewayError | None = None


@dataclasses.dataclass(frozen=True)
class Refill:
    """What one visit to the queue brought: how many were taken, and why some stay here."""

    claimed: int
    suppressed: int
    expired: int
    put_back: int


class LeaseLost(Exception):
    """A sweep took this sender for dead and gave away what it held."""


class Ledger:
    """What one sender holds of one channel. ``stock`` is taken and checked, but not on the wire."""

    def __init__(self, *, channel: str, name: str) -> None:
        self.channel = channel
        self.clock: Callable[[], dt.datetime] = timezone.now
        self.stock: collections.deque[OutboxMessage] = collections.deque()
        self._name = name[:80]
        self._sender_id: int | None = None
        self._texts: dict[int, MessageText] = {}
        # After a commit whose answer was lost, rows may be ours that are not in our hands.
        self._unsure = False
        self._sender_ids: list[int] = []
        self._taking = threading.Lock()

    # --- taking ------------------------------------------------------------------------------

    def refill(self, limit: int) -> Refill:
        """Take up to ``limit`` due messages, and keep those that nothing speaks against.

        Renews the lease. Whoever closes an address waits until this is committed, and then finds
        the rows: a message is either seen here as stopped or stopped in our hands.
        """
        with self._taking:
            # A lease is asked for when there is something to take.
            if self._sender_id is None and not self._is_anything_due():
                return Refill(0, 0, 0, 0)
            try:
                with transaction.atomic(durable=True), connection.cursor() as cursor:
                    outbox.going_out(cursor)
                    cursor.execute(_FOR_TAKING)
                    now = self.clock()
                    self._renew(now)
                    self._let_go_of_strays()
                    rows = prepared_rows(_CLAIM, [self.channel, now, limit, self._sender_id])
                    taken = [_message(row[:-1]) for row in rows]
                    closed = {row[0]: row[-1] for row in rows if row[-1] is not None}
                    # RETURNING keeps no order.
                    taken.sort(key=lambda message: (message.priority, message.due_at))
                    good, refill = self._look(taken, closed, now)
            except DatabaseTrouble:
                self._unsure = True
                raise
            self._unsure = False
            self.stock.extend(good)
            return refill

    def _is_anything_due(self) -> bool:
        return OutboxMessage.objects.due(self.clock()).filter(channel=self.channel).exists()

    def _renew(self, now: dt.datetime) -> None:
        until = now + dt.timedelta(seconds=settings.SENDER_LEASE_S)
        alive = Sender.objects.filter(pk=self._sender_id, ended_at__isnull=True)
        if self._sender_id is not None and alive.update(alive_until=until):
            return
        self._sender_id = None
        if self.stock:
            self.stock.clear()
            raise LeaseLost
        # A claim of ours may have been committed after the sweep that took us for dead.
        _give_back(OutboxMessage.objects.filter(sender__in=self._sender_ids, status=Status.CLAIMED))
        self._sender_id = Sender.objects.create(
            name=self._name, started_at=now, alive_until=until
        ).pk
        self._sender_ids = [*self._sender_ids[-3:], self._sender_id]

    def _let_go_of_strays(self) -> None:
        if self._unsure:
            held = [message.pk for message in self.stock]
            _give_back(
                OutboxMessage.objects.filter(sender=self._sender_id, status=Status.CLAIMED).exclude(
                    pk__in=held
                )
            )

    def _look(
        self, taken: list[OutboxMessage], closed: dict[uuid.UUID, str], now: dt.datetime
    ) -> tuple[list[OutboxMessage], Refill]:
        """Sort what was taken into what may go out and what stays, and write down why. ``closed``
        has the reason of the suppression for messages whose address has one."""
        late = [message for message in taken if message.expires_at <= now]
        rest = taken
        if late:
            OutboxMessage.objects.filter(pk__in=[message.pk for message in late]).update(
                status=Status.EXPIRED, settled_at=now
            )
            rest = [message for message in taken if message.expires_at > now]
        reasons, waits, unasked = _ask(rest, closed, now)
        if unasked:
            OutboxMessage.objects.filter(pk__in=unasked).update(
                status=Status.DUE,
                sender=None,
                wake_at=now + _ASK_AGAIN_AFTER,
                reason="It could not be checked whether it may go out.",
            )
            rest = [message for message in rest if message.pk not in unasked]
        by_reason: dict[str, list] = collections.defaultdict(list)
        for pk, reason in reasons.items():
            by_reason[reason[: outbox.REASON_LENGTH]].append(pk)
        for reason, pks in by_reason.items():
            OutboxMessage.objects.filter(pk__in=pks).update(
                status=Status.SUPPRESSED, reason=reason, settled_at=now
            )
        by_moment: dict[dt.datetime, list] = collections.defaultdict(list)
        for pk, moment in waits.items():
            by_moment[moment].append(pk)
        for moment, pks in by_moment.items():
            OutboxMessage.objects.filter(pk__in=pks).update(
                status=Status.DUE, sender=None, due_at=moment, wake_at=moment
            )
        stay = reasons.keys() | waits.keys()
        good = [message for message in rest if message.pk not in stay] if stay else rest
        self._attach_texts(good)
        return good, Refill(len(taken), len(reasons), len(late), len(unasked) + len(waits))

    def _attach_texts(self, messages: list[OutboxMessage]) -> None:
        missing = {message.text_id for message in messages} - self._texts.keys()
        if missing:
            if len(self._texts) > 1000:
                self._texts.clear()
                missing = {message.text_id for message in messages}
            self._texts |= MessageText.objects.in_bulk(missing)
        for message in messages:
            message._state.fields_cache["text"] = self._texts[message.text_id]

    # --- the wire ----------------------------------------------------------------------------

    @property
    def sender_ids(self) -> list[int]:
        """Who this sender is and was: after a lost lease what happened still happened."""
        return self._sender_ids

    def close_dead_addresses(self, outcomes: Sequence[Outcome]) -> None:
        """Never write again where the carrier said that the address itself is the reason."""
        for outcome in outcomes:
            error, message = outcome.refusal, outcome.message
            if error is None or not error.dead_address:
                continue
            where = {"channel": message.channel, "address": message.address, "at": outcome.at}
            if error.by_owner:
                stopping.stop(way="carrier", reason=error.text, **where)
            else:
                outbox.suppress_address(reason=error.text, **where)

    def doubt(self) -> None:
        """What was taken may not all be in our hands: the next visit gives the rest back."""
        self._unsure = True

    def release(self, *, wake_at: dt.datetime | None = None) -> int:
        """Give back everything taken that is not on the wire. Returns how many."""
        if self._sender_id is None or not (self.stock or self._unsure):
            return 0
        self.stock.clear()
        self._unsure = False
        mine = OutboxMessage.objects.filter(sender=self._sender_id, status=Status.CLAIMED)
        return _give_back(mine, wake_at)

    def renew(self) -> None:
        """Say that this sender is alive."""
        with self._taking:
            if self._sender_id is not None:
                self._renew(self.clock())

    def end(self) -> None:
        """Nothing is on the wire any more: give everything back, and the lease too."""
        if self._sender_id is not None:
            with transaction.atomic():
                self._unsure = True
                self.release()
                Sender.objects.filter(pk=self._sender_id, ended_at__isnull=True).update(
                    ended_at=self.clock()
                )
            self._sender_id = None


@dataclasses.dataclass(frozen=True)
class SweepReport:
    """What dead or absent senders left behind: due again, outcome unknown, too late."""

    released: int
    unknown: int
    expired: int


def sweep(*, at: dt.datetime) -> SweepReport:
    """Settle what senders whose lease has run out held, and what nobody sent in time."""
    with transaction.atomic():
        dead = list(
            Sender.objects.filter(ended_at__isnull=True, alive_until__lte=at)
            .select_for_update(skip_locked=True)
            .values_list("pk", flat=True)
        )
        Sender.objects.filter(pk__in=dead).update(ended_at=at)
        theirs = OutboxMessage.objects.filter(sender__in=dead)
        released = _give_back(theirs.filter(status=Status.CLAIMED))
        # On the wire when the sender died: nobody knows, so nobody sends again.
        unknown = theirs.filter(status=Status.SENDING).update(
            status=Status.UNKNOWN,
            reason="The sender stopped while the message was on its way.",
            settled_at=at,
        )
    if unknown:
        log.warning("%s messages were given up with outcome unknown", unknown)
    return SweepReport(released=released, unknown=unknown, expired=outbox.expire_due(at=at))


def _give_back(messages: OutboxQuerySet, wake_at: dt.datetime | None = None) -> int:
    return messages.update(status=Status.DUE, sender=None, wake_at=wake_at or F("due_at"))


def _ask(
    messages: list[OutboxMessage], closed: dict[uuid.UUID, str], now: dt.datetime
) -> tuple[dict[uuid.UUID, str], dict[uuid.UUID, dt.datetime], set[uuid.UUID]]:
    """Why messages must not go out, until when others are put off, and of which nobody could say.

    A fault in asking must neither let a message out nor hold up the others: those are asked about
    in halves until it is alone.
    """
    try:
        return *_objections(messages, closed, now), set()
    except DatabaseTrouble:
        raise
    except Exception as error:
        if len(messages) == 1:
            name, kind = type(error).__name__, messages[0].kind
            log.error("%s while checking a message of kind %s", name, kind)
            return {}, {}, {messages[0].pk}
    middle = len(messages) // 2
    first, second = (_ask(half, closed, now) for half in (messages[:middle], messages[middle:]))
    return first[0] | second[0], first[1] | second[1], first[2] | second[2]


def _objections(
    messages: list[OutboxMessage], closed: dict[uuid.UUID, str], now: dt.datetime
) -> tuple[dict[uuid.UUID, str], dict[uuid.UUID, dt.datetime]]:
    """Why messages must not go out, by id, in words; and until when others are put off."""
    waits: dict[uuid.UUID, dt.datetime] = {}
    shut = [message for message in messages if message.pk in closed] if closed else []
    reasons = {
        message.pk: outbox.suppressed_because(closed[message.pk])
        for message in shut
        if not outbox.goes_all_the_same(message)
    }
    if messages:
        for _, answer in before_sending.send(OutboxMessage, messages=messages, at=now):
            for pk, said in (answer or {}).items():
                if isinstance(said, dt.datetime):
                    waits[pk] = max(said, waits.get(pk, said))
                elif said:
                    reasons[pk] = said
    # What is held back needs no other hour; what would wait for a moment gone by may go.
    return reasons, {pk: at for pk, at in waits.items() if pk not in reasons and at > now}


def _message(row: tuple) -> OutboxMessage:
    # What from_db does, without its signals and its loop over columns that were not asked for:
    # a sender makes thousands of these a second.
    message = OutboxMessage.__new__(OutboxMessage)
    message._state = ModelState()
    message._state.adding, message._state.db = False, "default"
    message.__dict__.update(zip(_FIELDS, row, strict=True))
    return message
