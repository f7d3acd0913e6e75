"""The home of the portal: the caseload board."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any
from urllib.parse import quote

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.http import urlencode

from clinic.audit import record_access
from clinic.models import AccessRecord, Role, User
from clinic.portal_site import sites_of
from clinic.roles import May, may
from programs import caseload
from programs.clinician.board_lines import Setting, lines
from programs.clinician.board_query import (
    PAGE_SIZE,
    Answer,
    Question,
    answer,
    count_words,
    question_of,
    scope_of,
    views_of,
)
from programs.clinician.opening import portal
from programs.clinician.undo_line import to_undo
from programs.models import Pathway
from programs.needs import NEED, NEEDS, ORDER

_ICONS = {"stopped": "stop", "overdue": "clock", "regressed": "down", "waiting": "up"}


def board(request: HttpRequest) -> HttpResponse:
    """Rows in order of need, narrowed by GET: scope, need, pathway, who, site, q, page."""
    at = timezone.now()
    asked = question_of(request)
    record_access(
        actor=request.user,
        action=AccessRecord.Action.READ,
        subject_type="caseload",
        subject_id=asked.scope,
        page="board",
        at=at,
    )
    if not may(request.user, May.SEE_CLINICAL):
        return _names_only(request, asked.search)
    sites = [(site.pk, site.name) for site in sites_of(request.user)]
    found = answer(scope_of(request.user, [pk for pk, _ in sites], asked), asked, at=at)
    staff = _physiotherapists(sites) if asked.scope == "site" else {}
    views = views_of(request.user)
    here = asked.query(page=asked.page)
    setting = Setting(
        at=at,
        zone=timezone.get_current_timezone(),
        may_decide=may(request.user, May.DECIDE),
        names=staff,
        back=quote(here, safe=""),
    )
    total = sum(found.counts.values())
    return portal.page(
        request,
        "admin/index.html",
        {
            "title": "Caseload",
            "asked": asked,
            "here": here,
            "scopes": _scopes(asked) if request.user.is_clinician else [],
            "pathways": Pathway.choices,
            "staff": sorted(staff.items(), key=lambda who: who[1]),
            "sites": sites if len(sites) > 1 else [],
            "chips": _chips(found, asked),
            "all_query": asked.query(need=""),
            "total": total,
            "total_words": count_words(max(total, *found.counts.values())),
            "groups": _groups(found, setting),
            "page": _page(found, asked),
            "order": ORDER,
            "views": views,
            "view": next((v for v in views if v["query"] == asked.query()), None),
            "together": found.counts["waiting"] > 1 and may(request.user, May.DECIDE),
            "may_decide": setting.may_decide,
            "undo": to_undo(request, at),
        },
    )


def _names_only(request: HttpRequest, search: str) -> HttpResponse:
    """What the front desk sees: who somebody is and how to reach them, nothing clinical."""
    patients = caseload.patients_on_board(user=request.user, scope="site", search=search)
    page = Paginator(patients.prefetch_related("contact_points"), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    return portal.page(
        request,
        "admin/portal/names.html",
        {
            "title": "Patients",
            "search": search,
            "page": page,
            "page_query": "?" + urlencode({"q": search} if search else {}),
        },
    )


def _physiotherapists(sites: Sequence[tuple[int, str]]) -> dict[int, str]:
    """Names of everybody who treats at these sites; who has left keeps their patients' rows."""
    return dict(
        User.objects.filter(role=Role.PHYSIOTHERAPIST, sites__in=[pk for pk, _ in sites])
        .distinct()
        .values_list("pk", "name")
    )


def _scopes(asked: Question) -> list[tuple[str, str, str]]:
    return [
        ("mine", "My caseload", asked.query(scope="mine", who=None)),
        ("site", "Whole site", asked.query(scope="site")),
    ]


def _chips(found: Answer, asked: Question) -> list[dict[str, Any]]:
    return [
        {
            "need": need,
            "count": count_words(found.counts[need.key]),
            "query": asked.query(need=need.key),
        }
        for need in NEEDS
        if found.counts[need.key] or need.key == asked.need
    ]


def _groups(found: Answer, setting: Setting) -> list[dict[str, Any]]:
    return [
        {
            "need": NEED[key],
            "icon": _ICONS.get(key, ""),
            "count": count_words(found.counts[key]),
            "lines": lines(rows, setting),
        }
        for key, rows in groupby(found.rows, key=lambda row: row.need)
    ]


def _page(found: Answer, asked: Question) -> dict[str, Any]:
    return {
        "number": asked.page,
        "before": asked.query(page=asked.page - 1) if asked.page > 1 else "",
        "after": asked.query(page=asked.page + 1) if found.more else "",
    }


def setting_for(request: HttpRequest) -> Setting:
    """For one row that is drawn anew in place."""
    return Setting(
        at=timezone.now(),
        zone=timezone.get_current_timezone(),
        may_decide=may(request.user, May.DECIDE),
        names={},
    )
