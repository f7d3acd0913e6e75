"""Wake-ups of this room. What is to be done stands in the database, so they take no arguments."""

import logging

from celery import shared_task
from django.utils import timezone

from clinic import health
from patients import appointment_reminders
from programs import caseload_rows, deciding, following_up, reminders

log = logging.getLogger(__name__)


@shared_task
def plan_reminders() -> None:
    now = timezone.now()
    report = reminders.plan_reminders(at=now)
    appointment_reminders.plan(at=now)
    health.beat(name=health.PLANNING, at=now)
    if report.written:
        log.info(
            "reminders planned: %s due, %s held back, %s too late",
            report.due,
            report.suppressed,
            report.expired,
        )


@shared_task
def reconcile_reminders() -> None:
    """Repair what no trigger of the database saw: a restored table, an edition of time zones."""
    repaired = reminders.reconcile(at=timezone.now())
    if repaired:
        log.warning("reminder schedules repaired: %s", repaired)


@shared_task
def consider_all() -> None:
    now = timezone.now()
    deciding.consider_all(at=now)
    following_up.raise_due(at=now)


@shared_task
def keep_caseload() -> None:
    """Make the rows of the board again that something, or time alone, has changed."""
    caseload_rows.settle_all(at=timezone.now())
