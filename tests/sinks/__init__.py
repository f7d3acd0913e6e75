"""Carriers of our own for drills and benchmarks: processes that take in mail and texts.

They are as lean as we could write them, so that a measurement finds its limit at the sender and
not here, and they keep a journal of everything they accepted, so that a lost or a doubled message
shows. ``Sink`` is the handle for the process that starts one.
"""

import contextlib
import dataclasses
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent


class Accepted(NamedTuple):
    """One message as a carrier took it: when (seconds since 1970), its id, whom for, its size."""

    at: float
    reference: str
    address: str
    size: int


@dataclasses.dataclass
class Journal:
    """What a sink accepted since it was asked the last time.

    ``connections`` counts those opened; ``early`` the times a client sent the text of a mail
    before it was told to; ``troubles`` what the sink did to its clients on purpose.
    """

    accepted: list[Accepted]
    connections: int
    early: int
    troubles: dict[str, int]
    sample: bytes

    def count(self) -> Counter[str]:
        """Messages per address."""
        return Counter(message.address for message in self.accepted)

    def doubled(self) -> list[str]:
        """Addresses that got more than one message."""
        return [address for address, times in self.count().items() if times > 1]


class Sink:
    """A sink in a process of its own: ``Sink("mail")`` or ``Sink("texts")``, used as a context.

    ``delay`` is the time in seconds from a command until its answer. ``troubles`` gives the share
    of messages, in thousandths, that meet each trouble (see the modules for their names).
    """

    def __init__(
        self, kind: str, *, delay: float = 0.0, troubles: dict[str, int] | None = None
    ) -> None:
        self._command = [
            *(sys.executable, "-m", f"tests.sinks.{kind}"),
            json.dumps({"delay": delay, "troubles": troubles or {}}),
        ]

    def __enter__(self) -> "Sink":
        self._process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.port: int = self._hear()["port"]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # The end of its standard input ends it.
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def count(self) -> int:
        """How many messages it holds in its journal."""
        return int(self._ask("count")["count"])

    def calm(self) -> None:
        """No more troubles from now on."""
        self._ask("calm")

    def take(self) -> Journal:
        """Its journal, which begins anew."""
        said = self._ask("take")
        return Journal(
            accepted=[Accepted(*entry) for entry in said["accepted"]],
            connections=said["connections"],
            early=said["early"],
            troubles=said["troubles"],
            sample=said["sample"].encode("latin-1"),
        )

    def _ask(self, word: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"The sink has ended ({self._process.wait()}).")
        return dict(json.loads(line))
