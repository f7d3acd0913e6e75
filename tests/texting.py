"""Texts as carriers bring them: signed, to the address the carrier was told."""

import hashlib
import hmac
import itertools
import json

from django.conf import settings
from django.test import Client
from twilio.request_validator import RequestValidator

from clinic.models import OutboxMessage, Suppression

PHONE = "+447700900123"
TOKEN = "a-token-of-the-tests"
SECRET = "a-secret-of-the-tests"
_numbers = itertools.count(1)


def reference() -> str:
    return f"SM{next(_numbers):032x}"


def twilio_fields(words: str, *, phone: str = PHONE, **fields: str) -> dict[str, str]:
    return {
        "MessageSid": reference(),
        "AccountSid": "AC" + "0" * 32,
        "From": phone,
        "To": "+447700900999",
        "Body": words,
        "NumMedia": "0",
        **fields,
    }


def twilio_signature(fields: dict[str, str], path: str = "/hooks/twilio/texts") -> str:
    return RequestValidator(TOKEN).compute_signature(settings.BASE_URL + path, fields)


def post_twilio(fields: dict[str, str], *, path: str = "/hooks/twilio/texts", signature=None):
    seal = twilio_signature(fields, path) if signature is None else signature
    return Client().post(path, fields, headers={"X-Twilio-Signature": seal})


def post_plain(said: dict[str, object], *, secret: str = SECRET):
    body = json.dumps(said).encode()
    seal = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return Client().post(
        "/hooks/sms/texts",
        body,
        content_type="application/json",
        headers={"X-Signature": seal},
    )


def text(words: str, *, phone: str = PHONE, **fields: str) -> str:
    """Send one text through Twilio's door; the words of our reply, or ""."""
    known = set(OutboxMessage.objects.filter(kind="reply").values_list("pk", flat=True))
    answer = post_twilio(twilio_fields(words, phone=phone, **fields))
    assert (answer.status_code, answer.content) == (200, b"<Response/>")
    new = OutboxMessage.objects.filter(kind="reply").exclude(pk__in=known).select_related("text")
    return " ".join(message.text.body for message in new)


def stopped(phone: str = PHONE) -> bool:
    return Suppression.objects.in_force().filter(channel="sms", address=phone).exists()
