"""What the pages of a patient's day ask the database, each question written once.

Programs, versions and patients are given by their keys. Whoever asks keeps what comes back: nothing
here remembers an answer.
"""

import datetime as dt
import uuid
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, QuerySet, Subquery

from clinic.written_once import all_but, written_once
from patients.models import Appointment, CheckIn, RedFlag, RedFlagScreening
from programs.happened import PULL
from programs.models import (
    Decision,
    HabitTask,
    Prescription,
    Program,
    ProgramTemplate,
    Session,
)

# What a running program never asks of its template, for ``defer``.
UNREAD = [f"template__{name}" for name in all_but(ProgramTemplate, "slug", "name", "habits")]
# What a check-in may hold that calls for the red-flag questions (programs.asking).
CALLING = ("usual_pain", "pain_before", "pain_during", "pain_this_morning", "soreness")


@written_once
def running_program(patient: uuid.UUID) -> QuerySet[Program]:
    """With what every page needs of it; of the template only what a running program asks for."""
    running = Program.objects.running().filter(patient_id=patient)
    return running.select_related("current_version", "template").defer(*UNREAD)[:1]


@written_once
def sessions_between(program: uuid.UUID, first: dt.date, last: dt.date) -> QuerySet[Session]:
    return Session.objects.filter(program_id=program, day__range=(first, last)).order_by()


@written_once
def newest_decision(program: uuid.UUID) -> QuerySet[Decision]:
    """Without what it was decided on, which is long and seldom read."""
    return Decision.objects.filter(program_id=program).defer("evidence", "fired")[:1]


@written_once
def prescriptions(version: int) -> QuerySet[Prescription]:
    return Prescription.objects.filter(version_id=version).order_by("order")


@written_once
def day_facts(
    program: uuid.UUID,
    patient: uuid.UUID,
    day: dt.date,
    morning: dt.datetime,
    now: dt.datetime,
) -> QuerySet[Program, tuple[Any, ...]]:
    """What a day turns on, in the order of ``programs.day_facts.DayFacts``.

    ``morning`` is when the day's morning begins.
    """
    flags = RedFlag.objects.open().filter(patient_id=patient).order_by()
    kinds = [CheckIn.Kind.NEXT_MORNING, CheckIn.Kind.DAILY]
    answers = CheckIn.objects.filter(patient_id=patient, day=day, at__gte=morning, kind__in=kinds)
    screened = RedFlagScreening.objects.filter(patient_id=patient).order_by("-at").values("at")[:1]
    pulled = Session.objects.filter(
        program_id=program, at__gt=Subquery(screened), at__lte=now, items__contains=[{"felt": PULL}]
    )
    planned = Appointment.objects.filter(
        patient_id=patient, status=Appointment.Status.PLANNED, ends_at__gt=now
    )
    return Program.objects.filter(pk=program).values_list(
        ArraySubquery(flags.values("severity")),
        Exists(answers),
        Subquery(screened),
        Exists(pulled),
        Exists(planned),
    )


@written_once
def answers_given(patient: uuid.UUID, after: dt.datetime, until: dt.datetime) -> QuerySet[CheckIn]:
    """Check-ins, each with the pain before the session that it is about (``pain_before_session``)
    where it is a morning's."""
    given = CheckIn.objects.filter(patient_id=patient, at__gt=after, at__lte=until).order_by()
    asked_for = given.only(*CALLING)
    return asked_for.annotate(pain_before_session=F("morning_after__after_check_in__pain_before"))


@written_once
def habit(slug: str) -> QuerySet[HabitTask]:
    return HabitTask.objects.filter(slug=slug)
