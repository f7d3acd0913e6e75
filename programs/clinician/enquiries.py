"""The portal's page of enquiries: who asked for what, and one press to make a patient of them."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from clinic import enquiries
from clinic.audit import record_access
from clinic.models import AccessRecord, Enquiry, OutboxMessage, Role, User
from patients.enquirers import Known, known_patients, register_enquirer
from patients.models import Patient
from programs.clinician.opening import address_of, portal

_PER_PAGE = 30
_NOT_ARRIVED = (
    OutboxMessage.Status.BOUNCED,
    OutboxMessage.Status.FAILED,
    OutboxMessage.Status.SUPPRESSED,
    OutboxMessage.Status.EXPIRED,
    OutboxMessage.Status.UNKNOWN,
)
_SHOWN = {
    "": "Waiting",
    "unconfirmed": "Not confirmed",
    "done": "Done",
}
_NOTHING = {
    "": "No enquiry waits. New ones from the public form appear here.",
    "unconfirmed": "Nobody has yet to confirm an address.",
    "done": "No enquiry has been handled yet.",
}


@dataclass(frozen=True)
class Line:
    """One enquiry as the page shows it. ``days`` is how many midnights ago, by the clock of whoever
    looks. ``known`` are patients it may be; ``elsewhere`` says that a patient of another site has
    the same address."""

    enquiry: Enquiry
    days: int
    known: list[Known]
    elsewhere: bool
    mail: OutboxMessage | None
    again: int
    physiotherapists: list[User]


def enquiries_page(request: HttpRequest) -> HttpResponse:
    """New ones first; a post does one thing with one of them."""
    at = timezone.now()
    found = Enquiry.objects.visible_to(request.user).select_related("site", "handled_by")
    if request.method == "POST":
        return _do(request, found, at)
    show = request.GET.get("show", "")
    show = show if show in _SHOWN else ""
    page = Paginator(_of(found, show), _PER_PAGE).get_page(request.GET.get("page"))
    record_access(
        actor=request.user,
        action=AccessRecord.Action.READ,
        subject_type="enquiries",
        subject_id=show or "waiting",
        page="enquiries",
        at=at,
    )
    return portal.page(
        request,
        "admin/portal/enquiries.html",
        {
            "title": "Enquiries",
            "lines": _lines(request.user, list(page), at),
            "page": page,
            "page_query": f"?show={show}",
            "show": show,
            "tabs": [(key, word, _of(found, key).count()) for key, word in _SHOWN.items()],
            "nothing": _NOTHING[show],
            "reasons": Enquiry.Reason.choices,
            "several_sites": request.user.sites.count() > 1,
            "done_days": enquiries.DONE_KEPT_DAYS,
            "unconfirmed_days": enquiries.UNCONFIRMED_KEPT_DAYS,
        },
    )


def _of(found: QuerySet[Enquiry], show: str) -> QuerySet[Enquiry]:
    if show == "done":
        return found.exclude(state=Enquiry.State.NEW).order_by("-handled_at")
    if show == "unconfirmed":
        return found.open().filter(confirmed_at__isnull=True, phone="").order_by("-made_at")
    return found.waiting().order_by("-made_at")


def _lines(user: User, found: list[Enquiry], at: dt.datetime) -> list[Line]:
    known = known_patients(found)
    own_sites = set(user.sites.values_list("pk", flat=True))
    mails = enquiries.last_mails(found)
    staff = _physiotherapists({enquiry.site_id for enquiry in found}, user)
    times: dict[str, int] = {}
    for enquiry in found:
        for way in filter(None, (enquiry.email, enquiry.phone)):
            times[way] = times.get(way, 0) + 1
    lines = []
    for enquiry in found:
        theirs = known.get(enquiry.pk, [])
        own = [k for k in theirs if user.is_superuser or k.patient.site_id in own_sites]
        mail = mails.get(enquiry.pk)
        lines.append(
            Line(
                enquiry=enquiry,
                days=(timezone.localdate(at) - timezone.localdate(enquiry.made_at)).days,
                known=[k for k in own if k.patient.pk != enquiry.patient_id],
                elsewhere=any(k not in own and k.by != "name" for k in theirs),
                mail=mail if mail and _is_telling(mail) else None,
                again=max((times[w] for w in (enquiry.email, enquiry.phone) if w), default=1) - 1,
                physiotherapists=staff.get(enquiry.site_id, []),
            )
        )
    return lines


def _is_telling(mail: OutboxMessage) -> bool:
    return mail.kind == OutboxMessage.Kind.ENQUIRY_GUIDE or mail.status in _NOT_ARRIVED


def _physiotherapists(sites: set[int], user: User) -> dict[int, list[User]]:
    """Who may take somebody on, by site; whoever looks comes first."""
    rows = User.objects.filter(
        role=Role.PHYSIOTHERAPIST, is_active=True, sites__in=sites
    ).values_list("sites", "pk", "name")
    by_site: dict[int, list[User]] = {}
    for site, pk, name in rows:
        if site in sites:
            by_site.setdefault(site, []).append(User(pk=pk, name=name))
    for people in by_site.values():
        people.sort(key=lambda person: (person.pk != user.pk, person.name))
    return by_site


# --- doing -------------------------------------------------------------------------------------


def _do(request: HttpRequest, found: QuerySet[Enquiry], at: dt.datetime) -> HttpResponse:
    try:
        enquiry = found.filter(pk=request.POST.get("enquiry", "")).first()
    except ValidationError:
        enquiry = None
    if enquiry is None:
        raise Http404
    does = request.POST.get("does", "")
    try:
        if does == "register":
            return _register(request, enquiry, at)
        verb = _VERBS.get(does)
        if verb is None:
            raise ValidationError("That was not one of the choices on this page.")
        messages.success(request, verb(enquiry, request, at))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    show = request.POST.get("show", "")
    answer = redirect("admin:enquiries")
    if show in _SHOWN and show:
        answer["Location"] += f"?show={show}"
    return answer


def _register(request: HttpRequest, enquiry: Enquiry, at: dt.datetime) -> HttpResponse:
    people = _physiotherapists({enquiry.site_id}, request.user).get(enquiry.site_id, [])
    chosen = request.POST.get("physiotherapist", "")
    who = next((person for person in people if str(person.pk) == chosen), None)
    if who is None:
        raise ValidationError("Choose a physiotherapist of the site that was asked.")
    new = enquiry.patient_id is None
    spoke = request.POST.get("spoke") == "on"
    patient: Patient = register_enquirer(
        enquiry=enquiry,
        spoke_by_phone=spoke,
        physiotherapist=User.objects.get(pk=who.pk),
        by=request.user,
        at=at,
    )
    if new:
        said = f"{patient.name} is registered as {patient.number}. Ask for consent to the record."
        if enquiry.email and not enquiry.is_confirmed:
            said += " The e-mail address was never confirmed and is left out."
        if enquiry.phone and not spoke:
            said += (
                f" The number {enquiry.phone} is left out: nobody said that they spoke to the "
                "person there. Add it on this page once you have."
            )
        messages.success(request, said)
    return redirect(address_of(patient, "patient_record"))


def _answered(enquiry: Enquiry, request: HttpRequest, at: dt.datetime) -> str:
    enquiries.answer_enquiry(enquiry=enquiry, by=request.user, at=at)
    return f"{enquiry.name}: answered."


def _closed(enquiry: Enquiry, request: HttpRequest, at: dt.datetime) -> str:
    reason = request.POST.get("reason", "")
    enquiries.close_enquiry(enquiry=enquiry, reason=reason, by=request.user, at=at)
    return f"{enquiry.name}: closed."


def _spam(enquiry: Enquiry, request: HttpRequest, at: dt.datetime) -> str:
    enquiries.mark_spam(enquiry=enquiry, by=request.user, at=at)
    return "Put away as spam. Nothing more is sent to its address."


def _reopened(enquiry: Enquiry, request: HttpRequest, at: dt.datetime) -> str:
    enquiries.reopen_enquiry(enquiry=enquiry, by=request.user, at=at)
    return f"{enquiry.name}: open again."


_VERBS: dict[str, Callable[[Enquiry, HttpRequest, dt.datetime], Any]] = {
    "answered": _answered,
    "closed": _closed,
    "spam": _spam,
    "reopened": _reopened,
}
