"""The processes of a practice at work: Celery workers with their children, and beats.

Each is real, writes to a log of its own, and is killed and started again by its own number.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent.parent


class Program:
    """One program and all that it started."""

    def __init__(
        self, name: str, command: list[str], environment: Mapping[str, str], log: Path
    ) -> None:
        self.name, self._command, self._environment, self._log = name, command, environment, log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._command],
                cwd=ROOT,
                env=dict(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def tree(self) -> list[psutil.Process]:
        """The program first, then its children."""
        if not self.alive:
            return []
        assert self._process is not None
        try:
            parent = psutil.Process(self._process.pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def kill(self) -> list[int]:
        """End it and its children at once, as when a machine dies. Returns whom."""
        tree = self.tree()
        for process in tree:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(tree, timeout=10)
        if self._process is not None:
            self._process.wait(10)
        return [process.pid for process in tree]

    def stop(self) -> None:
        """Ask, and kill what has not gone after a while."""
        tree = self.tree()
        if tree:
            with contextlib.suppress(psutil.NoSuchProcess):
                tree[0].send_signal(signal.SIGTERM)
        left = psutil.wait_procs(tree, timeout=15)[1]
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=5)
        if self._process is not None:
            self._process.wait(5)


class Crew:
    """``nodes`` Celery workers that share ``workers`` children, and ``beats``. A context."""

    def __init__(
        self,
        environment: Mapping[str, str],
        folder: Path,
        *,
        workers: int,
        nodes: int = 2,
        beats: int = 2,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        celery = ["-m", "celery", "-q", "-A", "config"]
        each = max(workers // nodes, 1)
        self.workers = [
            Program(
                f"worker-{number}",
                [
                    *celery,
                    "worker",
                    *("--hostname", f"{number}@%h", "--concurrency", str(each)),
                    *("--loglevel", "INFO"),
                ],
                environment,
                folder / f"worker-{number}.log",
            )
            for number in range(nodes)
        ]
        self.beats = [
            Program(
                f"beat-{number}",
                [
                    *celery,
                    "beat",
                    *("--loglevel", "INFO", "--pidfile", ""),
                    *("--schedule", str(folder / f"beat-{number}")),
                ],
                environment,
                folder / f"beat-{number}.log",
            )
            for number in range(beats)
        ]

    def __enter__(self) -> "Crew":
        for program in [*self.workers, *self.beats]:
            program.start()
        return self

    def __exit__(self, *_: object) -> None:
        for program in [*self.beats, *self.workers]:
            program.stop()

    def children(self) -> list[psutil.Process]:
        """Everything that may be sending: all but the workers' first processes."""
        return [child for worker in self.workers for child in worker.tree()[1:]]

    def kill_child(self, wanted: set[int], chance: random.Random) -> list[int]:
        """kill -9 one child, of those ``wanted`` if there is one. Returns its number."""
        children = self.children()
        busy = [child for child in children if child.pid in wanted]
        if not busy and not children:
            return []
        child = chance.choice(busy or children)
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
        return [child.pid]

    def kill_worker(self, chance: random.Random) -> list[int]:
        """kill -9 one whole worker and start it again. Returns the numbers of its processes."""
        worker = chance.choice(self.workers)
        gone = worker.kill()
        worker.start()
        return gone

    def mend(self) -> int:
        """Start again whatever has ended by itself; a service manager would. Returns how many."""
        fallen = [program for program in [*self.workers, *self.beats] if not program.alive]
        for program in fallen:
            program.start()
        return len(fallen)


def wait_gone(numbers: list[int], seconds: float = 5) -> None:
    """Until none of these processes runs any more."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not any(_runs(number) for number in numbers):
            return
        time.sleep(0.01)


def _runs(number: int) -> bool:
    try:
        os.kill(number, 0)
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False
