"""Messages as they stand in the outbox afterwards, with any fate."""

import datetime as dt
import uuid

from clinic.messaging import outbox
from clinic.models import OutboxMessage
from clinic.models.messaging import Channel
from patients.models import Patient

Status = OutboxMessage.Status


def kept(
    status: str,
    due_at: dt.datetime,
    *,
    about: Patient | None = None,
    channel: str = Channel.EMAIL,
    reason: str = "",
    carrier: str = "",
    settled_after_s: int = 120,
    **fields,
) -> OutboxMessage:
    """One message that was due at ``due_at``; about a patient a routine reminder, else an alert."""
    waits = status == Status.DUE
    message = OutboxMessage(
        **{
            "key": f"kept:{uuid.uuid4()}",
            "kind": "routine_reminder" if about else "staff_alert",
            "channel": channel,
            "subject_type": "patient" if about else "alert",
            "subject_id": str(about.pk) if about else "1",
            "local_date": about.local_date(due_at) if about else None,
            "address": "ana@patients.example",
            "text": outbox.keep_text(channel=channel, body="{link}"),
            "due_at": due_at,
            "wake_at": due_at if waits else None,
            "expires_at": due_at + dt.timedelta(hours=12),
            "status": status,
            "reason": reason,
            "carrier": carrier,
            "created_at": due_at,
            "settled_at": None if waits else due_at + dt.timedelta(seconds=settled_after_s),
            **fields,
        }
    )
    message.save(force_insert=True)
    return message
