"""Messages at any point of their way, for tests of what becomes of them later."""

import datetime as dt

from clinic.models import OutboxMessage, Sender
from clinic.models.messaging import Channel
from tests.clinic.messages import AT, queued

Status = OutboxMessage.Status
PHONE = "+447700900123"
LATER = AT + dt.timedelta(minutes=3)
_HAS_A_REASON = {Status.UNKNOWN, Status.SUPPRESSED, Status.FAILED, Status.BOUNCED}
_OPEN = {Status.DUE, Status.CLAIMED, Status.SENDING}


def reminder(status: str = Status.SENDING, *, reference: str = "", **fields) -> OutboxMessage:
    """A text to a patient that has come as far as ``status``."""
    message = queued(
        **{
            "address": PHONE,
            "kind": OutboxMessage.Kind.ROUTINE_REMINDER,
            "channel": Channel.SMS,
            "subject_type": "patient",
            "subject_id": "7",
            "subject_line": "",
            "body": "Your routine is ready: {link}",
            "link_expires_at": fields.get("due_at", AT) + dt.timedelta(hours=16),
            **fields,
        }
    )
    if status != Status.DUE:
        taken = {Status.CLAIMED, Status.SENDING, Status.SENT, Status.UNKNOWN}
        OutboxMessage.objects.filter(pk=message.pk).update(
            status=status,
            wake_at=None,
            sender=_sender() if status in taken else None,
            reason="Some reason." if status in _HAS_A_REASON else "",
            settled_at=None if status in _OPEN else message.due_at,
            carrier_reference=reference,
        )
        message.refresh_from_db()
    return message


def mail(status: str = Status.SENDING, **fields) -> OutboxMessage:
    """The same by e-mail."""
    return reminder(
        status,
        **{
            "channel": Channel.EMAIL,
            "address": "ana@patients.example",
            "subject_line": "Your routine is ready",
            **fields,
        },
    )


def _sender() -> Sender:
    return Sender.objects.create(
        name="a sender", started_at=AT, alive_until=AT + dt.timedelta(minutes=1)
    )
