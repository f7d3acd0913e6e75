"""Sending what is due: a lane per channel, side by side, so that none holds up the other.

For each message: take it, ask whether anything speaks against it, commit that it goes on the
wire, hand it to the carrier, commit the outcome. Whatever kills the sender in between, the row
says how far it came. Nothing here keeps a transaction open while a carrier is spoken to.
"""

import asyncio
import contextlib
import datetime as dt
import gc
import logging
import os
import socket
import sys
from collections.abc import Callable, Iterator

from django.db import Error as DatabaseTrouble
from django.db import close_old_connections, connection
from django.utils import timezone

from clinic import health
from clinic.messaging.gateways import Gateway, GatewayError, gateway_for
from clinic.messaging.lane import Lane, SendReport
from clinic.messaging.ledger import Ledger, SweepReport, sweep
from clinic.models.messaging import Channel

log = logging.getLogger(__name__)

__all__ = [
    "Dispatcher",
    "SendReport",
    "SweepReport",
    "close_own",
    "of_this_process",
    "send_all_due",
    "sweep",
]

_SWITCH_S = 0.0005


@contextlib.contextmanager
def at_full_speed() -> Iterator[None]:
    """For the length of a round: nothing else of this process is worth a message's time."""
    usual = sys.getswitchinterval()
    # The thread that reads the queue must not keep the lines waiting for five milliseconds
    # each time: with slow carriers that is what they would mostly wait for.
    sys.setswitchinterval(_SWITCH_S)
    # What was loaded before stays; looking through all of it for garbage with every few hundred
    # messages takes longer than making them.
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(usual)


class Dispatcher:
    """What a sending process keeps between its rounds: an event loop and open lines."""

    def __init__(self, worker: str = "") -> None:
        self._name = worker or f"{socket.gethostname()[:30]}:{os.getpid()}"
        self._runner = asyncio.Runner()
        self._gateways: dict[str, Gateway] = {}
        self._ledgers = {
            channel: Ledger(channel=channel, name=f"{self._name} {channel}")
            for channel in Channel.values
        }

    def send(
        self, *, at: dt.datetime | None = None, until: dt.datetime | None = None
    ) -> SendReport:
        """Send until nothing is due, or take nothing new from ``until`` on.

        ``at`` stands still for the whole round when given; otherwise each step reads the clock.
        """
        if connection.in_atomic_block:
            raise RuntimeError("What is not committed yet cannot be sent.")
        clock = (lambda: at) if at is not None else timezone.now
        with at_full_speed():
            report, took = self._runner.run(self._round(clock, until))
        # The round may have outlived this thread's own connection to the database.
        close_old_connections()
        with contextlib.suppress(DatabaseTrouble):
            # What was sent stands in the table; the sign only says that something was.
            for channel in took:
                health.carrier_took(channel, at=clock())
        if report.claimed:
            log.info("sent %s of %s taken", report.sent, report.claimed)
        return report

    def close(self) -> None:
        """Give back the leases, the connections and the loop."""
        self._runner.run(self._hang_up())
        self._runner.close()
        for ledger in self._ledgers.values():
            ledger.end()

    async def _round(
        self, clock: Callable[[], dt.datetime], until: dt.datetime | None
    ) -> tuple[SendReport, list[str]]:
        """What became of everything, and the channels by which something went out."""
        # Lines that the other side closed while nobody was listening are noticed first.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        total, took = SendReport(), []
        lanes = []
        for channel, ledger in self._ledgers.items():
            ledger.clock = clock
            lanes.append(
                Lane(ledger=ledger, gateway=self._gateway(channel), clock=clock, until=until)
            )
        outcomes = await asyncio.gather(*(lane.run() for lane in lanes), return_exceptions=True)
        for channel, outcome in zip(self._ledgers, outcomes, strict=True):
            if isinstance(outcome, SendReport):
                total.add(outcome)
                if outcome.sent:
                    took.append(channel)
            elif isinstance(outcome, BaseException):
                log.error("a lane ended with %s", type(outcome).__name__, exc_info=outcome)
        return total, took

    def _gateway(self, channel: str) -> Gateway:
        if channel not in self._gateways:
            try:
                self._gateways[channel] = gateway_for(channel)
            except GatewayError as error:
                # Not kept: somebody may set it up, and the refusal stands on every message.
                return _NoCarrier(error)
        return self._gateways[channel]

    async def _hang_up(self) -> None:
        for gateway in self._gateways.values():
            await gateway.close()
        self._gateways.clear()


class _NoCarrier:
    """Stands where a channel has no carrier: every message fails openly with the reason."""

    name, lines = "", 1

    def __init__(self, error: GatewayError) -> None:
        self._error = error

    async def deliver(self, message, link: str) -> str:
        raise self._error

    async def close(self) -> None:
        pass


def send_all_due(
    *, at: dt.datetime | None = None, worker: str = "", until: dt.datetime | None = None
) -> SendReport:
    """Send once what is due, with lines of its own. Any number of senders may do so at once."""
    dispatcher = Dispatcher(worker)
    try:
        return dispatcher.send(at=at, until=until)
    finally:
        dispatcher.close()


_own: tuple[int, Dispatcher] | None = None


def of_this_process() -> Dispatcher:
    """The dispatcher a worker keeps from wake-up to wake-up, made anew after a fork."""
    global _own
    if _own is None or _own[0] != os.getpid():
        _own = (os.getpid(), Dispatcher())
    return _own[1]


def close_own() -> None:
    """Hang up what this process keeps; the next round opens it anew."""
    global _own
    if _own is not None and _own[0] == os.getpid():
        _own[1].close()
    _own = None
