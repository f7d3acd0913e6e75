"""Appointments as calendar files (RFC 5545). They say when and where, and nothing of health.

Times are written in UTC, so that no calendar has to know a zone of ours or when its clocks change.
"""

import datetime as dt
from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from clinic.messaging.texts import shown_name
from clinic.models import User
from patients.models import Appointment

CONTENT_TYPE = "text/calendar; charset=utf-8"
# What a subscribed calendar holds around today.
BEHIND, AHEAD = dt.timedelta(days=30), dt.timedelta(days=365)


def feed_for(user: User, *, at: dt.datetime) -> bytes:
    """The physiotherapist's appointments around ``at``: the patient's number, no name."""
    rows = (
        Appointment.objects.standing()
        .filter(physiotherapist=user, starts_at__gte=at - BEHIND, starts_at__lt=at + AHEAD)
        .select_related("patient", "site")
    )
    return _calendar(
        (
            _event(row, f"Appointment {row.patient.number}", where=str(row.site.name), at=at)
            for row in rows
        ),
        name="Appointments",
    )


def file_for_patient(appointment: Appointment, *, language: str, at: dt.datetime) -> bytes:
    """One appointment for the patient's own calendar, in ``language``."""
    with translation.override(language):
        name = shown_name(appointment.site, language)
        event = _event(
            appointment,
            _("Appointment, %(practice)s") % {"practice": name},
            where=" ".join(appointment.site.address.split()),
            at=at,
        )
        event.add(
            "description", _("To change it, call %(phone)s.") % {"phone": appointment.site.phone}
        )
    return _calendar([event])


def _calendar(events: Iterable[Event], name: str = "") -> bytes:
    calendar = Calendar()
    calendar.add("prodid", "-//Steadyback//Appointments//EN")
    calendar.add("version", "2.0")
    if name:
        calendar.add("x-wr-calname", name)
        calendar.add("refresh-interval", dt.timedelta(hours=1), parameters={"VALUE": "DURATION"})
    for event in events:
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _event(appointment: Appointment, summary: str, *, where: str, at: dt.datetime) -> Event:
    event = Event()
    event.add("uid", f"{appointment.pk}@{urlsplit(settings.BASE_URL).hostname or 'localhost'}")
    event.add("sequence", appointment.sequence)
    event.add("dtstamp", (appointment.changed_at or appointment.made_at).astimezone(dt.UTC))
    event.add("dtstart", appointment.starts_at.astimezone(dt.UTC))
    event.add("dtend", appointment.ends_at.astimezone(dt.UTC))
    event.add("summary", summary)
    if where:
        event.add("location", where)
    if appointment.status == Appointment.Status.CANCELLED:
        event.add("status", "CANCELLED")
    return event
