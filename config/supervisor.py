"""Runs several programs as one: started together, stopped together, nothing left behind."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import IO

from config.accounts import die_with_parent

STOP_SECONDS = 15.0
LOOK_SECONDS = 0.2


class Stopped(Exception):
    """Somebody asked for the end: Ctrl-C, a terminate signal, or the terminal is gone."""


class Died(Exception):
    """A program that must run has ended by itself; the message is a sentence."""


class Supervisor:
    """Programs of one run. Use as a context: leaving it stops what still runs.

    Each program gets its own session, so that a Ctrl-C reaches only the supervisor, which then
    stops them in the order that loses nothing. If the supervisor itself is killed, the kernel
    tells the programs to stop (Linux).
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self.programs: dict[str, subprocess.Popen[str]] = {}
        self._readers: list[threading.Thread] = []
        self._print = threading.Lock()
        self._asked, writable = os.pipe()
        os.set_blocking(writable, False)
        signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        self._poll = select.poll()
        self._poll.register(self._asked, select.POLLIN)
        for stream in (0, 1):
            if os.isatty(stream):
                # A closed terminal signals its first program only, which may be make.
                self._poll.register(stream, 0)

    def __enter__(self) -> "Supervisor":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, name: str, *command: str) -> None:
        """Start a program; its lines appear with its name in front."""
        process = self._popen(command, stderr=subprocess.STDOUT)
        self.programs[name] = process
        assert process.stdout is not None
        reader = threading.Thread(target=self._copy, args=(name, process.stdout), daemon=True)
        reader.start()
        self._readers.append(reader)

    def run(self, name: str, *command: str) -> str:
        """Run a program to its end and give what it wrote; its errors appear as they come."""
        process = self._popen(command, stderr=subprocess.PIPE)
        self.programs[name] = process
        heard: list[str] = []
        assert process.stdout is not None and process.stderr is not None
        readers = [
            threading.Thread(target=heard.extend, args=(process.stdout,), daemon=True),
            threading.Thread(target=self._copy, args=(name, process.stderr), daemon=True),
        ]
        for reader in readers:
            reader.start()
        while process.poll() is None:
            self.wait(LOOK_SECONDS / 4)
        for reader in readers:
            reader.join(2)
        del self.programs[name]
        if process.returncode:
            raise Died(_step(name))
        return "".join(heard)

    def finish(self, name: str) -> None:
        """Wait until a started program has done its work."""
        while self.programs[name].poll() is None:
            self.wait(LOOK_SECONDS / 4)
        if self.programs.pop(name).returncode:
            raise Died(_step(name))

    def look(self) -> None:
        """Complain if a program has ended by itself."""
        for name, process in self.programs.items():
            if process.poll() is not None:
                raise Died(f"The {name} process stopped by itself ({_ending(process.returncode)}).")

    def wait(self, seconds: float) -> None:
        """Sleep, unless somebody asks for the end."""
        for stream, _ in self._poll.poll(seconds * 1000):
            if stream == self._asked:
                os.read(self._asked, 64)
            else:
                self._poll.unregister(stream)
            raise Stopped

    def say(self, text: str) -> None:
        # After a hang-up there is no terminal to write to, and stopping must go on.
        with self._print, contextlib.suppress(OSError, ValueError):
            print(text, flush=True)

    def stop(self) -> None:
        """Stop all programs, last started first, and kill those that will not.

        A second Ctrl-C does not wait for them.
        """
        for process in reversed(self.programs.values()):
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        with contextlib.suppress(Stopped):
            while time.monotonic() < deadline and self._alive():
                self.wait(LOOK_SECONDS / 4)
        for process in self.programs.values():
            # The whole session: also what a killed program had started.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.programs.clear()
        for reader in self._readers:
            reader.join(1)

    def _alive(self) -> bool:
        return any(process.poll() is None for process in self.programs.values())

    def _popen(self, command: tuple[str, ...], stderr: int) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )

    def _copy(self, name: str, stream: IO[str]) -> None:
        label = f"{name:<8}|"
        if sys.stdout.isatty():
            label = f"\x1b[2m{label}\x1b[0m"
        for line in stream:
            self.say(f"{label} {line.rstrip()}")


def _step(name: str) -> str:
    return f"The step {name} did not succeed; its last lines above say why."


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
