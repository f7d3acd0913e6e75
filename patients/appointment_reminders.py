"""A reminder the day before an appointment, by the ways the patient has agreed to.

One message for each appointment, start and channel; the key says so, and makes planning
repeatable. What is moved or cancelled after planning is held back at the last look; moved back to
where it was, it is reminded of anew if that happened meanwhile. So the key also counts the moves.
"""

import datetime as dt
import uuid
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.formats import date_format, get_format

from clinic import quiet_hours
from clinic.messaging import outbox
from clinic.messaging.asked_for import asked_words
from clinic.messaging.texts import supported
from clinic.models import OutboxMessage
from patients.consent_wordings import WITH_APPOINTMENTS
from patients.models import Appointment, Consent, ContactPoint

KIND = OutboxMessage.Kind.APPOINTMENT_REMINDER
CANCELLED = "The appointment was cancelled."
MOVED = "The appointment was moved; another reminder speaks of the new time."
OVER = "The appointment has begun."
NO_CONSENT = "The patient has not agreed to messages by this way, or took it back."
NO_ADDRESS = "The address is no longer one for reminders."
OUTSIDE_HOURS = "Outside the hours in which the site writes."
# The longest a reminder can come before its appointment: a day, and no night is longer.
_AHEAD = dt.timedelta(hours=36)
# A bare "cancel" this soon after a reminder, or before an appointment, may be about it.
_ANSWERED_WITHIN = dt.timedelta(hours=48)
_NEAR = dt.timedelta(days=3)
_Fate = OutboxMessage.Status
_WENT_OUT = (_Fate.SENT, _Fate.DELIVERED, _Fate.UNKNOWN)


@transaction.atomic
def plan(*, at: dt.datetime) -> int:
    """Write the reminders whose moment has come. Returns how many messages were written."""
    rows = (
        Appointment.objects.select_for_update(of=["self"], skip_locked=True)
        .filter(
            status=Appointment.Status.PLANNED,
            starts_at__gt=at,
            starts_at__lte=at + _AHEAD,
            reminded_of__isnull=True,
        )
        .select_related("patient", "site")
    )
    due = [row for row in rows if due_at(row) <= at]
    written = outbox.write(_drafts(due, at))
    for row in due:
        row.reminded_of = row.starts_at
        row.save(update_fields=["reminded_of"])
    return len(written)


def due_at(appointment: Appointment) -> dt.datetime:
    """A day before, at the same time on the clock, or when the site may write next."""
    zone = appointment.site.zone
    local = timezone.localtime(appointment.starts_at, zone)
    before = quiet_hours.local_moment(local.date() - dt.timedelta(days=1), local.time(), zone)
    return _allowed_from(before, appointment)


def _allowed_from(at: dt.datetime, row: Appointment) -> dt.datetime:
    site = row.site
    return quiet_hours.next_allowed(at, row.patient.zone, site.quiet_start, site.quiet_end)


def _goes_at(row: Appointment, at: dt.datetime) -> dt.datetime:
    """When one planned at ``at`` goes out: as it was due, or in the morning where planning came so
    late that it is night."""
    due, allowed = due_at(row), _allowed_from(at, row)
    return allowed if at < allowed < row.starts_at else due


def objections(
    *, messages: Sequence[OutboxMessage], at: dt.datetime
) -> dict[uuid.UUID, str | dt.datetime]:
    """Why each of these must not go out at ``at``, or until when it waits where only the hour
    speaks against it; those that may go are left out."""
    ours = [message for message in messages if message.kind == KIND]
    if not ours:
        return {}
    found = {
        row.pk: row
        for row in Appointment.objects.filter(
            pk__in={appointment_of(message) for message in ours}
        ).select_related("patient", "site")
    }
    patients = {row.patient_id for row in found.values()}
    consents = _consents(patients)
    points = {
        (point.patient_id, point.channel, point.address.lower())
        for point in ContactPoint.objects.filter(patient__in=patients, reminders=True)
    }
    reasons: dict[uuid.UUID, str | dt.datetime] = {}
    for message in ours:
        row = found.get(appointment_of(message))
        reason = _objection(message, row, consents, points, at)
        if reason:
            reasons[message.pk] = reason
    return reasons


def may_be_meant(*, patient: object, address: str, at: dt.datetime) -> bool:
    """Whether a "cancel" texted from ``address`` may be about an appointment of this patient (an
    id): a reminder of one went there lately, or one is near."""
    near = Appointment.objects.filter(
        patient=patient,
        status=Appointment.Status.PLANNED,
        starts_at__gt=at,
        starts_at__lte=at + _NEAR,
    )
    if near.exists():
        return True
    lately = OutboxMessage.objects.about("patient", patient).filter(
        kind=KIND, address=address, due_at__gt=at - _ANSWERED_WITHIN, status__in=_WENT_OUT
    )
    return lately.exists()


def appointment_of(message: OutboxMessage) -> uuid.UUID:
    """The id of the appointment a reminder speaks of, as its key says."""
    return uuid.UUID(message.key.split(":")[1])


def _objection(
    message: OutboxMessage,
    row: Appointment | None,
    consents: set[tuple[uuid.UUID, str]],
    points: set[tuple[uuid.UUID, str, str]],
    at: dt.datetime,
) -> str | dt.datetime:
    if row is None or row.status == Appointment.Status.CANCELLED:
        return CANCELLED
    # Moved back, or only given to a colleague: what was written still says when.
    if not message.key.startswith(_start_of(row)):
        return MOVED
    if at >= row.starts_at:
        return OVER
    if (row.patient_id, message.channel) not in consents:
        return NO_CONSENT
    if (row.patient_id, message.channel, message.address.lower()) not in points:
        return NO_ADDRESS
    allowed = _allowed_from(at, row)
    if allowed == at:
        return ""
    # Late at night it is still worth the morning, unless the appointment comes first.
    return allowed if allowed < row.starts_at else OUTSIDE_HOURS


def _drafts(rows: Sequence[Appointment], at: dt.datetime) -> list[OutboxMessage]:
    # Who made or moved it within the last day knows of it, unless a reminder was promised already.
    held = _held_back(rows)
    rows = [row for row in rows if due_at(row) >= (row.changed_at or row.made_at) or row.pk in held]
    patients = {row.patient_id for row in rows}
    consents = _consents(patients)
    ways: dict[tuple[uuid.UUID, str], ContactPoint] = {}
    for point in ContactPoint.objects.filter(patient__in=patients, reminders=True):
        ways.setdefault((point.patient_id, point.channel), point)
    return [
        _draft(row, point, at)
        for row in rows
        for (patient, channel), point in ways.items()
        if patient == row.patient_id and (patient, channel) in consents
    ]


def _held_back(rows: Sequence[Appointment]) -> set[uuid.UUID]:
    """Whose reminder of this very start was held back because they stood elsewhere then."""
    starts = {row.pk: _start_of(row) for row in rows if row.sequence > 1}
    if not starts:
        return set()
    any_of = Q(pk__in=[])
    for start in starts.values():
        any_of |= Q(key__startswith=start)
    keys = OutboxMessage.objects.filter(
        any_of, status=OutboxMessage.Status.SUPPRESSED, reason=MOVED
    ).values_list("key", flat=True)
    return {uuid.UUID(key.split(":")[1]) for key in keys}


def _draft(row: Appointment, point: ContactPoint, at: dt.datetime) -> OutboxMessage:
    language = supported(row.patient.language)
    goes_at = _goes_at(row, at)
    subject, body = asked_words(
        "appointment_reminder",
        channel=point.channel,
        site=row.site,
        language=language,
        when=when_words(row, language),
    )
    text = outbox.keep_text(
        channel=point.channel, body=body, subject_line=subject, language=language
    )
    return outbox.draft(
        key=_key(row, point.channel),
        kind=KIND,
        channel=point.channel,
        subject_type="patient",
        subject_id=row.patient_id,
        address=point.address,
        text=text,
        due_at=goes_at,
        expires_at=row.starts_at,
        link_expires_at=row.ends_at,
        local_date=row.patient.local_date(goes_at),
        at=at,
    )


def when_words(appointment: Appointment, language: str) -> str:
    """Day and time on the clocks of the site, as people write them in ``language``."""
    local = timezone.localtime(appointment.starts_at, appointment.site.zone)
    with translation.override(language):
        form = get_format("LONG_DAY_FORMAT")
        # Languages of messages that the pages are not in have no form of their own.
        form = "l, j. F" if form == "LONG_DAY_FORMAT" else form
        return f"{date_format(local, form)}, {local:%H:%M}"


def _consents(patients: set[uuid.UUID]) -> set[tuple[uuid.UUID, str]]:
    rows = Consent.objects.active().filter(
        patient__in=patients, wording_version__in=WITH_APPOINTMENTS
    )
    return set(rows.values_list("patient_id", "purpose"))


def _key(row: Appointment, channel: str) -> str:
    return f"{_start_of(row)}{row.sequence}:{channel}"


def _start_of(row: Appointment) -> str:
    """What the keys of all reminders of this start begin with."""
    return f"{KIND}:{row.pk}:{row.starts_at.astimezone(dt.UTC):%Y%m%dT%H%MZ}:"
