"""Text messages by any carrier that takes a form or JSON, as the settings describe it."""

import json
import math
import re

from django.conf import settings
from django.utils import timezone

from clinic.messaging import links
from clinic.messaging.gateways.description import WrongDescription, read_description, value_at
from clinic.messaging.gateways.errors import GatewayError, OutcomeUnknown
from clinic.messaging.gateways.http import refusal
from clinic.messaging.gateways.http_line import Answer, HttpLine
from clinic.models import OutboxMessage

_CARRIER = "text message carrier"
_REFERENCE_LENGTH = OutboxMessage._meta.get_field("carrier_reference").max_length
# A code is kept; words, which might quote the message, are not.
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,30}")


class PlainHttpGateway:
    name = "http"

    def __init__(self) -> None:
        try:
            self._description = read_description()
        except WrongDescription as error:
            raise GatewayError(
                permanent=True, code="no_carrier", text=error.sentences[0][:200]
            ) from error
        self.lines = settings.SMS_IN_FLIGHT
        self._line = HttpLine(
            carrier=_CARRIER,
            url=self._description.url,
            headers=self._description.headers,
            lines=self.lines,
            method=self._description.method,
        )
        self._calls_back = (
            settings.BASE_URL.startswith("https://") or settings.TESTING or settings.DEMO
        )

    async def deliver(self, message: OutboxMessage, link: str) -> str:
        left = math.floor((message.expires_at - timezone.now()).total_seconds())
        body = self._description.body(
            {
                "to": message.address,
                "to_digits": message.address.removeprefix("+"),
                "from": settings.SMS_HTTP_FROM,
                "text": links.filled(message, link),
                "id": str(message.pk),
                "valid_for_s": max(left, 1),
                "callback": links.status_callback_for(message.pk, "sms")
                if self._calls_back
                else None,
            }
        )
        answer = await self._line.ask(body)
        said = _read(answer)
        if self._description.succeeded(answer.status, said):
            if not self._description.reference_at:
                return str(message.pk)
            reference = value_at(said, self._description.reference_at)
            if reference:
                return reference[:_REFERENCE_LENGTH]
        raise self._outcome(answer, said)

    async def close(self) -> None:
        await self._line.close()

    def _outcome(self, answer: Answer, said: object) -> GatewayError | OutcomeUnknown:
        """The carrier's code in our words. Its own text may hold the number, so it goes nowhere."""
        about = self._description
        if about.succeeded(answer.status, said) or not about.error_at:
            return refusal(answer.status, _CARRIER, answer.retry_after)
        found = value_at(said, about.error_at)
        if found is None:
            return refusal(answer.status, _CARRIER, answer.retry_after)
        code = found if _CODE.fullmatch(found) else "other"
        if found in about.stopped:
            return GatewayError(
                permanent=True,
                code=code,
                text="The person has told the carrier STOP.",
                dead_address=True,
                by_owner=True,
            )
        if found in about.dead_number:
            return GatewayError(
                permanent=True,
                code=code,
                text="The carrier says that this number cannot receive texts.",
                dead_address=True,
            )
        if found in about.permanent:
            return GatewayError(
                permanent=True, code=code, text=f"The {_CARRIER} refused the message ({code})."
            )
        if answer.status < 300:
            # A yes by its status that names an error: not taken, and nobody said for good.
            return GatewayError(
                permanent=False,
                code=code,
                text=f"The {_CARRIER} put the message off ({code}).",
                retry_after=answer.retry_after,
            )
        return refusal(answer.status, _CARRIER, answer.retry_after)


def _read(answer: Answer) -> object:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
