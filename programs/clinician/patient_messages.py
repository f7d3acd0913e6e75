"""What was sent to one patient and what became of it; what will be sent next."""

import datetime as dt
import uuid
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from clinic.messaging.fates import OF_STATUS, Fate, in_words, moment_of
from clinic.messaging.outbox import suppressed_addresses
from clinic.models import OutboxMessage, Receipt
from patients.models import Consent, Patient
from programs.clinician.opening import open_patient, portal
from programs.models import Program
from programs.reminders import upcoming

NEXT = 7
SHOWN = 10
PAGE_SIZE = 50


@dataclass(frozen=True)
class Next:
    """One message to come, at its moment; ``note`` marks what is not the day's own reminder."""

    at: dt.datetime
    channel: str
    way: str
    note: str


@dataclass(frozen=True)
class Past:
    """One message with its fate. ``at`` is when that was settled; ``receipts`` what its carrier
    said, in order."""

    message: OutboxMessage
    at: dt.datetime
    fate: Fate
    words: str
    receipts: list[Receipt]


def messages_about(patient: Patient) -> QuerySet[OutboxMessage]:
    """Every message about the patient, with the ``moment`` its fate was settled or it was due."""
    return OutboxMessage.objects.about("patient", patient.pk).annotate(
        moment=Coalesce("settled_at", "due_at")
    )


def past(messages: QuerySet[OutboxMessage]) -> QuerySet[OutboxMessage]:
    """Newest first, with the receipts."""
    return messages.order_by("-moment", "-pk").prefetch_related("receipts")


def said(message: OutboxMessage, patient: Patient) -> Past:
    """The message in words, on the patient's clock."""
    with timezone.override(patient.zone):
        words = in_words(message)
    return Past(
        message=message,
        at=moment_of(message),
        fate=OF_STATUS[message.status],
        words=words,
        receipts=list(message.receipts.all()),
    )


def newest(patient: Patient) -> tuple[list[Past], bool]:
    """The first of the list, and whether there are more."""
    found = list(past(messages_about(patient))[: SHOWN + 1])
    return [said(message, patient) for message in found[:SHOWN]], len(found) > SHOWN


@dataclass(frozen=True)
class Reminders:
    """The section of the patient's page. ``none`` says why nothing comes next, if so; ``soonest``
    by which ways the next moment is used; ``today`` what became of today's reminders already;
    ``more`` that the past goes on elsewhere."""

    next: list[Next]
    none: str
    soonest: str
    today: list[str]
    past: list[Past]
    more: bool


def reminders_of(patient: Patient, program: Program | None, at: dt.datetime) -> Reminders:
    past_ones, more = newest(patient)
    coming = upcoming(patient=patient, at=at, count=NEXT)
    today = patient.local_date(at)
    return Reminders(
        next=[
            Next(one.at, one.channel, f"by {one.channel_word.lower()}", _NOTES.get(one.kind, ""))
            for one in coming
        ],
        none="" if coming else why_none(patient, program),
        soonest=" and ".join(
            f"by {one.channel_word.lower()}" for one in coming if one.at == coming[0].at
        ),
        today=[
            f"Today{_OTHER.get(one.message.kind, '')} by "
            f"{one.message.get_channel_display().lower()}: {one.words}"
            for one in past_ones
            if one.message.local_date == today and one.message.kind in OutboxMessage.REMINDERS
        ],
        past=past_ones,
        more=more,
    )


_OTHER = {
    OutboxMessage.Kind.SECOND_NUDGE: ", second nudge",
    OutboxMessage.Kind.SILENCE: ", kind message",
    OutboxMessage.Kind.ROUTINE_CHANGED: ", changed routine",
}
_NOTES = {
    OutboxMessage.Kind.SECOND_NUDGE: "second nudge, only if nothing is recorded by then",
    OutboxMessage.Kind.SILENCE: "kind message, only if nothing is recorded by then",
}


def why_none(patient: Patient, program: Program | None) -> str:
    """Why no reminder comes next, in words."""
    if program is None:
        return "None: no program."
    if program.status == Program.Status.SUSPENDED:
        return "None while the program is suspended."
    if patient.red_flags.open().exists():
        return "None while a red flag is open."
    wanted = list(patient.contact_points.filter(reminders=True))
    if not wanted:
        return "None: no address takes reminders."
    purposes = Consent.objects.active().filter(patient=patient).values_list("purpose", flat=True)
    agreed = [point for point in wanted if point.channel in set(purposes)]
    if not agreed:
        return "None: no consent to reminders."
    closed = suppressed_addresses((point.channel, point.address) for point in agreed)
    if closed:
        return f"None. {next(iter(closed.values()))}"
    return (
        f"None: no hour the patient chose lies between {patient.site.quiet_start:%H:%M} and "
        f"{patient.site.quiet_end:%H:%M}, when {patient.site.name} may write, or the program ends."
    )


def patient_messages(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """All of them, a page at a time."""
    patient = open_patient(request, pk, "messages")
    page = Paginator(past(messages_about(patient)), PAGE_SIZE).get_page(request.GET.get("page"))
    return portal.page(
        request,
        "admin/portal/patient_messages.html",
        {
            "title": "Messages",
            "patient": patient,
            "past": [said(message, patient) for message in page.object_list],
            "page": page,
            "page_query": "?",
        },
    )
