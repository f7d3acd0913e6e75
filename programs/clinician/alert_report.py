"""The report of how soon alerts were seen: by severity, physiotherapist and site."""

import datetime as dt
import zoneinfo
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from clinic import alert_times
from clinic.admin import sites_of
from clinic.alert_times import PERSON, SEVERITY, SITE, Times
from clinic.audit import record_access
from clinic.models import AccessRecord, Alert, Site
from clinic.quiet_hours import local_moment
from clinic.roles import May, may
from clinic.spreadsheets import write_table
from programs.clinician.alert_lines import span
from programs.clinician.opening import portal

PERIODS = (30, 90, 365)
HEADS = (
    "Grouped by",
    "Group",
    "Raised",
    "Seen",
    "Median minutes to seen",
    "90th percentile, minutes",
    "Judged",
    "Seen in time",
    "Not seen yet",
    "Of these overdue",
    "With an outcome",
)


@dataclass(frozen=True)
class Row:
    """One group as the page shows it."""

    name: str
    times: Times
    median: str
    ninth: str


@dataclass(frozen=True)
class Asked:
    """What the address asks for. ``owner`` limits it to one's own, for who manages nothing."""

    days: int
    site: str
    sites: list[int]
    since: dt.datetime
    until: dt.datetime
    owner: int | None
    groupings: list[tuple[str, str]]

    def query(self, **changes: object) -> str:
        parts = {"days": self.days, "site": self.site} | changes
        return "?" + urlencode({name: value for name, value in parts.items() if value})


def report(request: HttpRequest) -> HttpResponse:
    """Counts and times; GET: days (30, 90 or 365) and site."""
    asked, sites = _read(request)
    tables = [(word, _rows(by, asked)) for by, word in asked.groupings]
    return portal.page(
        request,
        "admin/portal/alert_report.html",
        {
            "title": "Time until alerts were seen",
            "asked": asked,
            "first": asked.since,
            "last": asked.until - dt.timedelta(seconds=1),
            "sites": sites if len(sites) > 1 else [],
            "periods": [(days, asked.query(days=days)) for days in PERIODS],
            "tables": tables,
            "total": sum(row.times.raised for row in tables[0][1]),
            "whole": asked.owner is None,
            "csv_url": reverse("admin:alert_report_csv") + asked.query(),
        },
    )


def report_csv(request: HttpRequest) -> HttpResponse:
    """The same numbers as a file."""
    asked, _ = _read(request)
    last = asked.until - dt.timedelta(seconds=1)
    name = f"alerts-{timezone.localdate(asked.since)}-to-{timezone.localdate(last)}.csv"
    response = HttpResponse(
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
    rows = (
        (
            word,
            row.name,
            row.times.raised,
            row.times.seen,
            _minutes(row.times.median),
            _minutes(row.times.ninth),
            row.times.judged,
            row.times.in_time,
            row.times.open_,
            row.times.late,
            row.times.closed,
        )
        for by, word in asked.groupings
        for row in _rows(by, asked)
    )
    write_table(response, HEADS, rows)
    return response


def _read(request: HttpRequest) -> tuple[Asked, list[Site]]:
    at, user = timezone.now(), request.user
    sites = list(sites_of(user).order_by("name"))
    wanted = request.GET.get("site", "")
    chosen = [site.pk for site in sites if str(site.pk) == wanted]
    days = int(request.GET["days"]) if request.GET.get("days") in map(str, PERIODS) else PERIODS[0]
    zone = zoneinfo.ZoneInfo(str(timezone.get_current_timezone()))
    today = timezone.localdate(at)
    manages = may(user, May.MANAGE)
    groupings = [(SEVERITY, "Severity")]
    if manages:
        groupings += [(PERSON, "Physiotherapist"), (SITE, "Site")]
    asked = Asked(
        days=days,
        site=wanted if chosen else "",
        sites=chosen or [site.pk for site in sites],
        since=local_moment(today - dt.timedelta(days=days - 1), dt.time(), zone),
        until=local_moment(today + dt.timedelta(days=1), dt.time(), zone),
        owner=None if manages else user.pk,
        groupings=groupings,
    )
    record_access(
        actor=user,
        action=AccessRecord.Action.READ,
        subject_type="caseload",
        subject_id="alert_times",
        page="alert_report",
        at=at,
    )
    return asked, sites


def _rows(by: str, asked: Asked) -> list[Row]:
    found = alert_times.times(
        by=by,
        sites=asked.sites,
        since=asked.since,
        until=asked.until,
        at=timezone.now(),
        owner=asked.owner,
    )
    return [
        Row(
            name=Alert.Severity(times.name).label if by == SEVERITY else times.name,
            times=times,
            median=_said(times.median),
            ninth=_said(times.ninth),
        )
        for times in found
    ]


def _said(length: Any) -> str:
    return "" if length is None else span(length)


def _minutes(length: dt.timedelta | None) -> int | None:
    return None if length is None else round(length.total_seconds() / 60)
