"""The portal's page of messages whose fate nobody knows, and what staff say of each."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import CharField, Q, QuerySet
from django.db.models.functions import Cast
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from clinic.admin import sites_of
from clinic.audit import record_access
from clinic.messaging import settling
from clinic.models import AccessRecord, Alert, Enquiry, OutboxMessage, User
from clinic.models.messaging import Channel
from clinic.roles import May, may
from patients.models import Carer, ContactPoint, Patient

_PAGE_SIZE = 60
_TO = {"alert": "Staff", "incoming_text": "A telephone that several people share"}
_SOMEBODY = "Somebody whose record is gone"
_DO: dict[str, tuple[Callable[..., Any], str]] = {
    "got_it": (settling.patient_got_it, "Noted: it arrived."),
    "again": (settling.send_again, "It goes out again in a moment, as a new message."),
    "leave": (settling.leave_it, "Noted. It is off this list and stays “outcome unknown”."),
}


@dataclass(frozen=True)
class Row:
    """A message with its patient, or with the patient whose carer it went to, or else ``to`` whom
    it went in words."""

    message: OutboxMessage
    patient: Patient | None
    helped: Patient | None
    to: str


def unknown_messages(request: HttpRequest) -> HttpResponse:
    """Messages of the last two weeks to the people of one's own sites; POST says what of one."""
    at = timezone.now()
    if request.method == "POST":
        return _say(request)
    record_access(
        actor=request.user,
        action=AccessRecord.Action.READ,
        subject_type="messages",
        subject_id="unknown",
        page="unknown_messages",
        at=at,
    )
    page = Paginator(listed_for(request.user, at=at), _PAGE_SIZE).get_page(request.GET.get("page"))
    return admin.site.page(
        request,
        "admin/portal/unknown_messages.html",
        {
            "title": "Messages whose fate we do not know",
            "rows": _rows(list(page.object_list)),
            "page": page,
            "page_query": "?",
            "at": at,
        },
    )


def listed_for(user: User, *, at: dt.datetime) -> QuerySet[OutboxMessage]:
    """What the page lists for this member of staff."""
    return _visible(settling.unsettled(at=at), user)


def _say(request: HttpRequest) -> HttpResponse:
    verb, done = _DO.get(request.POST.get("do", ""), (None, ""))
    try:
        key = uuid.UUID(request.POST.get("message", ""))
    except ValueError:
        raise Http404 from None
    message = _visible(OutboxMessage.objects.filter(pk=key), request.user).first()
    if message is None or verb is None:
        raise Http404
    try:
        verb(message=message, by=request.user, at=timezone.now())
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
    else:
        messages.success(request, done)
    return redirect("admin:unknown_messages")


def _visible(found: QuerySet[OutboxMessage], user: User) -> QuerySet[OutboxMessage]:
    """Of these messages those whose fate concerns this member of staff: messages to the people of
    their sites and, for clinical eyes, to colleagues about alerts there. What belongs to no site
    any more goes to the managers."""
    alerts = Alert.objects.filter(site__in=sites_of(user))
    wanted = _about(
        patients=Patient.objects.visible_to(user),
        enquiries=Enquiry.objects.visible_to(user),
        alerts=alerts if may(user, May.SEE_CLINICAL) else alerts.none(),
    )
    if may(user, May.MANAGE):
        wanted |= ~_about(
            patients=Patient.objects.all(),
            enquiries=Enquiry.objects.all(),
            alerts=Alert.objects.all(),
        )
    # A code is asked for again by whoever waits for it.
    return found.exclude(kind=OutboxMessage.Kind.SIGN_IN_CODE).filter(wanted)


def _about(
    *, patients: QuerySet[Patient], enquiries: QuerySet[Enquiry], alerts: QuerySet[Alert]
) -> Q:
    """Messages about any of these, about the carers of such patients, and to their telephones."""
    subjects: dict[str, QuerySet[Any]] = {
        "patient": patients,
        "carer": Carer.objects.filter(patient__in=patients),
        "enquiry": enquiries,
        "alert": alerts,
    }
    # The answer to a text from a shared telephone names nobody; it concerns all who gave it.
    telephones = ContactPoint.objects.filter(patient__in=patients, channel=Channel.SMS)
    wanted = Q(subject_type="incoming_text", address__in=telephones.values("address"))
    for subject_type, rows in subjects.items():
        wanted |= Q(subject_type=subject_type, subject_id__in=_named(rows).values("named"))
    return wanted


def _named(rows: QuerySet[Any]) -> QuerySet[Any]:
    """These rows with their keys as messages keep them."""
    return rows.order_by().annotate(named=Cast("pk", CharField()))


def _rows(found: list[OutboxMessage]) -> list[Row]:
    ids: dict[str, list[str]] = defaultdict(list)
    for message in found:
        ids[message.subject_type].append(message.subject_id)
    carers = Carer.objects.select_related("patient").filter(pk__in=ids["carer"])
    own = {str(row.pk): row for row in Patient.objects.filter(pk__in=ids["patient"])}
    helped = {str(row.pk): row.patient for row in carers}
    to = {str(row.pk): row.name for row in Enquiry.objects.filter(pk__in=ids["enquiry"])}
    return [
        Row(
            message,
            patient=own.get(message.subject_id),
            helped=helped.get(message.subject_id),
            to=to.get(message.subject_id) or _TO.get(message.subject_type, _SOMEBODY),
        )
        for message in found
    ]
