"""One carrier's HTTP address, asked by many coroutines at once over lines that are kept.

What matters of a broken request is whether the message may have left us, so the body itself
remembers it: it is handed to an open socket once and never again, whatever the library tries.
"""

import asyncio
import datetime as dt
import ssl
import time
import urllib.request
from typing import Any, NamedTuple

import certifi
from aiohttp import (
    BasicAuth,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from aiohttp.payload import BytesPayload
from yarl import URL

from clinic.messaging.gateways.http import seconds_to_wait, unanswered, unreachable

_CONNECT_TIMEOUT_S, _READ_TIMEOUT_S, _WHOLE_TIMEOUT_S = 10.0, 15.0, 45.0
# Servers close idle lines, some after five seconds. A message written to a line that is being
# closed has an unknown outcome, so ours are given up earlier.
_IDLE_S = 4.0
_LONGEST_ANSWER = 64 * 1024


class Answer(NamedTuple):
    """``retry_after`` in seconds; ``body`` is empty when it could not be read whole."""

    status: int
    body: bytes
    retry_after: float | None


class HttpLine:
    """Sends bodies to one address. ``carrier`` in words, for what errors say."""

    def __init__(
        self, *, carrier: str, url: str, headers: dict[str, str], lines: int, method: str = "POST"
    ) -> None:
        self._carrier, self._method, self._lines = carrier, method, lines
        self._url = URL(url)
        self._headers = headers
        self._session: ClientSession | None = None
        self._proxy: dict[str, Any] = {}
        self._last_used = 0.0

    async def ask(self, body: bytes) -> Answer:
        """The carrier's answer to ``body``.

        GatewayError when nothing of it has left us, OutcomeUnknown when it may have.
        """
        session = self._session or self._open()
        if time.monotonic() - self._last_used > 0.5:
            await _notice_what_was_closed()
        self._last_used = time.monotonic()
        once = _Once(body)
        try:
            async with session.request(
                self._method, self._url, data=once, allow_redirects=False, **self._proxy
            ) as answer:
                waiting = seconds_to_wait(
                    answer.headers.get("Retry-After"), dt.datetime.now(dt.UTC)
                )
                return Answer(answer.status, await _read(answer), waiting)
        except (ClientError, OSError, TimeoutError) as error:
            if once.handed_over:
                raise unanswered(self._carrier) from error
            raise unreachable(self._carrier) from error

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> ClientSession:
        self._proxy = _proxy_for(self._url)
        self._session = ClientSession(
            connector=TCPConnector(
                limit=self._lines,
                keepalive_timeout=_IDLE_S,
                ttl_dns_cache=60,
                ssl=_trust() if self._url.scheme == "https" else True,
            ),
            headers={
                "Accept": "*/*",
                "Accept-Encoding": "identity",
                "User-Agent": "Steadyback",
                **self._headers,
            },
            cookie_jar=DummyCookieJar(),
            auto_decompress=False,
            timeout=ClientTimeout(
                total=_WHOLE_TIMEOUT_S, connect=_CONNECT_TIMEOUT_S, sock_read=_READ_TIMEOUT_S
            ),
        )
        return self._session


class _Once(BytesPayload):
    """A body that is written to an open socket at most once, and knows whether it was."""

    handed_over = False

    def __init__(self, body: bytes) -> None:
        # The session's own Content-Type goes before this one.
        super().__init__(body, content_type="application/octet-stream")

    async def write_with_length(self, writer: Any, content_length: int | None) -> None:
        if self.handed_over:
            raise RuntimeError("A message is written once.")
        transport = writer.transport
        # Nothing is awaited between this and the writing itself, so nothing can come between.
        self.handed_over = transport is not None and not transport.is_closing()
        await super().write_with_length(writer, content_length)


async def _read(answer: ClientResponse) -> bytes:
    """The whole body; empty when it is too long or breaks off. The status counts all the same."""
    parts, length = [], 0
    try:
        async for part in answer.content.iter_any():
            parts.append(part)
            length += len(part)
            if length > _LONGEST_ANSWER:
                answer.close()
                return b""
    except (ClientError, OSError, TimeoutError):
        return b""
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def _notice_what_was_closed() -> None:
    """Let the loop see which lines were closed while nobody looked, before one is chosen.

    The first round asks the system, the second reads the end of the line, the third closes it.
    """
    for _ in range(3):
        await asyncio.sleep(0)


def _trust() -> ssl.SSLContext:
    """The machine's own roots of trust and the common ones: a slim container has none."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _proxy_for(url: URL) -> dict[str, Any]:
    """The proxy the environment asks for (HTTPS_PROXY, NO_PROXY), looked up once."""
    host = url.host or ""
    proxy = urllib.request.getproxies().get(url.scheme)
    if not proxy or urllib.request.proxy_bypass(host):
        return {}
    address = URL(proxy if "://" in proxy else f"http://{proxy}")
    if address.user is None:
        return {"proxy": address}
    login = BasicAuth(address.user, address.password or "")
    return {"proxy": address.with_user(None), "proxy_auth": login}
