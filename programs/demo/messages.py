"""The reminders that the demo's patients got on the days they lived, each with its fate.

Written as planning would have written them, with its keys, so that planning finds those days done
and does not call them too late.
"""

import datetime as dt
from random import Random
from typing import Any

from django.db.models import F, Min

from clinic import watching
from clinic.messaging import outbox, texts
from clinic.models import Alert, OutboxMessage, Receipt
from clinic.models.messaging import Channel
from programs import cadence, scheduling
from programs import reminder_reasons as why
from programs.models import Program
from programs.reminders import key_for

Status = OutboxMessage.Status

CARRIERS = {Channel.EMAIL: "smtp", Channel.SMS: "demo"}
_SENT: dict[str, Any] = {
    "status": Status.SENT,
    "wake_at": None,
    "attempts": 1,
    "carrier": CARRIERS[Channel.EMAIL],
    "settled_at": F("due_at") + dt.timedelta(seconds=20),
}
_COARSE = dt.timedelta(hours=6)
_BROKE = "The line broke while the message was handed over."


def write_reminders(*, program: Program, last_day: dt.date, index: int, seed: int) -> None:
    """Every routine reminder of the program up to ``last_day``."""
    # A chance of its own: what the patient lives through does not hang on it.
    chance = Random(f"{seed}:{index}:messages")
    patient = program.patient
    after = dt.datetime.combine(last_day + dt.timedelta(days=1), dt.time(), patient.zone)
    facts = next(scheduling.read_facts([patient.pk], after), None)
    if facts is None:
        return
    stopped_at = _stopped_at(facts.program)
    messages, receipts = [], []
    for way in facts.ways:
        if way.rhythm is None:
            continue
        text = texts.text_for(
            kind=OutboxMessage.Kind.ROUTINE_REMINDER,
            channel=way.channel,
            site=patient.site,
            language=patient.language,
        )
        for event in cadence.events(way.rhythm, facts.span(None), facts.assigned_at):
            if event.day > last_day:
                break
            moments = cadence.moments_of(way.rhythm, event.day)
            status, reason = Status.SENT, ""
            if moments.outside:
                status, reason = Status.SUPPRESSED, why.OUTSIDE_HOURS
            elif stopped_at and event.at >= stopped_at:
                status, reason = Status.SUPPRESSED, why.SUSPENDED
            elif not way.consented:
                status, reason = Status.SUPPRESSED, why.NO_CONSENT[Channel(way.channel)]
            elif chance.random() < 0.004:
                status, reason = Status.UNKNOWN, _BROKE
            elif way.channel == Channel.SMS:
                status = Status.DELIVERED
            message = outbox.draft(
                key=key_for(program.pk, event.day, way.channel),
                kind=OutboxMessage.Kind.ROUTINE_REMINDER,
                channel=way.channel,
                subject_type="patient",
                subject_id=patient.pk,
                address=way.point.address,
                text=text,
                due_at=event.at,
                expires_at=moments.expires_at,
                link_expires_at=moments.link_expires_at,
                local_date=event.day,
                status=status,
                reason=reason,
                at=event.at,
            )
            if status != Status.SUPPRESSED:
                message.attempts, message.carrier = 1, CARRIERS[Channel(way.channel)]
                message.settled_at = event.at + dt.timedelta(seconds=chance.randrange(2, 50))
            if status == Status.DELIVERED:
                receipts.append(
                    Receipt(message=message, event="delivered", received_at=message.settled_at)
                )
            messages.append(message)
    OutboxMessage.objects.bulk_create(messages, batch_size=1000)
    Receipt.objects.bulk_create(receipts, batch_size=1000)


def went_out(subject_type: str, subject_id: object) -> None:
    """What was written about this reached whom it was for, when it was due."""
    waiting = OutboxMessage.objects.about(subject_type, subject_id).filter(status=Status.DUE)
    waiting.update(**_SENT)


def tell_alerts(*, last_day: dt.date) -> None:
    """What nobody looked at was told again, as it would have been on those days, but for the hour:
    a watch of every few seconds would make a practice of any size slow to make."""
    over = dt.datetime.combine(last_day + dt.timedelta(days=1), dt.time(), dt.UTC)
    waiting = Alert.objects.open().filter(next_stage_at__lt=over)
    while (at := waiting.aggregate(first=Min("next_stage_at"))["first"]) is not None:
        watching.escalate(at=min(at + _COARSE, over))


def settle_alerts(*, last_day: dt.date) -> None:
    """Alerts to staff of the days gone by went out then; those of the last days still wait."""
    over = dt.datetime.combine(last_day + dt.timedelta(days=1), dt.time(), dt.UTC)
    OutboxMessage.objects.filter(status=Status.DUE, expires_at__lte=over).update(**_SENT)


def _stopped_at(program: Program) -> dt.datetime | None:
    """Since when the program stands still; None while it goes on."""
    if program.status != Program.Status.SUSPENDED:
        return None
    flag = program.patient.red_flags.open().order_by("opened_at").first()
    stop = program.decisions.filter(outcome="STOP").order_by("-at").first()
    moments = [flag and flag.opened_at, stop and stop.at]
    return min((moment for moment in moments if moment), default=None)
