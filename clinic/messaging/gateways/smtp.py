"""E-mail by SMTP over a small pool of lines.

The line may break, and then it matters when: before the mail was handed over nothing can have
been sent, afterwards nobody knows.
"""

import re

import aiosmtplib
from django.conf import settings

from clinic.messaging import stencil
from clinic.messaging.gateways.errors import GatewayError, OutcomeUnknown
from clinic.messaging.gateways.smtp_line import Cut, Refused, SMTPLine, open_line
from clinic.models import OutboxMessage

_CLOSING = 421
# The mailbox is not there, or will never take mail (RFC 3463, 3.2; 5.1.10 is RFC 7505).
_DEAD = {"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"}
# What could end the address on the wire and say something else.
_NOT_IN_ADDRESS = re.compile(r"[\x00- <>\x7f]")
_WHAT = {"sender": "our sender address", "recipient": "the address", "message": "the message"}


class SMTPGateway:
    """Lines are opened as they are needed and stay open; one that was dropped is renewed."""

    name = "smtp"

    def __init__(self) -> None:
        self.lines = settings.EMAIL_CONNECTIONS
        self._idle: list[SMTPLine] = []

    async def deliver(self, message: OutboxMessage, link: str) -> str:
        address = _on_the_wire(message.address)
        reference = stencil.message_id(message)
        mail, is_ascii = stencil.drawn(message, link, address, reference)
        sender = stencil.sender_address().encode("ascii")
        again = True
        while True:
            line = self._take() or await _open()
            was_used = line.used
            try:
                await line.post(sender, address.encode("ascii"), mail, is_ascii)
            except Refused as error:
                self._put(line)
                if error.code == _CLOSING and error.what == "sender" and was_used and again:
                    # Servers close a line after some mails or some idle time: take a new one.
                    again = False
                    continue
                raise _refusal(error) from error
            except Cut as error:
                if error.handed_over:
                    raise OutcomeUnknown(
                        "The line broke after the mail was handed over, before the server answered."
                    ) from error
                if was_used and again:
                    again = False
                    continue
                raise GatewayError(
                    permanent=False,
                    code="line_cut",
                    text="The mail server closed the line before the mail was handed over.",
                ) from error
            self._put(line)
            return reference

    async def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> SMTPLine | None:
        while self._idle:
            line = self._idle.pop()
            if line.is_open:
                return line
        return None

    def _put(self, line: SMTPLine) -> None:
        if line.is_open:
            self._idle.append(line)


async def _open() -> SMTPLine:
    try:
        return await open_line()
    except aiosmtplib.SMTPAuthenticationError as error:
        raise GatewayError(
            permanent=False,
            code=str(error.code),
            text="The mail server did not accept our account.",
            carrier_away=True,
        ) from error
    except (TimeoutError, aiosmtplib.SMTPException, OSError) as error:
        raise GatewayError(
            permanent=False,
            code=str(getattr(error, "code", None) or type(error).__name__),
            text="The mail server could not be reached.",
            carrier_away=True,
        ) from error


def _refusal(error: Refused) -> GatewayError:
    permanent = 500 <= error.code < 600
    when = "refused" if permanent else "put off"
    return GatewayError(
        permanent=permanent,
        code=f"{error.code} {error.enhanced}".strip(),
        text=f"The mail server {when} {_WHAT[error.what]} ({error.code}).",
        dead_address=error.what == "recipient" and error.enhanced in _DEAD,
    )


def _on_the_wire(address: str) -> str:
    """The address in ASCII. One that needs more, or could say more than an address, is refused."""
    name, _, domain = address.rpartition("@")
    try:
        if not domain.isascii():
            domain = domain.encode("idna").decode("ascii")
        wire = f"{name}@{domain}"
        wire.encode("ascii")
    except UnicodeError as error:
        raise GatewayError(
            permanent=True, code="not_supported", text="The mail server cannot carry this address."
        ) from error
    if not name or _NOT_IN_ADDRESS.search(wire):
        raise GatewayError(
            permanent=True, code="bad_address", text="This is not an e-mail address."
        )
    return wire
