"""One channel of one sending process: as many deliveries at once as the carrier has lines.

Everything here runs on one event loop: a keeper brings messages from the queue, by way of a thread
with a database connection of its own, and a clerk writes down what came back and what goes out.
"""

import asyncio
import contextlib
import dataclasses
import datetime as dt
import logging
import random
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
from django.db import Error as DatabaseTrouble
from django.db import connections

from clinic.messaging import links
from clinic.messaging.exchange import Exchange
from clinic.messaging.gateways import Gateway, GatewayError, OutcomeUnknown
from clinic.messaging.ledger import LeaseLost, Ledger, Outcome
from clinic.models import OutboxMessage

log = logging.getLogger(__name__)
Status = OutboxMessage.Status

_FIRST_WAIT, _LONGEST_WAIT = dt.timedelta(seconds=30), dt.timedelta(minutes=15)
# How long a lane leaves a carrier alone that could not be reached and did not say how long.
_AWAY = dt.timedelta(seconds=20)
# A batch is about a tenth of a second of work: what waits in one sender's hands
# for long could have gone out by another, or been overtaken by an alert.
_SMALLEST_BATCH, _LARGEST_BATCH = 20, 400
_SHORT_S, _LONG_S = 0.08, 0.25
_RENEW_S = 5.0
# Passes of the event loop without a newcomer after which a commit is worth its while.
_PASSES = 3
# What came back is known and not yet written down: worth waiting for a database that restarts.
_PATIENCE_S = 90.0


@dataclasses.dataclass
class SendReport:
    """How many messages were taken, and what became of them."""

    claimed: int = 0
    sent: int = 0
    failed: int = 0
    put_back: int = 0
    unknown: int = 0
    suppressed: int = 0
    expired: int = 0
    lost_lease: int = 0

    def add(self, other: "SendReport") -> None:
        for field in dataclasses.fields(self):
            total = getattr(self, field.name) + getattr(other, field.name)
            setattr(self, field.name, total)


class Lane:
    """Sends what is due on one channel until nothing is, its time is up or its carrier is away."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        gateway: Gateway,
        clock: Callable[[], dt.datetime],
        until: dt.datetime | None,
    ) -> None:
        self._ledger, self._gateway = ledger, gateway
        self._clock, self._until = clock, until
        self._report = SendReport()
        self._came_back: list[Outcome] = []
        # Messages on the wire, or about to be, or back and not yet written down.
        self._out = 0
        self._dry = self._over = False
        self._away: GatewayError | None = None
        self._batch = self._smallest = max(_SMALLEST_BATCH, 2 * gateway.lines)
        self._book = Exchange()
        # Something is to be written down; the stock runs low or everything is back.
        self._to_write, self._to_keep = asyncio.Event(), asyncio.Event()
        self._flights: set[asyncio.Task[None]] = set()

    async def run(self) -> SendReport:
        """The lane's whole work; what it holds has been given back when this returns."""
        self._desk = _Desk()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_stock())
                group.create_task(self._write_down())
        finally:
            for flight in self._flights:
                flight.cancel()
            await self._book.close()
            with contextlib.suppress(DatabaseTrouble):
                # Else the lease runs out by itself, and a sweep gives back what is left.
                await self._desk.ask(self._ledger.release)
            await self._desk.close()
        return self._report

    # --- the keeper ----------------------------------------------------------------------------

    async def _keep_stock(self) -> None:
        last_visit = 0.0
        loop = asyncio.get_running_loop()
        last_renewed = loop.time()
        while not self._over:
            stock = self._ledger.stock
            if self._away or (self._until is not None and self._clock() >= self._until):
                self._dry = True
                if stock:
                    await self._patiently(self._desk.ask, self._give_back)
            elif not self._dry and len(stock) <= self._batch // 2:
                since = loop.time() - last_visit
                if since < _SHORT_S:
                    self._batch = min(2 * self._batch, _LARGEST_BATCH)
                elif since > _LONG_S:
                    self._batch = max(self._batch // 2, self._smallest)
                last_visit = last_renewed = loop.time()
                await self._visit_queue()
                continue
            if self._dry and not stock and not self._out and not self._came_back:
                self._over = True
                self._wake()
                return
            if loop.time() - last_renewed > _RENEW_S:
                last_renewed = loop.time()
                await self._patiently(self._desk.ask, self._ledger.renew)
            self._to_keep.clear()
            try:
                async with asyncio.timeout(_RENEW_S):
                    await self._to_keep.wait()
            except TimeoutError:
                pass

    async def _visit_queue(self) -> None:
        refill = await self._patiently(self._desk.ask, self._ledger.refill, self._batch)
        if refill is None:
            self._dry = True
            return
        self._report.claimed += refill.claimed
        self._report.suppressed += refill.suppressed
        self._report.expired += refill.expired
        self._report.put_back += refill.put_back
        self._dry = refill.claimed < self._batch
        self._wake()

    def _give_back(self) -> int:
        wait = None
        if self._away is not None:
            seconds = self._away.retry_after or _AWAY.total_seconds() * random.uniform(0.5, 1.5)
            wait = self._clock() + dt.timedelta(seconds=seconds)
        given = self._ledger.release(wake_at=wait)
        self._report.put_back += given
        return given

    # --- the clerk -----------------------------------------------------------------------------

    async def _write_down(self) -> None:
        while not self._over:
            self._to_write.clear()
            await self._gather()
            outcomes, self._came_back = self._came_back, []
            free = self._gateway.lines - self._out + len(outcomes)
            start = self._take(0 if self._away else free)
            if not outcomes and not start:
                await self._to_write.wait()
                continue
            self._out += len(start) - len(outcomes)
            started = await self._patiently(self._exchange, outcomes, start)
            if started is None:
                self._ledger.doubt()
                started = []
            lost = len(start) - len(started)
            self._out -= lost
            self._report.lost_lease += lost
            for message in started:
                flight = asyncio.create_task(self._fly(message))
                self._flights.add(flight)
                flight.add_done_callback(self._flights.discard)
            self._wake()

    async def _gather(self) -> None:
        """Let whoever else is about to come back come along: under load they come close together,
        and one commit for many costs little more than for one. Nobody is waited for."""
        seen, still = -1, 0
        while still < _PASSES:
            await asyncio.sleep(0)
            still = still + 1 if len(self._came_back) == seen else 0
            seen = len(self._came_back)

    async def _exchange(
        self, outcomes: list[Outcome], start: list[OutboxMessage]
    ) -> list[OutboxMessage]:
        dead = [outcome for outcome in outcomes if outcome.refusal is not None]
        if dead:
            await self._desk.ask(self._ledger.close_dead_addresses, dead)
        return await self._book.exchange(
            outcomes,
            start,
            senders=self._ledger.sender_ids,
            carrier=self._gateway.name,
            at=self._clock(),
        )

    def _take(self, wanted: int) -> list[OutboxMessage]:
        stock = self._ledger.stock
        return [stock.popleft() for _ in range(min(wanted, len(stock)))]

    async def _fly(self, message: OutboxMessage) -> None:
        outcome = await self._deliver(message)
        # Only now: the list may have been exchanged while the message was away.
        self._came_back.append(outcome)
        self._wake()

    async def _deliver(self, message: OutboxMessage) -> Outcome:
        try:
            reference = await self._gateway.deliver(message, links.link_of(message))
        except GatewayError as error:
            log.warning("message %s: carrier said %s", message.pk, error.code)
            return self._refused(message, error)
        except OutcomeUnknown as error:
            log.warning("message %s: outcome unknown", message.pk)
            return self._lost_sight(message, error.text)
        except Exception as error:
            # Not foreseen, so not known either: better one message too few than one twice. The
            # error's own text may quote the message and stays out of the log.
            log.error("message %s: %s while delivering", message.pk, type(error).__name__)
            what = f"An unforeseen error while delivering ({type(error).__name__})."
            return self._lost_sight(message, what)
        self._report.sent += 1
        return Outcome(message, Status.SENT, self._clock(), reference=reference)

    def _refused(self, message: OutboxMessage, error: GatewayError) -> Outcome:
        now = self._clock()
        if error.permanent:
            self._report.failed += 1
            return Outcome(message, Status.FAILED, now, reason=error.text, refusal=error)
        if error.carrier_away or error.retry_after is not None:
            self._away = error
        self._report.put_back += 1
        wake_at = _next_try(message.attempts + 1, now, error.retry_after)
        return Outcome(message, Status.DUE, now, reason=error.text, wake_at=wake_at)

    def _lost_sight(self, message: OutboxMessage, reason: str) -> Outcome:
        self._report.unknown += 1
        return Outcome(message, Status.UNKNOWN, self._clock(), reason=reason)

    # --- threads -------------------------------------------------------------------------------

    def _wake(self) -> None:
        self._to_write.set()
        if not self._out or len(self._ledger.stock) <= self._batch // 2:
            self._to_keep.set()

    async def _patiently(self, do: Callable[..., Awaitable], *arguments):
        """The answer, also from a database that restarts meanwhile; None when it stays away or
        when the lease was lost, and then the lane ends."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + _PATIENCE_S
        wait = 0.05
        while True:
            try:
                return await do(*arguments)
            except LeaseLost:
                log.warning("the lease of this sender ran out; what it held was given away")
                self._dry = True
                return None
            except (DatabaseTrouble, psycopg.Error, OSError) as error:
                log.warning("%s in the ledger; trying again", type(error).__name__)
                await self._desk.ask(connections.close_all)
                if loop.time() > give_up:
                    self._dry = True
                    return None
                await asyncio.sleep(wait * random.uniform(0.5, 1.0))
                wait = min(2 * wait, 2.0)


class _Desk:
    """A thread of its own with a database connection of its own."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")

    async def ask(self, call: Callable, *arguments):
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)

    async def close(self) -> None:
        await self.ask(connections.close_all)
        self._thread.shutdown()


def _next_try(attempts: int, now: dt.datetime, retry_after: float | None) -> dt.datetime:
    """Twice as long after every try, with some chance in it so that a crowd does not return."""
    wait = min(_FIRST_WAIT * 2 ** max(attempts - 1, 0), _LONGEST_WAIT) * random.uniform(0.5, 1.0)
    if retry_after is not None:
        # What the carrier asked for is the least; a little more, or all come back at once.
        asked = dt.timedelta(seconds=retry_after * random.uniform(1.0, 1.2))
        wait = max(asked, wait) if retry_after < 3600 else asked
    return now + wait
