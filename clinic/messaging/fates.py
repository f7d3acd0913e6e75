"""What became of a message, in the words staff read. The report, the patient's page and the time
line use the same ones."""

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone

from clinic.models import OutboxMessage

Status = OutboxMessage.Status


@dataclass(frozen=True)
class Fate:
    """One kind of ending (or of waiting): the statuses it stands for, its word in a table, and
    what it means in a sentence. ``group``: out, held, trouble or waiting."""

    key: str
    word: str
    meaning: str
    group: str
    statuses: tuple[str, ...]


FATES = (
    Fate("sent", "Sent", "The carrier took it and has not said more.", "out", (Status.SENT,)),
    Fate("delivered", "Delivered", "The carrier says that it arrived.", "out", (Status.DELIVERED,)),
    Fate("bounced", "Bounced", "It came back.", "trouble", (Status.BOUNCED,)),
    Fate("failed", "Not sent", "The carrier did not take it.", "trouble", (Status.FAILED,)),
    Fate(
        "unknown",
        "Unknown",
        "It may or may not have arrived, and is not sent again by itself.",
        "trouble",
        (Status.UNKNOWN,),
    ),
    Fate(
        "late",
        "Too late",
        "Its time was over before it could go.",
        "trouble",
        (Status.EXPIRED,),
    ),
    Fate(
        "held",
        "Held back",
        "Not sent on purpose, for the reason beside it.",
        "held",
        (Status.SUPPRESSED,),
    ),
    Fate(
        "waiting",
        "Waiting",
        "Not settled yet.",
        "waiting",
        (Status.DUE, Status.CLAIMED, Status.SENDING),
    ),
)
FATE = {fate.key: fate for fate in FATES}
OF_STATUS = {str(status): fate for fate in FATES for status in fate.statuses}


def moment_of(message: OutboxMessage) -> dt.datetime:
    """When its fate was settled; while it waits, when it is tried next or was meant to go."""
    return message.settled_at or message.wake_at or message.due_at


def in_words(message: OutboxMessage) -> str:
    """Its fate and the reason, such as "Held back: Today's session is done." Times of the
    current time zone."""
    said = _said(message)
    if message.reason and message.status not in (Status.SENT, Status.DELIVERED):
        return f"{said}: {message.reason}"
    return f"{said}."


def _said(message: OutboxMessage) -> str:
    match message.status:
        case Status.DUE if message.attempts:
            return f"Waiting, tried again at {_clock(message.wake_at)}"
        case Status.DUE:
            return f"Waiting to go at {_clock(message.wake_at)}"
        case Status.CLAIMED | Status.SENDING:
            return "On its way to the carrier"
        case Status.SENT:
            return f"Sent {_clock(message.settled_at)}"
        case Status.DELIVERED:
            return f"Delivered {_clock(message.settled_at)}"
        case Status.BOUNCED:
            return "It came back"
        case Status.FAILED:
            return "Not sent"
        case Status.SUPPRESSED:
            return "Held back"
        case Status.EXPIRED:
            return "Too late to send"
        case _:
            return "We do not know whether it arrived"


def _clock(moment: dt.datetime | None) -> str:
    return f"{timezone.localtime(moment):%H:%M}" if moment else ""
