"""The HTTP connection to carriers: every shape an answer can have, TLS, proxies, dropped lines."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from clinic.messaging.gateways import GatewayError, OutcomeUnknown, http_line
from clinic.messaging.gateways.http_line import HttpLine

BODY = b"To=%2B1&Body=words"


class Peer:
    """Answers each request with the next of ``answers``, piece by piece; then says no more.

    An answer is the list of its pieces; None in it ends the connection, a number waits.
    """

    def __init__(
        self, *answers: list[bytes | float | None], tls: ssl.SSLContext | None = None
    ) -> None:
        self.answers, self.tls = list(answers), tls
        self.requests: list[bytes] = []
        self.connections = 0

    async def __aenter__(self) -> "Peer":
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/send"
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._server.close()

    async def _talk(self, reader, writer) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                _, _, rest = head.lower().partition(b"content-length: ")
                body = await reader.readexactly(int(rest.split(b"\r\n")[0])) if rest else b""
                self.requests.append(head + body)
                for piece in self.answers.pop(0) if self.answers else []:
                    if piece is None:
                        writer.close()
                        return
                    if isinstance(piece, float):
                        await asyncio.sleep(piece)
                        continue
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
        writer.close()


def ask(peer: Peer, *, times: int = 1, lines: int = 1, url: str = "", **options) -> list:
    """What becomes of so many requests, one after the other, over one line."""

    async def all_of_them() -> list:
        async with peer:
            line = HttpLine(
                carrier="carrier", url=url or peer.url, headers={}, lines=lines, **options
            )
            fates = []
            for _ in range(times):
                try:
                    fates.append(await line.ask(BODY))
                except (GatewayError, OutcomeUnknown) as error:
                    fates.append(error)
            await line.close()
            return fates

    return asyncio.run(all_of_them())


def plain(body: bytes = b"{}", status: bytes = b"200 OK", *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(http_line, "_ANSWER_TIMEOUT_S", 0.5)


# --- answers ---------------------------------------------------------------------------------

CHUNKED = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
ANSWERS = {
    "length": (plain(b'{"a":1}'), 200, b'{"a":1}'),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", 200, b"x"),
    "spaces": (b"HTTP/1.1 200 OK\r\ncontent-LENGTH:  1 \r\nX:\r\n\r\nx", 200, b"x"),
    "chunks": (CHUNKED + b"3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n", 201, b"abc0123456789"),
    "trailer": (CHUNKED + b"1\r\na\r\n0\r\nX: y\r\nZ: y\r\n\r\n", 201, b"a"),
    "chunks go before a length": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"2\r\nab\r\n0\r\n\r\n",
        200,
        b"ab",
    ),
    "told to go on": (b"HTTP/1.1 100 Continue\r\n\r\n" + plain(b"x"), 200, b"x"),
    "early hints": (b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + plain(b"x"), 200, b"x"),
    "nothing in it": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    "empty": (plain(b"", b"400 Bad"), 400, b""),
}


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_given_an_answer_in_any_pieces_then_it_is_read_and_the_line_kept(name, size):
    raw, status, body = ANSWERS[name]
    pieces = [raw[here : here + size] for here in range(0, len(raw), size)]
    peer = Peer(pieces, pieces)
    fates = ask(peer, times=2)
    assert [(fate.status, fate.body) for fate in fates] == [(status, body)] * 2
    assert peer.connections == 1
    assert all(request.endswith(b"\r\n\r\n" + BODY) for request in peer.requests)


@pytest.mark.parametrize(
    "raw",
    [
        plain(b"x", b"200 OK", b"Connection: close"),
        b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
        plain(b"x") + b"more than was asked for",
    ],
    ids=["close", "1.0", "more"],
)
def test_given_a_line_that_will_not_stay_or_says_too_much_then_the_next_is_a_new_one(raw):
    peer = Peer([raw], [raw])
    assert [fate.body for fate in ask(peer, times=2)] == [b"x", b"x"]
    assert peer.connections == 2


def test_given_a_body_that_lasts_as_long_as_the_line_then_it_is_all_of_it():
    peer = Peer([b"HTTP/1.1 200 OK\r\n\r\n", b"one ", b"two", None])
    (answer,) = ask(peer)
    assert (answer.status, answer.body) == (200, b"one two")


@pytest.mark.parametrize(
    "pieces",
    [
        [b"HTTP/1.1 400 Bad\r\nContent-Length: 9\r\n\r\nhalf", None],
        [b"HTTP/1.1 400 Bad\r\nContent-Length: 9\r\n\r\nhalf"],
        [b"HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", None],
        [b"HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\nmany\r\nab"],
        [b"HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n"],
        [plain(b"x" * 70_000, b"400 Bad")],
        [b"HTTP/1.1 400 Bad\r\n\r\n", b"x" * 70_000],
        [b"HTTP/1.1 400 Bad\r\nContent-Length: 999999999999\r\n\r\nx"],
        [b"HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n", b"x" * 70_000],
    ],
    ids=["cut", "hangs", "cut chunk", "no chunk", "long chunk", "long", "endless", "claims", "big"],
)
def test_given_a_body_that_breaks_off_or_never_ends_then_the_status_counts(pieces):
    (answer,) = ask(Peer(pieces))
    assert (answer.status, answer.body) == (400, b"")


@pytest.mark.parametrize(
    "pieces",
    [
        [None],
        [],
        [b"HTTP/1.1 200 OK\r\nContent-Le", None],
        [b"220 mail.example ESMTP\r\n\r\n"],
        [b"HTTP/2 200 OK\r\n\r\n"],
        [b"HTTP/1.1 700 What\r\n\r\n"],
        [b"HTTP/1.1 101 Switching Protocols\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nno header\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy"],
        [b"x" * 40_000],
        [b"HTTP/1.1 100 Continue\r\n\r\n", None],
    ],
)
def test_given_no_status_that_can_be_understood_then_nobody_knows_and_the_next_gets_a_new_line(
    pieces,
):
    peer = Peer(pieces, [plain(b"x")])
    unknown, answer = ask(peer, times=2)
    assert isinstance(unknown, OutcomeUnknown)
    assert answer.body == b"x"
    assert (peer.connections, len(peer.requests)) == (2, 2)


@given(st.lists(st.binary(max_size=200), max_size=6))
def test_given_any_bytes_then_there_is_an_answer_or_nobody_knows_and_nothing_else(pieces):
    (fate,) = ask(Peer([*pieces, None]))
    assert isinstance(fate, OutcomeUnknown) or 200 <= fate.status < 600


def test_given_words_nobody_asked_for_then_they_are_not_taken_for_the_next_answer():
    """Some servers complain that a line is idle before they close it."""

    async def through_it():
        idle = plain(b"idle", b"408 Request Timeout")
        peer = Peer([plain(b"first"), 0.05, idle], [plain(b"second")])
        async with peer:
            line = HttpLine(carrier="carrier", url=peer.url, headers={}, lines=1)
            await line.ask(BODY)
            await asyncio.sleep(0.2)
            answer = await line.ask(BODY)
            await line.close()
            return answer, peer.connections

    answer, connections = asyncio.run(through_it())
    assert (answer.body, connections) == (b"second", 2)


def test_given_a_line_that_was_idle_for_long_then_a_new_one_is_taken(monkeypatch):
    monkeypatch.setattr(http_line, "_IDLE_S", 0.0)
    peer = Peer([plain()], [plain()])
    ask(peer, times=2)
    assert peer.connections == 2


def test_given_a_cancelled_request_then_its_answer_is_nobody_elses():
    async def through_it():
        peer = Peer([], [plain(b"second")])
        async with peer:
            line = HttpLine(carrier="carrier", url=peer.url, headers={}, lines=1)
            first = asyncio.create_task(line.ask(BODY))
            while not peer.requests:
                await asyncio.sleep(0.01)
            first.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await first
            answer = await line.ask(BODY)
            await line.close()
            return answer, peer.connections

    answer, connections = asyncio.run(through_it())
    assert (answer.body, connections) == (b"second", 2)


# --- the request -----------------------------------------------------------------------------


def test_given_an_address_then_host_and_target_are_what_the_server_needs():
    peer = Peer([plain()])

    async def through_it():
        async with peer:
            url = f"http://localhost:{peer.port}/a b/ü%20?x=1&y=ü"
            line = HttpLine(carrier="carrier", url=url, headers={"X-Key": "1"}, lines=1)
            await line.ask(BODY)
            await line.close()

    asyncio.run(through_it())
    head = peer.requests[0].decode().split("\r\n")
    assert head[0] == "POST /a%20b/%C3%BC%20?x=1&y=%C3%BC HTTP/1.1"
    assert f"Host: localhost:{peer.port}" in head
    assert "X-Key: 1" in head
    assert f"Content-Length: {len(BODY)}" in head


def test_given_a_header_that_would_break_the_request_then_there_is_no_such_line():
    with pytest.raises(ValueError, match="printable"):
        HttpLine(carrier="c", url="http://a.example/", headers={"X": "1\r\nY: 2"}, lines=1)


# --- TLS and proxies -------------------------------------------------------------------------


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Paths of a certificate for 127.0.0.1 that signs itself, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def tls(certificate):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    return context


@pytest.fixture
def trusted(certificate, monkeypatch):
    context = ssl.create_default_context(cafile=certificate[0])
    # What a certificate authority's own must have is not what this is about.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    monkeypatch.setattr(http_line, "_trust", lambda: context)


def test_given_tls_then_a_line_is_kept_and_a_cut_one_is_told_apart(tls, trusted):
    peer = Peer([plain(b"one")], [plain(b"two")], [None], tls=tls)
    one, two, unknown = ask(peer, times=3)
    assert (one.body, two.body, peer.connections) == (b"one", b"two", 1)
    assert isinstance(unknown, OutcomeUnknown)


def test_given_a_server_we_cannot_trust_then_nothing_is_sent(tls):
    peer = Peer([plain()], tls=tls)
    (error,) = ask(peer)
    assert isinstance(error, GatewayError)
    assert (error.permanent, error.carrier_away) == (False, True)
    assert peer.requests == []


def test_given_a_server_with_another_name_then_nothing_is_sent(tls, trusted):
    peer = Peer([plain()], tls=tls)

    async def through_it():
        async with peer:
            line = HttpLine(carrier="c", url=f"https://localhost:{peer.port}/", headers={}, lines=1)
            try:
                await line.ask(BODY)
            finally:
                await line.close()

    with pytest.raises(GatewayError):
        asyncio.run(through_it())
    assert peer.requests == []


def test_given_the_common_roots_of_trust_then_they_are_known():
    assert http_line._trust().cert_store_stats()["x509_ca"] > 50


@pytest.mark.parametrize("says_yes", [True, False])
def test_given_a_proxy_then_tls_goes_through_it_and_only_the_proxy_sees_its_account(
    tls, trusted, monkeypatch, says_yes
):
    heads = []

    async def tunnel(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        heads.append(head)
        if not says_yes:
            writer.write(b"HTTP/1.1 407 Who are you?\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        port = int(head.split(b" ")[1].rpartition(b":")[2])
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async def pump(source, sink):
            with contextlib.suppress(ConnectionError):
                while data := await source.read(65536):
                    sink.write(data)
            sink.close()

        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    async def through_it():
        peer = Peer([plain(b"one")], [plain(b"two")], tls=tls)
        async with peer, await asyncio.start_server(tunnel, "127.0.0.1", 0) as proxy:
            port = proxy.sockets[0].getsockname()[1]
            monkeypatch.setenv("https_proxy", f"http://me:p%40ss@127.0.0.1:{port}")
            monkeypatch.setenv("no_proxy", "")
            line = HttpLine(carrier="carrier", url=peer.url, headers={}, lines=1)
            try:
                return peer, [(await line.ask(BODY)).body for _ in range(2)]
            except GatewayError as error:
                return peer, error
            finally:
                await line.close()

    peer, fate = asyncio.run(through_it())
    assert heads[0].startswith(b"CONNECT 127.0.0.1:")
    assert b"Proxy-Authorization: Basic bWU6cEBzcw==" in heads[0]
    if says_yes:
        assert (fate, len(heads)) == ([b"one", b"two"], 1)
        assert not any(b"Proxy-Authorization" in request for request in peer.requests)
    else:
        assert (fate.permanent, fate.carrier_away) == (False, True)
        assert peer.requests == []
