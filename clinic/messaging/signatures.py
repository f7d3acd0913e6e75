"""Whether a call from outside really comes from the carrier it says it comes from.

Both checks need the secret the practice shares with its carrier; without one nothing is believed.
"""

import hashlib
import hmac

from django.conf import settings
from django.http import HttpRequest
from twilio.request_validator import RequestValidator


def twilio_signed(request: HttpRequest) -> bool:
    """Twilio's signature over the exact public address and the fields of the form.

    The address is made from BASE_URL, as Twilio was told it, whatever the proxies in between
    have made of host and scheme. Source: https://www.twilio.com/docs/usage/security
    """
    if not settings.TWILIO_AUTH_TOKEN:
        return False
    return RequestValidator(settings.TWILIO_AUTH_TOKEN).validate(
        settings.BASE_URL + request.get_full_path(),
        request.POST,
        request.headers.get("X-Twilio-Signature", ""),
    )


def body_signed(request: HttpRequest) -> bool:
    """The plain HTTP carrier's signature: HMAC-SHA256 of the raw body in hexadecimal, in the
    header that SMS_HTTP_SIGNATURE_HEADER names, with or without ``sha256=`` before it."""
    secret = settings.SMS_HTTP_SECRET
    said = request.headers.get(settings.SMS_HTTP_SIGNATURE_HEADER, "").strip().lower()
    if not secret or not said:
        return False
    wanted = hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(said.removeprefix("sha256=").encode(), wanted.encode())
