"""Telling a patient by message that a clinician has changed the routine.

One notice for each version and channel that reminders go by; the key says so, and makes a repeated
request write nothing twice. It says that the routine has changed and where it is, never what has
changed: that stands behind the link. ``docs/editing-a-program.md`` has the rules.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max

from clinic import quiet_hours
from clinic.messaging import outbox, texts
from clinic.models import OutboxMessage
from clinic.models.messaging import Channel
from patients.consenting import own_no
from patients.models import ContactPoint, Patient
from programs import reminder_reasons as why
from programs.models import Program, ProgramVersion, ReminderSchedule
from programs.reminder_facts import Facts, Way, read_facts

KIND = OutboxMessage.Kind.ROUTINE_CHANGED
Standing = ReminderSchedule.Standing

_TOO_LATE_AFTER = dt.timedelta(days=2)
# At the very end of the day's hours the last look might find them over: rather the next morning.
_ROOM = dt.timedelta(minutes=30)
_STANDS_STILL = {Standing.SUSPENDED: why.SUSPENDED, Standing.ENDED: why.ENDED}


@dataclass(frozen=True)
class Telling:
    """How a patient would be told now: to which addresses, and when. Where there is none,
    ``why_not`` says so in sentences for staff."""

    points: tuple[ContactPoint, ...]
    at: dt.datetime
    due_at: dt.datetime
    why_not: str = ""


def how_to_tell(*, program: Program, at: dt.datetime) -> Telling:
    """By which of the ways that reminders go, and when, a change made at ``at`` would be told."""
    patient = program.patient
    due_at = _due_at(patient, at)
    facts = next(
        (each for each in read_facts([patient.pk], at) if each.program.pk == program.pk), None
    )
    reason = _program_says(facts, patient.local_date(due_at))
    if facts is None or reason:
        return Telling((), at, due_at, reason)
    wanted = [way for way in facts.ways if way.point is not None]
    against = {way.channel: _way_says(patient, way) for way in wanted}
    points = tuple(way.point for way in wanted if not against[way.channel])
    if points:
        return Telling(points, at, due_at)
    return Telling((), at, due_at, " ".join(dict.fromkeys(against.values())) or why.NO_ADDRESS)


@transaction.atomic
def tell_of_change(*, version: ProgramVersion, at: dt.datetime) -> list[OutboxMessage]:
    """Write the notices of a version that was just issued; returns those that are new. None where
    the patient may not be written to. Belongs in the transaction that issues the version."""
    telling = how_to_tell(program=version.program, at=at)
    return outbox.write([_draft(version, point, telling) for point in telling.points])


def changed_again(*, version: ProgramVersion, at: dt.datetime) -> int:
    """Notices of earlier versions that wait have lost their sense. Returns how many."""
    program = version.program
    return outbox.hold_back(
        subject=("patient", program.patient_id),
        reason=why.CHANGED_AGAIN,
        at=at,
        kinds=[KIND],
        spare=[_key(version, channel) for channel in Channel.values],
    )


def objections(*, messages: Sequence[OutboxMessage]) -> dict[uuid.UUID, str]:
    """What speaks against notices that speaks against no reminder; ``programs.last_look`` has the
    rest. One question to the database where there are any."""
    ours = {message.pk: _version_of(message) for message in messages if message.kind == KIND}
    if not ours:
        return {}
    programs = {program for program, _number in ours.values()}
    rows = Program.objects.filter(pk__in=programs).values_list(
        "pk", "current_version__number", Max("sessions__version__number")
    )
    found = {pk: (newest, used or 0) for pk, newest, used in rows}
    reasons: dict[uuid.UUID, str] = {}
    for message, (program, number) in ours.items():
        newest, used = found.get(program, (number, 0))
        if newest > number:
            reasons[message] = why.CHANGED_AGAIN
        elif used >= number:
            reasons[message] = why.ALREADY_USED
    return reasons


def _program_says(facts: Facts | None, day: dt.date) -> str:
    if facts is None:
        return why.ENDED
    if facts.standing != Standing.ACTIVE:
        return _STANDS_STILL[Standing(facts.standing)]
    return why.NOT_STARTED if day < facts.program.started_on else ""


def _way_says(patient: Patient, way: Way) -> str:
    no = own_no(patient=patient, channel=way.channel)
    if no is not None:
        return no.said
    if not way.consented:
        return why.NO_CONSENT[Channel(way.channel)]
    assert way.point is not None
    closed = outbox.suppressed_addresses([(way.channel, way.point.address)])
    return next(iter(closed.values()), "")


def _due_at(patient: Patient, at: dt.datetime) -> dt.datetime:
    """Now, or when the site may write to the patient next."""
    site = patient.site
    hours = (patient.zone, site.quiet_start, site.quiet_end)
    if quiet_hours.within(at, *hours) and not quiet_hours.within(at + _ROOM, *hours):
        at += _ROOM
    return quiet_hours.next_allowed(at, *hours)


def _draft(version: ProgramVersion, point: ContactPoint, telling: Telling) -> OutboxMessage:
    patient = version.program.patient
    day = patient.local_date(telling.due_at)
    text = texts.text_for(
        kind=KIND, channel=point.channel, site=patient.site, language=patient.language
    )
    return outbox.draft(
        key=_key(version, point.channel),
        kind=KIND,
        channel=point.channel,
        subject_type="patient",
        subject_id=patient.pk,
        address=point.address,
        text=text,
        due_at=telling.due_at,
        expires_at=telling.due_at + _TOO_LATE_AFTER,
        # To the end of the last day on which it can go out.
        link_expires_at=quiet_hours.local_moment(
            day + _TOO_LATE_AFTER + dt.timedelta(days=1), dt.time(), patient.zone
        ),
        local_date=day,
        at=telling.at,
    )


def _key(version: ProgramVersion, channel: str) -> str:
    return f"{KIND}:{version.program_id}:{version.number}:{channel}"


def _version_of(message: OutboxMessage) -> tuple[uuid.UUID, int]:
    """The program and the number of its version that a notice speaks of, as its key says."""
    _kind, program, number, _channel = outbox.first_key(message.key).split(":")
    return uuid.UUID(program), int(number)
