"""What happens when somebody sends the practice a text message.

This room keeps the text once, whatever the carrier repeats, stops and starts an address, helps,
finds out which of a family wrote, and sees that words reach a person. What a text says about the
day's routine it asks upward (``text_received``). Every answer goes through the outbox.

An unknown number learns nothing: whatever it writes, nothing comes back, and its words are not
kept. A STOP from it is honoured all the same.

A phone that a family shares: the text waits while they are asked whose it is. A STOP does not
wait; it stops the whole number at once, and each of them may start again for themselves. Words
that nobody claims in time, and a number for much pain, are read by the physiotherapists of all of
them.
"""

import datetime as dt
from collections.abc import Sequence

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from phonenumber_field.phonenumber import to_python
from phonenumbers import is_possible_number, is_valid_number
from psycopg.errors import DeadlockDetected

from clinic import alerts
from clinic.messaging import outbox
from clinic.messaging.persons import Person, called
from clinic.messaging.reading_texts import Meaning, Reading, choice, read
from clinic.messaging.reply_words import reply_words
from clinic.messaging.replying import reply
from clinic.models import Alert, IncomingText, OutboxMessage, Suppression
from clinic.models.messaging import Channel
from clinic.signals import (
    address_started,
    address_stopped,
    may_mean_appointment,
    text_received,
    whose_address,
)

Kept = IncomingText.Meaning

# How long "A" is taken as the answer to "who is this for?".
CLAIM_WITHIN = dt.timedelta(hours=4)
# A number for pain that nobody claimed is read by a person from here on, 0-10: one below where
# the rules stop, because no rule looks at it.
_MUCH_PAIN = 7
# One of longer ago says nothing of how a back is now.
_NUMBERS_FOR = dt.timedelta(days=7)
# A second text within this does not bring the question again.
_ASKED_LATELY = dt.timedelta(minutes=10)
# More than these share a number: nobody reads so long a question.
_MOST_TO_CHOOSE_FROM = 6
_LENGTH = 4000
# Below this it is a short code, which belongs to a company.
_SHORTEST_NUMBER = 7
_TRIES = 3
# With the hash of the number: two texts of one number come one after the other.
_FROM_ONE_NUMBER = 0x57EAD2
# Of the replies to several texts at once, the first of these is sent.
_FOREMOST = ("questions", "paused", "words", "start", "done", "saved", "nothing_due")


def receive(
    *, carrier: str, reference: str, address: str, words: str, at: dt.datetime, told: str = ""
) -> str:
    """Take one text message; return the reply that was queued, or "".

    ``carrier`` and its ``reference`` name the text: the same one again changes nothing. ``told``
    is what the carrier itself took the text for ("STOP", "START", "HELP"), and has answered.
    """
    for left in reversed(range(_TRIES)):
        try:
            with transaction.atomic():
                return _receive(carrier, reference, same_number(address), words, at, told)
        except OperationalError as error:
            # Senders and rules take their locks in another order.
            if not left or not isinstance(error.__cause__, DeadlockDetected):
                raise
    raise AssertionError("unreachable")


def same_number(address: str) -> str:
    """The number as contact points keep it, +447700900123, from any spelling carriers use."""
    said = address.replace("\0", "").strip()
    digits = said.replace(" ", "")
    if len(digits) < _SHORTEST_NUMBER:
        return said
    if digits.startswith("00"):
        said = "+" + digits[2:]
    abroad = to_python(said if said.startswith("+") else "+" + digits)
    here = to_python(said)
    for number, is_one in (
        (abroad, is_valid_number),
        (here, is_valid_number),
        (abroad, is_possible_number),
        (here, is_possible_number),
    ):
        if number and number.country_code is not None and is_one(number):
            return str(number.as_e164)
    return said[:254]


def hand_on_unclaimed(*, at: dt.datetime) -> int:
    """Words from a shared phone that nobody claimed in time go to all their readers, and so does a
    number for pain of 7 and more. How many."""
    in_time = at - CLAIM_WITHIN
    unclaimed = IncomingText.objects.filter(subject_type="", subject_id="")
    words = unclaimed.filter(meaning=Kept.WORDS, received_at__lte=in_time)
    numbers = unclaimed.filter(
        meaning=Kept.PAIN, received_at__lte=in_time, received_at__gt=at - _NUMBERS_FOR
    )
    return sum(_hand_on(texts, at) for texts in (words, numbers))


def _hand_on(texts: QuerySet[IncomingText], at: dt.datetime) -> int:
    count = 0
    for pk, address in texts.order_by("pk").values_list("pk", "address")[:500]:
        with transaction.atomic():
            _one_at_a_time(address)
            text = texts.filter(pk=pk).first()
            if text is None:
                continue
            _belongs(text, ("address", address))
            if text.meaning == Kept.PAIN:
                if (read(text.words).pain or 0) < _MUCH_PAIN:
                    continue
                _means(text, Kept.WORDS)
            for person in _persons(address):
                _pass_on(text, person, at)
            count += 1
    return count


# --- one text ------------------------------------------------------------------------------------


def _receive(
    carrier: str, reference: str, address: str, words: str, at: dt.datetime, told: str
) -> str:
    _one_at_a_time(address)
    words = words.replace("\0", "").strip()[:_LENGTH]
    persons = _persons(address)
    reading = _read(words, told, address)
    meaning = Kept(reading.meaning.value) if persons else Kept.STRANGER
    text, new = IncomingText.objects.get_or_create(
        carrier=carrier,
        carrier_reference=reference,
        defaults={
            "address": address,
            "words": words if persons else "",
            "meaning": meaning,
            "received_at": at,
        },
    )
    if not new:
        return ""
    if not persons:
        _of_stranger(reading, address, at)
        return ""
    if reading.meaning is Meaning.STOP:
        return _stop(text, persons, reading, at, answered=bool(told))
    if reading.meaning is Meaning.HELP:
        _belongs(text, _all_of(persons, address))
        return "" if told else reply(text, persons[0], "help", at=at)
    if len(persons) == 1:
        purpose = _act(text, persons[0], reading, at)
        return "" if told else reply(text, persons[0], purpose, at=at)
    return _of_family(text, persons, reading, at, answered=bool(told))


def _read(words: str, told: str, address: str) -> Reading:
    reading = read(words)
    if told in ("STOP", "START", "HELP"):
        meaning = Meaning(told.lower())
        return reading if reading.meaning is meaning else Reading(meaning)
    if reading.meaning is Meaning.YES:
        stopped = Suppression.objects.in_force().filter(
            channel=Channel.SMS, address=address, by_owner=True
        )
        return Reading(Meaning.START) if stopped.exists() else Reading(Meaning.WORDS)
    return reading


def _of_stranger(reading: Reading, address: str, at: dt.datetime) -> None:
    if reading.meaning is Meaning.STOP:
        _close(address, at)
    elif reading.meaning is Meaning.START:
        outbox.lift_suppression(channel=Channel.SMS, address=address, at=at)


def _act(text: IncomingText, person: Person, reading: Reading, at: dt.datetime) -> str:
    """Do what one person's text asks for; return the purpose of the reply."""
    _belongs(text, person.subject)
    if reading.meaning is Meaning.START:
        _start(text.address, at, None)
        return "start"
    said = text_received.send(IncomingText, text=text, person=person, pain=reading.pain, at=at)
    purpose = next((str(answer) for _, answer in said if answer), "")
    if purpose in ("", "paused"):
        _means(text, Kept.WORDS)
        _pass_on(text, person, at)
    return purpose or "words"


# --- stop and start ------------------------------------------------------------------------------


def _stop(
    text: IncomingText, persons: Sequence[Person], reading: Reading, at: dt.datetime, answered: bool
) -> str:
    """Close the number for everybody who shares it. The first STOP is confirmed, once."""
    # Asked before consent ends, as long as all of them are still reached here.
    cancelling = [
        person for person in persons if reading.cancels and _may_cancel(person, text.address, at)
    ]
    news = _close(text.address, at)
    _belongs(text, _all_of(persons, text.address))
    if reading.own_words:
        # More was said than the word: nothing of it may be lost.
        for person in persons:
            _pass_on(text, person, at, Alert.Severity.ROUTINE)
    for person in cancelling:
        _pass_on(text, person, at, cancels=True)
    if answered or not news:
        return ""
    if len(persons) > 1:
        return reply(text, persons[0], "stop_shared", at=at)
    return reply(text, persons[0], "stop_cancel" if cancelling else "stop", at=at)


def _may_cancel(person: Person, address: str, at: dt.datetime) -> bool:
    said = may_mean_appointment.send(IncomingText, person=person, address=address, at=at)
    return any(answer is True for _, answer in said)


def _close(address: str, at: dt.datetime) -> bool:
    """Whether the number was open until now."""
    known = Suppression.objects.in_force().filter(channel=Channel.SMS, address=address)
    news = not known.filter(by_owner=True).exists()
    outbox.suppress_address(
        channel=Channel.SMS,
        address=address,
        reason="The owner of the number texted STOP.",
        at=at,
        by_owner=True,
    )
    address_stopped.send(
        IncomingText, channel=Channel.SMS, address=address, at=at, way="text", subject=None
    )
    return news


def _start(address: str, at: dt.datetime, subject: tuple[str, str] | None) -> None:
    outbox.lift_suppression(channel=Channel.SMS, address=address, at=at)
    address_started.send(
        IncomingText, channel=Channel.SMS, address=address, at=at, way="text", subject=subject
    )


# --- a phone that a family shares ----------------------------------------------------------------


def _of_family(
    text: IncomingText, persons: list[Person], reading: Reading, at: dt.datetime, answered: bool
) -> str:
    names = called(persons)
    if len(persons) > _MOST_TO_CHOOSE_FROM or len(set(names)) < len(names):
        return _for_all(text, persons, at)
    chosen = choice(text.words, names)
    waiting = _waiting(text, at)
    question = reply_words("who", site=persons[0].site, language=persons[0].language, names=names)
    # The letters are those of the question they read; a family that has changed reads it anew.
    asked_at = _asked_at(text, question, at)
    if chosen is not None:
        _means(text, Kept.WHO)
        if waiting and asked_at is not None:
            return _claimed(text, waiting, persons[chosen], at)
        if not waiting:
            _belongs(text, persons[chosen].subject)
            return reply(text, persons[chosen], "again", at=at)
        _belongs(text, ("address", text.address))
    elif waiting and asked_at is not None and asked_at > at - _ASKED_LATELY:
        return ""
    return "" if answered else reply(text, persons[0], "who", at=at, words=question)


def _waiting(text: IncomingText, at: dt.datetime) -> list[IncomingText]:
    """Texts of this number that nobody has claimed, oldest first."""
    unclaimed = IncomingText.objects.filter(
        address=text.address, subject_type="", received_at__gt=at - CLAIM_WITHIN
    )
    others = unclaimed.exclude(meaning=Kept.STRANGER).exclude(pk=text.pk)
    return list(others.order_by("received_at", "pk"))


def _asked_at(text: IncomingText, question: str, at: dt.datetime) -> dt.datetime | None:
    """When this very question was put to the number last."""
    lately = IncomingText.objects.filter(address=text.address, received_at__gt=at - CLAIM_WITHIN)
    keys = [f"reply:{pk}" for pk in lately.values_list("pk", flat=True)]
    asked = OutboxMessage.objects.filter(key__in=keys, text__body=question)
    return asked.order_by("-due_at").values_list("due_at", flat=True).first()


def _claimed(
    text: IncomingText, waiting: Sequence[IncomingText], person: Person, at: dt.datetime
) -> str:
    """One of the family says that the waiting texts are theirs."""
    _belongs(text, person.subject)
    purposes = []
    for earlier in waiting:
        if earlier.meaning == Kept.START:
            _belongs(earlier, person.subject)
            _start(earlier.address, at, person.subject)
            purposes.append("start")
        else:
            reading = read(earlier.words)
            purposes.append(_act(earlier, person, reading, earlier.received_at))
    return reply(text, person, min(purposes, key=_FOREMOST.index), at=at)


def _for_all(text: IncomingText, persons: Sequence[Person], at: dt.datetime) -> str:
    """They cannot be told apart by a letter: whatever it was, a person reads it."""
    _means(text, Kept.WORDS)
    _belongs(text, ("address", text.address))
    for person in persons:
        _pass_on(text, person, at)
    return reply(text, persons[0], "words", at=at)


# --- reaching a person ---------------------------------------------------------------------------


def _pass_on(
    text: IncomingText,
    person: Person,
    at: dt.datetime,
    severity: str = Alert.Severity.SOON,
    *,
    cancels: bool = False,
) -> None:
    """Tell who reads for this person. As long as they have not looked, once is enough.

    ``cancels``: it may be an appointment they mean, which other words that wait do not say.
    """
    kind, key = person.subject
    prefix = "text:cancel:" if cancels else "text:"
    standing = Alert.objects.open().about(kind, key).filter(key__startswith=prefix)
    if standing.filter(severity=Alert.Severity.SOON).exists():
        return
    by_whom = "" if text.subject_type == kind else " from a phone that several people share"
    meant = " May want to cancel an appointment; it still stands." if cancels else ""
    alerts.raise_alert(
        severity=severity,
        subject_type=kind,
        subject_id=key,
        site=person.site,
        owner=person.reader,
        summary=f"Text message{by_whom}: “{text.words[:300]}”{meant}",
        key=f"{prefix}{text.pk}:{key}",
        at=at,
    )


# --- the number ----------------------------------------------------------------------------------


def _persons(address: str) -> list[Person]:
    found = whose_address.send(IncomingText, channel=Channel.SMS, address=address)
    return [person for _, persons in found for person in persons or ()]


def _all_of(persons: Sequence[Person], address: str) -> tuple[str, str]:
    return persons[0].subject if len(persons) == 1 else ("address", address)


def _belongs(text: IncomingText, subject: tuple[str, str]) -> None:
    text.subject_type, text.subject_id = subject
    text.save(update_fields=["subject_type", "subject_id"])


def _means(text: IncomingText, meaning: str) -> None:
    text.meaning = meaning
    text.save(update_fields=["meaning"])


def _one_at_a_time(address: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_FROM_ONE_NUMBER, address]
        )
