"""``python -m tests.sinks``: what the sinks take at most, from clients that only write.

A sender that comes near these figures is measured against the sink and not against itself.
"""

import multiprocessing
import socket
import time
from collections.abc import Callable

from tests.sinks import Sink

_CLIENTS, _EACH = 2, 5_000
_TEXT = b"Message-ID: <x@loopback>\r\n\r\n" + b"A line of an ordinary length.\r\n" * 170 + b".\r\n"
_BODY = b"To=%2B447700900123&From=%2B442079460100&Body=" + b"x" * 100


def _mails(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as line:
        replies = line.makefile("rb")
        replies.readline()
        for number in range(_EACH):
            line.sendall(b"MAIL FROM:<a@b>\r\nRCPT TO:<p%d@c>\r\nDATA\r\n" % number)
            for _ in range(3):
                replies.readline()
            line.sendall(_TEXT)
            replies.readline()


def _texts(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(_BODY)
    with socket.create_connection(("127.0.0.1", port)) as line:
        for _ in range(_EACH):
            line.sendall(head + _BODY)
            line.recv(4096)


def _ceiling(kind: str, client: Callable[[int], None]) -> float:
    with Sink(kind) as sink:
        clients = [
            multiprocessing.Process(target=client, args=(sink.port,)) for _ in range(_CLIENTS)
        ]
        begun = time.monotonic()
        for process in clients:
            process.start()
        for process in clients:
            process.join()
        return sink.count() / (time.monotonic() - begun)


if __name__ == "__main__":
    print(f"mails: {_ceiling('mail', _mails):,.0f}/s")
    print(f"texts: {_ceiling('texts', _texts):,.0f}/s")
