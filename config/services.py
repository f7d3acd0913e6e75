"""The embedded PostgreSQL and Valkey, for a clone that has no servers of its own.

``database_url()`` and ``redis_url()`` give the address of a running server and start it first
when it is not there. Each server has a keeper (``config.keeper``), a small process that lives
as long as somebody uses the server: using means holding a shared lock on ``<name>.users``, which
the kernel takes back even from a process that was killed. So nothing is left running behind
anybody's back, and processes that share a folder share one server.

Settings import this module, so it knows neither Django nor the rest of the practice.
"""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("postgres", "valkey")
START_SECONDS = 60.0
STOP_SECONDS = 60.0

_held: dict[Path, int] = {}
_keepers: list[subprocess.Popen[bytes]] = []


class ServiceError(RuntimeError):
    """An embedded server cannot be had; the message is one sentence for the person at the desk."""


def testing() -> bool:
    """Is this process (or the one that started it) the test run?"""
    return os.environ.get("STEADYBACK_TESTING", "") not in ("", "0") or "pytest" in sys.modules


def services_dir() -> Path:
    """Folder of the servers' data: STEADYBACK_SERVICES_DIR, else one of our own under ``var``.

    The test run never shares a server with the demo, even when nobody told it so.
    """
    chosen = os.environ.get("STEADYBACK_SERVICES_DIR", "")
    if chosen:
        return Path(chosen).expanduser().resolve()
    return ROOT / "var" / ("test" if testing() else "services")


def database_url() -> str:
    """Address of the embedded PostgreSQL, ``postgresql://…``; starts it when it is not running."""
    return _address("postgres")


def redis_url() -> str:
    """Address of the embedded Valkey, ``redis://…``; starts it when it is not running."""
    return _address("valkey")


def running(name: str) -> bool:
    """Does a keeper look after this server now (it may still be starting or stopping)?"""
    try:
        handle = os.open(services_dir() / f"{name}.keeper", os.O_RDONLY)
    except FileNotFoundError:
        return False
    except PermissionError as error:
        raise ServiceError(_not_yours(services_dir())) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def stop() -> None:
    """Stop both servers, whoever uses them, and wait until they are gone."""
    folder = services_dir()
    for name in NAMES:
        deadline = time.monotonic() + STOP_SECONDS
        told = 0
        while running(name):
            pid = _keeper_pid(folder, name)
            if pid and pid != told:
                told = pid
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
            if time.monotonic() > deadline:
                raise ServiceError(f"The embedded {name} server did not stop; see {folder}.")
            time.sleep(0.02)
    for keeper in _keepers:
        keeper.poll()


def _address(name: str) -> str:
    folder = services_dir()
    try:
        # The server's account must be able to walk through, but not to look around.
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)
        _use(folder, name)
        with _locked(folder / f"{name}.start"):
            return _started(folder, name)
    except PermissionError as error:
        raise ServiceError(_not_yours(folder)) from error
    except OSError as error:
        raise ServiceError(
            f"The embedded {name} server cannot keep its data in {folder}: {error.strerror}."
        ) from error


def _started(folder: Path, name: str) -> str:
    """Wait for the keeper that is there, or for a new one. The caller holds the start lock."""
    deadline = time.monotonic() + START_SECONDS
    keeper: subprocess.Popen[bytes] | None = None
    while time.monotonic() < deadline:
        state = _state(folder, name)
        # A keeper writes its state when the server answers and removes it before stopping.
        if state.get("url") and running(name):
            return str(state["url"])
        if keeper is not None and keeper.poll() is not None:
            if state.get("error"):
                raise ServiceError(str(state["error"]))
            keeper = None
        if keeper is None and not running(name):
            keeper = _start_keeper(folder, name)
        time.sleep(0.02)
    raise ServiceError(
        f"The embedded {name} server did not start within {START_SECONDS:.0f} seconds; "
        f"see {folder / name}.log."
    )


def _start_keeper(folder: Path, name: str) -> subprocess.Popen[bytes]:
    (folder / f"{name}.json").unlink(missing_ok=True)
    mode = ["--throwaway"] if testing() else []
    log = os.open(folder / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "config.keeper", name, str(folder), *mode],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Its own session: a Ctrl-C in the terminal is not meant for the database.
            start_new_session=True,
        )
    finally:
        os.close(log)
    _keepers.append(keeper)
    return keeper


def _use(folder: Path, name: str) -> None:
    """Hold the shared lock that tells the keeper we are here, until this process ends."""
    path = folder / f"{name}.users"
    handle = _held.get(path)
    if handle is not None:
        # The folder may have been removed and made again since.
        with contextlib.suppress(FileNotFoundError):
            if os.fstat(handle).st_ino == path.stat().st_ino:
                return
        os.close(_held.pop(path))
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    _lock(handle, fcntl.LOCK_SH, path)
    _held[path] = handle


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(handle, fcntl.LOCK_EX, path)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, kind: int, path: Path) -> None:
    deadline = time.monotonic() + START_SECONDS + STOP_SECONDS
    while True:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise ServiceError(f"Another process has held {path} for too long.") from None
            time.sleep(0.02)


def _state(folder: Path, name: str) -> dict[str, object]:
    try:
        return dict(json.loads((folder / f"{name}.json").read_text()))
    except FileNotFoundError:
        return {}


def _keeper_pid(folder: Path, name: str) -> int:
    text = (folder / f"{name}.keeper").read_text().strip()
    return int(text) if text.isdigit() else 0


def _not_yours(folder: Path) -> str:
    return (
        f"{folder} belongs to another account: run as that account, or give it to yours "
        f"(chown -R), or set DATABASE_URL and REDIS_URL."
    )


def main(arguments: list[str]) -> int:
    """``python -m config.services status|stop``."""
    word = arguments[0] if len(arguments) == 1 else ""
    try:
        if word == "stop":
            stop()
        elif word == "status":
            for name in NAMES:
                print(f"{name}: {'running' if running(name) else 'stopped'}")
        else:
            print("Use: python -m config.services status|stop", file=sys.stderr)
            return 2
    except ServiceError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
