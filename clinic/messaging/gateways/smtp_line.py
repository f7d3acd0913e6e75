"""One SMTP connection that carries mail after mail, in two round trips each where it may.

``aiosmtplib`` opens it: greeting, EHLO, STARTTLS, AUTH. After that the line is ours, because a
server that offers PIPELINING (RFC 2920) takes MAIL, RCPT and DATA in one write, which neither
``smtplib`` nor ``aiosmtplib`` does.
"""

import asyncio
import re
import ssl

import aiosmtplib
from django.conf import settings
from django.core.mail.utils import DNS_NAME

# Enhanced status (RFC 3463), which says more than the three digits before it.
_ENHANCED = re.compile(rb"\d{3}[ -](\d\.\d{1,3}\.\d{1,3})")
_LONGEST_REPLY = 64 * 1024


class Refused(Exception):
    """The server said no to ``what``: "sender", "recipient" or "message". Nothing was taken."""

    def __init__(self, what: str, code: int, enhanced: str) -> None:
        super().__init__(f"{code} {enhanced} to the {what}")
        self.what, self.code, self.enhanced = what, code, enhanced


class Cut(Exception):
    """The line is gone. ``handed_over``: after the whole mail, so that nobody can tell."""

    def __init__(self, *, handed_over: bool) -> None:
        super().__init__("after the mail" if handed_over else "before the mail")
        self.handed_over = handed_over


class SMTPLine(asyncio.Protocol):
    """Mails one after the other; ``post`` must not be called while another is under way."""

    def __init__(self, transport: asyncio.Transport, *, pipelining: bool, eight_bit: bool) -> None:
        self.used = False
        self._transport = transport
        self._pipelining, self._eight_bit = pipelining, eight_bit
        self._loop = asyncio.get_running_loop()
        self._heard = bytearray()
        self._replies: list[tuple[int, str]] = []
        self._wanted = 0
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._asked_at = 0.0

    @property
    def is_open(self) -> bool:
        return not self._transport.is_closing()

    def close(self) -> None:
        """Say goodbye without waiting for the answer."""
        if self.is_open:
            self._transport.write(b"QUIT\r\n")
        self._transport.close()

    async def post(self, sender: bytes, recipient: bytes, mail: bytes, is_ascii: bool) -> None:
        """Send one mail (CRLF lines, dots doubled). Returns once the server has taken it.

        Raises Refused, after which the line is good for the next mail if it ``is_open``, or Cut.
        """
        body = b"" if is_ascii or not self._eight_bit else b" BODY=8BITMIME"
        mail_from = b"MAIL FROM:<%s>%s\r\n" % (sender, body)
        rcpt_to = b"RCPT TO:<%s>\r\n" % recipient
        try:
            if self._pipelining:
                replies = await self._say(mail_from + rcpt_to + b"DATA\r\n", 3)
            else:
                replies = []
                for command in (mail_from, rcpt_to, b"DATA\r\n"):
                    replies += await self._say(command, 1)
                    if not 200 <= replies[-1][0] < 400:
                        break
            await self._check(replies)
        except (ConnectionError, TimeoutError) as error:
            self._transport.abort()
            raise Cut(handed_over=False) from error
        try:
            ((code, enhanced),) = await self._say(b"%s.\r\n" % mail, 1)
        except (ConnectionError, TimeoutError) as error:
            self._transport.abort()
            raise Cut(handed_over=True) from error
        self.used = True
        if not 200 <= code < 300:
            self._leave_if_asked(code)
            raise Refused("message", code, enhanced)

    async def _check(self, replies: list[tuple[int, str]]) -> None:
        """Raise Refused for the first no, with the line ready for the next mail."""
        no = next(
            (
                (what, reply)
                for what, reply in zip(("sender", "recipient", "message"), replies, strict=False)
                if not 200 <= reply[0] < 400
            ),
            None,
        )
        if no is None:
            return
        what, (code, enhanced) = no
        if not self._leave_if_asked(code):
            if len(replies) == 3 and replies[2][0] == 354:
                # It waits for a text all the same (RFC 2920, 3.1): an empty one ends that.
                await self._say(b".\r\n", 1)
            await self._say(b"RSET\r\n", 1)
            self.used = True
        raise Refused(what, code, enhanced)

    def _leave_if_asked(self, code: int) -> bool:
        """421: the server is closing the channel (RFC 5321, 4.2.1)."""
        if code == 421:
            self._transport.close()
        return code == 421

    async def _say(self, words: bytes, replies: int) -> list[tuple[int, str]]:
        """Write ``words`` and wait for that many replies, or for one that ends the channel."""
        if not self.is_open:
            raise ConnectionResetError
        self._replies, self._wanted = [], replies
        self._waiter = self._loop.create_future()
        self._transport.write(words)
        self._asked_at = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(settings.EMAIL_TIMEOUT, self._look_at_clock)
        try:
            await self._waiter
        finally:
            self._waiter = None
        return self._replies

    def _look_at_clock(self) -> None:
        """One timer for as long as the line is at work, not one for every reply."""
        self._timer = None
        if self._waiter is None or self._waiter.done():
            return
        left = self._asked_at + settings.EMAIL_TIMEOUT - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look_at_clock)
        else:
            self._waiter.set_exception(TimeoutError())

    # --- what the loop tells us ----------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        heard = self._heard
        heard += data
        while (end := heard.find(b"\n")) >= 0:
            line = bytes(heard[:end])
            del heard[: end + 1]
            if line[3:4] == b"-":
                continue
            self._reply(line)
        if len(heard) > _LONGEST_REPLY:
            self._transport.abort()

    def _reply(self, line: bytes) -> None:
        if self._waiter is None or self._waiter.done():
            # Said without being asked: 421 before a server leaves. Nothing else makes sense.
            self._transport.close()
            return
        if not line[:3].isdigit():
            self._waiter.set_exception(ConnectionResetError())
            return
        code = int(line[:3])
        # A yes needs no explanation.
        enhanced = _ENHANCED.match(line) if code >= 400 else None
        self._replies.append((code, enhanced[1].decode() if enhanced else ""))
        if len(self._replies) == self._wanted or line[:3] == b"421":
            self._waiter.set_result(None)

    def eof_received(self) -> bool:
        self.connection_lost(None)
        return False

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(ConnectionResetError())


async def open_line() -> SMTPLine:
    """A new line to the server of the settings. Raises aiosmtplib.SMTPException or OSError."""
    context = None
    if settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL:
        context = ssl.create_default_context()
        if settings.EMAIL_SSL_CERTFILE:
            context.load_cert_chain(settings.EMAIL_SSL_CERTFILE, settings.EMAIL_SSL_KEYFILE)
    server = aiosmtplib.SMTP(
        hostname=settings.EMAIL_HOST,
        port=settings.EMAIL_PORT,
        username=settings.EMAIL_HOST_USER or None,
        password=settings.EMAIL_HOST_PASSWORD or None,
        local_hostname=DNS_NAME.get_fqdn(),
        timeout=settings.EMAIL_TIMEOUT,
        use_tls=settings.EMAIL_USE_SSL,
        start_tls=settings.EMAIL_USE_TLS,
        tls_context=context,
    )
    await server.connect()
    if server.is_ehlo_or_helo_needed:
        await server.ehlo()
    transport = server.transport
    if not isinstance(transport, asyncio.Transport) or transport.is_closing():
        raise ConnectionResetError
    line = SMTPLine(
        transport,
        pipelining=server.supports_extension("pipelining"),
        eight_bit=server.supports_extension("8bitmime"),
    )
    transport.set_protocol(line)
    return line
