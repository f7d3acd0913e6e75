"""What a patient texted: the words that wait for an answer, and saying that they have one."""

import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from clinic.messaging.replying import mark_answered, replies_to
from clinic.models import Alert, IncomingText, OutboxMessage
from clinic.models.messaging import Channel
from patients.models import Patient
from programs.clinician.opening import address_of, open_patient


@dataclass(frozen=True)
class Exchange:
    """One text, the automatic reply to it if there was one, and the alert it raised.

    ``shared``: it came from a phone of several people, and nobody said whose it is.
    """

    text: IncomingText
    reply: OutboxMessage | None
    alert: Alert | None
    shared: bool


def texts_of(patient: Patient) -> QuerySet[IncomingText]:
    """Everything the patient texted, or may have: of a shared phone also what nobody claimed."""
    numbers = patient.contact_points.filter(channel=Channel.SMS).values("address")
    return IncomingText.objects.filter(
        Q(subject_type="patient", subject_id=str(patient.pk))
        | Q(subject_type="address", subject_id__in=numbers)
        | Q(subject_type="", address__in=numbers)
    ).exclude(meaning=IncomingText.Meaning.STRANGER)


def waiting(patient: Patient) -> list[Exchange]:
    """Words that no person has answered, oldest first."""
    texts = list(
        texts_of(patient)
        .filter(meaning=IncomingText.Meaning.WORDS, answered_at__isnull=True)
        .order_by("received_at", "pk")
    )
    replies = replies_to(texts)
    alerts = {
        alert.key: alert
        for alert in Alert.objects.open()
        .about("patient", patient.pk)
        .filter(key__in=[_key(text, patient) for text in texts])
        .select_related("owner")
    }
    return [
        Exchange(
            text,
            replies.get(text.pk),
            alerts.get(_key(text, patient)),
            text.subject_type != "patient",
        )
        for text in texts
    ]


@require_POST
def answered(request: HttpRequest, pk: uuid.UUID, text: int) -> HttpResponse:
    """A member of staff has answered this text and those before it."""
    patient = open_patient(request, pk, "text")
    # What is still asked of a family cannot be answered for one of them.
    found = texts_of(patient).exclude(subject_type="").filter(pk=text).first()
    if found is None:
        raise Http404
    outcome = request.POST.get("outcome", "").replace("\0", "").strip()[:500]
    kept = mark_answered(
        text=found,
        by=request.user,
        at=timezone.now(),
        subject=("patient", str(patient.pk)),
        outcome=outcome,
    )
    if kept.answered_by_id == request.user.pk:
        messages.success(request, "Noted: it is answered.")
    else:
        wrote = f" What you wrote: “{outcome}”" if outcome else ""
        messages.info(request, f"{kept.answered_by.name} had answered it before.{wrote}")
    return redirect(address_of(patient))


def _key(text: IncomingText, patient: Patient) -> str:
    return f"text:{text.pk}:{patient.pk}"
