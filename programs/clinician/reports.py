"""The reports of the practice: adherence, pain and activities, with what is missing beside it."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from clinic.admin import sites_of
from clinic.audit import record_access
from clinic.models import AccessRecord, Site
from clinic.roles import May, may
from clinic.spreadsheets import write_table
from programs.clinician.opening import portal
from programs.outcomes import FEWEST, Change, Course, Mean, Share, Summary, by, summarise
from programs.reporting import Question, courses

WEEKS = (6, 12)
# Programs that began in the last so many months.
MONTHS = (6, 12, 24)
_MONTH = dt.timedelta(days=30.5)


@dataclass(frozen=True)
class Grouping:
    """A way to group programs; ``needs`` what one must be allowed to see it."""

    key: str
    word: str
    of: Callable[[Course], str]
    needs: May = May.SEE_CLINICAL


GROUPINGS = {
    grouping.key: grouping
    for grouping in (
        Grouping("pathway", "Pathway", lambda course: course.pathway),
        Grouping("template", "Template", lambda course: course.template),
        Grouping(
            "physiotherapist", "Physiotherapist", lambda course: course.physiotherapist, May.MANAGE
        ),
        Grouping("site", "Site", lambda course: course.site),
    )
}


@dataclass(frozen=True)
class Asked:
    """What the address of the page asks for."""

    grouping: Grouping
    weeks: int
    months: int
    site: str
    mine: bool

    def query(self, **changes: object) -> str:
        said: dict[str, object] = {
            "by": self.grouping.key,
            "weeks": self.weeks,
            "months": self.months,
            "site": self.site,
            "scope": "mine" if self.mine else "site",
        } | changes
        usual = {"by": "pathway", "weeks": WEEKS[0], "months": MONTHS[0], "site": ""}
        return "?" + urlencode(
            {name: value for name, value in said.items() if value != usual.get(name)}
        )


def reports(request: HttpRequest) -> HttpResponse:
    """One table of groups, and the sentences that say what may be read from it."""
    asked, sites, chosen = _read(request)
    today = timezone.localdate()
    found = _courses(request, asked, chosen, today)
    whole = summarise("All programs", found, weeks=asked.weeks, today=today)
    groups = by(found, asked.grouping.of, weeks=asked.weeks, today=today)
    return portal.page(
        request,
        "admin/portal/reports.html",
        {
            "title": "Reports",
            "asked": asked,
            "sites": sites if len(sites) > 1 else [],
            "groupings": [
                (one, asked.query(by=one.key)) for one in GROUPINGS.values() if _open(request, one)
            ],
            "weeks": [(weeks, asked.query(weeks=weeks)) for weeks in WEEKS],
            "months": [(months, asked.query(months=months)) for months in MONTHS],
            "scopes": [
                ("My caseload", asked.query(scope="mine"), asked.mine),
                ("Whole practice", asked.query(scope="site"), not asked.mine),
            ]
            if request.user.is_clinician
            else [],
            "whole": whole,
            "rows": [_Row(group) for group in [*groups, whole]]
            if len(groups) > 1
            else [_Row(whole)],
            "several": len(groups) > 1,
            "csv_url": reverse("admin:reports_csv") + asked.query(),
            "others": _others(request),
            "fewest": FEWEST,
        },
    )


def reports_csv(request: HttpRequest) -> HttpResponse:
    """The same groups as a file: figures only, nobody's name but the physiotherapist's."""
    asked, _, chosen = _read(request)
    today = timezone.localdate()
    found = _courses(request, asked, chosen, today)
    summaries = by(found, asked.grouping.of, weeks=asked.weeks, today=today)
    summaries.append(summarise("All programs", found, weeks=asked.weeks, today=today))
    name = f"report-{asked.grouping.key}-{asked.weeks}-weeks-{today:%Y-%m-%d}.csv"
    response = HttpResponse(
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
    heads = [asked.grouping.word, "Programs", f"Not yet at week {asked.weeks}"]
    heads += ["Adherence, median", "Adherence known for"]
    for what in ("Pain", "Activities"):
        heads += [
            f"{what}: {head}"
            for head in (
                "due", "both values", "no value at the start", "no value at the end",
                "mean change", "from", "to", "improved", "share improved", "from (share)",
                "to (share)", "share improved of all due", "worse",
            )
        ]  # fmt: skip
    write_table(_Out(response), heads, (_cells(summary) for summary in summaries))
    return response


class _Out:
    """What ``write_table`` wants of a file, on top of a response."""

    def __init__(self, response: HttpResponse) -> None:
        self._response = response

    def write(self, words: str) -> int:
        self._response.write(words)
        return len(words)


def _cells(summary: Summary) -> list[object]:
    cells: list[object] = [summary.name, summary.programs, summary.ahead]
    cells += [_rounded(summary.adherence), summary.adherence_of]
    for change in (summary.pain, summary.activities):
        cells += [change.due, change.pairs, change.no_start, change.no_end]
        cells += [_rounded(x) for x in (change.mean.value, change.mean.low, change.mean.high)]
        improved = change.improved
        cells += [improved.count]
        cells += [_rounded(x) for x in (improved.value, improved.low, improved.high)]
        cells += [_rounded(change.at_least), change.worse.count]
    return cells


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


# --- how a row is shown -----------------------------------------------------------------------


class _Row:
    """A summary as the table shows it."""

    def __init__(self, summary: Summary) -> None:
        self.summary = summary
        self.adherence = _percent(summary.adherence)
        self.figures = [_Figure("Pain", summary.pain), _Figure("Activities", summary.activities)]


class _Figure:
    """One figure of a row: words for the numbers, and places on a scale of 0–100."""

    def __init__(self, word: str, change: Change) -> None:
        self.word, self.change = word, change
        self.mean = _mean_words(change.mean)
        self.improved = _percent(change.improved.value)
        self.interval = _interval_words(change.improved)
        self.at_least = _percent(change.at_least)
        share = change.improved
        self.bar: dict[str, float] | None = None
        if share.value is not None and share.low is not None and share.high is not None:
            self.bar = {
                "low": round(100 * share.low, 1),
                "width": round(100 * (share.high - share.low), 1),
                "at": round(100 * share.value, 1),
            }


def _percent(value: float | None) -> int | None:
    return None if value is None else round(100 * value)


def _signed(value: float) -> str:
    """One decimal with a real minus sign."""
    rounded = round(value, 1) + 0.0
    return f"+{rounded:.1f}" if rounded > 0 else f"{rounded:.1f}".replace("-", "\u2212")


def _mean_words(mean: Mean) -> str:
    if mean.value is None:
        return ""
    words = _signed(mean.value)
    if mean.low is not None and mean.high is not None:
        words += f" ({_signed(mean.low)} to {_signed(mean.high)})"
    return words


def _interval_words(share: Share) -> str:
    if share.low is None or share.high is None:
        return ""
    return f"{_percent(share.low)} to {_percent(share.high)} %"


# --- what is asked ----------------------------------------------------------------------------


def _read(request: HttpRequest) -> tuple[Asked, list[Site], list[Site]]:
    """The address as a question, the sites to choose from, and those it is about.

    What it asks for wrongly is left out.
    """
    said = request.GET
    sites = list(sites_of(request.user).order_by("name"))
    site = next((one for one in sites if str(one.pk) == said.get("site")), None)
    grouping = GROUPINGS.get(said.get("by", ""), GROUPINGS["pathway"])
    if not _open(request, grouping):
        grouping = GROUPINGS["pathway"]
    clinician = request.user.is_clinician
    asked = Asked(
        grouping=grouping,
        weeks=_number(said.get("weeks"), WEEKS),
        months=_number(said.get("months"), MONTHS),
        site=str(site.pk) if site else "",
        mine=clinician and said.get("scope") == "mine",
    )
    return asked, sites, [site] if site else sites


def _number(said: str | None, allowed: tuple[int, ...]) -> int:
    return next((number for number in allowed if str(number) == said), allowed[0])


def _open(request: HttpRequest, grouping: Grouping) -> bool:
    return may(request.user, grouping.needs)


def _courses(request: HttpRequest, asked: Asked, sites: list[Site], today: dt.date) -> list[Course]:
    record_access(
        actor=request.user,
        action=AccessRecord.Action.READ,
        subject_type="report",
        subject_id=asked.grouping.key,
        page="reports",
        at=timezone.now(),
    )
    question = Question(
        first=today - asked.months * _MONTH,
        last=today,
        weeks=asked.weeks,
        sites=[site.pk for site in sites],
        physiotherapist=request.user.pk if asked.mine else None,
    )
    return courses(question, today=today)


def _others(request: HttpRequest) -> list[tuple[str, str, str]]:
    """The reports that have a page of their own: name, address, what it says."""
    pages = [
        ("Alerts", "alert_report", "Time to acknowledgement, by severity and by whom."),
        ("Delivery", "delivery_report", "What became of every message."),
    ]
    return [
        (word, reverse(f"admin:{name}"), says)
        for word, name, says in pages
        if portal.is_open(name, request.user)
    ]
