"""Carriers on loopback that behave as badly as real ones: for mail, and for texts by HTTP."""

import base64
import contextlib
import http.server
import json
import os
import socket
import socketserver
import threading
import time
import urllib.parse
from collections import Counter, deque
from collections.abc import Iterator

from django.conf import settings
from django.db import connection

CUT = "cut the line"
HOLD = "say nothing until let_go"
DROP = "answer, then end the line"


class MailServer:
    """An SMTP server that keeps what it takes.

    ``script`` maps a stage to the actions of the next mails that reach it: a reply such as
    ``"451 later"``, CUT, HOLD, or empty for the usual one. Stages: connect, MAIL, RCPT, DATA;
    ``before_dot`` cuts while the text arrives, ``text`` refuses it after the final dot, and
    ``taken`` comes when the mail has been kept, before the server says so.
    """

    def __init__(self, *, pipelining: bool = True) -> None:
        self._hello = "250-loopback\r\n250 PIPELINING" if pipelining else "250 loopback"
        self.script: dict[str, deque[str]] = {}
        self.delivered: list[tuple[str, bytes]] = []
        self.connections = 0
        self.holding, self.let_go = threading.Event(), threading.Event()
        self._lock = threading.Lock()

    def will(self, stage: str, *actions: str) -> None:
        self.script.setdefault(stage, deque()).extend(actions)

    def count(self) -> Counter[str]:
        return Counter(address for address, _ in self.delivered)

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    def __enter__(self) -> "MailServer":
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(ConnectionError):
                    outer._talk(self)

        self._server = _Threads(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()

    def _next(self, stage: str) -> str:
        with self._lock:
            actions = self.script.get(stage)
            return actions.popleft() if actions else ""

    def _answer(self, handler: socketserver.StreamRequestHandler, stage: str, usual: str) -> str:
        """Do what the script says at this stage; returns the reply, empty when the line is cut."""
        action = self._next(stage)
        if action == HOLD:
            self.holding.set()
            self.let_go.wait(60)
            action = ""
        if action == CUT:
            return ""
        reply = action or usual
        handler.wfile.write(f"{reply}\r\n".encode())
        return "" if reply.startswith("421") else reply

    def _talk(self, handler: socketserver.StreamRequestHandler) -> None:
        with self._lock:
            self.connections += 1
        going_on = self._answer(handler, "connect", "220 loopback")
        address, sender = "", False
        while going_on and (line := handler.rfile.readline()):
            verb = line[:4].upper().decode("ascii", "replace")
            if verb == "QUIT":
                handler.wfile.write(b"221 bye\r\n")
                return
            usual = {"DATA": "354 go on", "EHLO": self._hello}.get(verb, "250 fine")
            if (verb == "RCPT" and not sender) or (verb == "DATA" and not address):
                handler.wfile.write(b"503 not yet\r\n")
                continue
            if verb == "RCPT":
                address = line.partition(b"<")[2].partition(b">")[0].decode()
            going_on = self._answer(handler, verb, usual)
            if verb == "MAIL":
                sender, address = going_on[:1] == "2", ""
            elif (verb == "RCPT" and going_on[:1] != "2") or verb == "RSET":
                address = ""
            if verb == "DATA" and going_on.startswith("354"):
                going_on = self._take(handler, address)

    def _take(self, handler: socketserver.StreamRequestHandler, address: str) -> str:
        """Read one mail's text and keep it; returns the reply, empty when the line is cut."""
        if self._next("before_dot") == CUT:
            handler.rfile.readline()
            return ""
        content = self._text(handler)
        if content is None:
            return ""
        refusal = self._next("text")
        if refusal:
            handler.wfile.write(f"{refusal}\r\n".encode())
            return refusal
        with self._lock:
            self.delivered.append((address, content))
        return self._answer(handler, "taken", "250 kept")

    @staticmethod
    def _text(handler: socketserver.StreamRequestHandler) -> bytes | None:
        lines = []
        while line := handler.rfile.readline():
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line)
        return None


class TextServer:
    """A text message carrier that speaks HTTP; by itself it answers as Twilio's Messages does.

    ``will`` sets what happens to the next requests: ``(status, body)`` or ``(status, body,
    headers)`` is answered, bytes are written as they are, CUT ends the line after the request was
    read, HOLD says nothing until ``let_go``, DROP answers as usual and then ends the line without
    having announced it. With ``slow`` every answer takes so many seconds.
    """

    def __init__(self, slow: float = 0.0) -> None:
        self.slow = slow
        self.script: deque[tuple | bytes | str] = deque()
        self.taken: list[dict] = []
        self.authorised: list[str] = []
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.connections = self.open_lines = self.at_once = self.most_at_once = 0
        self.holding, self.let_go = threading.Event(), threading.Event()
        self._lock = threading.Lock()

    def will(self, *answers: tuple | bytes | str) -> None:
        self.script.extend(answers)

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "TextServer":
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                with outer._lock:
                    outer.connections += 1
                    outer.open_lines += 1
                try:
                    with contextlib.suppress(ConnectionError):
                        super().handle()
                finally:
                    with outer._lock:
                        outer.open_lines -= 1

            def do_POST(self) -> None:
                with outer._lock:
                    outer.at_once += 1
                    outer.most_at_once = max(outer.most_at_once, outer.at_once)
                try:
                    outer._post(self)
                finally:
                    with outer._lock:
                        outer.at_once -= 1

            do_PUT = do_GET = do_POST

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = _Threads(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()

    def _post(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0))).decode()
        is_json = "json" in handler.headers.get("Content-Type", "")
        fields = json.loads(body) if is_json else dict(urllib.parse.parse_qsl(body))
        with self._lock:
            self.asked.append((handler.command, handler.path, dict(handler.headers)))
            said = handler.headers.get("Authorization", "")
            if said.startswith("Basic "):
                self.authorised.append(base64.b64decode(said.removeprefix("Basic ")).decode())
            action = self.script.popleft() if self.script else None
            if action in (None, CUT, DROP, HOLD):
                self.taken.append(fields)
            number = len(self.taken)
        if self.slow:
            time.sleep(self.slow)
        if action == HOLD:
            self.holding.set()
            self.let_go.wait(60)
        if action in (CUT, HOLD):
            self._end(handler)
        elif isinstance(action, bytes):
            handler.wfile.write(action)
            self._end(handler)
        else:
            usual = (201, {"sid": f"SM{number:032d}", "status": "queued", "body": "words"})
            self._answer(handler, *(usual if action in (None, DROP) else action))
            if action == DROP:
                self._end(handler)

    @staticmethod
    def _answer(
        handler: http.server.BaseHTTPRequestHandler,
        status: int,
        said: dict | str,
        headers: dict[str, str] | None = None,
    ) -> None:
        payload = (json.dumps(said) if isinstance(said, dict) else said).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(payload)))
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(payload)

    @staticmethod
    def _end(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        with contextlib.suppress(OSError):
            handler.connection.shutdown(socket.SHUT_RDWR)


def twilio_error(status: int, code: int) -> tuple[int, dict]:
    """A refusal in Twilio's shape; its message quotes the number, as the real one does."""
    return status, {
        "code": code,
        "message": "The 'To' number +447700900123 is not what it should be.",
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }


class _Threads(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64
    block_on_close = False


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """A port on which nobody listens, and nobody else can while it is held."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def environment(mail_port: int, **more: str) -> dict[str, str]:
    """For a process of its own on the test database, with mail going to ``mail_port``."""
    where = connection.settings_dict
    login = ":".join(urllib.parse.quote(where[part], safe="") for part in ("USER", "PASSWORD"))
    host = urllib.parse.quote(where["HOST"], safe="")
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "STEADYBACK_TESTING": "1",
        "DATABASE_URL": f"postgresql://{login}@{host}:{where['PORT']}/{where['NAME']}",
        "REDIS_URL": settings.REDIS_URL,
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(mail_port),
        # Longer than a busy machine takes to start the other sender.
        "EMAIL_TIMEOUT": "60",
        "SMS_GATEWAY": "",
        **more,
    }
