"""The home of the portal: the caseload board."""

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from clinic.audit import record_access
from clinic.models import AccessRecord
from clinic.roles import May, may
from programs import caseload
from programs.clinician.opening import portal
from programs.models import Pathway

PAGE_SIZE = 60


def board(request: HttpRequest) -> HttpResponse:
    """Rows in order of need, narrowed by GET: scope, need, pathway, q, page."""
    at = timezone.now()
    clinical = may(request.user, May.SEE_CLINICAL)
    default_scope = "mine" if request.user.is_clinician else "site"
    scope = _one_of(request, "scope", ("mine", "site"), default_scope)
    search = request.GET.get("q", "").strip()[:80]
    patients = caseload.patients_on_board(user=request.user, scope=scope, search=search)
    record_access(
        actor=request.user,
        action=AccessRecord.Action.READ,
        subject_type="caseload",
        subject_id=scope,
        page="board",
        at=at,
    )
    if not clinical:
        return _names_only(request, patients, search)
    rows = caseload.rows_for(patients, at=at)
    need = _one_of(request, "need", tuple(caseload.NEED), "")
    pathway = _one_of(request, "pathway", tuple(Pathway.values), "")
    if pathway:
        rows = [row for row in rows if row.version and row.version.pathway == pathway]
    counts = caseload.counts(rows)
    total = len(rows)
    if need:
        rows = [row for row in rows if row.need.key == need]
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    kept = {"scope": scope if scope != default_scope else "", "pathway": pathway, "q": search}
    return portal.page(
        request,
        "admin/index.html",
        {
            "title": "Caseload",
            "at": at,
            "scope": scope,
            "scopes": [
                ("mine", "My caseload", _query(kept | {"scope": _unless(default_scope, "mine")})),
                ("site", "Whole site", _query(kept | {"scope": _unless(default_scope, "site")})),
            ]
            if request.user.is_clinician
            else [],
            "search": search,
            "need": need,
            "pathway": pathway,
            "pathways": Pathway.choices,
            "chips": [
                {"need": n, "count": counts[n.key], "query": _query(kept | {"need": n.key})}
                for n in caseload.NEEDS
                if counts[n.key] or n.key == need
            ],
            "all_query": _query(kept),
            "total": total,
            "groups": _groups(page.object_list, counts),
            "page": page,
            "page_query": _query(kept | {"need": need}),
            "order": caseload.ORDER,
            "narrowed": bool(search or need or pathway),
        },
    )


def _names_only(request: HttpRequest, patients: object, search: str) -> HttpResponse:
    """What the front desk sees: who somebody is and how to reach them, nothing clinical."""
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
            "page_query": _query({"q": search}),
        },
    )


def _groups(rows: list[caseload.Row], counts: dict[str, int]) -> list[dict[str, object]]:
    groups: list[dict[str, object]] = []
    for row in rows:
        if not groups or groups[-1]["need"] != row.need:
            groups.append({"need": row.need, "count": counts[row.need.key], "rows": []})
        groups[-1]["rows"].append(row)
    return groups


def _one_of(request: HttpRequest, name: str, allowed: tuple[str, ...], default: str) -> str:
    value = request.GET.get(name, "")
    return value if value in allowed else default


def _unless(default: str, value: str) -> str:
    return "" if value == default else value


def _query(parts: dict[str, str]) -> str:
    return "?" + urlencode({name: value for name, value in parts.items() if value})
