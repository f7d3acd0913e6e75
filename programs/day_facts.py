"""The few facts a patient's day turns on, asked together. Reads only."""

import datetime as dt
from typing import NamedTuple

from clinic.quiet_hours import local_moment
from programs import day_queries
from programs.models import Program

# Before this local hour it is still last night: too early for the morning's answers, not too
# late for those after a session before midnight.
NIGHT_ENDS = dt.time(4)


class DayFacts(NamedTuple):
    """``open_flags`` are the severities of the open red flags. ``screened_at`` is when the
    red-flag questions were answered last, None for never; ``pulled_since`` whether a pull was felt
    in a session since then. ``morning_answered`` is of the local day, ``appointment_planned`` of
    any time to come."""

    open_flags: list[str]
    morning_answered: bool
    screened_at: dt.datetime | None
    pulled_since: bool
    appointment_planned: bool


def facts_of(program: Program, at: dt.datetime) -> DayFacts:
    """As they stand in the database; ``at`` is now. One query."""
    patient = program.patient
    day = patient.local_date(at)
    morning = morning_of(program, day)
    return DayFacts(*day_queries.day_facts(program.pk, program.patient_id, day, morning, at)[0])


def morning_of(program: Program, day: dt.date) -> dt.datetime:
    """When the night before this local day of the patient is over."""
    return local_moment(day, NIGHT_ENDS, program.patient.zone)
