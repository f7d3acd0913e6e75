"""Raising and acknowledging alerts."""

import datetime as dt

from django.core.exceptions import PermissionDenied
from django.db import transaction

from clinic.messaging import outbox, texts
from clinic.models import Alert, OutboxMessage, Site, User
from clinic.models.messaging import Channel

# From raised to due. "Soon" means two working days; "routine" the next round of the caseload.
_DUE_AFTER = {
    Alert.Severity.EMERGENCY: dt.timedelta(hours=1),
    Alert.Severity.SAME_DAY: dt.timedelta(hours=4),
}
_WORKING_DAYS = {Alert.Severity.SOON: 2, Alert.Severity.ROUTINE: 5}


def due_at(severity: str, at: dt.datetime) -> dt.datetime:
    """When an alert raised ``at`` must have been seen; weekends do not count as working days."""
    if severity in _DUE_AFTER:
        return at + _DUE_AFTER[Alert.Severity(severity)]
    left, due = _WORKING_DAYS[Alert.Severity(severity)], at
    while left:
        due += dt.timedelta(days=1)
        left -= due.weekday() < 5
    return due


@transaction.atomic
def raise_alert(
    *,
    severity: str,
    subject_type: str,
    subject_id: object,
    site: Site,
    owner: User,
    summary: str,
    key: str,
    at: dt.datetime,
    tell: bool = False,
) -> Alert:
    """Make one alert and tell its owner by e-mail, without any health detail.

    The same ``key`` raises one alert, however often it is said. A routine one waits for the next
    look at the caseload and is told by e-mail only with ``tell``.
    """
    alert, created = Alert.objects.get_or_create(
        key=key,
        defaults={
            "severity": severity,
            "subject_type": subject_type,
            "subject_id": str(subject_id),
            "site": site,
            "owner": owner,
            "summary": summary,
            "raised_at": at,
            "due_at": due_at(severity, at),
        },
    )
    if created and (tell or severity != Alert.Severity.ROUTINE):
        subject, body = texts.staff_alert(alert)
        outbox.queue_message(
            key=f"alert:{alert.pk}:email",
            kind=OutboxMessage.Kind.STAFF_ALERT,
            channel=Channel.EMAIL,
            subject_type="alert",
            subject_id=alert.pk,
            address=owner.email,
            subject_line=subject,
            body=body,
            due_at=at,
            expires_at=at + dt.timedelta(days=3),
            at=at,
        )
    return alert


@transaction.atomic
def say_anew(*, key: str, summary: str) -> None:
    """Change the words of an alert that nobody has seen yet, because things have changed."""
    alert = Alert.objects.select_for_update().open().filter(key=key).first()
    if alert is not None:
        alert.summary = summary
        alert.save(update_fields=["summary"])


@transaction.atomic
def acknowledge(*, alert: Alert, by: User, at: dt.datetime, outcome: str = "") -> Alert:
    """Note that a member of staff has seen the alert; the first to do so stands."""
    if not by.is_staff:
        raise PermissionDenied("Only staff may acknowledge an alert.")
    alert = Alert.objects.select_for_update().get(pk=alert.pk)
    if alert.acknowledged_at is None:
        alert.acknowledged_at, alert.acknowledged_by, alert.outcome = at, by, outcome
        alert.save(update_fields=["acknowledged_at", "acknowledged_by", "outcome"])
    return alert
