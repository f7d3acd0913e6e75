"""What keeping answers and deciding on them ask the database, each question written once.

Programs, versions and patients are given by their keys; whoever asks holds the program's lock.
"""

import datetime as dt
import uuid
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, Q, QuerySet, Subquery

from clinic.written_once import written_once
from patients.models import CheckIn, RedFlag
from programs.day_queries import UNREAD
from programs.models import (
    Decision,
    Program,
    ProgramVersion,
    Proposal,
    Session,
)


@written_once
def program_lock(program: uuid.UUID) -> QuerySet[Program, uuid.UUID]:
    """Waits for the lock on the program's row and holds it until the transaction ends."""
    row = Program.objects.filter(pk=program).order_by()
    return row.select_for_update().values_list("pk", flat=True)


@written_once
def whole_program(program: uuid.UUID) -> QuerySet[Program]:
    """With the patient, site, physiotherapist and current version that every verb needs."""
    rows = Program.objects.filter(pk=program).order_by()
    return rows.select_related(
        "patient__site", "patient__physiotherapist", "current_version", "template"
    ).defer(*UNREAD)


@written_once
def answers_kept(patient: uuid.UUID, client_id: uuid.UUID) -> QuerySet[CheckIn]:
    """What a patient's device has sent under this id, where it has arrived before."""
    return CheckIn.objects.filter(client_id=client_id, patient_id=patient).order_by()


@written_once
def session_without_morning(program: uuid.UUID, day: dt.date) -> QuerySet[Session]:
    """The session of a day as long as nobody asked how the morning after it was, with what was
    answered right after it."""
    done = Session.objects.exercised().filter(program_id=program, day=day)
    return done.filter(morning_check_in__isnull=True).select_related("after_check_in")


@written_once
def answers_of(program: uuid.UUID, patient: uuid.UUID, until: dt.date) -> QuerySet[CheckIn]:
    """All check-ins of a program, the oldest first. Answers given before it was assigned belong
    to an earlier one, whatever day it starts."""
    assigned = ProgramVersion.objects.filter(program_id=program, number=1).values("at")[:1]
    started = Program.objects.filter(pk=program).values("started_on")[:1]
    given = CheckIn.objects.filter(
        patient_id=patient, day__gte=Subquery(started), day__lte=until, at__gte=Subquery(assigned)
    )
    return given.order_by("day", "at", "pk")


@written_once
def sessions_until(program: uuid.UUID, day: dt.date) -> QuerySet[Session]:
    return Session.objects.filter(program_id=program, day__lte=day).order_by("day")


@written_once
def steps_of(program: uuid.UUID) -> QuerySet[ProgramVersion, tuple[Any, ...]]:
    """Key, cause, first day of the step, moment and taper of every version, the newest first."""
    versions = ProgramVersion.objects.filter(program_id=program).order_by("-number")
    return versions.values_list("pk", "cause", "step_since", "at", "taper")


@written_once
def stands_on(
    program: uuid.UUID, patient: uuid.UUID, since: dt.date
) -> QuerySet[Program, tuple[list[str], bool]]:
    """The severities of the open red flags, and whether a decision stopped the program on or
    after the day ``since``."""
    flags = RedFlag.objects.open().filter(patient_id=patient).order_by()
    stops = Decision.objects.filter(
        program_id=program, outcome=Decision.Outcome.STOP, day__gte=since
    )
    row = Program.objects.filter(pk=program).order_by()
    return row.values_list(ArraySubquery(flags.values("severity")), Exists(stops))


@written_once
def acted_on(program: uuid.UUID) -> QuerySet[Decision, list[Any]]:
    """Which rules and answers fired in each decision that somebody or something acted on."""
    # However long ago: the last known weeks stay the last ones for as long as nobody answers.
    decisions = Decision.objects.filter(
        Q(handling__in=[Decision.Handling.APPLIED, Decision.Handling.SUSPENDED])
        | Q(proposal__answered_by__isnull=False),
        program_id=program,
    )
    return decisions.order_by().values_list("fired", flat=True)


@written_once
def last_decided(program: uuid.UUID) -> QuerySet[Decision]:
    """The newest decision with what fired, without the evidence."""
    return Decision.objects.filter(program_id=program).defer("evidence")[:1]


@written_once
def open_proposals(program: uuid.UUID) -> QuerySet[Proposal]:
    return Proposal.objects.open().filter(program_id=program)
