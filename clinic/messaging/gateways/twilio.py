"""Text messages by Twilio, through its SDK.

Error codes: https://www.twilio.com/docs/api/errors
"""

import logging
import math

import requests
from django.conf import settings
from django.utils import timezone
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from clinic.messaging.gateways.errors import GatewayError, OutcomeUnknown
from clinic.messaging.gateways.http import as_outcome, refusal
from clinic.models import OutboxMessage

_TIMEOUT_S = 15
# The carrier gives up after so long; Twilio takes 1 to 36,000 seconds.
_LONGEST_VALIDITY_S = 36_000

# The number is the reason: it must not be written to again.
_DEAD_NUMBERS = {
    21211: "The phone number is not valid.",
    21217: "The phone number is not valid.",
    21610: "The person has told the carrier STOP.",
    21614: "The number cannot receive texts.",
}
_BY_OWNER = {21610}
# No for good, but not because of the number.
_REFUSED = {
    21408: "Our account may not send texts to this country.",
    21606: "Our sender number cannot send texts.",
    21612: "There is no way for a text from our number to this one.",
    21617: "The text is too long.",
    21659: "Our sender number is not one of our account.",
}
_NOT_NOW = {20429: "The carrier is busy.", 21611: "The carrier's queue is full."}

# The SDK logs every request with its address at INFO.
logging.getLogger("twilio.http_client").setLevel(logging.WARNING)


class _OtherAddress(TwilioHttpClient):
    """Speaks to another base address than Twilio's own: a stand-in, or a proxy of the practice."""

    def __init__(self, base: str, **options) -> None:
        super().__init__(**options)
        self._base = base.rstrip("/")

    def request(self, method, url, *args, **options):
        return super().request(
            method, url.replace("https://api.twilio.com", self._base, 1), *args, **options
        )


class TwilioGateway:
    name = "twilio"

    def __init__(self) -> None:
        missing = [
            setting
            for setting in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM")
            if not getattr(settings, setting)
        ]
        if missing:
            raise GatewayError(
                permanent=True,
                code="no_carrier",
                text=f"Twilio is not set up: {', '.join(missing)} is missing.",
            )
        base = getattr(settings, "TWILIO_API_BASE", "")
        # No retries of the library's own: a repeated request is a second text.
        options = {"timeout": _TIMEOUT_S, "max_retries": 0}
        self._http = _OtherAddress(base, **options) if base else TwilioHttpClient(**options)
        self._client = Client(
            settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, http_client=self._http
        )

    def deliver(self, message: OutboxMessage, link: str) -> str:
        left = math.floor((message.expires_at - timezone.now()).total_seconds())
        try:
            sent = self._client.messages.create(
                to=message.address,
                from_=settings.TWILIO_FROM,
                body=message.body.replace("{link}", link),
                validity_period=min(max(left, 1), _LONGEST_VALIDITY_S),
            )
        except TwilioRestException as error:
            raise _outcome(error) from error
        except requests.RequestException as error:
            raise as_outcome(error, "text message carrier") from error
        return sent.sid

    def close(self) -> None:
        self._http.session.close()


def _outcome(error: TwilioRestException) -> GatewayError | OutcomeUnknown:
    """Twilio's code in our words. Its own text may hold the number, so it goes nowhere."""
    code = error.code
    if code in _DEAD_NUMBERS:
        return GatewayError(
            permanent=True,
            code=str(code),
            text=_DEAD_NUMBERS[code],
            dead_address=True,
            by_owner=code in _BY_OWNER,
        )
    if code in _REFUSED:
        return GatewayError(permanent=True, code=str(code), text=_REFUSED[code])
    if code in _NOT_NOW:
        return GatewayError(permanent=False, code=str(code), text=_NOT_NOW[code])
    return refusal(error.status, "text message carrier")
