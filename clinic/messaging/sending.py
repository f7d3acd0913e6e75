"""Sending what is due.

For each message: claim it, ask whether anything speaks against it, commit that it goes on the
wire, hand it to the carrier, commit the outcome. Whatever kills the sender in between, the row
says how far it came. Nothing here keeps a transaction open while a carrier is spoken to.
"""

import dataclasses
import datetime as dt
import logging
import os
import random
import socket
from collections.abc import Callable

from django.db import DatabaseError
from django.utils import timezone

from clinic.messaging import links, outbox
from clinic.messaging.gateways import Gateway, GatewayError, OutcomeUnknown, gateway_for
from clinic.models import OutboxMessage
from clinic.signals import before_sending

log = logging.getLogger(__name__)

BATCH = 50
_FIRST_WAIT, _LONGEST_WAIT = dt.timedelta(seconds=30), dt.timedelta(minutes=15)


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


@dataclasses.dataclass(frozen=True)
class SweepReport:
    """Rows a dead or absent sender left behind: due again, outcome unknown, too late."""

    released: int
    unknown: int
    expired: int


def send_due(*, at: dt.datetime | None = None, limit: int = BATCH, worker: str = "") -> SendReport:
    """Send up to ``limit`` messages that are due. Any number of senders may do so at once.

    ``at`` stands still for the whole batch when given; otherwise each step reads the clock.
    """
    clock = (lambda: at) if at is not None else timezone.now
    messages = outbox.claim(limit=limit, worker=worker or _own_name(), at=clock())
    report = SendReport(claimed=len(messages))
    batch = _Batch(clock)
    try:
        for message in messages:
            outcome = batch.send_one(message)
            setattr(report, outcome, getattr(report, outcome) + 1)
            log.info("message %s: %s", message.pk, outcome)
    finally:
        batch.close()
    return report


def send_all_due(
    *, at: dt.datetime | None = None, worker: str = "", until: dt.datetime | None = None
) -> SendReport:
    """Send batch after batch until nothing is due (or the clock reaches ``until``)."""
    total = SendReport()
    while until is None or timezone.now() < until:
        report = send_due(at=at, worker=worker)
        total.add(report)
        if report.claimed < BATCH:
            break
    return total


def sweep(*, at: dt.datetime) -> SweepReport:
    """Settle what dead senders left behind, and what nobody sent in time."""
    report = SweepReport(
        released=outbox.release_claims(at=at),
        unknown=outbox.give_up_sending(at=at),
        expired=outbox.expire_due(at=at),
    )
    if report.unknown:
        log.warning("%s messages were given up with outcome unknown", report.unknown)
    return report


class _Batch:
    """One sender's work on the messages it has claimed, with a gateway per channel."""

    def __init__(self, clock: Callable[[], dt.datetime]) -> None:
        self._clock = clock
        self._gateways: dict[str, Gateway] = {}
        # Channels whose carrier cannot be reached: the rest of the batch need not find out too.
        self._away: dict[str, GatewayError] = {}

    def close(self) -> None:
        for gateway in self._gateways.values():
            gateway.close()

    def send_one(self, message: OutboxMessage) -> str:
        """Take one message to its outcome; returns the field of SendReport it counts in."""
        now = self._clock()
        if message.expires_at <= now:
            return "expired" if outbox.expire(message=message, at=now) else "lost_lease"
        try:
            reason = _objection(message, now)
        except DatabaseError:
            raise
        except Exception as error:
            # A fault in asking must neither let the message out nor stop the ones behind it.
            log.error("message %s: %s while checking it", message.pk, type(error).__name__)
            return self._put_back(message, "It could not be checked whether it may go out.", now)
        if reason:
            held = outbox.suppress(message=message, reason=reason, at=now)
            return "suppressed" if held else "lost_lease"
        if message.channel in self._away:
            return self._put_back(message, self._away[message.channel].text, now)
        if not outbox.start_sending(message=message, at=now):
            return "lost_lease"
        return self._deliver(message)

    def _deliver(self, message: OutboxMessage) -> str:
        carrier = ""
        try:
            if message.channel not in self._gateways:
                self._gateways[message.channel] = gateway_for(message.channel)
            gateway = self._gateways[message.channel]
            carrier = gateway.name
            reference = gateway.deliver(message, links.link_for(message.pk))
        except GatewayError as error:
            log.warning("message %s: carrier said %s", message.pk, error.code)
            return self._refused(message, carrier, error)
        except OutcomeUnknown as error:
            return self._lost_sight(message, carrier, error.text)
        except Exception as error:
            # Not foreseen, so not known either: better one message too few than one twice. The
            # error's own text may quote the message and stays out of the log.
            log.error("message %s: %s while delivering", message.pk, type(error).__name__)
            what = f"An unforeseen error while delivering ({type(error).__name__})."
            return self._lost_sight(message, carrier, what)
        outbox.mark_sent(message=message, carrier=carrier, reference=reference, at=self._clock())
        return "sent"

    def _refused(self, message: OutboxMessage, carrier: str, error: GatewayError) -> str:
        now = self._clock()
        if not error.permanent:
            if error.carrier_away:
                self._away[message.channel] = error
            return self._put_back(message, error.text, now)
        outbox.mark_failed(message=message, carrier=carrier, reason=error.text, at=now)
        if error.dead_address:
            outbox.suppress_address(
                channel=message.channel,
                address=message.address,
                reason=error.text,
                by_owner=error.by_owner,
                at=now,
            )
        return "failed"

    def _lost_sight(self, message: OutboxMessage, carrier: str, reason: str) -> str:
        outbox.mark_unknown(message=message, carrier=carrier, reason=reason, at=self._clock())
        return "unknown"

    def _put_back(self, message: OutboxMessage, reason: str, now: dt.datetime) -> str:
        moved = outbox.put_back(message=message, reason=reason, due_at=_next_try(message, now))
        return "put_back" if moved else "lost_lease"


def _objection(message: OutboxMessage, now: dt.datetime) -> str:
    """Why this message must not go out, in words; empty when nothing speaks against it."""
    pair = (message.channel, message.address)
    suppressed = outbox.suppressed_addresses([pair])
    if suppressed:
        return suppressed[pair]
    answers = before_sending.send(OutboxMessage, message=message, at=now)
    return next((reason for _, reason in answers if reason), "")


def _next_try(message: OutboxMessage, now: dt.datetime) -> dt.datetime:
    """Twice as long after every try, with some chance in it so that a crowd does not return."""
    wait = min(_FIRST_WAIT * 2 ** max(message.attempts - 1, 0), _LONGEST_WAIT)
    return now + wait * random.uniform(0.5, 1.0)


def _own_name() -> str:
    return f"{socket.gethostname()[:30]}:{os.getpid()}"
