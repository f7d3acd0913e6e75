"""The portal's page of messages whose fate nobody knows, and what staff say of each."""

import uuid
from collections.abc import Callable
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
from clinic.models import AccessRecord, Alert, OutboxMessage, User
from clinic.roles import May, may
from patients.models import Patient

_PAGE_SIZE = 60
_DO: dict[str, tuple[Callable[..., Any], str]] = {
    "got_it": (settling.patient_got_it, "Noted: it arrived."),
    "again": (settling.send_again, "It goes out again in a moment, as a new message."),
    "leave": (settling.leave_it, "Noted. It is off this list and stays “outcome unknown”."),
}


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
    page = Paginator(_visible(settling.unsettled(at=at), request.user), _PAGE_SIZE).get_page(
        request.GET.get("page")
    )
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
    patients = Patient.objects.visible_to(user).order_by().annotate(named=Cast("pk", CharField()))
    wanted = Q(subject_type="patient", subject_id__in=patients.values("named"))
    if may(user, May.SEE_CLINICAL):
        alerts = Alert.objects.filter(site__in=sites_of(user)).order_by()
        keys = alerts.annotate(named=Cast("pk", CharField())).values("named")
        wanted |= Q(subject_type="alert", subject_id__in=keys)
    return found.filter(wanted)


def _rows(found: list[OutboxMessage]) -> list[tuple[OutboxMessage, Patient | None]]:
    """Each message with its patient; a message to staff has none."""
    keys = [row.subject_id for row in found if row.subject_type == "patient"]
    patients = {str(patient.pk): patient for patient in Patient.objects.filter(pk__in=keys)}
    return [(row, patients.get(row.subject_id)) for row in found]
