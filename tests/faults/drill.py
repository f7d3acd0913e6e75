"""A morning on which everything breaks: ``python -m tests.faults.drill --help``.

Real workers and beats plan and send a day's reminders to carriers of our own, while processes are
killed, PostgreSQL ends at once and Valkey dies. At the end every reminder must have exactly one
row and one fate, no carrier may have taken a message twice, and what nobody knows must not be more
than what was on the wire when its sender was killed.

Prints its figures as JSON; the exit code is 1 when a promise was broken.
"""

import argparse
import contextlib
import dataclasses
import datetime as dt
import json
import os
import random
import shutil
import signal
import sys
import time
import zoneinfo
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from config.ports import free_port
from tests.engines import Engines
from tests.faults.book import Book
from tests.faults.crew import Crew, wait_gone
from tests.faults.reckoning import reckon
from tests.sinks import Sink

ROOT = Path(__file__).resolve().parent.parent.parent
OPEN = ("due", "claimed", "sending")

# In thousandths of the messages; the sinks say what each is.
MAIL_TROUBLES = {
    "rcpt_later": 10,
    "data_later": 10,
    "text_later": 10,
    "rcpt_never": 5,
    "text_never": 5,
    "closing": 5,
    "cut_before_dot": 5,
    "cut_after_dot": 5,
    "lost_after_dot": 5,
    "silent": 1,
    "slow": 5,
}
TEXT_TROUBLES = {
    "busy": 5,
    "away": 5,
    "dead": 5,
    "landline": 3,
    "broken": 5,
    "kept_broken": 3,
    "cut_before": 5,
    "cut_after": 5,
    "slow": 5,
}


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is to happen. ``seconds`` is how long sending takes when nothing goes wrong: the
    carriers answer as slowly as that needs."""

    reminders: int
    workers: int
    kills: int
    pg_restarts: int
    redis_kills: int
    redis_off: bool
    troubles: bool
    seconds: float
    lease: int
    seed: int
    connections: int = 2
    in_flight: int = 4

    @property
    def nodes(self) -> int:
        """Celery workers. Without a broker each sends by its watch alone, so there are more."""
        return max(self.workers // 2, 1) if self.redis_off else 2

    @property
    def senders(self) -> int:
        return self.nodes if self.redis_off else self.workers


class Drill:
    """One morning, from the empty servers to the reckoning."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan, self.folder = plan, folder
        self.chance = random.Random(plan.seed)
        self.events: list[dict[str, Any]] = []
        self.at_kills: Counter[str] = Counter()
        self.over_the_limit: list[dict[str, Any]] = []
        self._said = time.monotonic()

    def run(self) -> dict[str, Any]:
        plan = self.plan
        with contextlib.ExitStack() as stack:
            engines = stack.enter_context(Engines(self.folder / "engines", fresh=True))
            if plan.redis_off:
                engines.stop_valkey()
            mail_delay, text_delay = self._pace()
            mail = stack.enter_context(
                Sink("mail", delay=mail_delay, troubles=MAIL_TROUBLES if plan.troubles else None)
            )
            texts = stack.enter_context(
                Sink("texts", delay=text_delay, troubles=TEXT_TROUBLES if plan.troubles else None)
            )
            environment = self._environment(engines, mail, texts)
            self._seed(environment)
            self._say("seeded")
            book = Book(engines.database_url)
            stack.callback(book.close)
            begun = time.monotonic()
            with Crew(environment, self.folder, workers=plan.workers, nodes=plan.nodes) as crew:
                self._wake(plan_too=True)
                self._until(lambda: bool(book.on_the_wire()), 60, "nothing was ever sent")
                self.first_after = time.monotonic() - begun
                self._say("sending")
                self._break_things(engines, crew, book)
                self._settle(crew, book)
            seconds = time.monotonic() - begun
            report = reckon(book=book, mail=mail.take(), texts=texts.take(), at_kills=self.at_kills)
        figures = {
            **dataclasses.asdict(plan),
            "senders": plan.senders,
            "seconds_taken": round(seconds, 1),
            "seconds_until_the_first": round(self.first_after, 1),
            "events": Counter(event["what"] for event in self.events),
            "kills_with_something_on_the_wire": sum(
                1 for event in self.events if event.get("on_the_wire")
            ),
            "on_the_wire_at_kills": dict(self.at_kills),
            "more_than_one_for_a_connection": self.over_the_limit,
        }
        wrong = list(report.pop("wrong"))
        if self.over_the_limit:
            wrong.append("a killed sender left more than one message for a connection")
        return {**figures, **report, "wrong": wrong}

    # --- before ------------------------------------------------------------------------------

    def _pace(self) -> tuple[float, float]:
        """Delay of an answer of the mail server and of the text carrier, in seconds."""
        plan = self.plan
        # Four answers to a mail, one to a text.
        each = plan.reminders / 2 / plan.senders / plan.seconds
        return plan.connections / each / 4, plan.in_flight / each

    def _environment(self, engines: Engines, mail: Sink, texts: Sink) -> dict[str, str]:
        redis = engines.redis_url
        if self.plan.redis_off:
            redis = f"redis://127.0.0.1:{free_port()}/0"
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "STEADYBACK_TESTING": "1",
            "DATABASE_URL": engines.database_url,
            "REDIS_URL": redis,
            "BASE_URL": "https://practice.example",
            "DEFAULT_FROM_EMAIL": "Harbour Street <reminders@practice.example>",
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(mail.port),
            "EMAIL_TIMEOUT": "6" if self.plan.troubles else "20",
            "EMAIL_CONNECTIONS": str(self.plan.connections),
            "SMS_GATEWAY": "twilio",
            "SMS_IN_FLIGHT": str(self.plan.in_flight),
            "TWILIO_ACCOUNT_SID": "AC00000000000000000000000000000000",
            "TWILIO_AUTH_TOKEN": "stub",
            "TWILIO_FROM": "+442079460100",
            "TWILIO_API_BASE": f"http://127.0.0.1:{texts.port}",
            "SENDER_LEASE_S": str(self.plan.lease),
        }

    def _seed(self, environment: dict[str, str]) -> None:
        os.environ.update(environment)
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection
        from django.utils import timezone

        from tests import seeding

        call_command("migrate", verbosity=0)
        now = timezone.now()
        zone = seeding.zone_where_it_is(11, now)
        # A minute ago: planning is late already when the workers begin.
        hour = (now - dt.timedelta(minutes=1)).astimezone(zoneinfo.ZoneInfo(zone)).time()
        with contextlib.redirect_stdout(sys.stderr):
            program = seeding.practice(
                at=now, time_zone=zone, reminder_time=hour.replace(microsecond=0)
            )
        # Each gets one by e-mail and one by text, the first patient too.
        seeding.copies(program, self.plan.reminders // 2 - 1)
        connection.close()

    # --- the morning -------------------------------------------------------------------------

    def _break_things(self, engines: Engines, crew: Crew, book: Book) -> None:
        plan = self.plan
        # Every fourth kill takes a whole worker.
        calls: list[tuple[str, Callable[[], None]]] = [
            ("kill worker", lambda: self._kill(book, lambda _: crew.kill_worker(self.chance)))
            if number % 4 == 3
            else (
                "kill child",
                lambda: self._kill(book, lambda busy: crew.kill_child(busy, self.chance)),
            )
            for number in range(plan.kills)
        ]
        calls += [("restart PostgreSQL", engines.restart_postgres)] * plan.pg_restarts
        if not plan.redis_off:
            # Every second time it has forgotten all it was told.
            calls += [
                ("wipe Valkey", lambda: engines.restart_valkey(wiped=True))
                if number % 2
                else ("kill Valkey", engines.restart_valkey)
                for number in range(plan.redis_kills)
            ]
        self.chance.shuffle(calls)
        pause = 0.7 * plan.seconds / max(len(calls), 1)
        for what, do in calls:
            time.sleep(pause * self.chance.uniform(0.5, 1.5))
            crew.mend()
            self._wake()
            self.events.append({"what": what})
            do()
            self._say(f"{what} {self.events[-1]}")

    def _kill(self, book: Book, kill: Callable[[set[int]], list[int]]) -> None:
        with contextlib.suppress(TimeoutError):
            self._until(lambda: bool(book.on_the_wire()), 5, "")
        gone = kill(set(book.on_the_wire()))
        wait_gone(gone)
        # What it had asked of the database may still be committed.
        time.sleep(0.2)
        left = book.on_the_wire()
        mine = {number: left[number] for number in gone if number in left}
        for number, counts in mine.items():
            self.at_kills.update(counts)
            limits = {"email": self.plan.connections, "sms": self.plan.in_flight}
            if any(count > limits[channel] for channel, count in counts.items()):
                self.over_the_limit.append({"process": number, **counts})
        self.events[-1]["on_the_wire"] = sum(sum(counts.values()) for counts in mine.values())

    def _settle(self, crew: Crew, book: Book) -> None:
        """Wait until nothing is open. Leases run out, sweeps find what the dead had held."""
        end = time.monotonic() + self.plan.seconds + 10 * self.plan.lease + 120
        while time.monotonic() < end:
            states = book.states()
            if not any(states[state] for state in OPEN) and sum(states.values()):
                planned = book.ask("SELECT count(*) FROM clinic_outboxmessage")[0][0]
                if planned >= self.plan.reminders:
                    return
            crew.mend()
            self._wake(plan_too=True)
            if self.plan.troubles:
                # The waits between tries are minutes; here they are seconds.
                book.ask(
                    "UPDATE clinic_outboxmessage SET wake_at = now()"
                    " WHERE wake_at > now() + interval '1 second' AND status = 'due'"
                )
            time.sleep(min(self.plan.lease, 3))
            self._say(f"settling: {dict(states)}")

    def _wake(self, *, plan_too: bool = False) -> None:
        """The beats' wake-ups, without waiting for their clocks: one for each worker.

        Without a broker there are none, and the workers have to find the work themselves.
        """
        if self.plan.redis_off:
            return
        from config.celery import app

        with contextlib.suppress(Exception):
            if plan_too:
                # Twice, as two beats would.
                for _ in range(2):
                    app.send_task("programs.tasks.plan_reminders", retry=False, expires=5)
                app.send_task("clinic.tasks.sweep", retry=False, expires=5)
            for _ in range(self.plan.workers):
                app.send_task("clinic.tasks.send_due", retry=False, expires=5)

    def _until(self, true: Callable[[], bool], seconds: float, otherwise: str) -> None:
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                raise TimeoutError(otherwise)
            time.sleep(0.05)

    def _say(self, what: str) -> None:
        now = time.monotonic()
        print(f"{now - self._said:6.1f} s  {what}", file=sys.stderr, flush=True)


def main() -> int:
    plan = _arguments()
    folder = ROOT / "var" / f"drill-{os.getpid()}"
    try:
        report = Drill(plan, folder).run()
    except BaseException:
        print(f"The logs are in {folder.relative_to(ROOT)}.", file=sys.stderr)
        raise
    print(json.dumps(report, indent=1, default=str))
    if report["wrong"]:
        print(f"The logs are in {folder.relative_to(ROOT)}.", file=sys.stderr)
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def _arguments() -> Plan:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.drill",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--reminders", type=int, default=50_000)
    parser.add_argument("--workers", type=int, default=8, help="children of the Celery workers")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--pg-restarts", type=int, default=3)
    parser.add_argument("--redis-kills", type=int, default=3)
    parser.add_argument("--redis-off", action="store_true", help="Valkey is never there")
    parser.add_argument("--troubles", action="store_true", help="carriers that misbehave, too")
    parser.add_argument("--seconds", type=float, default=90, help="that sending alone would take")
    parser.add_argument("--lease", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    return Plan(**vars(parser.parse_args()))


if __name__ == "__main__":
    # Ctrl-C and terminate end what was started here, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
