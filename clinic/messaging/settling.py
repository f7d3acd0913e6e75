"""Messages whose fate nobody knows, and what settles them.

A message is unknown when its sender died, or the line broke, while it was handed over. It is never
sent again by itself. A receipt settles it; Twilio can be asked which texts it took; for the rest
somebody of the practice says what to do.

What the carrier's list proves. A text that it took can be told from all others by the link in it.
That it took none is certain only when its list has been read back to before the message was due,
and every text in it from the time when ours must have gone out is known to be another one.
"""

import dataclasses
import datetime as dt
import itertools
import logging
import random
import time

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from clinic.audit import record_access
from clinic.messaging import carrier_words, links, outbox, receipts
from clinic.messaging.gateways.errors import GatewayError, OutcomeUnknown
from clinic.messaging.gateways.twilio_list import ListedText, TextsSent, TwilioList
from clinic.models import AccessRecord, OutboxMessage, Receipt, User
from clinic.models.messaging import Channel

log = logging.getLogger(__name__)
Status = OutboxMessage.Status

# Asked about for so long; shown to staff for so long.
_ASK_FOR, _SHOW_FOR = dt.timedelta(days=3), dt.timedelta(days=14)
# A text that the carrier has just taken may not stand in its list yet.
_ASK_AFTER, _SURE_AFTER = dt.timedelta(minutes=2), dt.timedelta(minutes=20)
_CLOCKS_DIFFER = dt.timedelta(minutes=5)
_NEVER_GOT_IT = "The carrier never got it."

# The practice's own words, kept beside the carrier's: what has been said needs no answer any more.
_SPOKEN = [carrier_words.LEFT, carrier_words.SENT_AGAIN]


@dataclasses.dataclass
class SettleReport:
    """How many messages the carrier was asked about, and what came of it."""

    asked: int = 0
    found: int = 0
    never_arrived: int = 0


# --- asking the carrier ----------------------------------------------------------------------


def settle_unknown(*, at: dt.datetime, limit: int = 40, seconds: float = 45) -> SettleReport:
    """Ask Twilio about texts of unknown outcome; settle those of which its list proves the fate.

    One question per number, ``limit`` messages at a time, which are others each time, and no
    new question after so many seconds.
    """
    deadline = time.monotonic() + seconds
    report = SettleReport()
    if settings.SMS_GATEWAY != "twilio":
        return report
    waiting = list(
        _unknown(at - _ASK_FOR).filter(
            channel=Channel.SMS, carrier__in=["", "twilio"], settled_at__lte=at - _ASK_AFTER
        )
    )
    # Some cannot be settled, and must not keep the others from being asked about.
    chosen = random.sample(waiting, min(limit, len(waiting)))
    chosen.sort(key=lambda message: message.address)
    try:
        with TwilioList() as carrier:
            for address, group in itertools.groupby(chosen, key=lambda row: row.address):
                if time.monotonic() > deadline:
                    break
                messages = list(group)
                since = min(message.due_at for message in messages) - _CLOCKS_DIFFER
                listed = carrier.texts_to(address, since=since)
                for message in messages:
                    report.asked += 1
                    _settle(message, listed, at, report)
    except (GatewayError, OutcomeUnknown) as error:
        log.warning("the carrier could not be asked: %s", error)
    return report


def _settle(
    message: OutboxMessage, listed: TextsSent, at: dt.datetime, report: SettleReport
) -> None:
    ours = [text for text in listed.texts if _is_of(text, message)]
    for text in ours:
        said = carrier_words.of_twilio(text.status, text.code)
        if said is not None:
            receipts.record(
                message_id=message.pk,
                event=said.event,
                code=said.code,
                reference=text.reference,
                carrier="twilio",
                at=at,
            )
    if ours:
        report.found += 1
    elif _is_certainly_absent(message, listed, at):
        report.never_arrived += OutboxMessage.objects.filter(
            pk=message.pk, status=Status.UNKNOWN
        ).update(status=Status.FAILED, reason=_NEVER_GOT_IT)


def _is_of(text: ListedText, message: OutboxMessage) -> bool:
    if message.carrier_reference:
        return text.reference == message.carrier_reference
    return message.pk in links.messages_in(text.body)


def _is_certainly_absent(message: OutboxMessage, listed: TextsSent, at: dt.datetime) -> bool:
    given_up = message.settled_at
    if given_up is None or not listed.whole or at - given_up < _SURE_AFTER:
        return False
    first, last = message.due_at - _CLOCKS_DIFFER, given_up + _CLOCKS_DIFFER
    at_that_time = [text for text in listed.texts if first <= text.created_at <= last]
    unread = [text.reference for text in at_that_time if not links.messages_in(text.body)]
    others = OutboxMessage.objects.filter(
        channel=Channel.SMS,
        carrier_reference__in=unread,
        address=message.address,
        due_at__range=(message.due_at - _ASK_FOR, last),
    ).exclude(pk=message.pk)
    return len(set(unread)) == others.values("carrier_reference").distinct().count()


# --- what staff say --------------------------------------------------------------------------


def unsettled(*, at: dt.datetime) -> QuerySet[OutboxMessage]:
    """Messages of the last two weeks of which nobody knows and nobody has said anything yet."""
    spoken_of = Receipt.objects.filter(message=OuterRef("pk"), event__in=_SPOKEN)
    return (
        _unknown(at - _SHOW_FOR)
        # A code is asked for again by whoever waits for it.
        .exclude(kind=OutboxMessage.Kind.SIGN_IN_CODE)
        .exclude(Exists(spoken_of))
        .select_related("text")
        .order_by("-due_at", "pk")
    )


def patient_got_it(*, message: OutboxMessage, by: User, at: dt.datetime) -> None:
    """Somebody has asked: it arrived."""
    with transaction.atomic():
        row = _hold(message, by)
        receipts.record(message_id=row.pk, event=carrier_words.PATIENT_GOT_IT, at=at)
        _note(row, "got_it", by, at)


@transaction.atomic
def send_again(*, message: OutboxMessage, by: User, at: dt.datetime) -> OutboxMessage:
    """Send the same words once more as a new message, at once. Its first one stays unknown.

    Raises ValidationError when the time of the message is over or its fate has become known.
    """
    row = _hold(message, by)
    if row.expires_at <= at:
        raise ValidationError("Its time is over, so it is not sent again.")
    again = outbox.draft(
        key=outbox.again_key(row.key),
        kind=row.kind,
        channel=row.channel,
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        address=row.address,
        text=row.text,
        priority=row.priority,
        due_at=at,
        expires_at=row.expires_at,
        link_expires_at=row.link_expires_at,
        local_date=row.local_date,
        at=at,
    )
    if not outbox.write([again]):
        raise ValidationError("It has been sent again already.")
    _say(row, carrier_words.SENT_AGAIN, at)
    _note(row, "send_again", by, at)
    return again


@transaction.atomic
def leave_it(*, message: OutboxMessage, by: User, at: dt.datetime) -> None:
    """Nobody will find out; it stays unknown and leaves the list."""
    row = _hold(message, by)
    _say(row, carrier_words.LEFT, at)
    _note(row, "leave", by, at)


def _hold(message: OutboxMessage, by: User) -> OutboxMessage:
    if not by.is_staff:
        raise PermissionDenied("Only staff say what becomes of a message.")
    row = OutboxMessage.objects.select_for_update(no_key=True).get(pk=message.pk)
    if row.status != Status.UNKNOWN:
        raise ValidationError(f"Its fate is known by now: {row.get_status_display().lower()}.")
    return row


def _say(row: OutboxMessage, event: str, at: dt.datetime) -> None:
    Receipt.objects.get_or_create(message=row, event=event, defaults={"received_at": at})


def _note(row: OutboxMessage, what: str, by: User, at: dt.datetime) -> None:
    record_access(
        actor=by,
        action=AccessRecord.Action.CHANGE,
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        page=f"unknown_messages:{what}:{row.pk}",
        at=at,
    )


def _unknown(since: dt.datetime) -> QuerySet[OutboxMessage]:
    # The days bound what is read; no index looks at the status.
    return OutboxMessage.objects.filter(status=Status.UNKNOWN, due_at__gt=since)
