"""The addresses that go out with a message: to the routine, to stop, and for the carrier's word.

A token is the message's id and a seal over it, so that nothing about it is stored and the table
of messages opens nobody's routine. Each purpose has a seal of its own: the token of one is
worthless for the other.
"""

import base64
import binascii
import datetime as dt
import functools
import hashlib
import hmac
import re
import uuid

from django.conf import settings
from django.utils.encoding import force_bytes

from clinic.models import OutboxMessage
from clinic.models.messaging import Channel

_ROUTINE = "clinic.messaging.links"
_STOP = "clinic.messaging.links.stop"
_CODE = "clinic.messaging.links.code"
_DOOR = "clinic.messaging.links.door."
# Where the link of a message leads that is no reminder, and its seal.
_CONFIRM, _GUIDE = OutboxMessage.Kind.ENQUIRY_CONFIRM, OutboxMessage.Kind.ENQUIRY_GUIDE
_ENQUIRY = {
    _CONFIRM: ("/enquire/confirm/", "clinic.messaging.links.confirm"),
    _GUIDE: ("/guide/", "clinic.messaging.links.guide"),
}
_APPOINTMENT = "clinic.messaging.links.appointment"
_ID_BYTES, _SEAL_BYTES = 16, 10
_LINK = re.compile(r"/r/([\w-]{35})(?![\w-])", re.ASCII)


def token_for(message_id: uuid.UUID) -> str:
    """35 characters that are safe in a URL."""
    return _token(message_id, _ROUTINE)


def link_for(message_id: uuid.UUID) -> str:
    """The whole address that goes into the message."""
    return f"{settings.BASE_URL}/r/{token_for(message_id)}"


def link_of(message: OutboxMessage) -> str:
    """The address that ``{link}`` stands for in this message."""
    if message.kind == OutboxMessage.Kind.APPOINTMENT_REMINDER:
        return f"{settings.BASE_URL}/a/{_token(message.pk, _APPOINTMENT)}"
    if message.kind not in _ENQUIRY:
        return link_for(message.pk)
    path, purpose = _ENQUIRY[OutboxMessage.Kind(message.kind)]
    return f"{settings.BASE_URL}{path}{_token(message.pk, purpose)}"


def message_for_enquiry(kind: str, token: str, at: dt.datetime) -> OutboxMessage | None:
    """The mail to somebody who enquired whose link this is; None when it is wrong or too old.
    ``kind`` is ENQUIRY_CONFIRM or ENQUIRY_GUIDE."""
    message_id = _opened(token, _ENQUIRY[OutboxMessage.Kind(kind)][1])
    if message_id is None:
        return None
    return OutboxMessage.objects.filter(pk=message_id, kind=kind, link_expires_at__gt=at).first()


def message_for_appointment(token: str, at: dt.datetime) -> OutboxMessage | None:
    """The reminder of an appointment whose link this is; None when it is wrong or too old."""
    message_id = _opened(token, _APPOINTMENT)
    if message_id is None:
        return None
    return OutboxMessage.objects.filter(
        pk=message_id, kind=OutboxMessage.Kind.APPOINTMENT_REMINDER, link_expires_at__gt=at
    ).first()


def message_for(token: str, at: dt.datetime) -> OutboxMessage | None:
    """The message this token was made for; None when it is wrong or its time has passed."""
    message_id = _opened(token, _ROUTINE)
    if message_id is None:
        return None
    kinds = [*OutboxMessage.REMINDERS, OutboxMessage.Kind.REPLY]
    return OutboxMessage.objects.filter(
        pk=message_id, kind__in=kinds, link_expires_at__gt=at
    ).first()


def messages_in(words: str) -> set[uuid.UUID]:
    """The messages whose links stand in a text, whoever hands it to us."""
    found = {_opened(token, _ROUTINE) for token in _LINK.findall(words)}
    return {message_id for message_id in found if message_id is not None}


def stop_link_for(message_id: uuid.UUID) -> str:
    """The address that stops reminders by e-mail, of routines and of appointments, for a mail's
    text and its List-Unsubscribe.

    It works as long as the message is kept: people turn mails off that came a year ago.
    """
    return f"{settings.BASE_URL}/stop/{_token(message_id, _STOP)}"


def message_for_stop(token: str) -> OutboxMessage | None:
    """The reminder whose receiver wants no more of them; None when the token is wrong."""
    message_id = _opened(token, _STOP)
    if message_id is None:
        return None
    return OutboxMessage.objects.filter(
        pk=message_id, kind__in=OutboxMessage.STOPPABLE, channel=Channel.EMAIL
    ).first()


def code_for(message_id: uuid.UUID) -> str:
    """The six figures that go out with a sign-in message. They are made of the message's id and
    our key and kept nowhere: who reads the outbox cannot sign in for anybody."""
    sealed = hmac.digest(_derived(settings.SECRET_KEY, _CODE), message_id.bytes, "sha256")
    return f"{int.from_bytes(sealed) % 1_000_000:06d}"


def filled(message: OutboxMessage, link: str) -> str:
    """The finished words of a text message."""
    body = message.text.body.replace("{link}", link)
    return body.replace("{code}", code_for(message.pk)) if "{code}" in body else body


def door_for(purpose: str, key: uuid.UUID) -> str:
    """The address ("/in/…") that leads one person to their sign-in; it opens nothing by itself.
    ``purpose`` is "sheet" or "invitation", ``key`` the id of either."""
    return f"{settings.BASE_URL}/in/{_token(key, _DOOR + purpose)}"


def behind_door(purpose: str, token: str) -> uuid.UUID | None:
    """The id a token of ``door_for`` was made of; None when it was not made for this purpose."""
    return _opened(token, _DOOR + purpose)


def status_callback_for(message_id: uuid.UUID, carrier: str = "twilio") -> str:
    """The address at which ``carrier`` ("twilio", or "sms" for the plain one) says what became
    of a text."""
    return f"{settings.BASE_URL}/hooks/{carrier}/status/{message_id}"


def _token(message_id: uuid.UUID, purpose: str) -> str:
    return _encode(message_id.bytes + _seal(message_id.bytes, settings.SECRET_KEY, purpose))


def _opened(token: str, purpose: str) -> uuid.UUID | None:
    """The id inside, if the seal over it was made for this purpose with one of our keys."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    # The last character has spare bits: only one of its spellings counts.
    if len(raw) != _ID_BYTES + _SEAL_BYTES or _encode(raw) != token:
        return None
    message_id, seal = raw[:_ID_BYTES], raw[_ID_BYTES:]
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    if not any(hmac.compare_digest(seal, _seal(message_id, key, purpose)) for key in keys):
        return None
    return uuid.UUID(bytes=message_id)


def _seal(message_id: bytes, key: str | bytes, purpose: str) -> bytes:
    return hmac.digest(_derived(key, purpose), message_id, "sha256")[:_SEAL_BYTES]


@functools.lru_cache(maxsize=16)
def _derived(key: str | bytes, purpose: str) -> bytes:
    """The key that django.utils.crypto.salted_hmac derives anew for every seal."""
    return hashlib.sha256(force_bytes(purpose) + force_bytes(key)).digest()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
