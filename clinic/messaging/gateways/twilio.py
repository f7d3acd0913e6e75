"""Text messages by Twilio's API, many at once.

API: https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
Error codes: https://www.twilio.com/docs/api/errors
"""

import base64
import json
import math
from urllib.parse import quote_plus

from django.conf import settings
from django.utils import timezone

from clinic.messaging import links
from clinic.messaging.gateways.errors import GatewayError, OutcomeUnknown
from clinic.messaging.gateways.http import refusal
from clinic.messaging.gateways.http_line import Answer, HttpLine
from clinic.models import OutboxMessage

_CARRIER = "text message carrier"
_API = "https://api.twilio.com"
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


class TwilioGateway:
    """``TWILIO_FROM`` is a number or name of the account, or a messaging service (MG…)."""

    name = "twilio"

    def __init__(self) -> None:
        needed = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM")
        missing = [setting for setting in needed if not getattr(settings, setting)]
        if missing:
            raise GatewayError(
                permanent=True,
                code="no_carrier",
                text=f"Twilio is not set up: {', '.join(missing)} is missing.",
            )
        self.lines = settings.SMS_IN_FLIGHT
        account, sender = settings.TWILIO_ACCOUNT_SID, settings.TWILIO_FROM
        login = base64.b64encode(f"{account}:{settings.TWILIO_AUTH_TOKEN}".encode()).decode()
        self._line = HttpLine(
            carrier=_CARRIER,
            url=f"{(settings.TWILIO_API_BASE or _API).rstrip('/')}"
            f"/2010-04-01/Accounts/{quote_plus(account)}/Messages.json",
            headers={
                "Authorization": f"Basic {login}",
                "Content-Type": "application/x-www-form-urlencoded",
            },
            lines=self.lines,
        )
        who = "MessagingServiceSid" if sender.startswith("MG") else "From"
        self._from = f"{who}={quote_plus(sender)}"
        # Twilio refuses a message whose callback it could never reach.
        self._calls_back = (
            settings.BASE_URL.startswith("https://") or settings.TESTING or settings.DEMO
        )

    async def deliver(self, message: OutboxMessage, link: str) -> str:
        answer = await self._line.ask(self._form(message, link).encode("ascii"))
        said = _read(answer)
        reference = said.get("sid")
        if answer.status < 300 and isinstance(reference, str) and reference:
            return reference
        raise _outcome(answer, said.get("code"))

    async def close(self) -> None:
        await self._line.close()

    def _form(self, message: OutboxMessage, link: str) -> str:
        left = math.floor((message.expires_at - timezone.now()).total_seconds())
        form = (
            f"{self._from}&To={quote_plus(message.address)}"
            f"&Body={quote_plus(links.filled(message, link))}"
            f"&ValidityPeriod={min(max(left, 1), _LONGEST_VALIDITY_S)}"
        )
        if not self._calls_back:
            return form
        return f"{form}&StatusCallback={quote_plus(links.status_callback_for(message.pk))}"


def _read(answer: Answer) -> dict:
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _outcome(answer: Answer, code: object) -> GatewayError | OutcomeUnknown:
    """Twilio's code in our words. Its own text may hold the number, so it goes nowhere."""
    if not isinstance(code, int) or answer.status < 400:
        return refusal(answer.status, _CARRIER, answer.retry_after)
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
        return GatewayError(
            permanent=False, code=str(code), text=_NOT_NOW[code], retry_after=answer.retry_after
        )
    return refusal(answer.status, _CARRIER, answer.retry_after)
