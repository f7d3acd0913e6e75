"""Appointments at the patient's doors: the page a reminder leads to, the files for calendars, and
the private calendar of a physiotherapist. None of them says why somebody comes."""

import datetime as dt
import uuid

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.http import require_safe

from clinic.audit import record_access
from clinic.language import page_language
from clinic.messaging.links import message_for_appointment
from clinic.models import AccessRecord
from clinic.written_once import written_once
from patients.appointing import feed_of
from patients.appointment_reminders import appointment_of, when_words
from patients.calendar_files import CONTENT_TYPE, feed_for, file_for_patient
from patients.models import Appointment
from programs.portal_access import patient_required, private


@require_safe
def by_link(request: HttpRequest, token: str) -> HttpResponse:
    """When and where, for whoever holds the link of a reminder."""
    appointment = _of_link(token)
    if appointment is None:
        # Wrong and expired look the same.
        return private(render(request, "portal/appointment_gone.html", status=404))
    translation.activate(page_language(appointment.patient.language))
    context = {
        "appointment": appointment,
        "when": when_words(appointment, translation.get_language() or "en"),
        "file": reverse("appointment_link_file", args=[token]),
    }
    return private(render(request, "portal/appointment.html", context))


@require_safe
def file_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """The same as a file for the patient's calendar."""
    appointment = _of_link(token)
    if appointment is None:
        raise Http404
    return _file(appointment)


@require_safe
@patient_required
def own_file(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """One of the signed-in patient's own appointments."""
    found = request.patient.appointments.select_related("site", "patient").filter(pk=pk).first()
    if found is None:
        raise Http404
    return _file(found)


@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """A physiotherapist's appointments, for a calendar that asks now and then."""
    at = timezone.now()
    found = feed_of(token)
    if found is None:
        return private(HttpResponse("This calendar has ended.", "text/plain", status=404))
    record_access(
        actor=found.user,
        action=AccessRecord.Action.READ,
        subject_type="calendar",
        subject_id=found.pk,
        page="calendar_feed",
        at=at,
    )
    return private(HttpResponse(feed_for(found.user, at=at), CONTENT_TYPE))


def _file(appointment: Appointment) -> HttpResponse:
    data = file_for_patient(appointment, language=appointment.patient.language, at=timezone.now())
    headers = {"Content-Disposition": 'attachment; filename="appointment.ics"'}
    return private(HttpResponse(data, CONTENT_TYPE, headers=headers))


def _of_link(token: str) -> Appointment | None:
    message = message_for_appointment(token, timezone.now())
    if message is None:
        return None
    rows = Appointment.objects.select_related("patient", "site")
    return rows.filter(pk=appointment_of(message)).first()


def next_of(patient_id: uuid.UUID, *, at: dt.datetime) -> Appointment | None:
    """The patient's next planned appointment that has not ended."""
    return _planned_from.first(patient_id, at)


@written_once
def _planned_from(patient: uuid.UUID, at: dt.datetime) -> QuerySet[Appointment]:
    planned = Appointment.objects.filter(
        patient_id=patient, status=Appointment.Status.PLANNED, ends_at__gt=at
    )
    return planned.select_related("site")[:1]
