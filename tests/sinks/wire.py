"""The common part of the sinks: one thread, one selector, answers at once or after a while.

asyncio would spend more on a read than a whole mail costs here, and rounds waits up to whole
milliseconds, which is a lot when an answer takes five.
"""

import heapq
import itertools
import json
import os
import select
import selectors
import socket
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable

_CHUNK = 1 << 18


class Troubles:
    """Which message meets which trouble: decided by its address, so that it is known beforehand."""

    def __init__(self, shares: dict[str, int]) -> None:
        self._shares = list(shares.items())
        self.met: Counter[str] = Counter()
        self._seen: set[tuple[str, str]] = set()

    def of(self, address: str) -> str:
        """The name of the trouble planned for this address; empty for most."""
        return trouble_for(address, self._shares)

    def once(self, address: str, name: str) -> bool:
        """Whether ``name`` is to happen to this address now, for the first and last time."""
        if not self._shares or self.of(address) != name or (address, name) in self._seen:
            return False
        self._seen.add((address, name))
        self.met[name] += 1
        return True

    def always(self, address: str, name: str) -> bool:
        if not self._shares or self.of(address) != name:
            return False
        self.met[name] += 1
        return True

    def calm(self) -> None:
        self._shares = []


def trouble_for(address: str, shares: list[tuple[str, int]]) -> str:
    """The trouble for an address, of ``shares`` in thousandths; empty when it meets none."""
    place = zlib.crc32(address.encode()) % 1000
    for name, share in shares:
        if place < share:
            return name
        place -= share
    return ""


class House:
    """One sink: its door, its lines, its clock and its journal."""

    def __init__(self, line: Callable[["House", socket.socket], "Line"]) -> None:
        options = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
        self.delay = float(options.get("delay", 0))
        self.troubles = Troubles(options.get("troubles", {}))
        self.accepted: list[tuple[float, str, str, int]] = []
        self.connections = self.early = 0
        self.sample = b""
        self._line = line
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._number = itertools.count()
        self._heard = b""
        self._door = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._door.setblocking(False)
        self._selector.register(self._door, selectors.EVENT_READ, self._open)
        self._selector.register(0, selectors.EVENT_READ, self._told)

    def run(self) -> None:
        self._say({"port": self._door.getsockname()[1]})
        while True:
            if self._timers:
                wait = max(self._timers[0][0] - time.monotonic(), 0)
                # select() waits to the microsecond, epoll only to the millisecond.
                select.select([self._selector.fileno()], [], [], wait)
                events = self._selector.select(0)
            else:
                events = self._selector.select()
            for key, _ in events:
                key.data()
            while self._timers and self._timers[0][0] <= time.monotonic():
                heapq.heappop(self._timers)[2]()

    def at(self, when: float, do: Callable[[], None]) -> None:
        """Call ``do`` when the monotonic clock reads ``when``."""
        heapq.heappush(self._timers, (when, next(self._number), do))

    def watch(self, line: "Line", *, writing: bool = False) -> None:
        if writing:
            both = selectors.EVENT_READ | selectors.EVENT_WRITE
            self._selector.modify(line.socket, both, line.ready)
        else:
            self._selector.modify(line.socket, selectors.EVENT_READ, line.ready)

    def forget(self, line: "Line") -> None:
        self._selector.unregister(line.socket)

    def _open(self) -> None:
        while True:
            try:
                connection, _ = self._door.accept()
            except BlockingIOError:
                return
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            line = self._line(self, connection)
            self._selector.register(connection, selectors.EVENT_READ, line.ready)
            line.opened()

    def _told(self) -> None:
        heard = os.read(0, 4096)
        if not heard:
            os._exit(0)
        self._heard += heard
        while b"\n" in self._heard:
            word, _, self._heard = self._heard.partition(b"\n")
            if word == b"take":
                self._say(
                    {
                        "accepted": self.accepted,
                        "connections": self.connections,
                        "early": self.early,
                        "troubles": dict(self.troubles.met),
                        "sample": self.sample.decode("latin-1"),
                    }
                )
                self.accepted, self.connections, self.early, self.sample = [], 0, 0, b""
            elif word == b"calm":
                self.troubles.calm()
                self._say({})
            else:
                self._say({"count": len(self.accepted)})

    @staticmethod
    def _say(what: dict[str, object]) -> None:
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()


class Line:
    """One connection. Answers go out in order, each ``delay`` after its command was taken up."""

    def __init__(self, house: House, connection: socket.socket) -> None:
        self.house, self.socket = house, connection
        self.delay = house.delay
        self.closed = False
        self.pending = 0
        self._free_at = 0.0
        self._unsent = b""
        self._stuck = False

    def opened(self) -> None:
        """Somebody has called."""

    def heard(self, data: bytes) -> None:
        raise NotImplementedError

    def ready(self) -> None:
        if self._unsent:
            self._push()
        try:
            data = self.socket.recv(_CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if data:
            self.heard(data)
        elif not self.closed:
            self.close()

    def say(self, answer: bytes, *, later: float = 0.0, close: bool = False) -> None:
        """Answer one command: at once, or after the delay and all answers before it."""
        wait = self.delay + later
        if not wait and not self.pending:
            self._send(answer, close)
            return
        now = time.monotonic()
        self._free_at = max(now, self._free_at) + wait
        self.pending += 1
        self.house.at(self._free_at, lambda: self._due(answer, close))

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.house.forget(self)
            self.socket.close()

    def _due(self, answer: bytes, close: bool) -> None:
        self.pending -= 1
        if not self.closed:
            self._send(answer, close)

    def _send(self, answer: bytes, close: bool) -> None:
        if answer:
            self._unsent += answer
            self._push()
        if close:
            self.close()

    def _push(self) -> None:
        try:
            sent = self.socket.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            self.close()
            return
        self._unsent = self._unsent[sent:]
        if bool(self._unsent) != self._stuck:
            self._stuck = not self._stuck
            self.house.watch(self, writing=self._stuck)
