"""Twilio's own list of the texts it took, asked when we do not know of one.

API: https://www.twilio.com/docs/messaging/api/message-resource#retrieve-a-list-of-messages

The list is asked for by number alone: a text that has not left Twilio yet has no date of sending,
and would be missing from a list narrowed by that date.
"""

import dataclasses
import datetime as dt
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from django.conf import settings

from clinic.messaging.gateways.errors import GatewayError
from clinic.messaging.gateways.http import refusal, unanswered

_API = "https://api.twilio.com"
_CARRIER = "text message carrier"
_TIMEOUT_S = 10
_PAGE_SIZE, _PAGES = 100, 5


@dataclasses.dataclass(frozen=True)
class ListedText:
    """One text as Twilio knows it; ``status`` and ``code`` are Twilio's words."""

    reference: str
    body: str
    status: str
    code: str
    created_at: dt.datetime


@dataclasses.dataclass(frozen=True)
class TextsSent:
    """Texts to one number; ``whole`` when none since the asked time can be missing."""

    texts: list[ListedText]
    whole: bool


class TwilioList:
    """Keeps one line to Twilio open for as many questions as are asked within ``with``."""

    def __init__(self) -> None:
        account, secret = settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN
        if not account or not secret:
            raise GatewayError(permanent=True, code="no_carrier", text="Twilio is not set up.")
        self._base = (settings.TWILIO_API_BASE or _API).rstrip("/")
        self._path = f"/2010-04-01/Accounts/{account}/Messages.json"
        self._line = requests.Session()
        self._line.auth = (account, secret)

    def __enter__(self) -> "TwilioList":
        return self

    def __exit__(self, *exception: object) -> None:
        self._line.close()

    def texts_to(self, number: str, *, since: dt.datetime) -> TextsSent:
        """What was sent to ``number`` from ``since`` on, and perhaps before.

        GatewayError or OutcomeUnknown when Twilio does not say.
        """
        texts: list[ListedText] = []
        path, fields = self._path, {"To": number, "PageSize": str(_PAGE_SIZE)}
        for _ in range(_PAGES):
            said = self._ask(path, fields)
            try:
                page = [_text(row) for row in said["messages"]]
                path, fields = said.get("next_page_uri") or "", {}
            except (KeyError, TypeError, ValueError, AttributeError):
                raise refusal(200, _CARRIER) from None
            texts += [text for text in page if text is not None]
            is_past = bool(page) and all(text is None or text.created_at < since for text in page)
            if not path or is_past:
                return TextsSent(texts, whole=True)
            if not path.startswith("/"):
                # Our secret goes to no other address than the one we were given.
                break
        return TextsSent(texts, whole=False)

    def _ask(self, path: str, fields: dict[str, str]) -> Any:
        try:
            answer = self._line.get(
                self._base + path, params=fields, timeout=_TIMEOUT_S, allow_redirects=False
            )
        except requests.RequestException as error:
            raise unanswered(_CARRIER) from error
        if answer.status_code != 200:
            raise refusal(answer.status_code, _CARRIER)
        try:
            return answer.json()
        except ValueError:
            raise refusal(answer.status_code, _CARRIER) from None


def _text(row: dict[str, Any]) -> ListedText | None:
    """None for a text that came in."""
    if row["direction"] == "inbound":
        return None
    created_at = parsedate_to_datetime(row["date_created"])
    return ListedText(
        reference=str(row["sid"]),
        body=str(row["body"] or ""),
        status=str(row["status"]),
        code=str(row["error_code"] or ""),
        created_at=created_at if created_at.tzinfo else created_at.replace(tzinfo=dt.UTC),
    )
