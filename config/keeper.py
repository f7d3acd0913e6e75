"""Looks after one embedded server: ``python -m config.keeper postgres|valkey FOLDER``.

A keeper starts the server, writes its address to ``<name>.json``, and stops it when it is told
to or when nobody has held ``<name>.users`` for a few seconds. It holds ``<name>.keeper`` for as
long as it lives: the lock, not a number in a file, says that it is there.
"""

import contextlib
import fcntl
import json
import os
import select
import signal
import sys
import time
from pathlib import Path

from config.servers import SERVERS, Server
from config.services import ServiceError

# Longer than the pause between two commands typed one after the other; tests type faster.
LINGER_SECONDS = 3.0
THROWAWAY_LINGER_SECONDS = 1.0
LOOK_SECONDS = 0.5
LOG_BYTES = 5_000_000


def main(arguments: list[str]) -> int:
    name, folder = arguments[0], Path(arguments[1])
    os.umask(0o077)
    handle = _alone(folder / f"{name}.keeper")
    if handle is None:
        return 0
    stop_asked = _listen()
    _shorten(folder / f"{name}.log")
    throwaway = "--throwaway" in arguments
    server = SERVERS[name](folder, throwaway=throwaway)
    linger = THROWAWAY_LINGER_SECONDS if throwaway else LINGER_SECONDS
    state = folder / f"{name}.json"
    try:
        try:
            url = server.start()
        except (ServiceError, OSError) as error:
            _write(state, {"error": str(error)})
            return 1
        except Exception:
            _write(state, {"error": f"The keeper of {name} broke; see {folder / name}.log."})
            raise
        _write(state, {"url": url, "port": server.port})
        stopped_by_itself = _watch(server, folder / f"{name}.users", stop_asked, linger)
    finally:
        if not state.exists() or "error" not in json.loads(state.read_text()):
            state.unlink(missing_ok=True)
        server.stop()
        # The lock goes with the process; the number must not outlive it.
        with contextlib.suppress(OSError):
            os.truncate(handle, 0)
    if stopped_by_itself:
        print(f"keeper: {name} stopped by itself", flush=True)
    return 1 if stopped_by_itself else 0


def _watch(server: Server, users: Path, stop_asked: int, linger: float) -> bool:
    """Wait until told to stop, or unused, or the server is gone (then true)."""
    handle = os.open(users, os.O_RDWR | os.O_CREAT, 0o600)
    unused_since: float | None = None
    while True:
        if select.select([stop_asked], [], [], LOOK_SECONDS)[0]:
            return False
        if not server.alive():
            return True
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            unused_since = None
            continue
        now = time.monotonic()
        unused_since = unused_since or now
        if now - unused_since >= linger:
            # Kept locked to the end: whoever comes now waits and then starts a new server.
            return False
        fcntl.flock(handle, fcntl.LOCK_UN)


def _alone(path: Path) -> int | None:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    # Others test this lock for an instant, so one refusal does not mean that it is taken.
    for _ in range(50):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        else:
            os.truncate(handle, 0)
            os.write(handle, str(os.getpid()).encode())
            return handle
    return None


def _listen() -> int:
    """A pipe that becomes readable when somebody asks this process to stop."""
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return readable


def _write(path: Path, content: dict[str, object]) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(content))
    fresh.replace(path)


def _shorten(log: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > LOG_BYTES:
            os.truncate(log, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
