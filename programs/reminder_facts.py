"""What the record says that reminders depend on, read for many programs at once. Reads only."""

import dataclasses
import datetime as dt
import uuid
from collections.abc import Collection, Iterator, Mapping

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Subquery

from clinic.models.messaging import Channel
from clinic.quiet_hours import local_moment
from patients.models import CheckIn, Consent, ContactPoint, Patient, RedFlag
from programs import cadence
from programs.asked_for import weekdays_asked
from programs.models import Program, ProgramVersion, ReminderPlace, ReminderSchedule, Session
from programs.models.reminder import rhythm_of

Standing = ReminderSchedule.Standing


@dataclasses.dataclass(frozen=True)
class Way:
    """One channel of a patient: the first address that wants reminders, if any does."""

    channel: str
    point: ContactPoint | None
    consented: bool
    rhythm: cadence.Rhythm | None


@dataclasses.dataclass(frozen=True)
class Facts:
    """What the schedule copies of one program, read for many at once by ``read_facts``."""

    program: Program
    standing: int
    assigned_at: dt.datetime
    answered_on: dt.date | None
    heard: cadence.Heard
    session_on: dt.date | None
    session_skipped: bool
    ways: tuple[Way, ...]
    # From which day the routine falls on which weekdays only.
    asked: tuple[tuple[dt.date, int], ...] = ()

    @property
    def heard_on(self) -> dt.date:
        return self.heard.day

    def span(self, silent_on: dt.date | None = None) -> cadence.Span:
        program = self.program
        return cadence.Span(program.started_on, program.ended_on, silent_on, self.asked)


def of_interest(programs: QuerySet[Program], at: dt.datetime) -> QuerySet[Program]:
    waiting = ReminderPlace.objects.filter(program=OuterRef("pk"))
    return programs.filter(
        ~Q(status=Program.Status.ENDED)
        | Q(ended_on__gte=at.date() - dt.timedelta(days=2))
        | Exists(waiting)
    )


def read_facts(patients: Collection[uuid.UUID], at: dt.datetime) -> Iterator[Facts]:
    """The facts of every program of these patients that may owe a reminder; few queries."""
    sessions = Session.objects.filter(program=OuterRef("pk")).order_by("-day")
    check_ins = CheckIn.objects.filter(patient=OuterRef("patient")).order_by()
    versions = ProgramVersion.objects.filter(program=OuterRef("pk"))
    programs = (
        of_interest(Program.objects.filter(patient__in=patients), at)
        .select_related("patient__site")
        .annotate(
            flagged=Exists(RedFlag.objects.open().filter(patient=OuterRef("patient"))),
            assigned_at=Subquery(versions.filter(number=1).values("at")[:1]),
            reopened_at=Subquery(
                versions.filter(cause=ProgramVersion.Cause.REOPENED)
                .order_by("-number")
                .values("at")[:1]
            ),
            session_on=Subquery(sessions.values("day")[:1]),
            session_status=Subquery(sessions.values("status")[:1]),
            session_at=Subquery(sessions.order_by("-at").values("at")[:1]),
            check_in_on=Subquery(check_ins.values("patient").values(last=Max("day"))),
            check_in_at=Subquery(check_ins.values("patient").values(last=Max("at"))),
            taper=F("current_version__taper"),
        )
    )
    points: dict[tuple[uuid.UUID, str], ContactPoint] = {}
    for point in ContactPoint.objects.filter(patient__in=patients, reminders=True):
        # The first of a channel is the one written to.
        points.setdefault((point.patient_id, point.channel), point)
    consents = set(
        Consent.objects.active()
        .filter(patient__in=patients, purpose__in=Channel.values)
        .values_list("patient_id", "purpose")
    )
    for program in programs:
        yield _facts(program, points, consents)


def _facts(
    program: Program,
    points: Mapping[tuple[uuid.UUID, str], ContactPoint],
    consents: Collection[tuple[uuid.UUID, str]],
) -> Facts:
    patient = program.patient
    # An answer given late for an earlier day is an answer of the day on which it was given.
    answered = [program.session_on, program.check_in_on]
    answered += [at and patient.local_date(at) for at in (program.session_at, program.check_in_at)]
    answered_on = max((day for day in answered if day), default=None)
    reopened = program.reopened_at and patient.local_date(program.reopened_at)
    heard_on = max(day for day in (program.started_on, answered_on, reopened) if day)
    assigned_at = program.assigned_at or dt.datetime.combine(
        program.started_on, dt.time(), tzinfo=dt.UTC
    )
    # A start asks for an answer on its own day; an answer has answered the reminder of its day.
    waits_from = max(assigned_at, program.reopened_at or assigned_at)
    if answered_on == heard_on:
        waits_from = local_moment(heard_on + dt.timedelta(days=1), dt.time(), patient.zone)
    standing = Standing.ACTIVE
    if program.status == Program.Status.ENDED:
        standing = Standing.ENDED
    elif program.flagged or program.status == Program.Status.SUSPENDED:
        standing = Standing.SUSPENDED
    return Facts(
        program=program,
        standing=standing,
        assigned_at=assigned_at,
        answered_on=answered_on,
        heard=cadence.Heard(heard_on, waits_from),
        session_on=program.session_on,
        session_skipped=program.session_status == Session.Status.SKIPPED,
        ways=tuple(
            _way(patient, channel, points.get((patient.pk, channel)), consents)
            for channel in Channel.values
        ),
        asked=weekdays_asked(program.taper or [], started_on=program.started_on),
    )


def _way(
    patient: Patient,
    channel: str,
    point: ContactPoint | None,
    consents: Collection[tuple[uuid.UUID, str]],
) -> Way:
    rhythm = point and rhythm_of(
        patient.time_zone,
        point.reminder_time,
        point.reminder_days,
        patient.site,
        point.second_nudge,
    )
    return Way(channel, point, (patient.pk, channel) in consents, rhythm)
