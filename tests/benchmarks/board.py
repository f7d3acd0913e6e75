"""The board among 100,000 patients and 10,000,000 check-ins.

Three questions: what the database takes for the list against one bare read of the same 50 rows;
whether a page takes longer where the practice, or the caseload, is larger; and how many pages a
second one process gives, signed in and written down, against a bare list of Django REST framework
of as many rows. Pages go through the WSGI application with all its middleware, in this process.

The first patients' rows are made by the product; those of the others repeat them, and the product,
asked about some of the others, finds nothing to change.
"""

import contextlib
import dataclasses
import datetime as dt
import io
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection, models, transaction
from django.test import Client
from django.utils import timezone

from clinic import health
from clinic.models import Role, User
from patients.models import CheckIn, Patient
from programs import caseload_rows
from programs.clinician import board_query
from programs.models import CaseloadMark, CaseloadRow, Decision, Policy, Program, Proposal
from tests import seeding

PATIENTS, FEW = 100_000, 1_000
CHECK_INS = 10_000_000
# After so many patients everything repeats but name, number and whose they are.
_ALIKE = 630
# Caseloads, by the number of the patient: Ruth's eighty are there in the small practice as well.
_CASELOADS = {"ruth": (1, 80), "two-hundred": (81, 280), "two-thousand": (2_001, 4_000)}
_OTHERS = 60
_WARM, _PAGES, _READS = 20, 150, 400


def sql_vs_bare(on: Any) -> dict[str, object]:
    """Database time of one page of the list ÷ one bare read of the same rows by their keys."""
    with _grown(on) as practice:
        user = practice.staff["two-thousand"]
        asked = board_query.Question(scope="mine", default_scope="mine")
        where = board_query.scope_of(user, [practice.site.pk], asked)
        sql, given = board_query.page_of(where, 1)
        found = board_query.answer(where, asked, at=timezone.now()).rows
        columns = ", ".join(field.name for field in dataclasses.fields(board_query.Shown))
        bare = f"SELECT {columns} FROM programs_caseloadrow WHERE patient_id = ANY(%s)"
        keys = [[row.patient_id for row in found]]
        ours, plain = _alternately(_READS, lambda: _read(sql, given), lambda: _read(bare, keys))
    ratio = statistics.median(ours) / statistics.median(plain)
    return {
        "name": "board_sql_vs_bare",
        "ratio": round(ratio, 3),
        "goal": 2.0,
        "better": "lower",
        "runs": _READS,
        "detail": (
            f"The first 50 of 2,000 in order of need, among {practice.patients:,} patients and "
            f"{practice.check_ins:,} check-ins: {_ms(ours)} ÷ {_ms(plain)} for the same rows by "
            f"their keys."
        ),
    }


def growth(on: Any) -> dict[str, object]:
    """The whole page at 100,000 patients ÷ at 1,000, and a caseload of 2,000 ÷ one of 200; the
    worse of the two."""
    with _small(on) as practice:
        few = practice.patients
        small = _times(practice, "ruth")
        practice.grow()
        large = _times(practice, "ruth")
        long, short = _alternately(
            _PAGES, practice.page_of("two-thousand"), practice.page_of("two-hundred")
        )
    by_practice = statistics.median(large) / statistics.median(small)
    by_caseload = statistics.median(long) / statistics.median(short)
    return {
        "name": "board_growth",
        "ratio": round(max(by_practice, by_caseload), 3),
        "goal": 1.2,
        "better": "lower",
        "runs": _PAGES,
        "detail": (
            f"One page of the board at {practice.patients:,} patients {_ms(large)} ÷ at {few:,} "
            f"{_ms(small)}: {by_practice:.2f}. A lead with 2,000 patients {_ms(long)} ÷ one with "
            f"200 {_ms(short)}: {by_caseload:.2f}."
        ),
    }


def vs_drf_floor(on: Any) -> dict[str, object]:
    """Pages a second, signed in and written down ÷ a bare list of as many rows."""
    with _grown(on) as practice:
        page, bare = practice.page_of("two-hundred"), practice.page("/bare/", "")
        ours, plain = _alternately(_PAGES * 2, page, bare)
    ratio = statistics.median(plain) / statistics.median(ours)
    return {
        "name": "board_vs_drf_floor",
        "ratio": round(ratio, 3),
        "goal": 0.5,
        "better": "higher",
        "runs": _PAGES * 2,
        "detail": (
            f"{1 / statistics.median(ours):,.0f} pages/s of the board (session, person, look "
            f"written down, counts, 50 rows; {_ms(ours)}) ÷ {1 / statistics.median(plain):,.0f}/s "
            f"of a bare REST list of 50 rows ({_ms(plain)}), the same process."
        ),
    }


# --- measuring -----------------------------------------------------------------------------------


def _alternately(
    runs: int, one: Callable[[], object], other: Callable[[], object]
) -> tuple[list[float], list[float]]:
    figures: tuple[list[float], list[float]] = ([], [])
    for number in range(_WARM + runs):
        sides = [(0, one), (1, other)]
        for which, side in sides if number % 2 == 0 else reversed(sides):
            began = time.perf_counter()
            side()
            if number >= _WARM:
                figures[which].append(time.perf_counter() - began)
    return figures


def _times(practice: "_Practice", who: str) -> list[float]:
    page = practice.page_of(who)
    figures = []
    for number in range(_WARM + _PAGES):
        began = time.perf_counter()
        page()
        if number >= _WARM:
            figures.append(time.perf_counter() - began)
    return figures


def _read(sql: str, given: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        cursor.fetchall()


def _ms(figures: list[float]) -> str:
    return f"{statistics.median(figures) * 1000:.2f} ms"


# --- the practice --------------------------------------------------------------------------------


class _Practice:
    """A practice that grows from ``FEW`` to ``PATIENTS``."""

    def __init__(self, share: float) -> None:
        self.target = max(int(PATIENTS * share), 4_200)
        self.answers = max(int(CHECK_INS * share), self.target)
        self.now = timezone.now()
        self._application: Any = None

    def fill(self) -> None:
        _run("TRUNCATE programs_caseloadmark")
        seeding.empty_practice()
        zone = seeding.zone_where_it_is(12, self.now)
        self.program = seeding.practice(at=self.now - dt.timedelta(days=30), time_zone=zone)
        self.patient = self.program.patient
        self.site = self.patient.site
        self.staff = {"ruth": self.patient.physiotherapist}
        for name in [*list(_CASELOADS)[1:], *(f"other-{n}" for n in range(_OTHERS))]:
            self.staff[name] = self._physiotherapist(name)
        self._decide()
        self.patients = 0
        self._add(1, FEW)

    def _physiotherapist(self, name: str) -> User:
        email = f"{name}@practice.example"
        user = User.objects.filter(email=email).first()
        if user is None:
            user = User.objects.create_user(
                email, "a long pass phrase", name=name.title(), role=Role.PHYSIOTHERAPIST
            )
            user.sites.add(self.site)
        return user

    def _decide(self) -> None:
        """One decision that others get a copy of, with the step it proposes."""
        version = self.program.current_version
        self.decision = Decision.objects.create(
            program=self.program,
            version=version,
            policy=Policy.objects.in_force(version.pathway),
            at=self.now - dt.timedelta(hours=5),
            day=self.now.date(),
            outcome="PROGRESS",
            rules=["R26"],
            fired=[],
            contact="none",
            approval="clinician",
            handling="proposed",
            step={"kind": "level", "words": "Dead bug: level 2", "patient_words": ""},
            evidence={},
            patient_text="",
        )
        self.proposal = Proposal.objects.create(program=self.program, decision=self.decision)

    def grow(self) -> None:
        self._add(self.patients + 1, self.target)

    def _add(self, first: int, last: int) -> None:
        each = max(1, self.answers // self.target)
        with transaction.atomic(), connection.cursor() as cursor:
            # No marks, no history, no looking at foreign keys: the copies have those of the first.
            cursor.execute("SET LOCAL session_replication_role = replica")
            copy = _Copier(cursor, first, last)
            copy(
                self.patient,
                id=_id("patient"),
                number="'N-' || lpad(n::text, 6, '0')",
                family_name="'Morales ' || lpad(n::text, 6, '0')",
                user_id="NULL",
                physiotherapist_id=self._whose(),
            )
            copy(self.program, id=_id("program"), patient_id=_id("patient"))
            waiting = "n % 10 < 3"
            copy(self.decision, waiting, id="n + 1000000", program_id=_id("program"))
            copy(
                self.proposal,
                waiting,
                id="n + 1000000",
                program_id=_id("program"),
                decision_id="n + 1000000",
            )
            _add_answers(cursor, self.patient, self.now, first, last, each)
        if not self.patients:
            caseload_rows.touch(self._first(_ALIKE))
            caseload_rows.settle_all(at=self.now)
        self._copy_rows(max(first, _ALIKE + 1), last)
        self.patients, self.check_ins = last, CheckIn.objects.count()
        for model in (Patient, Program, CheckIn, CaseloadRow, CaseloadMark, Decision, Proposal):
            _run(f"VACUUM ANALYZE {model._meta.db_table}")
        _run("CHECKPOINT")
        self._look_again()

    def _whose(self) -> str:
        cases = " ".join(
            f"WHEN n BETWEEN {first} AND {last} THEN {self.staff[name].pk}"
            for name, (first, last) in _CASELOADS.items()
        )
        others = ", ".join(str(self.staff[f"other-{n}"].pk) for n in range(_OTHERS))
        return f"CASE {cases} ELSE (ARRAY[{others}])[1 + n % {_OTHERS}] END"

    def _first(self, count: int) -> list[object]:
        return list(
            Patient.objects.filter(number__lte=f"N-{count:06d}", number__startswith="N-")
            .order_by("number")
            .values_list("pk", flat=True)
        )

    def _copy_rows(self, first: int, last: int) -> None:
        own = {
            "patient_id": "p.id",
            "physiotherapist_id": "p.physiotherapist_id",
            "family_name": "p.family_name",
            "number": "p.number",
            "proposal_id": "CASE WHEN one.proposal_id IS NULL THEN NULL ELSE n + 1000000 END",
        }
        columns = [f.column for f in CaseloadRow._meta.concrete_fields if f.column != "id"]
        names = ", ".join(f'"{column}"' for column in columns)
        values = ", ".join(own.get(column, f'one."{column}"') for column in columns)
        _run(
            f"INSERT INTO programs_caseloadrow ({names}) SELECT {values}"
            f" FROM generate_series({first}, {last}) n"
            f" JOIN patients_patient p ON p.id = {_id('patient')}"
            f" JOIN programs_caseloadrow one"
            f" ON one.patient_id = md5('patient ' || (1 + (n - 1) % {_ALIKE}))::uuid"
        )

    def _look_again(self) -> None:
        """The product, asked about the last patients, would make the rows they have."""
        some = Patient.objects.order_by("-number")[:100]
        fresh = caseload_rows.fresh(some, at=self.now)
        kept = {row.patient_id: row for row in CaseloadRow.objects.filter(patient__in=list(some))}
        names = [f.attname for f in CaseloadRow._meta.concrete_fields if f.attname != "id"]
        for row in fresh:
            for name in names:
                ours, theirs = getattr(kept[row.patient_id], name), getattr(row, name)
                assert ours == theirs, f"{row.number}: {name} is {ours!r} and not {theirs!r}"

    # --- asking for pages ------------------------------------------------------------------------

    def page_of(self, who: str) -> Callable[[], object]:
        client = Client()
        client.force_login(self.staff[who])
        return self.page("/clinic/", client.cookies["sessionid"].value)

    def page(self, path: str, session: str) -> Callable[[], object]:
        """One request through the whole application; it must answer with 50 rows."""
        # A worker is at work, as in every practice: the page has nothing to warn of.
        for name in (health.WORKER, health.PLANNING):
            health.beat(name=name, at=timezone.now())
        application = self._served()

        def ask() -> bytes:
            status: list[str] = []
            environ = _environ(path, session)
            response = application(environ, lambda said, headers, *more: status.append(said))
            body = b"".join(response)
            response.close()
            assert status[0].startswith("200"), status[0]
            return body

        body = ask()
        shown = body.count(b"data-row") if session else body.count(b'"number"')
        assert shown == board_query.PAGE_SIZE, f"{shown} rows on {path}"
        return ask

    def _served(self) -> Any:
        settings.ROOT_URLCONF = "tests.benchmarks.board_urls"
        settings.ALLOWED_HOSTS = ["*"]
        if self._application is None:
            self._application = get_wsgi_application()
        return self._application


# Ten million answers are filled in once for all rows; ``board_growth`` begins small, so it fills
# its own, which the rows after it find grown.
_full: list[_Practice] = []


@contextlib.contextmanager
def _small(on: Any) -> Iterator[_Practice]:
    _full.clear()
    practice = _Practice(on.scale.share)
    practice.fill()
    yield practice
    _full.append(practice)
    connection.close()


@contextlib.contextmanager
def _grown(on: Any) -> Iterator[_Practice]:
    if not _full:
        with _small(on) as practice:
            practice.grow()
    yield _full[0]
    connection.close()


def _environ(path: str, session: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "HTTP_ACCEPT": "text/html,application/json",
        "HTTP_COOKIE": f"sessionid={session}" if session else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


# --- filling -------------------------------------------------------------------------------------


class _Copier:
    """Rows like one row, with columns of their own (SQL of ``n``)."""

    def __init__(self, cursor: Any, first: int, last: int) -> None:
        self.cursor, self.first, self.last = cursor, first, last

    def __call__(self, one: models.Model, where: str = "true", **own: str) -> None:
        columns = [field.column for field in one._meta.concrete_fields]
        names = ", ".join(f'"{column}"' for column in columns)
        values = ", ".join(own.get(column, f'one."{column}"') for column in columns)
        table, key = one._meta.db_table, one._meta.pk.column
        self.cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} one,"
            f" generate_series({self.first}, {self.last}) n"
            f" WHERE one.{key} = %s AND {where}".replace(" % ", " %% "),
            [one.pk],
        )


def _add_answers(
    cursor: Any, patient: Patient, now: dt.datetime, first: int, last: int, each: int
) -> None:
    """``each`` check-ins a patient, the newest up to nine days ago. Indexes are made afterwards:
    ten million entries in no order take longer than a sort."""
    table = CheckIn._meta.db_table
    cursor.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = %s::regclass AND contype = 'u'",
        [table],
    )
    constraints = cursor.fetchall()
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s"
        " AND indexname NOT IN (SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass)",
        [table, table],
    )
    indexes = cursor.fetchall()
    for name, _ in constraints:
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    for name, _ in indexes:
        cursor.execute(f'DROP INDEX "{name}"')
    today = patient.local_date(now)
    own = {
        "patient_id": _id("patient"),
        "kind": "'daily'",
        "client_id": "gen_random_uuid()",
        "day": "%s::date - (n %% 9 + back)::int",
        "at": "%s::timestamptz - (n %% 9 + back) * interval '1 day'",
        "usual_pain": "(n + back) %% 7",
        "soreness": "''",
        "side": "''",
        "place": "''",
        "exercise": "''",
        "note": "''",
    }
    columns = [f.column for f in CheckIn._meta.concrete_fields if f.column != "id"]
    names = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(own.get(column, "NULL") for column in columns)
    cursor.execute(
        f"INSERT INTO {table} ({names}) SELECT {values} FROM generate_series(%s, %s) n"
        f" CROSS JOIN generate_series(0, %s) back",
        [today, now, first, last, each - 1],
    )
    for name, definition in constraints:
        cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
    for _, definition in indexes:
        cursor.execute(definition)


def _id(what: str) -> str:
    return f"md5('{what} ' || n)::uuid"


def _run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
