"""Wake-ups of this room. What is to be done stands in the database, so they take no arguments."""

import datetime as dt

from celery import shared_task
from celery.signals import worker_process_shutdown
from django.utils import timezone

from clinic import enquiries, health, watching
from clinic.messaging import incoming, sending, settling

# Beat wakes a sender every ten seconds; none of them works on for ever.
_AT_WORK = dt.timedelta(seconds=50)


@shared_task
def send_due() -> None:
    health.beat(name=health.SENDING, at=timezone.now())
    sending.of_this_process().send(until=timezone.now() + _AT_WORK)


@worker_process_shutdown.connect
def hang_up(**kwargs: object) -> None:
    """What a worker holds is free at once, and not only when its lease has run out."""
    sending.close_own()


@shared_task
def sweep() -> None:
    sending.sweep(at=timezone.now())
    incoming.hand_on_unclaimed(at=timezone.now())


@shared_task
def watch_alerts() -> None:
    watching.watch(at=timezone.now())


@shared_task
def settle_unknown() -> None:
    settling.settle_unknown(at=timezone.now())


@shared_task
def heartbeat() -> None:
    health.beat(at=timezone.now())


@shared_task
def forget_enquiries() -> None:
    """Delete what was asked long ago and is done with."""
    enquiries.forget_old(at=timezone.now())
