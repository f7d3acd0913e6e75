"""Planning the routine reminders of the day, and the last look before one goes out.

One message per program, local day of the patient and channel; the key says so, and makes planning
repeatable: late, twice, or from two places at once.
"""

import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterable, Iterator

from django.db.models import Exists, OuterRef, Q, Subquery

from clinic import quiet_hours
from clinic.messaging import outbox, texts
from clinic.models import OutboxMessage, Site
from clinic.models.messaging import Channel
from patients.models import Consent, ContactPoint, Patient, RedFlag
from programs.models import Program, Session

Status = OutboxMessage.Status

# A reminder this late is no reminder any more.
STALE_AFTER = dt.timedelta(hours=6)
_BATCH = 500
_MIDNIGHT = dt.time(0)

SESSION_DONE = "Today's session is done."
SESSION_SKIPPED = "Today's session was skipped."
SUSPENDED = "The program is suspended."
ENDED = "The program has ended."
NOT_STARTED = "The program has not started yet."
OUTSIDE_HOURS = "Outside quiet hours."
TURNED_OFF = "Reminders to this address were turned off."
_NO_CONSENT = {
    Channel.EMAIL: "No consent to reminders by e-mail.",
    Channel.SMS: "No consent to reminders by text message.",
}


@dataclasses.dataclass
class PlanReport:
    """Rows written by one planning, by what was decided about them."""

    due: int = 0
    suppressed: int = 0
    expired: int = 0

    @property
    def written(self) -> int:
        return self.due + self.suppressed + self.expired


@dataclasses.dataclass(frozen=True)
class _Slot:
    """One program's reminder on one local day, in UTC. ``outside``: no allowed moment that day."""

    program: Program
    day: dt.date
    due_at: dt.datetime
    expires_at: dt.datetime
    link_expires_at: dt.datetime
    outside: bool


@dataclasses.dataclass(frozen=True)
class _Known:
    """What one batch of programs needs to know, read with one query each."""

    contact_points: dict[uuid.UUID, dict[str, ContactPoint]]
    consents: set[tuple[uuid.UUID, str]]
    sessions: dict[tuple[uuid.UUID, dt.date], str]
    planned: set[str]
    suppressed: dict[tuple[str, str], str]


def key_for(program_id: uuid.UUID, day: dt.date, channel: str) -> str:
    return f"routine:{program_id}:{day.isoformat()}:{channel}"


def plan_reminders(*, at: dt.datetime) -> PlanReport:
    """Write every routine reminder whose moment has come, once, with its reason if it is not sent.

    Looks at each patient's day, and at the one before, so that an evening's reminder nobody
    planned is known as too late instead of missing.
    """
    report = PlanReport()
    words: dict[tuple[int, str, str], tuple[str, str]] = {}
    for programs in _batches(at):
        slots = [slot for program in programs for slot in _slots(program, at)]
        if not slots:
            continue
        known = _read(slots)
        rows = [row for slot in slots for row in _rows(slot, known, words, at)]
        for message in outbox.write(rows):
            field = message.status
            setattr(report, field, getattr(report, field) + 1)
    return report


def objection(*, message: OutboxMessage, at: dt.datetime) -> str:
    """Why this routine reminder must not go out at ``at``, in words; empty when it may.

    Everything planning has looked at, once more: the patient may have exercised, stopped or said
    no since.
    """
    program = (
        Program.objects.filter(pk=message.key.split(":")[1])
        .select_related("patient__site")
        .annotate(
            session_that_day=Subquery(
                Session.objects.filter(program=OuterRef("pk"), day=message.local_date).values(
                    "status"
                )[:1]
            ),
            flagged=Exists(RedFlag.objects.open().filter(patient=OuterRef("patient"))),
            consented=Exists(
                Consent.objects.active().filter(
                    patient=OuterRef("patient"), purpose=message.channel
                )
            ),
            wanted=Exists(
                ContactPoint.objects.filter(
                    patient=OuterRef("patient"),
                    channel=message.channel,
                    address__iexact=message.address,
                    reminders=True,
                )
            ),
        )
        .first()
    )
    if program is None:
        return ENDED
    reason = _program_says(program, message.local_date) or _session_says(program.session_that_day)
    if program.flagged and not reason:
        reason = SUSPENDED
    if reason:
        return reason
    if not program.consented:
        return _NO_CONSENT[Channel(message.channel)]
    if not program.wanted:
        return TURNED_OFF
    site = program.patient.site
    if not quiet_hours.within(at, program.patient.zone, site.quiet_start, site.quiet_end):
        return OUTSIDE_HOURS
    return ""


def _batches(at: dt.datetime) -> Iterator[list[Program]]:
    """Programs that may owe a reminder, in order of their ids, a batch at a time."""
    # No local day is more than one away from the day in UTC.
    first_day = at.date() - dt.timedelta(days=2)
    programs = (
        Program.objects.filter(~Q(status=Program.Status.ENDED) | Q(ended_on__gte=first_day))
        .filter(started_on__lte=at.date() + dt.timedelta(days=1))
        .select_related("patient__site")
        .order_by("pk")
    )
    last: uuid.UUID | None = None
    while True:
        batch = list((programs.filter(pk__gt=last) if last else programs)[:_BATCH])
        if not batch:
            return
        yield batch
        last = batch[-1].pk


def _slots(program: Program, at: dt.datetime) -> Iterator[_Slot]:
    """The reminders of today and yesterday whose moment is not in the future."""
    patient = program.patient
    today = patient.local_date(at)
    for day in (today, today - dt.timedelta(days=1)):
        if day < program.started_on or (program.ended_on and program.ended_on < day):
            continue
        slot = _slot(program, patient, day)
        if slot.due_at <= at:
            yield slot


def _slot(program: Program, patient: Patient, day: dt.date) -> _Slot:
    zone, site = patient.zone, patient.site
    hours = [point.reminder_time for point in patient.contact_points.all() if point.reminders]
    wanted = quiet_hours.local_moment(day, min(hours, default=dt.time(8)), zone)
    allowed = quiet_hours.next_allowed(wanted, zone, site.quiet_start, site.quiet_end)
    outside = patient.local_date(allowed) != day
    return _Slot(
        program=program,
        day=day,
        due_at=wanted if outside else allowed,
        expires_at=quiet_hours.local_moment(day, site.quiet_end, zone),
        link_expires_at=quiet_hours.local_moment(day + dt.timedelta(days=2), _MIDNIGHT, zone),
        outside=outside,
    )


def _read(slots: list[_Slot]) -> _Known:
    programs = {slot.program.pk for slot in slots}
    patients = {slot.program.patient_id for slot in slots}
    days = {slot.day for slot in slots}
    contact_points: dict[uuid.UUID, dict[str, ContactPoint]] = {}
    for point in ContactPoint.objects.filter(patient__in=patients, reminders=True):
        # The first of a channel is the one written to.
        contact_points.setdefault(point.patient_id, {}).setdefault(point.channel, point)
    keys = [
        key_for(slot.program.pk, slot.day, channel)
        for slot in slots
        for channel in contact_points.get(slot.program.patient_id, {})
    ]
    return _Known(
        contact_points=contact_points,
        consents=set(
            Consent.objects.active()
            .filter(patient__in=patients, purpose__in=Channel.values)
            .values_list("patient_id", "purpose")
        ),
        sessions={
            (program_id, day): status
            for program_id, day, status in Session.objects.filter(
                program__in=programs, day__in=days
            ).values_list("program_id", "day", "status")
        },
        planned=set(OutboxMessage.objects.filter(key__in=keys).values_list("key", flat=True)),
        suppressed=outbox.suppressed_addresses(
            (point.channel, point.address)
            for points in contact_points.values()
            for point in points.values()
        ),
    )


def _rows(
    slot: _Slot,
    known: _Known,
    words: dict[tuple[int, str, str], tuple[str, str]],
    at: dt.datetime,
) -> Iterable[OutboxMessage]:
    patient = slot.program.patient
    for channel, point in known.contact_points.get(patient.pk, {}).items():
        key = key_for(slot.program.pk, slot.day, channel)
        if key in known.planned:
            continue
        status, reason = _decide(slot, point, known, at)
        subject, body = _words(patient.site, channel, patient.language, words)
        yield outbox.draft(
            key=key,
            kind=OutboxMessage.Kind.ROUTINE_REMINDER,
            channel=channel,
            subject_type="patient",
            subject_id=patient.pk,
            address=point.address,
            subject_line=subject,
            body=body,
            due_at=slot.due_at,
            expires_at=slot.expires_at,
            link_expires_at=slot.link_expires_at,
            local_date=slot.day,
            language=patient.language,
            status=status,
            reason=reason,
            at=at,
        )


def _decide(slot: _Slot, point: ContactPoint, known: _Known, at: dt.datetime) -> tuple[str, str]:
    """Status and reason of a reminder at the moment of planning."""
    if not slot.outside and (at >= slot.expires_at or at - slot.due_at > STALE_AFTER):
        return Status.EXPIRED, "Planned too late."
    program = slot.program
    reason = (
        _program_says(program, slot.day)
        or _session_says(known.sessions.get((program.pk, slot.day)))
        or ("" if (program.patient_id, point.channel) in known.consents else _no_consent(point))
        or known.suppressed.get((point.channel, outbox.same_address(point.channel, point.address)))
        or (OUTSIDE_HOURS if slot.outside else "")
    )
    return (Status.SUPPRESSED, reason) if reason else (Status.DUE, "")


def _program_says(program: Program, day: dt.date | None) -> str:
    if program.status == Program.Status.ENDED:
        return ENDED
    if program.status == Program.Status.SUSPENDED:
        return SUSPENDED
    return NOT_STARTED if day and day < program.started_on else ""


def _session_says(status: str | None) -> str:
    if status is None:
        return ""
    return SESSION_SKIPPED if status == Session.Status.SKIPPED else SESSION_DONE


def _no_consent(point: ContactPoint) -> str:
    return _NO_CONSENT[Channel(point.channel)]


def _words(
    site: Site, channel: str, language: str, words: dict[tuple[int, str, str], tuple[str, str]]
) -> tuple[str, str]:
    """The message's words, rendered once per site, channel and language."""
    which = (site.pk, channel, language)
    if which not in words:
        words[which] = texts.routine_reminder(site=site, channel=channel, language=language)
    return words[which]
