"""The line between a browser and the practice: it can be cut, and the server behind it killed."""

import contextlib
import http.client
import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent.parent
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding"}


class Line:
    """Forwards HTTP to ``upstream``. ``replays`` lists the paths of late answers as they came.

    ``cut`` decides for a path and its request headers: "" lets it through, "before" loses it on
    its way to the server, "after" loses the answer on its way back.
    """

    def __init__(self, upstream: str = "") -> None:
        self.upstream = upstream
        self.replays: list[str] = []
        self.cut: Callable[[str, dict[str, str]], str] = lambda path, headers: ""
        line = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def _forward(self) -> None:
                line.forward(self)

            do_GET = do_POST = do_HEAD = _forward

            def log_message(self, *args: object) -> None: ...

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Line":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def forward(self, request: http.server.BaseHTTPRequestHandler) -> None:
        headers = dict(request.headers.items())
        body = request.rfile.read(int(headers.get("Content-Length", 0)))
        if "X-Answered-Ago" in headers:
            self.replays.append(request.path)
        where = self.cut(request.path, headers)
        if where != "before":
            with contextlib.suppress(OSError, http.client.HTTPException):
                self._pass_on(request, headers, body, answer=where != "after")
                return
        self._hang_up(request)

    def _pass_on(
        self,
        request: http.server.BaseHTTPRequestHandler,
        headers: dict[str, str],
        body: bytes,
        *,
        answer: bool,
    ) -> None:
        host, port = self.upstream.removeprefix("http://").split(":")
        server = http.client.HTTPConnection(host, int(port), timeout=30)
        try:
            server.request(request.command, request.path, body, headers)
            response = server.getresponse()
            said = response.read()
        finally:
            server.close()
        if not answer:
            self._hang_up(request)
            return
        request.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in HOP_BY_HOP:
                request.send_header(name, value)
        request.end_headers()
        request.wfile.write(said)

    def _hang_up(self, request: http.server.BaseHTTPRequestHandler) -> None:
        request.close_connection = True
        with contextlib.suppress(OSError):
            request.connection.shutdown(socket.SHUT_RDWR)


class WebServer:
    """The practice's pages in a process of their own, on the database of this test."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "runserver", "--noreload", str(port)],
                cwd=ROOT,
                env={
                    **os.environ,
                    "DATABASE_URL": _database_url(),
                    "REDIS_URL": settings.REDIS_URL,
                    "STEADYBACK_TESTING": "1",
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        for _attempt in range(300):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.1)
        raise AssertionError(self._log.read_text()[-2000:])

    def kill(self) -> None:
        """As when a machine dies."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def _database_url() -> str:
    given = connection.settings_dict
    user = quote(given["USER"])
    if given["PASSWORD"]:
        user += ":" + quote(given["PASSWORD"], safe="")
    host = given["HOST"]
    if host.startswith("/"):
        return f"postgresql://{user}@/{given['NAME']}?host={host}"
    return f"postgresql://{user}@{host}:{given['PORT'] or 5432}/{given['NAME']}"
