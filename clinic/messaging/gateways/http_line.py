"""One carrier's HTTP address, asked by many coroutines at once over connections that are kept.

What matters of a broken request is whether the message may have left us. A request is written
whole to a connection that was open just before, and to one only: before that nothing has left us,
afterwards nobody knows.
"""

import asyncio
import base64
import contextlib
import ssl
import time
import urllib.request
from urllib.parse import SplitResult, quote, unquote, urlsplit

import certifi

from clinic.messaging.gateways.http import unanswered, unreachable
from clinic.messaging.gateways.http_wire import Answer, NoAnswer, Wire

__all__ = ["Answer", "HttpLine"]

_CONNECT_TIMEOUT_S, _ANSWER_TIMEOUT_S = 10.0, 20.0
# Servers close idle connections, some after five seconds. A message written while that happens has
# an unknown outcome, so ours are given up earlier.
_IDLE_S = 4.0
# Whoever has not sent for so long may have slept, and not have seen a connection end.
_ASLEEP_S = 0.5


class HttpLine:
    """Sends bodies to one address. ``carrier`` in words, for what errors say.

    ``headers`` are of printable ASCII; Host and Content-Length are added.
    """

    def __init__(
        self, *, carrier: str, url: str, headers: dict[str, str], lines: int, method: str = "POST"
    ) -> None:
        self._carrier, self._lines = carrier, lines
        self._url = urlsplit(url)
        self._proxy, proxy_login = _proxy_for(self._url)
        self._is_tls = self._url.scheme == "https"
        self._tls: ssl.SSLContext | None = None
        target = quote(self._url.path or "/", safe="/%:@!$&'()*+,;=~")
        if self._url.query:
            target += "?" + quote(self._url.query, safe="/%:@!$&'()*+,;=~?")
        if self._proxy and not self._is_tls:
            target = f"http://{_authority(self._url)}{target}"
            headers = {**proxy_login, **headers}
        self._login = proxy_login
        self._head = _head(
            f"{method} {target}",
            {
                "Host": _authority(self._url),
                "User-Agent": "Steadyback",
                "Accept": "*/*",
                "Accept-Encoding": "identity",
                **headers,
            },
        )
        self._idle: list[Wire] = []
        self._at_once = asyncio.Semaphore(lines)
        self._last_asked = 0.0

    async def ask(self, body: bytes) -> Answer:
        """The carrier's answer to ``body``.

        GatewayError when nothing of it has left us, OutcomeUnknown when it may have.
        """
        async with self._at_once:
            if time.monotonic() - self._last_asked > _ASLEEP_S:
                await _notice_what_was_closed()
            self._last_asked = time.monotonic()
            wire = self._take() or await self._open()
            # Nothing is awaited between the look at the connection and the writing.
            request = b"%bContent-Length: %d\r\n\r\n%b" % (self._head, len(body), body)
            try:
                answer = await wire.ask(request, _ANSWER_TIMEOUT_S)
            except NoAnswer as error:
                raise unanswered(self._carrier) from error
            except BaseException:
                wire.abort()
                raise
            if wire.is_open:
                wire.idle_since = time.monotonic()
                self._idle.append(wire)
            return answer

    async def close(self) -> None:
        while self._idle:
            self._idle.pop().abort()
        self._at_once = asyncio.Semaphore(self._lines)
        # The loop ends them on its next rounds.
        await _notice_what_was_closed()

    def _take(self) -> Wire | None:
        """The connection used last, so that those too many grow old and are given up."""
        oldest = time.monotonic() - _IDLE_S
        while self._idle:
            wire = self._idle.pop()
            if wire.is_open and wire.idle_since > oldest:
                return wire
            wire.abort()
        return None

    async def _open(self) -> Wire:
        wire = Wire()
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                await self._connect(wire)
                if not wire.is_open:
                    raise ConnectionResetError
        except (OSError, NoAnswer, UnicodeError) as error:
            wire.abort()
            raise unreachable(self._carrier) from error
        except BaseException:
            wire.abort()
            raise
        return wire

    async def _connect(self, wire: Wire) -> None:
        loop = asyncio.get_running_loop()
        where = self._proxy or self._url
        host, port = where.hostname or "", where.port or (443 if where.scheme == "https" else 80)
        if self._is_tls and self._tls is None:
            self._tls = _trust()
        await loop.create_connection(
            lambda: wire,
            host,
            port,
            ssl=self._tls if self._proxy is None else None,
            happy_eyeballs_delay=0.25,
        )
        if self._proxy is None or not self._is_tls:
            return
        authority = _authority(self._url)
        if self._url.port is None:
            authority += ":443"
        tunnel = _head(f"CONNECT {authority}", {"Host": authority, **self._login}) + b"\r\n"
        answer = await wire.ask(tunnel, _CONNECT_TIMEOUT_S, tunnel=True)
        if answer.status >= 300 or not wire.is_open:
            raise ConnectionRefusedError
        wire.transport = await loop.start_tls(
            wire.transport,  # type: ignore[arg-type]
            wire,
            self._tls,  # type: ignore[arg-type]
            server_hostname=self._url.hostname,
        )


async def _notice_what_was_closed() -> None:
    """Let the loop see which connections have ended while nobody looked, before one is chosen.

    The first round asks the system, the second reads the end, the third closes.
    """
    for _ in range(3):
        await asyncio.sleep(0)


def _head(request: str, headers: dict[str, str]) -> bytes:
    lines = [f"{request} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if not all(line.isascii() and line.isprintable() for line in lines):
        raise ValueError("A request has printable ASCII in its head.")
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def _authority(url: SplitResult) -> str:
    """Host and, if it is named, port; without account."""
    name, at, port = url.netloc.rpartition("@")[2].partition(":")
    if not name.startswith("["):
        with contextlib.suppress(UnicodeError):
            name = name.encode("idna").decode("ascii")
    return name + at + port


def _trust() -> ssl.SSLContext:
    """The machine's own roots of trust and the common ones: a slim container has none."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _proxy_for(url: SplitResult) -> tuple[SplitResult | None, dict[str, str]]:
    """The proxy the environment asks for (HTTPS_PROXY, NO_PROXY) and how we sign in to it."""
    named = urllib.request.getproxies().get(url.scheme)
    if not named or urllib.request.proxy_bypass(url.hostname or ""):
        return None, {}
    proxy = urlsplit(named if "://" in named else f"http://{named}")
    if proxy.username is None:
        return proxy, {}
    account = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    login = base64.b64encode(account.encode()).decode("ascii")
    return proxy, {"Proxy-Authorization": f"Basic {login}"}
