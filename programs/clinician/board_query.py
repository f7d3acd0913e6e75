"""The question somebody asks of the board, and its answer in a fixed number of queries."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Concat
from django.http import HttpRequest

from clinic.models import User
from patients.models import ContactPoint
from programs.caseload_rows import settle_for
from programs.models import CaseloadRow, Pathway
from programs.models.caseload import IN_ORDER
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


def rows_in_scope(user: User, sites: Sequence[int], asked: Question) -> QuerySet[CaseloadRow]:
    """Everybody the question is about, before it is narrowed. ``sites`` are this person's."""
    rows = CaseloadRow.objects.all()
    if not user.is_superuser:
        # Somebody without a site sees nobody.
        rows = rows.filter(site__in=sites) if len(sites) > 1 else rows.filter(site=[*sites, 0][0])
    return rows.filter(physiotherapist=user) if asked.scope == "mine" else rows


def narrowed(rows: QuerySet[CaseloadRow], asked: Question) -> QuerySet[CaseloadRow]:
    """By everything but the need, which the counts are about."""
    if asked.pathway:
        rows = rows.filter(pathway=asked.pathway)
    if asked.who and asked.scope == "site":
        rows = rows.filter(physiotherapist=asked.who)
    if asked.site:
        rows = rows.filter(site=asked.site)
    if asked.search:
        rows = rows.annotate(whole_name=Concat("given_name", Value(" "), "family_name")).filter(
            _matches(asked.search)
        )
    return rows


def _matches(words: str) -> Q:
    match = Q(whole_name__icontains=words) | Q(number__icontains=words)
    digits = "".join(letter for letter in words if letter.isdigit())
    if len(digits) >= 4:
        # A number is kept with its country code; people search as they dial.
        match |= Q(
            Exists(
                ContactPoint.objects.filter(
                    patient=OuterRef("patient"),
                    channel="sms",
                    address__contains=digits.lstrip("0"),
                )
            )
        )
    return match


@dataclass(frozen=True)
class Answer:
    """``counts`` by the key of the need, ``COUNTED`` + 1 meaning more than that."""

    rows: list[CaseloadRow]
    counts: dict[str, int]
    more: bool


def answer(scope: QuerySet[CaseloadRow], asked: Question, *, at: dt.datetime) -> Answer:
    """One page of rows in order of need, and how many stand in each need: 3 queries."""
    settle_for(scope, at=at)
    rows = narrowed(scope, asked)
    counts = _counts(rows, asked)
    if asked.need:
        rows = rows.filter(rank=NEED[asked.need].rank)
    first = (asked.page - 1) * PAGE_SIZE
    found = list(rows.order_by(*IN_ORDER)[first : first + PAGE_SIZE + 1])
    return Answer(found[:PAGE_SIZE], counts, len(found) > PAGE_SIZE)


def _counts(rows: QuerySet[CaseloadRow], asked: Question) -> dict[str, int]:
    found = dict.fromkeys(NEED, 0)
    if asked.search:
        # Whom a search finds is known only after looking at everybody, once.
        for rank, count in rows.order_by().values_list("rank").annotate(count=Count("pk")):
            found[NEEDS[rank].key] = count
        return found
    of_one_need = (
        rows.filter(rank=RawSQL("needs.rank", ())).order_by().values_list("rank")[: COUNTED + 1]
    )
    sql, parameters = of_one_need.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT needs.rank, (SELECT count(*) FROM ({sql}) counted)"
            f" FROM generate_series(0, {len(NEEDS) - 1}) AS needs(rank)",
            parameters,
        )
        for rank, count in cursor.fetchall():
            found[NEEDS[rank].key] = count
    return found


def count_words(count: int) -> str:
    return f"{COUNTED:,}+" if count > COUNTED else f"{count:,}"
