"""Processes that begin together when told to. Each side of a measurement is such a team."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
_WORKERS = "tests.benchmarks.workers"
# Longer than any race takes; a worker that hangs must not hold up the rest for ever.
_PATIENCE_S = 180.0


def wait_for_go() -> None:
    """Said by a worker when everything it needs is there; returns at the start of the race."""
    print(json.dumps({"ready": True}), flush=True)
    if not sys.stdin.readline():
        sys.exit(1)


def done(**said: object) -> None:
    """Said by a worker at the end, with whatever it has to tell."""
    print(json.dumps({"ended": time.time(), **said}), flush=True)


class Team:
    """Workers of ``tests.benchmarks.workers``, one process for each list of arguments."""

    def __init__(
        self,
        worker: str,
        arguments: Sequence[Sequence[object]],
        environment: Mapping[str, str],
        log: Path,
    ) -> None:
        with log.open("ab") as errors:
            self._processes = [
                subprocess.Popen(
                    [sys.executable, "-m", f"{_WORKERS}.{worker}", *map(str, own)],
                    cwd=ROOT,
                    env=dict(environment),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                )
                for own in arguments
            ]
        self._log = log

    def race(self) -> tuple[float, list[dict[str, Any]]]:
        """Let them all go at once; seconds until the last had finished, and what each said."""
        end = threading.Timer(_PATIENCE_S, self._kill)
        end.start()
        try:
            for process in self._processes:
                self._hear(process)
            begun = time.time()
            for process in self._processes:
                assert process.stdin is not None
                process.stdin.write("go\n")
                process.stdin.flush()
            said = [self._hear(process) for process in self._processes]
            return max(one["ended"] for one in said) - begun, said
        finally:
            end.cancel()
            for process in self._processes:
                assert process.stdin is not None and process.stdout is not None
                process.stdin.close()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                process.stdout.close()

    def _kill(self) -> None:
        for process in self._processes:
            process.kill()

    def _hear(self, process: "subprocess.Popen[str]") -> dict[str, Any]:
        assert process.stdout is not None
        while line := process.stdout.readline():
            if line.startswith("{"):
                return dict(json.loads(line))
        raise RuntimeError(f"A worker ended early or took too long; {self._log} says why.")
