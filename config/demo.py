"""``make demo``: a whole practice on one machine, stopped by one Ctrl-C.

Starts the embedded servers, brings the tables and the demo practice up to date, then runs web,
worker, beat and the demo's own carrier of mail and texts. Data stays in ``var`` for the next
start. Nothing of it ever writes to a real person.
"""

import fcntl
import hashlib
import http.client
import io
import json
import os
import secrets
import sys
import time
from pathlib import Path

from config import ports, services
from config.supervisor import Died, Stopped, Supervisor

VAR = services.ROOT / "var"
WEB_SECONDS = 60.0


def main(arguments: list[str]) -> int:
    """``python -m config.demo``; with ``prepare`` or ``static`` one step of it, for itself."""
    if arguments == ["prepare"]:
        return prepare()
    if arguments == ["static"]:
        return collect_static()
    port = os.environ.get("PORT") or "8000"
    words = ports.complaint(port)
    if words:
        print(words, file=sys.stderr)
        return 1
    os.chdir(services.ROOT)
    try:
        VAR.mkdir(exist_ok=True)
        foreign = _foreign_file()
        if foreign:
            print(foreign, file=sys.stderr)
            return 1
        lock = (VAR / "demo.lock").open("a+")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("The demo already runs in this folder: stop it with Ctrl-C first.", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{VAR} cannot be written ({error.strerror}).", file=sys.stderr)
        return 1
    supervisor = Supervisor(os.environ)
    code = 0
    try:
        with supervisor:
            _run(supervisor, int(port))
    except Stopped:
        pass
    except (Died, services.ServiceError) as error:
        supervisor.say(f"{error} Everything else was stopped.")
        code = 1
    finally:
        # Last of all, when nobody writes any more.
        services.stop()
    supervisor.say("Stopped. The data is kept in var for the next start.")
    return code


def _foreign_file() -> str:
    """A sentence when another account (root, once) has left files that this one cannot use."""
    me = os.geteuid()
    for folder in (VAR, services.services_dir()):
        for path in [folder, *folder.iterdir()] if folder.exists() else []:
            if me not in (0, path.lstat().st_uid):
                return (
                    f"{path} belongs to another account: run make as that account, or give the "
                    f"folder to yours with sudo chown -R {me} var."
                )
    return ""


def _run(supervisor: Supervisor, port: int) -> None:
    began = time.monotonic()
    supervisor.say("Starting PostgreSQL and Valkey ...")
    embedded = _embedded()
    supervisor.environment |= _environment(port) | embedded
    supervisor.say("Preparing the practice ...")
    python = sys.executable
    supervisor.start("static", python, "-m", "config.demo", "static")
    practice = json.loads(supervisor.run("prepare", python, "-m", "config.demo", "prepare"))
    supervisor.finish("static")

    supervisor.start(
        "web", python, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}",
        "--workers", "2", "--threads", "4", "--graceful-timeout", "5", "--log-level", "warning",
        "--no-control-socket",
    )  # fmt: skip
    celery = (python, "-m", "celery", "-q", "-A", "config")
    level = supervisor.environment["LOG_LEVEL"]
    supervisor.start("worker", *celery, "worker", "--loglevel", level, "--concurrency", "2")
    supervisor.start("beat", *celery, "beat", "--loglevel", level, "--pidfile", "")
    if practice["carrier"]:
        supervisor.start("carrier", python, "manage.py", "demo_carrier")
    _wait_for_web(supervisor, port)
    supervisor.say(_welcome(port, practice["accounts"], time.monotonic() - began))
    while True:
        supervisor.look()
        for variable, name in (("DATABASE_URL", "postgres"), ("REDIS_URL", "valkey")):
            if variable in embedded and not services.running(name):
                log = services.services_dir() / f"{name}.log"
                raise Died(f"The embedded {name} server stopped by itself (see {log}).")
        supervisor.wait(0.5)


def _embedded() -> dict[str, str]:
    """Addresses of the embedded servers, for the engines that the environment does not name."""
    found = {}
    if not os.environ.get("DATABASE_URL"):
        found["DATABASE_URL"] = services.database_url()
    if not os.environ.get("REDIS_URL"):
        found["REDIS_URL"] = services.redis_url()
    return found


def _environment(port: int) -> dict[str, str]:
    """What the demo's programs are told, whatever the person's shell says."""
    smtp_port = str(ports.free_port())
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEMO": "1",
        "DEBUG": "0",
        "STEADYBACK_TESTING": "0",
        "SECRET_KEY": _secret_key(),
        "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
        "BASE_URL": f"http://localhost:{port}",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL") or "WARNING",
        "PYTHONUNBUFFERED": "1",
        # In a container everything is root; saying so at every start helps nobody.
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
        # Mail and texts go to the demo's own carrier, never to a real one.
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": smtp_port,
        "DEMO_SMTP_PORT": smtp_port,
        "EMAIL_HOST_USER": "",
        "EMAIL_HOST_PASSWORD": "",
        "EMAIL_USE_TLS": "0",
        "SMS_GATEWAY": "demo",
    }


def _secret_key() -> str:
    path = VAR / "secret-key"
    if not path.exists() or not path.read_text():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(50))
    return path.read_text()


def prepare() -> int:
    """Tables, library and, in an empty practice, its people. Prints JSON for the supervisor."""
    import django
    from django.apps import apps
    from django.core.management import call_command, get_commands

    django.setup()
    known = get_commands()
    call_command("migrate", interactive=False, verbosity=0)
    if "load_content" in known:
        call_command("load_content", stdout=sys.stderr)
    if "seed_demo" in known and not apps.get_model("patients", "Patient").objects.exists():
        print("Filling the demo practice with people (once) ...", file=sys.stderr)
        call_command("seed_demo", stdout=sys.stderr)
    accounts = io.StringIO()
    if "demo_accounts" in known:
        call_command("demo_accounts", stdout=accounts)
    print(json.dumps({"accounts": accounts.getvalue(), "carrier": "demo_carrier" in known}))
    return 0


def collect_static() -> int:
    """Gather and compress what browsers fetch, if any of it has changed since last time."""
    import django
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    django.setup()
    seen = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            found = Path(storage.path(path)).stat()
            seen.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    stamp = VAR / "static.stamp"
    if not stamp.exists() or stamp.read_text() != seen.hexdigest():
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(seen.hexdigest())
    return 0


def _wait_for_web(supervisor: Supervisor, port: int) -> None:
    deadline = time.monotonic() + WEB_SECONDS
    status = 0
    while time.monotonic() < deadline:
        supervisor.look()
        supervisor.wait(0.1)
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            line.request("GET", "/", headers={"Host": f"localhost:{port}"})
            status = line.getresponse().status
        except OSError:
            continue
        finally:
            line.close()
        if status < 500:
            return
    raise Died(
        f"The web server answers with an error ({status})."
        if status
        else f"The web server did not answer within {WEB_SECONDS:.0f} seconds."
    )


def _welcome(port: int, accounts: str, seconds: float) -> str:
    base = f"http://localhost:{port}"
    lines = [
        "",
        f"Steadyback runs (ready after {seconds:.0f} seconds).",
        "",
        f"  Patients            {base}/",
        f"  Physiotherapists    {base}/clinic/",
        f"  Messages sent       {base}/demo/messages/",
        "",
        *(f"  {line}" if line.strip() else "" for line in accounts.splitlines()),
        "",
        "Ctrl-C stops everything.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
