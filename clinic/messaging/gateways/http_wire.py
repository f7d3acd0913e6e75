"""One connection to a carrier that speaks HTTP/1.1: a request goes out, its answer comes back.

Written for what sending texts needs and no more, because a general client spends several times as
long on a text as the carrier's answer takes to read. Strict: what cannot be understood is an
answer that never came. Source: RFC 9112.
"""

import asyncio
import datetime as dt
import re
from typing import NamedTuple

from clinic.messaging.gateways.http import seconds_to_wait

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5]\d\d)(?: [^\r\n]*)?")
_LENGTH = re.compile(rb"\d{1,15}")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\r\n]*)?")
_LONGEST_HEAD, LONGEST_ANSWER = 32 * 1024, 64 * 1024
_WITHOUT_BODY = {204, 304}


class Answer(NamedTuple):
    """``body`` is empty when it was too long or broke off; the status counts all the same.
    ``retry_after`` in seconds, if the carrier said when to come back."""

    status: int
    body: bytes
    retry_after: float | None


class NoAnswer(Exception):
    """The connection ended, fell silent or spoke nonsense before it said a status."""


class _Head(NamedTuple):
    status: int
    # None: as long as the connection lasts.
    length: int | None
    chunked: bool
    keeps: bool
    retry_after: float | None


class Wire(asyncio.Protocol):
    """One request at a time. ``ask`` must only be called while ``is_open``."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.idle_since = 0.0
        self._buffer = b""
        self._head: _Head | None = None
        self._asked: asyncio.Future[Answer] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_tunnel = False

    @property
    def is_open(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()

    def ask(
        self, request: bytes, timeout_s: float, *, tunnel: bool = False
    ) -> "asyncio.Future[Answer]":
        """Write the request, at once and whole. The answer, or NoAnswer, comes by the future.

        ``tunnel``: a CONNECT, whose yes has no body.
        """
        loop = asyncio.get_running_loop()
        self._head, self._is_tunnel = None, tunnel
        self._asked = loop.create_future()
        self._timer = loop.call_later(timeout_s, self.abort)
        self.transport.write(request)  # type: ignore[union-attr]
        return self._asked

    def abort(self) -> None:
        """End the connection now; who waits for an answer gets what is known of it."""
        self._settle()
        if self.transport is not None:
            self.transport.abort()

    # --- what the loop calls -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        if self._asked is None:
            # Said without being asked, such as a server's complaint that we are idle.
            self.abort()
            return
        self._buffer = self._buffer + data if self._buffer else data
        try:
            self._read()
        except ValueError:
            self.abort()

    def eof_received(self) -> None:
        head = self._head
        if head is not None and head.length is None and not head.chunked:
            self._finish(self._buffer, keeps=False)

    def connection_lost(self, exc: Exception | None) -> None:
        self._settle()

    # --- reading -------------------------------------------------------------------------------

    def _read(self) -> None:
        """Take what has come so far. ValueError: it is not HTTP."""
        while self._head is None:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(self._buffer) > _LONGEST_HEAD:
                    raise ValueError("no end of the head")
                return
            head = _head(self._buffer[:end])
            self._buffer = self._buffer[end + 4 :]
            if head.status == 101:
                raise ValueError("a protocol nobody asked for")
            if head.status >= 200:
                self._head = head
        head = self._head
        if head.status in _WITHOUT_BODY or (self._is_tunnel and head.status < 300):
            self._finish(b"", rest=self._buffer, keeps=head.keeps)
        elif head.chunked:
            if (whole := _unchunked(self._buffer)) is not None:
                self._finish(whole[0], rest=whole[1], keeps=head.keeps)
        elif head.length is not None and len(self._buffer) >= head.length:
            body, rest = self._buffer[: head.length], self._buffer[head.length :]
            self._finish(body, rest=rest, keeps=head.keeps)
        if self._asked is not None and max(head.length or 0, len(self._buffer)) > LONGEST_ANSWER:
            self.abort()

    def _finish(self, body: bytes, *, rest: bytes = b"", keeps: bool) -> None:
        self._settle(body)
        if rest or not keeps:
            self.abort()

    def _settle(self, body: bytes = b"") -> None:
        """Tell who waits, once: the answer if its status is known, else that there is none."""
        asked, self._asked = self._asked, None
        if asked is None:
            return
        self._buffer = b""
        if self._timer is not None:
            self._timer.cancel()
        if asked.done():
            return
        if self._head is None:
            asked.set_exception(NoAnswer())
        else:
            body = body if len(body) <= LONGEST_ANSWER else b""
            asked.set_result(Answer(self._head.status, body, self._head.retry_after))


def _head(raw: bytes) -> _Head:
    first, *lines = raw.split(b"\r\n")
    found = _STATUS_LINE.fullmatch(first)
    if found is None:
        raise ValueError("no status")
    length, coding, connection, retry_after = None, b"", b"", None
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon:
            raise ValueError("no header")
        name, value = name.lower(), value.strip(b" \t")
        if name == b"content-length":
            if not _LENGTH.fullmatch(value) or length not in (None, int(value)):
                raise ValueError("no length")
            length = int(value)
        elif name == b"transfer-encoding":
            coding = value.lower()
        elif name == b"connection":
            connection = value.lower()
        elif name == b"retry-after":
            retry_after = seconds_to_wait(value.decode("latin-1"), dt.datetime.now(dt.UTC))
    keeps = b"close" not in connection if found[1] == b"1" else b"keep-alive" in connection
    if coding:
        # Any other coding is read as long as the connection lasts, and then not understood.
        length = None
    return _Head(int(found[2]), length, coding == b"chunked", keeps, retry_after)


def _unchunked(raw: bytes) -> tuple[bytes, bytes] | None:
    """The body of these chunks and what comes behind; None while the last has not come."""
    parts, here = [], 0
    while (end := raw.find(b"\r\n", here)) >= 0:
        found = _CHUNK_SIZE.fullmatch(raw[here:end])
        if found is None:
            raise ValueError("no chunk")
        size, start = int(found[1], 16), end + 2
        if size == 0:
            # Trailers, if any, end with an empty line.
            if raw.startswith(b"\r\n", start):
                return b"".join(parts), raw[start + 2 :]
            last = raw.find(b"\r\n\r\n", start)
            return None if last < 0 else (b"".join(parts), raw[last + 4 :])
        here = start + size + 2
        if len(raw) < here:
            return None
        if raw[here - 2 : here] != b"\r\n":
            raise ValueError("no end of a chunk")
        parts.append(raw[start : start + size])
    return None
