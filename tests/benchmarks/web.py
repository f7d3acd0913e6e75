"""The web server as docs/setup.md starts it, with one process, and requests to it over a line."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
_PATIENCE_S = 30.0


class Web:
    """Somebody's browser: every request brings ``headers``."""

    def __init__(self, port: int, headers: Mapping[str, str]) -> None:
        self._port, self._headers = port, dict(headers)

    def request(self, method: str, path: str, wanted: int, body: str = "") -> bytes:
        """The page; anything but the status ``wanted`` is an error."""
        line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE_S)
        with contextlib.closing(line):
            line.request(method, path, body or None, self._headers)
            answer = line.getresponse()
            content = answer.read()
        if answer.status != wanted:
            raise RuntimeError(f"{method} {path} gave {answer.status}: {content[:300]!r}")
        return content


@contextlib.contextmanager
def web(urls: str, headers: Mapping[str, str]) -> Iterator[Web]:
    """A server of the addresses in the module ``urls``, on the database of this process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "tests.benchmarks.web_wsgi"),
            *("--bind", f"127.0.0.1:{port}", "--workers", "1", "--log-level", "warning"),
        ],
        cwd=ROOT,
        env={**os.environ, "BENCH_URLS": urls},
    )
    try:
        _wait_for(port, process)
        yield Web(port, headers)
    finally:
        process.terminate()
        process.wait(_PATIENCE_S)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise RuntimeError("The web server does not come up.")
