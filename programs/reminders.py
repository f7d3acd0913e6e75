"""Reminders: planned once in the patient's own time, held back when they lose their sense.

One message per program, local day of the patient, channel and kind; the key says so, and makes
planning repeatable: late, twice, or from two places at once. ``docs/reminders.md`` has the rules.
"""

import dataclasses
import datetime as dt
import heapq
import itertools
import uuid
from collections.abc import Iterator, Sequence

from django.db.models import QuerySet

from clinic.messaging import outbox
from clinic.models import OutboxMessage
from clinic.models.messaging import Channel
from clinic.written_once import written_once
from patients.models import Patient
from programs import cadence, last_look, planning, scheduling, telling
from programs import reminder_reasons as why
from programs.models import Program, ReminderSchedule, Session
from programs.planning import PlanReport
from programs.reminder_facts import Facts, Way, read_facts
from programs.reminder_reasons import (
    ENDED,
    OUTSIDE_HOURS,
    SESSION_DONE,
    SESSION_SKIPPED,
    SUSPENDED,
    TURNED_OFF,
)

__all__ = [
    "ENDED",
    "OUTSIDE_HOURS",
    "SESSION_DONE",
    "SESSION_SKIPPED",
    "SUSPENDED",
    "TURNED_OFF",
    "PlanReport",
    "Upcoming",
    "follow_changes",
    "key_for",
    "objections",
    "plan_reminders",
    "reconcile",
    "upcoming",
]

follow_changes = scheduling.follow_changes
reconcile = scheduling.reconcile

# What asks a patient to answer.
_ASKING = [OutboxMessage.Kind.SECOND_NUDGE, OutboxMessage.Kind.SILENCE]


def objections(*, messages: Sequence[OutboxMessage], at: dt.datetime) -> dict[uuid.UUID, str]:
    """Why each of these reminders and notices must not go out at ``at``; the others are left
    out."""
    found = telling.objections(messages=messages)
    return found | last_look.objections(messages=messages, at=at)


def key_for(
    program_id: uuid.UUID,
    day: dt.date,
    channel: str,
    kind: str = OutboxMessage.Kind.ROUTINE_REMINDER,
) -> str:
    return f"{kind}:{program_id}:{day.isoformat()}:{channel}"


def plan_reminders(*, at: dt.datetime) -> PlanReport:
    """Write every reminder whose moment has come, once, with its reason if it is not sent.

    After hours or days in which nobody planned, what is too late by then is written as such.
    """
    follow_changes(at=at)
    return planning.plan_due(at=at)


# --- what comes next -----------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Upcoming:
    """A message to come. ``local`` is its time on the patient's clocks."""

    at: dt.datetime
    local: dt.datetime
    day: dt.date
    channel: str
    kind: str
    address: str

    @property
    def channel_word(self) -> str:
        return str(Channel(self.channel).label)


def upcoming(*, patient: Patient, at: dt.datetime, count: int = 7) -> list[Upcoming]:
    """The next ``count`` messages to this patient as things stand, soonest first.

    What nothing would come of is left out: channels without consent or to a suppressed address,
    and everything while the program is not active.
    """
    facts = next(read_facts([patient.pk], at), None)
    if facts is None or facts.standing != ReminderSchedule.Standing.ACTIVE:
        return []
    rows = scheduling.rows_of([facts.program.pk])
    silent_on = scheduling.silent_day_of(facts, rows, at)
    carrier = scheduling.carrier_of(facts, rows, silent_on, at)
    suppressed = outbox.suppressed_addresses(
        (way.channel, way.point.address) for way in facts.ways if way.point
    )
    streams = [
        _stream(patient, facts, way, silent_on if way.channel == carrier else None, at)
        for way in facts.ways
        if way.rhythm
        and way.consented
        and (way.channel, outbox.same_address(way.channel, way.point.address)) not in suppressed
    ]
    merged = heapq.merge(*streams, key=lambda one: (one.at, one.channel))
    return list(itertools.islice(merged, count))


def _stream(
    patient: Patient,
    facts: Facts,
    way: Way,
    silent_on: dt.date | None,
    at: dt.datetime,
) -> Iterator[Upcoming]:
    today = patient.local_date(at)
    planned = set(
        OutboxMessage.objects.about("patient", patient.pk)
        .filter(local_date__gte=today - dt.timedelta(days=1), channel=way.channel)
        .values_list("key", flat=True)
    )
    for event in cadence.events(way.rhythm, facts.span(silent_on), at):
        if cadence.moments_of(way.rhythm, event.day).outside:
            if event.day > today + dt.timedelta(days=7):
                # An hour that the site has closed since: it will not open again by itself.
                return
            continue
        if key_for(facts.program.pk, event.day, way.channel, event.kind) in planned:
            continue
        if event.day == today and _needless(facts, event):
            continue
        yield Upcoming(
            at=event.at,
            local=event.at.astimezone(patient.zone),
            day=event.day,
            channel=way.channel,
            kind=event.kind,
            address=way.point.address,
        )


def _needless(facts: Facts, event: cadence.Event) -> bool:
    """Whether what is known of the day already makes its message needless."""
    if facts.session_on == event.day:
        return True
    return event.kind != cadence.ROUTINE and facts.answered_on == event.day


# --- what waits and has lost its sense -----------------------------------------------------------


def session_recorded(*, session: Session, at: dt.datetime) -> int:
    """Today's session is known: nothing that waits has to remind of it, and where it was done
    with the version in force, nothing has to tell of that. Returns how many."""
    patient = session.program.patient
    if session.day != patient.local_date(at):
        return 0
    skipped = session.status == Session.Status.SKIPPED
    reason = why.SESSION_SKIPPED if skipped else why.SESSION_DONE
    is_current = session.version_id == session.program.current_version_id
    kinds = OutboxMessage.REMINDERS if is_current else OutboxMessage.PLANNED
    return outbox.hold_back(subject=("patient", patient.pk), reason=reason, at=at, kinds=kinds)


def answer_recorded(*, patient: Patient, at: dt.datetime) -> int:
    """The patient has been heard from: neither nudge nor kind message is needed now."""
    if not _asking(str(patient.pk), at - outbox.LONGEST_LIFE):
        return 0
    return outbox.hold_back(
        subject=("patient", patient.pk),
        reason=why.ANSWERED,
        at=at,
        kinds=_ASKING,
    )


@written_once
def _asking(patient: str, since: dt.datetime) -> QuerySet[OutboxMessage, uuid.UUID]:
    """Messages under way that ask a patient to answer: their keys, at most one."""
    under_way = [OutboxMessage.Status.DUE, OutboxMessage.Status.CLAIMED]
    messages = OutboxMessage.objects.about("patient", patient)
    asking = messages.filter(kind__in=_ASKING, status__in=under_way, due_at__gt=since)
    return asking.order_by().values_list("pk", flat=True)[:1]


def program_stands_still(*, program: Program, at: dt.datetime) -> int:
    """Suspended or ended: nothing that waits goes out any more."""
    ended = program.status == Program.Status.ENDED
    return outbox.hold_back(
        subject=("patient", program.patient_id),
        reason=why.ENDED if ended else why.SUSPENDED,
        at=at,
    )
