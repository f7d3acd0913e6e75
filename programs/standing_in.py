"""Sending without the queue: what is due stands in the database, and no wake-up is needed for it.

A watch looks every few seconds whether workers are being woken. While they are, it does nothing.
When the queue is away, wiped or stuck, it plans, sends and sweeps by itself until wake-ups come
again. Any number of watches may stand in at once, as any number of workers may send.
"""

import dataclasses
import datetime as dt
import logging

from django.utils import timezone

from clinic import health, watching
from clinic.messaging import sending
from clinic.messaging.sending import Dispatcher, SendReport, SweepReport
from patients import appointment_reminders
from programs import reminders
from programs.reminders import PlanReport

log = logging.getLogger(__name__)

# Workers are woken every fifteen seconds (the beat schedule of the settings).
SILENT_AFTER = dt.timedelta(seconds=35)
# A round ends in time for whoever waits for the watch to stop.
_ROUND = dt.timedelta(seconds=15)


@dataclasses.dataclass(frozen=True)
class Round:
    """What one round of planning and sending did."""

    swept: SweepReport
    planned: PlanReport
    sent: SendReport


def wake_ups_arrive(*, at: dt.datetime) -> bool:
    """Whether a worker has been woken lately."""
    last = health.last_beat(health.WORKER)
    return last is not None and at - last < SILENT_AFTER


def go_round(*, dispatcher: Dispatcher, until: dt.datetime | None = None) -> Round:
    """Sweep, watch alerts, plan and send once, and leave the signs that it was done."""
    now = timezone.now()
    swept = sending.sweep(at=now)
    watching.watch(at=now)
    planned = reminders.plan_reminders(at=now)
    appointment_reminders.plan(at=now)
    health.beat(name=health.PLANNING, at=now)
    sent = dispatcher.send(until=until)
    health.beat(name=health.SENDING, at=timezone.now())
    return Round(swept=swept, planned=planned, sent=sent)


def stand_in(*, dispatcher: Dispatcher) -> bool:
    """One look of the watch; whether it had to stand in."""
    now = timezone.now()
    if wake_ups_arrive(at=now):
        return False
    done = go_round(dispatcher=dispatcher, until=now + _ROUND)
    if done.sent.claimed:
        log.warning("no wake-up came: sent %s without one", done.sent.sent)
    return True
