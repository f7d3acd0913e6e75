"""The question somebody asks of the board, and its answer in a fixed number of queries."""

import datetime as dt
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.http import HttpRequest

from clinic.models import User
from programs.caseload_rows import settle_for
from programs.models import CaseloadRow, Pathway
from programs.needs import NEED, NEEDS

PAGE_SIZE = 50
# Further than this nobody leafs; a need, a name or a saved view leads there.
LAST_PAGE = 100
# Beyond this a need is said to have "1,000+": to count them all would take longer the larger the
# practice is.
COUNTED = 1_000


@dataclass(frozen=True)
class Question:
    """``scope`` is mine or site; ``who`` a physiotherapist and ``site`` a site by their keys."""

    scope: str
    default_scope: str
    need: str = ""
    pathway: str = ""
    who: int | None = None
    site: int | None = None
    search: str = ""
    page: int = 1

    @property
    def narrowed(self) -> bool:
        return bool(self.search or self.need or self.pathway or self.who or self.site)

    def query(self, **other: object) -> str:
        """The query string that asks this, with ``other`` in place of what is asked."""
        asked = replace(self, **({"page": 1} | other))
        parts = {
            "scope": "" if asked.scope == asked.default_scope else asked.scope,
            "need": asked.need,
            "pathway": asked.pathway,
            "who": asked.who,
            "site": asked.site,
            "q": asked.search,
            "page": "" if asked.page == 1 else asked.page,
        }
        return "?" + urlencode({name: value for name, value in parts.items() if value})


def question_of(request: HttpRequest) -> Question:
    """What GET asks: scope, need, pathway, who, site, q, page. What makes no sense is left out."""
    default = "mine" if request.user.is_clinician else "site"
    asked = request.GET
    scope = asked.get("scope", "")
    need, pathway = asked.get("need", ""), asked.get("pathway", "")
    return Question(
        scope=scope if scope in ("mine", "site") else default,
        default_scope=default,
        need=need if need in NEED else "",
        pathway=pathway if pathway in Pathway.values else "",
        who=_number(asked.get("who", "")),
        site=_number(asked.get("site", "")),
        search=asked.get("q", "").strip()[:80],
        page=min(max(_number(asked.get("page", "")) or 1, 1), LAST_PAGE),
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


@dataclass(frozen=True, slots=True)
class Shown:
    """One row of the list: the columns of ``CaseloadRow`` that the board shows."""

    patient_id: uuid.UUID
    physiotherapist_id: int
    given_name: str
    family_name: str
    number: str
    need: str
    since: dt.datetime | None
    reason: str
    due_at: dt.datetime | None
    outcome: str
    step: str
    proposal_id: int | None
    may_bulk: bool
    pathway: str
    phase: int | None
    usual_pain: int | None
    pain_trend: Sequence[int | None]
    adherence: int | None
    done_trend: Sequence[int | None]
    silent_days: int | None
    snoozed_until: dt.datetime | None
    snooze_reason: str
    snoozed_by: str

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


# SQL by hand: the board is opened thirty times a day by everybody, and putting these together anew
# each time took the ORM longer than answering them takes the database.
_COLUMNS = ", ".join(field.name for field in fields(Shown))
_TABLE = CaseloadRow._meta.db_table
_STALE = -1
_IN_ORDER = 'rank, "order", since, family_name, patient_id'


@dataclass(frozen=True)
class Where:
    """A condition on the kept rows with its parameters."""

    sql: str = "true"
    given: tuple[object, ...] = ()

    def and_(self, sql: str, *given: object) -> "Where":
        return Where(f"{self.sql} AND {sql}", (*self.given, *given))


def scope_of(user: User, sites: Sequence[int], asked: Question) -> Where:
    """Everybody the question is about, before it is narrowed. ``sites`` are this person's:
    somebody without one sees nobody."""
    where = Where()
    if not user.is_superuser:
        one = len(sites) == 1
        where = (
            where.and_("site_id = %s", sites[0])
            if one
            else where.and_("site_id = ANY(%s)", list(sites))
        )
    return where.and_("physiotherapist_id = %s", user.pk) if asked.scope == "mine" else where


def narrowed(where: Where, asked: Question) -> Where:
    """By everything but the need, which the counts are about."""
    if asked.pathway:
        where = where.and_("pathway = %s", asked.pathway)
    if asked.who and asked.scope == "site":
        where = where.and_("physiotherapist_id = %s", asked.who)
    if asked.site:
        where = where.and_("site_id = %s", asked.site)
    return _found(where, asked.search) if asked.search else where


def _found(where: Where, words: str) -> Where:
    like = "%" + re.sub(r"([\\%_])", r"\\\1", words) + "%"
    match = "concat(given_name, ' ', family_name) ILIKE %s OR number ILIKE %s"
    given = [like, like]
    digits = "".join(letter for letter in words if letter.isdecimal())
    if len(digits) >= 4:
        # A number is kept with its country code; people search as they dial.
        match += (
            " OR EXISTS (SELECT 1 FROM patients_contactpoint point WHERE point.patient_id ="
            f" {_TABLE}.patient_id AND point.channel = 'sms' AND point.address LIKE %s)"
        )
        given.append(f"%{digits.lstrip('0')}%")
    return where.and_(f"({match})", *given)


@dataclass(frozen=True)
class Answer:
    """``counts`` by the key of the need, ``COUNTED`` + 1 meaning more than that."""

    rows: list[Shown]
    counts: dict[str, int]
    more: bool


def answer(scope: Where, asked: Question, *, at: dt.datetime) -> Answer:
    """One page of rows in order of need, and how many stand in each need: 2 queries, and more only
    when rows have to be made again first."""
    where = narrowed(scope, asked)
    with connection.cursor() as cursor:
        counts = _counts(cursor, where, asked, scope, at)
        if counts.pop(_STALE):
            settle_for(scope.sql, scope.given, at=at)
            counts = _counts(cursor, where, asked, scope, at)
            counts.pop(_STALE)
        if asked.need:
            where = where.and_("rank = %s", NEED[asked.need].rank)
        cursor.execute(*page_of(where, asked.page))
        found = [Shown(*row) for row in cursor.fetchall()]
    by_need = {need.key: counts.get(need.rank, 0) for need in NEEDS}
    return Answer(found[:PAGE_SIZE], by_need, len(found) > PAGE_SIZE)


def page_of(where: Where, number: int) -> tuple[str, list[object]]:
    """The statement for one page of the list; one row more says whether there is another page."""
    return (
        f"SELECT {_COLUMNS} FROM {_TABLE} WHERE {where.sql} ORDER BY {_IN_ORDER}"
        " LIMIT %s OFFSET %s",
        [*where.given, PAGE_SIZE + 1, (number - 1) * PAGE_SIZE],
    )


def _counts(
    cursor: CursorWrapper, where: Where, asked: Question, scope: Where, at: dt.datetime
) -> dict[int, int]:
    """By rank; and under ``_STALE`` whether rows have to be made again before they are read."""
    stale = (
        f"SELECT {_STALE}, (EXISTS (SELECT 1 FROM programs_caseloadmark) OR EXISTS"
        f" (SELECT 1 FROM {_TABLE} WHERE {scope.sql} AND looks_again_at <= %s))::int"
    )
    if asked.search:
        # Whom a search finds is known only after looking at everybody, once.
        counts = f"SELECT rank, count(*) FROM {_TABLE} WHERE {where.sql} GROUP BY rank"
    else:
        counts = (
            f"SELECT needs.rank, (SELECT count(*) FROM (SELECT 1 FROM {_TABLE} WHERE {where.sql}"
            f" AND {_TABLE}.rank = needs.rank LIMIT {COUNTED + 1}) counted)"
            f" FROM generate_series(0, {len(NEEDS) - 1}) AS needs(rank)"
        )
    cursor.execute(f"{stale} UNION ALL {counts}", [*scope.given, at, *where.given])
    return dict(cursor.fetchall())


def views_of(user: User) -> list[dict[str, Any]]:
    """The views somebody keeps, by name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, name, query FROM programs_savedview WHERE user_id = %s ORDER BY name",
            [user.pk],
        )
        return [{"pk": pk, "name": name, "query": query} for pk, name, query in cursor.fetchall()]


def count_words(count: int) -> str:
    return f"{COUNTED:,}+" if count > COUNTED else f"{count:,}"
