"""Where the measurements take place: servers that write to the disk, a practice, and a check.

A figure counts only if every message of its run was accepted exactly once, so every run here ends
with that question, to the carrier and to the outbox.
"""

import contextlib
import dataclasses
import os
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks.mails import FROM, Mail
from tests.benchmarks.team import Team
from tests.engines import Engines, own_database
from tests.sinks import Journal, Sink

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "var" / "bench"


class NotCounted(Exception):
    """A run in which something was lost or doubled; its figure is void."""


@dataclasses.dataclass(frozen=True)
class Scale:
    """How much of everything: ``runs`` of each side. Against bare loops both sides have
    ``processes`` with ``connections`` each; against whole systems the product works as a worker
    does, with ``worker_processes`` and ``worker_connections``."""

    runs: int = 5
    processes: int = 1
    connections: int = 16
    worker_processes: int = 2
    worker_connections: int = 32
    sms_processes: int = 1
    mails: int = 12_000
    share: float = 1.0

    def of(self, count: int) -> int:
        """``count``, or less of it when only a try is wanted."""
        return max(int(count * self.share), 60)


@dataclasses.dataclass
class Stage:
    """What every row of the table is given."""

    scale: Scale
    environment: dict[str, str]
    patients: int
    log: Path = FOLDER / "workers.log"

    # --- the product -----------------------------------------------------------------------

    def product(
        self,
        channel: str,
        sink: Sink,
        *,
        count: int,
        processes: int,
        lines: int,
        **environment: str,
    ) -> float:
        """Messages a second: planned rows to committed outcomes, by real sending processes."""
        from django.utils import timezone

        from tests import seeding

        seeding.empty_outbox()
        text = seeding.long_text(channel)
        queued = seeding.queue_reminders(channel, text=text, at=timezone.now(), limit=count)
        if queued != count:
            raise RuntimeError(f"Only {queued} reminders to send, not {count}.")
        self.settle()
        carrier = self.mail_to(sink, lines) if channel == "email" else self.texts_to(sink, lines)
        team = Team(
            "product",
            [[]] * processes,
            {**self.environment, **carrier, **environment},
            self.log,
        )
        seconds, _ = team.race()
        self.last = self.check(sink, count)
        self._ask_outbox(count)
        return count / seconds

    def mail_to(self, sink: Sink, connections: int) -> dict[str, str]:
        return {
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(sink.port),
            "EMAIL_CONNECTIONS": str(connections),
            "DEFAULT_FROM_EMAIL": f"Harbour Street <{FROM}>",
        }

    def texts_to(self, sink: Sink, in_flight: int) -> dict[str, str]:
        return {
            "SMS_GATEWAY": "twilio",
            "TWILIO_ACCOUNT_SID": "AC00000000000000000000000000000000",
            "TWILIO_AUTH_TOKEN": "stub",
            "TWILIO_FROM": "+442079460100",
            "TWILIO_API_BASE": f"http://127.0.0.1:{sink.port}",
            "SMS_IN_FLIGHT": str(in_flight),
        }

    def a_mail(self) -> Path:
        """The product's own mail, for the yardsticks to send; a file."""
        path = FOLDER / "mail.json"
        if path.exists():
            return path
        with Sink("mail") as sink:
            self.product("email", sink, count=1, processes=1, lines=1)
            mail = self.last
        accepted = mail.accepted[0]
        content = mail.sample.replace(b"\r\n..", b"\r\n.")
        Mail(accepted.address, accepted.reference, content).write(path)
        return path

    # --- the checks ------------------------------------------------------------------------

    def check(self, sink: Sink, count: int) -> Journal:
        """The sink's journal, when it holds ``count`` messages and no address twice."""
        journal = sink.take()
        if len(journal.accepted) != count or journal.doubled():
            raise NotCounted(
                f"{len(journal.accepted)} of {count} accepted, {len(journal.doubled())} doubled"
            )
        if journal.early:
            raise NotCounted(f"{journal.early} texts were sent before the server asked for them")
        return journal

    def _ask_outbox(self, count: int) -> None:
        from clinic.models import OutboxMessage

        sent = OutboxMessage.objects.filter(status=OutboxMessage.Status.SENT).count()
        if sent != count or OutboxMessage.objects.count() != count:
            raise NotCounted(f"{sent} of {count} known as sent")

    @staticmethod
    def settle() -> None:
        """Leave no work of the preparation to be done while the clock runs."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE clinic_outboxmessage")
            cursor.execute("CHECKPOINT")


def in_turn(runs: int, *sides: Callable[[], float]) -> list[list[float]]:
    """Each side ``runs`` times, in alternation and beginning with another one each time."""
    figures: list[list[float]] = [[] for _ in sides]
    order = list(range(len(sides)))
    for run in range(runs):
        shift = run % len(sides)
        for place in order[shift:] + order[:shift]:
            figures[place].append(sides[place]())
    return figures


def summary(figures: list[float], unit: str = "/s") -> str:
    """Median and spread in words."""
    low, high = min(figures), max(figures)
    return f"{statistics.median(figures):,.0f}{unit} ({low:,.0f} to {high:,.0f})"


def row(
    name: str,
    ratio: float,
    goal: float,
    *,
    runs: int,
    detail: str,
    better: str = "higher",
) -> dict[str, object]:
    """One row of var/bench.json."""
    return {
        "name": name,
        "ratio": round(ratio, 3),
        "goal": goal,
        "better": better,
        "runs": runs,
        "detail": detail,
    }


@contextlib.contextmanager
def stage(scale: Scale, patients: int) -> Iterator[Stage]:
    """Servers, tables and that many patients, in whose zone it is ten in the morning."""
    with contextlib.ExitStack() as stack:
        engines = _engines(stack)
        environment = {
            **os.environ,
            **engines,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "STEADYBACK_TESTING": "1",
            "BASE_URL": "https://practice.example",
        }
        os.environ.update(environment)
        FOLDER.mkdir(parents=True, exist_ok=True)
        for old in ("workers.log", "mail.json"):
            (FOLDER / old).unlink(missing_ok=True)
        _fill(patients)
        yield Stage(scale, environment, patients)


def _engines(stack: contextlib.ExitStack) -> dict[str, str]:
    """Servers of our own, unless both are given; then a database of our own on the given one."""
    given = {name: os.environ.get(name, "") for name in ("DATABASE_URL", "REDIS_URL")}
    if not all(given.values()):
        engines = stack.enter_context(Engines(FOLDER / "engines", fresh=True))
        given = {"DATABASE_URL": engines.database_url, "REDIS_URL": engines.redis_url}
    given["DATABASE_URL"] = own_database(given["DATABASE_URL"], "steadyback_bench")
    return given


def _fill(patients: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.utils import timezone

    from tests import seeding

    call_command("migrate", verbosity=0)
    now = timezone.now()
    seeding.empty_practice()
    program = seeding.practice(at=now, time_zone=seeding.zone_where_it_is(10, now))
    seeding.copies(program, patients)
