"""Making, moving and ending appointments. Staff of the site; nobody is booked twice at one time."""

import datetime as dt
import hashlib
import secrets

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from clinic import absence_words
from clinic.models import Absence, Site, User
from patients.access import require_staff
from patients.models import Appointment, CalendarFeed, Patient

Status = Appointment.Status
SHORTEST, LONGEST = 5, 240
_FARTHEST = dt.timedelta(days=730)
# A form that was open for a moment is not refused for it.
_GRACE = dt.timedelta(minutes=15)


@transaction.atomic
def make_appointment(
    *,
    patient: Patient,
    physiotherapist: User,
    starts_at: dt.datetime,
    minutes: int,
    by: User,
    at: dt.datetime,
    refuse_away: bool = False,
) -> Appointment:
    """Book ``minutes`` from ``starts_at`` (aware). The same one asked for twice is one.

    With ``refuse_away`` an absence of the physiotherapist stands in the way. Raises
    ValidationError with words per field.
    """
    require_staff(by, patient)
    _one_at_a_time(patient)
    same = Appointment.objects.standing().filter(
        patient=patient, physiotherapist=physiotherapist, starts_at=starts_at
    )
    known = same.first()
    if known is not None:
        return known
    appointment = Appointment(
        patient=patient,
        physiotherapist=physiotherapist,
        site=patient.site,
        starts_at=starts_at,
        ends_at=starts_at + dt.timedelta(minutes=minutes),
        made_by=by,
        made_at=at,
    )
    _refuse(appointment, minutes, at, refuse_away=refuse_away)
    _save(appointment)
    return appointment


@transaction.atomic
def move_appointment(
    *,
    appointment: Appointment,
    starts_at: dt.datetime,
    minutes: int,
    by: User,
    at: dt.datetime,
    physiotherapist: User | None = None,
    reason: str = "",
    refuse_away: bool = False,
) -> Appointment:
    """Give a planned appointment another time, length or physiotherapist; ``refuse_away`` as for
    ``make_appointment``."""
    _one_at_a_time(appointment.patient)
    appointment = _held(appointment, by)
    require_planned(appointment)
    wanted = (
        starts_at,
        starts_at + dt.timedelta(minutes=minutes),
        (physiotherapist or appointment.physiotherapist).pk,
    )
    if wanted == (appointment.starts_at, appointment.ends_at, appointment.physiotherapist_id):
        return appointment
    appointment.starts_at, appointment.ends_at = wanted[:2]
    if wanted[2] != appointment.physiotherapist_id:
        appointment.physiotherapist = physiotherapist
        # A patient who changed sites since is seen by a colleague at the new one.
        appointment.site = appointment.patient.site
    appointment.reason = reason.strip()
    appointment.sequence += 1
    appointment.reminded_of = None
    appointment.changed_by, appointment.changed_at = by, at
    _refuse(appointment, minutes, at, refuse_away=refuse_away)
    _save(appointment)
    return appointment


@transaction.atomic
def cancel_appointment(
    *, appointment: Appointment, reason: str, by: User, at: dt.datetime
) -> Appointment:
    """Cancel for a reason; a second time changes nothing."""
    appointment = _held(appointment, by)
    if appointment.status == Status.CANCELLED:
        return appointment
    require_planned(appointment)
    if not reason.strip():
        raise ValidationError({"reason": "Say why it is cancelled."})
    appointment.status, appointment.reason = Status.CANCELLED, reason.strip()[:200]
    appointment.sequence += 1
    appointment.changed_by, appointment.changed_at = by, at
    appointment.save()
    return appointment


@transaction.atomic
def settle_appointment(
    *, appointment: Appointment, came: bool, by: User, at: dt.datetime
) -> Appointment:
    """Write down whether the patient came; it may be corrected."""
    appointment = _held(appointment, by)
    if appointment.status == Status.CANCELLED:
        raise ValidationError("This appointment was cancelled.")
    if at < appointment.starts_at - _GRACE:
        raise ValidationError("This appointment is still to come.")
    status = Status.ATTENDED if came else Status.MISSED
    if appointment.status != status:
        appointment.status = status
        appointment.changed_by, appointment.changed_at = by, at
        appointment.save()
    return appointment


# --- the private calendar ------------------------------------------------------------------------


@transaction.atomic
def open_feed(*, user: User, at: dt.datetime) -> str:
    """Make a new private address for one's own appointments; the one before ends.

    Returns its token, which is shown once and kept nowhere.
    """
    if not user.is_clinician:
        raise PermissionDenied("Only a physiotherapist has a calendar.")
    close_feed(user=user, at=at)
    token = secrets.token_urlsafe(32)
    CalendarFeed.objects.create(user=user, digest=_digest(token), made_at=at)
    return token


@transaction.atomic
def close_feed(*, user: User, at: dt.datetime) -> bool:
    """End the private address; whether there was one."""
    User.objects.select_for_update(of=["self"]).only("pk").get(pk=user.pk)
    return bool(CalendarFeed.objects.filter(user=user, ended_at__isnull=True).update(ended_at=at))


def feed_of(token: str) -> CalendarFeed | None:
    """The feed this token opens, while it has not ended and its owner still works here."""
    found = CalendarFeed.objects.select_related("user").filter(
        digest=_digest(token), ended_at__isnull=True, user__is_active=True
    )
    return found.first()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


# --- what is refused -----------------------------------------------------------------------------


def _held(appointment: Appointment, by: User) -> Appointment:
    rows = Appointment.objects.select_for_update(of=["self"])
    held = rows.select_related("patient", "physiotherapist", "site").get(pk=appointment.pk)
    if not Appointment.objects.visible_to(by).filter(pk=held.pk).exists():
        raise PermissionDenied("Only staff of the site may do this.")
    return held


def _one_at_a_time(patient: Patient) -> None:
    """Bookings of one patient follow each other. Always before the lock of the physiotherapist, and
    before the rows of appointments, so that two desks never wait for one another."""
    Patient.objects.select_for_update(of=["self"], no_key=True).only("pk").get(pk=patient.pk)


def require_planned(appointment: Appointment) -> None:
    """Raise ValidationError, with how it ended, unless it is still to be."""
    if appointment.status != Status.PLANNED:
        said = appointment.get_status_display().lower()
        raise ValidationError(f"This appointment is over: {said}.")


def _refuse(appointment: Appointment, minutes: int, at: dt.datetime, *, refuse_away: bool) -> None:
    found: dict[str, str] = {}
    who = appointment.physiotherapist
    if not (who.is_clinician and who.is_active):
        found["physiotherapist"] = "Choose a physiotherapist."
    elif not who.is_superuser and not who.sites.filter(pk=appointment.site_id).exists():
        found["physiotherapist"] = f"{who.name} does not work at {appointment.site}."
    if not SHORTEST <= minutes <= LONGEST:
        found["minutes"] = f"An appointment takes {SHORTEST} to {LONGEST} minutes."
    if appointment.starts_at < at - _GRACE:
        found["starts_at"] = "This time has passed."
    elif appointment.starts_at > at + _FARTHEST:
        found["starts_at"] = "This lies more than two years from now."
    if found:
        raise ValidationError(found)
    # As for the patient: a second booking waits here and then finds the first.
    User.objects.select_for_update(of=["self"]).only("pk").get(pk=who.pk)
    busy = (
        Appointment.objects.standing()
        .filter(starts_at__lt=appointment.ends_at, ends_at__gt=appointment.starts_at)
        .filter(Q(physiotherapist=who) | Q(patient=appointment.patient_id))
        .exclude(pk=appointment.pk)
        .first()
    )
    if busy is not None:
        raise ValidationError({"starts_at": _busy_words(appointment, busy)})
    absences = Absence.objects.between(appointment.starts_at, appointment.ends_at)
    if refuse_away and (absence := absences.filter(user=who).first()):
        raise ValidationError({"although_away": _away_words(appointment, absence, at)})


def _away_words(appointment: Appointment, absence: Absence, at: dt.datetime) -> str:
    zone = appointment.site.zone
    today = at.astimezone(zone).date()
    when = absence_words.when(absence.begins_at, absence.ends_at, zone=zone, today=today)
    return f"{appointment.physiotherapist.name} is away then: {when}."


def _busy_words(appointment: Appointment, busy: Appointment) -> str:
    zone = appointment.site.zone
    start, end = (timezone.localtime(moment, zone) for moment in (busy.starts_at, busy.ends_at))
    theirs = busy.physiotherapist_id == appointment.physiotherapist_id
    name = appointment.physiotherapist.name if theirs else appointment.patient.name
    several = Site.objects.exclude(time_zone=appointment.site.time_zone).exists()
    named = f" ({appointment.site.time_zone})" if several else ""
    return f"{name} has another appointment from {start:%H:%M} to {end:%H:%M}{named}."


def _save(appointment: Appointment) -> None:
    try:
        with transaction.atomic():
            appointment.save()
    except IntegrityError as error:
        if "appointment_one_at_a_time" not in str(error):
            raise
        raise ValidationError(
            {"starts_at": f"{appointment.physiotherapist.name} has another appointment then."}
        ) from None
