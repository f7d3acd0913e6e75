"""Answering a text message, and noting that a person has answered one.

An answer is given within minutes or not at all, so quiet hours do not hold it back: whoever has
just written is awake. It goes through the outbox like every message, and so has a known fate.
"""

import datetime as dt

from django.core.exceptions import PermissionDenied
from django.db import transaction

from clinic import alerts
from clinic.messaging import outbox
from clinic.messaging.persons import Person
from clinic.messaging.reply_words import reply_words
from clinic.messaging.texts import supported
from clinic.models import Alert, IncomingText, OutboxMessage, Suppression, User
from clinic.models.messaging import Channel
from clinic.roles import May, may

# A confirmed STOP counts as asked for when it comes within five minutes (47 CFR 64.1200(a)(12)).
_WITHIN = dict.fromkeys(("stop", "stop_cancel", "stop_shared"), dt.timedelta(minutes=5))
_WITHIN_OTHERWISE = dt.timedelta(minutes=30)
_LINK_OPENS_FOR = dt.timedelta(hours=24)
# Two machines that answer each other must come to an end.
_MOST_IN_AN_HOUR = 8
_SAME_WORDS_AGAIN = dt.timedelta(minutes=30)
_ALWAYS = ("stop", "stop_cancel", "stop_shared", "start", "help")
# To somebody who said STOP only what they asked for or need.
_NOT_AFTER_STOP = ("done", "saved", "nothing_due", "again")


def reply(
    text: IncomingText, person: Person, purpose: str, *, at: dt.datetime, words: str = ""
) -> str:
    """Queue the answer to one text and return its words; "" when there is to be none."""
    stopped = Suppression.objects.in_force().filter(
        channel=Channel.SMS, address=text.address, by_owner=True
    )
    if purpose not in _ALWAYS:
        is_stopped = stopped.exists()
        if is_stopped and purpose in _NOT_AFTER_STOP:
            return ""
        if _enough(text, at):
            return ""
        if is_stopped and purpose == "words":
            purpose = "words_after_stop"
    body = words or reply_words(
        purpose, site=person.site, language=person.language, reader=person.reader.name
    )
    if purpose.startswith("words") and _said_lately(text, body, at):
        return ""
    sure = text.subject_type == person.subject[0]
    outbox.queue_message(
        key=f"reply:{text.pk}",
        kind=OutboxMessage.Kind.REPLY,
        channel=Channel.SMS,
        subject_type=text.subject_type if sure else "incoming_text",
        subject_id=text.subject_id if sure else text.pk,
        address=text.address,
        body=body,
        language=supported(person.language),
        priority=OutboxMessage.Priority.FIRST,
        due_at=at,
        expires_at=at + _WITHIN.get(purpose, _WITHIN_OTHERWISE),
        link_expires_at=at + _LINK_OPENS_FOR if "{link}" in body else None,
        at=at,
    )
    return body


def replies_to(texts: list[IncomingText]) -> dict[int, OutboxMessage]:
    """The answer to each text that got one, by the text's key."""
    keys = {f"reply:{text.pk}": text.pk for text in texts}
    found = OutboxMessage.objects.filter(key__in=keys).select_related("text")
    return {keys[message.key]: message for message in found}


@transaction.atomic
def mark_answered(
    *, text: IncomingText, by: User, at: dt.datetime, subject: tuple[str, str], outcome: str = ""
) -> IncomingText:
    """A member of staff has dealt with a text, and with all of the same number before it.

    ``subject`` is whose record they had open; its alert about texts counts as seen, ``outcome``
    says what was done. The first to say so stands.
    """
    if not may(by, May.ACKNOWLEDGE):
        raise PermissionDenied("Your role does not include answering patients.")
    text = IncomingText.objects.select_for_update().get(pk=text.pk)
    IncomingText.objects.filter(
        subject_type=text.subject_type,
        subject_id=text.subject_id,
        received_at__lte=text.received_at,
        answered_at__isnull=True,
    ).exclude(subject_type="").update(answered_at=at, answered_by=by)
    text.refresh_from_db()
    later = IncomingText.objects.filter(
        subject_type=text.subject_type,
        subject_id=text.subject_id,
        meaning=IncomingText.Meaning.WORDS,
        answered_at__isnull=True,
    )
    if not later.exists():
        for alert in Alert.objects.unresolved().about(*subject).filter(key__startswith="text:"):
            alerts.acknowledge(alert=alert, by=by, at=at, outcome=outcome)
    return text


def _lately(text: IncomingText, since: dt.datetime) -> list[str]:
    """Keys of the replies to other texts of this number."""
    others = IncomingText.objects.filter(address=text.address, received_at__gt=since)
    return [f"reply:{pk}" for pk in others.exclude(pk=text.pk).values_list("pk", flat=True)[:200]]


def _enough(text: IncomingText, at: dt.datetime) -> bool:
    keys = _lately(text, at - dt.timedelta(hours=1))
    return OutboxMessage.objects.filter(key__in=keys).count() >= _MOST_IN_AN_HOUR


def _said_lately(text: IncomingText, body: str, at: dt.datetime) -> bool:
    """They were told the very same a moment ago."""
    keys = _lately(text, at - _SAME_WORDS_AGAIN)
    return OutboxMessage.objects.filter(key__in=keys, text__body=body).exists()
