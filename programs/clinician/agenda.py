"""The agenda: a day or a week of one physiotherapist, and the appointments in it."""

import datetime as dt
import uuid
from dataclasses import dataclass, field
from itertools import chain
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_POST

from clinic import absence_words
from clinic.audit import record_access
from clinic.models import Absence, AccessRecord, Role, Site, User
from clinic.portal_site import sites_of
from clinic.quiet_hours import local_moment
from clinic.roles import May, may
from patients.appointing import close_feed, open_feed
from patients.models import Appointment, Patient
from programs.clinician.opening import portal
from programs.models import Program
from programs.portal_appointments import next_of

_EVERY_DAY = (dt.time(8), dt.time(18))
_SHORTEST_GAP = dt.timedelta(minutes=15)


@dataclass
class Entry:
    """An appointment, a time away (``away`` says when), or a gap between them; in the agenda's
    zone."""

    start: dt.datetime
    end: dt.datetime
    appointment: Appointment | None = None
    away: str = ""


@dataclass
class Day:
    day: dt.date
    entries: list[Entry] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(entry.appointment is not None for entry in self.entries)


def agenda(request: HttpRequest) -> HttpResponse:
    """GET: ``who`` (a physiotherapist), ``day`` (ISO), ``view`` (day or week).

    Everything on it is drawn in one zone, that of the site ``site_shown``.
    """
    at = timezone.now()
    people = physiotherapists_for(request.user)
    who = _one_of(people, request.GET.get("who", ""), request.user)
    site = site_shown(who, request.user)
    zone = site.zone if site else ZoneInfo(settings.TIME_ZONE)
    today = at.astimezone(zone).date()
    view = "day" if request.GET.get("view") == "day" else "week"
    day = _day(request.GET.get("day", "")) or today
    if not request.GET.get("day") and view == "week" and today.weekday() > 4:
        # At the weekend one looks at the week to come.
        day = today + dt.timedelta(days=7 - today.weekday())
    monday = day - dt.timedelta(days=day.weekday())
    first, count = (day, 1) if view == "day" else (monday, 7)
    days = _days(who, request.user, first, count, zone) if who else []
    if view == "day" and who:
        days[0].entries = _with_gaps(days[0], site, zone)
    record_access(
        actor=request.user,
        action=AccessRecord.Action.READ,
        subject_type="agenda",
        subject_id=who.pk if who else "none",
        page="agenda",
        at=at,
    )
    step = dt.timedelta(days=count)
    kept = {"who": who.pk} if who else {}

    def to(**more: Any) -> str:
        return "?" + urlencode(kept | {"view": view, "day": day.isoformat()} | more)

    return portal.page(
        request,
        "admin/portal/agenda.html",
        {
            "title": "Agenda",
            "who": who,
            "site": site,
            "zone": zone,
            "several_zones": len(zones_of(request.user)) > 1,
            "people": people,
            "view": view,
            "day": day,
            "first": first,
            "last": first + step - dt.timedelta(days=1),
            "today": today,
            "at": at,
            # Nobody works at the weekend until somebody does.
            "days": [d for d in days if view == "day" or d.day.weekday() < 5 or d.count],
            "before": to(day=(first - step).isoformat()),
            "after": to(day=(first + step).isoformat()),
            "now": to(day=today.isoformat()),
            "as_day": to(view="day"),
            "as_week": to(view="week"),
            "total": sum(d.count for d in days),
            "own": who == request.user and request.user.is_clinician,
            "feed": request.user.calendar_feeds.filter(ended_at__isnull=True).first(),
            "feed_address": request.session.pop("calendar_feed", ""),
        },
    )


def _days(who: User, user: User, first: dt.date, count: int, zone: ZoneInfo) -> list[Day]:
    start = local_moment(first, dt.time(), zone)
    end = local_moment(first + dt.timedelta(days=count), dt.time(), zone)
    rows = (
        Appointment.objects.visible_to(user)
        .standing()
        .filter(physiotherapist=who, starts_at__gte=start, starts_at__lt=end)
        .select_related("patient", "site")
    )
    days = {n: Day(first + dt.timedelta(days=n)) for n in range(count)}
    for row in rows:
        local = row.starts_at.astimezone(zone)
        entry = Entry(local, row.ends_at.astimezone(zone), row)
        days[(local.date() - first).days].entries.append(entry)
    _put_away(who, list(days.values()), zone)
    return list(days.values())


def _put_away(who: User, days: list[Day], zone: ZoneInfo) -> None:
    """Put what of their absences falls on each of these days among its entries."""
    edges = [(day.day, day.day + dt.timedelta(days=1)) for day in days]
    spans = [tuple(local_moment(edge, dt.time(), zone) for edge in pair) for pair in edges]
    absences = Absence.objects.between(spans[0][0], spans[-1][1]).filter(user=who)
    for row in absences:
        for day, (opens, closes) in zip(days, spans, strict=True):
            start, end = max(row.begins_at, opens), min(row.ends_at, closes)
            if start < end:
                said = absence_words.within_day(start, end, day=day.day, zone=zone)
                entry = Entry(start.astimezone(zone), end.astimezone(zone), away=said)
                day.entries.append(entry)
    for day in days:
        day.entries.sort(key=lambda entry: (entry.start, not entry.away))


def _with_gaps(day: Day, site: Site | None, zone: ZoneInfo) -> list[Entry]:
    """The entries of the day with what is free between them while the site is open."""
    hours = site.hours if site else {}
    opened, closed = (
        local_moment(day.day, time, zone).astimezone(zone)
        for time in hours.get(day.day.weekday(), _EVERY_DAY)
    )
    found: list[Entry] = []
    free_from = opened
    for entry in day.entries:
        if entry.start - free_from >= _SHORTEST_GAP:
            found.append(Entry(free_from, entry.start))
        found.append(entry)
        free_from = max(free_from, entry.end)
    if closed - free_from >= _SHORTEST_GAP:
        found.append(Entry(free_from, closed))
    return found


def physiotherapists_for(user: User) -> list[User]:
    """Whose agendas somebody may open: physiotherapists of the same sites."""
    people = User.objects.filter(role=Role.PHYSIOTHERAPIST, is_active=True)
    if not user.is_superuser:
        people = people.filter(sites__in=user.sites.all())
    return list(people.distinct().order_by("name", "pk"))


def zones_of(user: User) -> list[str]:
    """The zones in which somebody's sites lie, that of the first site first. Nearly always one."""
    sites = Site.objects.order_by("pk") if user.is_superuser else sites_of(user)
    return list(dict.fromkeys(site.time_zone for site in sites))


def site_shown(who: User | None, user: User) -> Site | None:
    """The site by whose clocks and hours the agenda of ``who`` is drawn for ``user``: the first of
    theirs in a zone that is the user's too; without any, the user's first."""
    sites = list(who.sites.order_by("pk")) if who else []
    zones = zones_of(user)
    shared = (site for site in sites if site.time_zone in zones)
    return next(chain(shared, sites, sites_of(user)), None)


def _one_of(people: list[User], wanted: str, user: User) -> User | None:
    for person in people:
        if str(person.pk) == wanted:
            return person
    return next((p for p in people if p.pk == user.pk), people[0] if people else None)


def _day(text: str) -> dt.date | None:
    try:
        found = parse_date(text)
    except ValueError:
        return None
    # Room for a week on either side.
    return found if found and 1970 < found.year < 2200 else None


@require_POST
def calendar(request: HttpRequest) -> HttpResponse:
    """Make or end the private address of one's own appointments."""
    at = timezone.now()
    if request.POST.get("does") == "end":
        if close_feed(user=request.user, at=at):
            messages.success(request, "The private calendar address has ended.")
    else:
        try:
            token = open_feed(user=request.user, at=at)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            # Shown once, on the page this leads to; the database holds a digest only.
            address = reverse("calendar_feed", args=[token])
            request.session["calendar_feed"] = f"{settings.BASE_URL}{address}"
    return redirect(f"{reverse('admin:agenda')}#calendar")


def panel(
    patient: Patient, program: Program | None, *, user: User, at: dt.datetime
) -> dict[str, Any] | None:
    """The next appointment, and the way to another; one query."""
    if not may(user, May.REGISTER):
        return None
    return {
        "patient": patient,
        "appointment": next_of(patient.pk, at=at),
        "several_zones": len(zones_of(user)) > 1,
    }


def address_of_week(appointment: Appointment, user: User) -> str:
    """The agenda of the week in which it lies, as ``user`` sees it."""
    site = site_shown(appointment.physiotherapist, user) or appointment.site
    day = appointment.starts_at.astimezone(site.zone).date()
    query = {"who": appointment.physiotherapist_id, "day": day.isoformat(), "view": "week"}
    return f"{reverse('admin:agenda')}?{urlencode(query)}"


def one(pk: uuid.UUID, user: User) -> Appointment | None:
    """An appointment at one of this person's sites, or of a patient there."""
    rows = Appointment.objects.visible_to(user).filter(pk=pk)
    return rows.select_related(
        "patient", "physiotherapist", "site", "made_by", "changed_by"
    ).first()
