"""Mails from a stencil: what is common is drawn once, and the few places that differ are filled.

Building a MIME message costs more than sending it. So the whole mail is built once per text, by
Django's own classes, with specimens in the places of the address, the links, the date and the id;
every further mail of that text is the same bytes with its own values in those places.
"""

import functools
import re
import time
from email.utils import formatdate, parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from clinic.messaging import links, texts
from clinic.messaging.gateways.errors import GatewayError
from clinic.models import MessageText, OutboxMessage

# None of these letters has another spelling in a header, in text or in HTML.
_SPECIMENS = {
    "address": "specimen-address@specimen.example",
    "link": "https://specimen.example/link",
    "stop_link": "https://specimen.example/stop",
    "code": "specimen-code-0000",
    "message_id": "<specimen-id@specimen.example>",
    "date": "Thu, 01 Jan 1970 00:00:00 +0000",
}
_PLACES = re.compile(
    b"|".join(b"(?P<%s>%s)" % (k.encode(), re.escape(v.encode())) for k, v in _SPECIMENS.items())
)
_LEADING_DOT = re.compile(rb"(?m)^\.")


class Stencil:
    """One text as a finished mail with places to fill; lines end in CRLF, dots are doubled."""

    def __init__(self, text: MessageText, stoppable: bool) -> None:
        mail = _mail(text, stoppable=stoppable, **_SPECIMENS)
        raw = mail.message().as_bytes(linesep="\r\n")
        raw = _LEADING_DOT.sub(b"..", raw if raw.endswith(b"\r\n") else raw + b"\r\n")
        self._parts: list[bytes] = []
        self._places: list[tuple[int, str]] = []
        done = 0
        for found in _PLACES.finditer(raw):
            self._parts.append(raw[done : found.start()])
            self._places.append((len(self._parts), str(found.lastgroup)))
            self._parts.append(b"")
            done = found.end()
        self._parts.append(raw[done:])
        self.is_ascii = raw.isascii()

    def fill(self, values: dict[str, bytes]) -> bytes:
        parts = self._parts.copy()
        for place, name in self._places:
            parts[place] = values[name]
        return b"".join(parts)


def drawn(message: OutboxMessage, link: str, address: str, reference: str) -> tuple[bytes, bool]:
    """The mail as it goes over the wire, without its final dot, and whether it is all ASCII.
    ``reference`` is its Message-ID."""
    stoppable = message.kind in OutboxMessage.STOPPABLE
    stencil = _stencil_for(message.text, stoppable)
    values = {
        "address": address.encode("ascii"),
        "link": link.encode("ascii"),
        "stop_link": links.stop_link_for(message.pk).encode("ascii") if stoppable else b"",
        "code": b"" if stoppable else links.code_for(message.pk).encode("ascii"),
        "message_id": reference.encode("ascii"),
        "date": _date(int(time.time())),
    }
    return stencil.fill(values), stencil.is_ascii


def build(message: OutboxMessage, link: str) -> EmailMultiAlternatives:
    """The same mail as an object of Django's, for a backend that is not SMTP."""
    stoppable = message.kind in OutboxMessage.STOPPABLE
    return _mail(
        message.text,
        stoppable=stoppable,
        address=message.address,
        link=link,
        stop_link=links.stop_link_for(message.pk) if stoppable else "",
        code=links.code_for(message.pk),
        message_id=message_id(message),
        date=_date(int(time.time())).decode("ascii"),
    )


def message_id(message: OutboxMessage) -> str:
    """The mail's Message-ID: the same however often it is built, so that a receipt finds it."""
    domain = sender_address().rpartition("@")[2] or "localhost"
    return f"<{message.pk}@{domain}>"


def sender_address() -> str:
    """The bare address our mails come from."""
    return _bare(settings.DEFAULT_FROM_EMAIL)


def _mail(
    text: MessageText,
    *,
    stoppable: bool,
    address: str,
    link: str,
    stop_link: str,
    code: str,
    message_id: str,
    date: str,
) -> EmailMultiAlternatives:
    if "\n" in text.subject_line or "\r" in text.subject_line:
        raise GatewayError(
            permanent=True, code="bad_subject", text="The subject has more than one line."
        )
    body = text.body.replace("{link}", link).replace("{stop_link}", stop_link)
    body = body.replace("{code}", code)
    headers = {"Message-ID": message_id, "Date": date, "Auto-Submitted": "auto-generated"}
    if stoppable:
        # One click in the reader's own mail program, without a page (RFC 8058).
        headers["List-Unsubscribe"] = f"<{stop_link}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail = EmailMultiAlternatives(
        subject=text.subject_line, body=body, to=[address], headers=headers
    )
    mail.attach_alternative(texts.html_of(text, body), "text/html")
    return mail


_drawn: dict[tuple[str, str, str, bool, str], Stencil] = {}


def _stencil_for(text: MessageText, stoppable: bool) -> Stencil:
    key = (text.subject_line, text.body, text.language, stoppable, settings.DEFAULT_FROM_EMAIL)
    stencil = _drawn.get(key)
    if stencil is None:
        if len(_drawn) >= 256:
            _drawn.clear()
        stencil = _drawn[key] = Stencil(text, stoppable)
    return stencil


@functools.lru_cache(maxsize=8)
def _bare(sender: str) -> str:
    return parseaddr(sender)[1]


@functools.lru_cache(maxsize=4)
def _date(second: int) -> bytes:
    return formatdate(second, usegmt=False).replace("-0000", "+0000").encode("ascii")
