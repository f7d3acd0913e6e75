"""Links that open one patient's routine.

A token is the message's id and a seal over it, so that nothing about it is stored and the table
of messages opens nobody's routine.
"""

import base64
import binascii
import datetime as dt
import hmac
import uuid

from django.conf import settings
from django.utils.crypto import salted_hmac

from clinic.models import OutboxMessage

_SALT = "clinic.messaging.links"
_ID_BYTES, _SEAL_BYTES = 16, 10


def token_for(message_id: uuid.UUID) -> str:
    """35 characters that are safe in a URL."""
    return _encode(message_id.bytes + _seal(message_id.bytes, settings.SECRET_KEY))


def link_for(message_id: uuid.UUID) -> str:
    """The whole address that goes into the message."""
    return f"{settings.BASE_URL}/r/{token_for(message_id)}"


def message_for(token: str, at: dt.datetime) -> OutboxMessage | None:
    """The message this token was made for; None when it is wrong or its time has passed."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    # The last character has spare bits: only one of its spellings counts.
    if len(raw) != _ID_BYTES + _SEAL_BYTES or _encode(raw) != token:
        return None
    message_id, seal = raw[:_ID_BYTES], raw[_ID_BYTES:]
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    if not any(hmac.compare_digest(seal, _seal(message_id, key)) for key in keys):
        return None
    return OutboxMessage.objects.filter(
        pk=uuid.UUID(bytes=message_id),
        kind=OutboxMessage.Kind.ROUTINE_REMINDER,
        link_expires_at__gt=at,
    ).first()


def _seal(message_id: bytes, key: str | bytes) -> bytes:
    return salted_hmac(_SALT, message_id, secret=key, algorithm="sha256").digest()[:_SEAL_BYTES]


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
