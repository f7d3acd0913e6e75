"""The patient's pages against a Django view with one question to the database.

One patient who has lived three weeks with a program. Requests go over a line to the web server that
an installation runs, with one process, all the middleware and the patient's own session; so do
those for the yardstick.
"""

import contextlib
import datetime as dt
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from patients.models import CheckIn, Patient, RedFlagScreening
from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from programs import answering
from programs.models import Decision, Program, Proposal, Session
from tests import seeding
from tests.benchmarks.web import Web, web

_DAYS = 21
_WARM, _PAGES, _WRITES = 10, 120, 1_500
_TOKEN = "a" * 32


def today_vs_floor(on: Any) -> dict[str, object]:
    """Today's pages a second ÷ pages of the yardstick."""
    with _patient() as ana:
        ours, floor = _alternately(ana.asks("/"), ana.asks("/floor/"))
    return _row("today_vs_floor", 0.35, ours, floor, "today's page")


def check_in_vs_floor(on: Any) -> dict[str, object]:
    """A morning's check-in, kept and decided on, ÷ a page of the yardstick."""
    with _patient() as ana:
        ours, floor = _alternately(ana.answers(), ana.asks("/floor/"), after=ana.forget_today)
    return _row("check_in_vs_floor", 0.25, ours, floor, "a morning's check-in with its decision")


def check_in_write(on: Any) -> dict[str, object]:
    """Check-ins a second into the product's table ÷ into one without its triggers."""
    with _patient() as ana, connection.cursor() as cursor:
        bare = "bench_checkin"
        cursor.execute(f"DROP TABLE IF EXISTS {bare}")
        cursor.execute(f"CREATE TABLE {bare} (LIKE {CheckIn._meta.db_table} INCLUDING ALL)")
        write = _writer(ana.patient)
        try:
            ours, plain = _alternately(
                lambda: write(CheckIn._meta.db_table), lambda: write(bare), runs=_WRITES
            )
        finally:
            cursor.execute(f"DROP TABLE {bare}")
            ana.forget_today()
    ratio = statistics.median(plain) / statistics.median(ours)
    return {
        "name": "check_in_write",
        "ratio": round(ratio, 3),
        "goal": 0.8,
        "better": "higher",
        "runs": _WRITES,
        "detail": (
            f"{1 / statistics.median(ours):,.0f} transactions/s: a check-in and the mark that its "
            f"patient's status row is to be made again, in one commit to the disk, ÷ "
            f"{1 / statistics.median(plain):,.0f}/s of the same INSERT into a table with the same "
            "indexes and no triggers."
        ),
    }


def _row(
    name: str, goal: float, ours: list[float], floor: list[float], what: str
) -> dict[str, object]:
    return {
        "name": name,
        "ratio": round(statistics.median(floor) / statistics.median(ours), 3),
        "goal": goal,
        "better": "higher",
        "runs": len(ours),
        "detail": (
            f"{1 / statistics.median(ours):,.0f}/s of {what} "
            f"({1000 * statistics.median(ours):.2f} ms) ÷ {1 / statistics.median(floor):,.0f}/s of "
            f"a view with one ORM query ({1000 * statistics.median(floor):.2f} ms), the same "
            "middleware, session and server (gunicorn, one process)."
        ),
    }


def _alternately(
    one: Callable[[], object],
    other: Callable[[], object],
    *,
    after: Callable[[], object] = lambda: None,
    runs: int = _PAGES,
) -> tuple[list[float], list[float]]:
    """Seconds of every call of both, in alternation; ``after`` is not timed."""
    figures: tuple[list[float], list[float]] = ([], [])
    for number in range(_WARM + runs):
        sides = [(0, one), (1, other)]
        for which, side in sides if number % 2 == 0 else reversed(sides):
            began = time.perf_counter()
            side()
            seconds = time.perf_counter() - began
            after()
            if number >= _WARM:
                figures[which].append(seconds)
    return figures


# --- the patient ---------------------------------------------------------------------------------


class _Patient:
    def __init__(self, program: Program, now: dt.datetime, browser: Web) -> None:
        self.program, self.patient, self._browser = program, program.patient, browser
        self._day = self.patient.local_date(now)

    def asks(self, path: str) -> Callable[[], object]:
        return lambda: self._browser.request("GET", path, 200)

    def answers(self) -> Callable[[], object]:
        def post() -> bytes:
            given = {
                "client_id": uuid.uuid4(),
                "pain_this_morning": 3,
                "usual_pain": 3,
                "soreness": "none",
                "sleep": 6,
                "stress": 4,
                "feels_safe": 7,
            }
            return self._browser.request("POST", "/check-in/morning/", 302, urlencode(given))

        post()
        assert CheckIn.objects.filter(patient=self.patient, day=self._day).count() == 1
        assert Decision.objects.filter(program=self.program, day=self._day).exists()
        self.forget_today()
        return post

    def forget_today(self) -> None:
        """As if nothing had been answered today, so that it can be answered again."""
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            decisions = Decision.objects.filter(program=self.program, day=self._day)
            Proposal.objects.filter(decision__in=decisions).delete()
            decisions.delete()
            Session.objects.filter(morning_check_in__day=self._day).update(morning_check_in=None)
            CheckIn.objects.filter(patient=self.patient, day=self._day).delete()
            cursor.execute("SET session_replication_role = origin")


@contextlib.contextmanager
def _patient() -> Iterator[_Patient]:
    """Somebody who exercised every other day for three weeks and answered the mornings after."""
    now = timezone.now()
    seeding.empty_practice()
    zone = seeding.zone_where_it_is(12, now)
    program = seeding.practice(at=now - dt.timedelta(days=_DAYS), time_zone=zone)
    for back in range(_DAYS - 1, 0, -1):
        _live(program, now - dt.timedelta(days=back), exercises=back % 2 == 1)
    answer_red_flags(
        patient=program.patient,
        answers={question.id: "no" for question in REPEATED},
        source=RedFlagScreening.Source.WEEKLY,
        client_id=uuid.uuid4(),
        at=now,
    )
    program = Program.objects.whole().get(pk=program.pk)
    try:
        with web("tests.benchmarks.patient_urls", _headers(program.patient)) as browser:
            yield _Patient(program, now, browser)
    finally:
        connection.close()


def _headers(patient: Patient) -> dict[str, str]:
    client = Client()
    client.force_login(patient.user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    return {
        "Accept": "text/html",
        "Accept-Language": "en",
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={_TOKEN}",
        "X-CSRFToken": _TOKEN,
    }


def _live(program: Program, at: dt.datetime, *, exercises: bool) -> None:
    if not exercises:
        answering.answer_morning(
            program=program,
            client_id=uuid.uuid4(),
            at=at,
            pain_this_morning=3,
            usual_pain=3,
            soreness="none",
            sleep=6,
            stress=4,
        )
        return
    session = answering.record_session(
        program=program,
        day=program.patient.local_date(at),
        status=Session.Status.DONE,
        client_id=uuid.uuid4(),
        known=Session.Known.TIMED,
        at=at,
    )
    answering.answer_after_session(
        session=session,
        client_id=uuid.uuid4(),
        at=at,
        pain_before=3,
        pain_during=3,
        effort=4,
        form_kept=True,
        stiffer_after=False,
        neck_tension=False,
        soreness="none",
    )


def _writer(patient: Patient) -> Callable[[str], None]:
    """Writes one check-in of this patient into a table, as one transaction."""
    one = CheckIn(
        patient=patient,
        kind=CheckIn.Kind.DAILY,
        day=patient.local_date(timezone.now()),
        at=timezone.now(),
        pain_this_morning=3,
        usual_pain=3,
        soreness=CheckIn.Soreness.NONE,
    )
    fields = [field for field in CheckIn._meta.concrete_fields if not field.primary_key]
    names = ", ".join(f'"{field.column}"' for field in fields)
    places = ", ".join(["%s"] * len(fields))
    place = [field.attname for field in fields].index("client_id")
    values = [field.get_db_prep_save(getattr(one, field.attname), connection) for field in fields]

    def write(table: str) -> None:
        given = [*values]
        given[place] = uuid.uuid4()
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", given)

    return write
