"""The few facts a patient's day turns on, asked together. Reads only."""

import datetime as dt
from typing import NamedTuple

from clinic.quiet_hours import local_moment
from clinic.written_once import together
from programs import day_queries
from programs.models import Program, Session

# Before this local hour it is still last night: too early for the morning's answers, not too
# late for those after a session before midnight.
NIGHT_ENDS = dt.time(4)


class DayFacts(NamedTuple):
    """``open_flags`` are the severities of the open red flags. ``screened_at`` is when the
    red-flag questions were answered last, None for never; ``pulled_since`` whether a pull was felt
    in a session since then. ``morning_answered`` is of the local day, ``appointment_planned`` of
    any time to come. ``lately`` are the sessions of the day and the day before, by day."""

    open_flags: list[str]
    morning_answered: bool
    screened_at: dt.datetime | None
    pulled_since: bool
    appointment_planned: bool
    lately: dict[dt.date, Session]


def facts_of(program: Program, at: dt.datetime) -> DayFacts:
    """As they stand in the database; ``at`` is now. One round to it."""
    patient = program.patient
    day = patient.local_date(at)
    morning = morning_of(program, day)
    [facts], lately = together(
        day_queries.day_facts.about(program.pk, patient.pk, day, morning, at),
        day_queries.sessions_between.about(program.pk, day - dt.timedelta(days=1), day),
    )
    for session in lately:
        session.program = program
    return DayFacts(*facts, {session.day: session for session in lately})


def morning_of(program: Program, day: dt.date) -> dt.datetime:
    """When the night before this local day of the patient is over."""
    return local_moment(day, NIGHT_ENDS, program.patient.zone)
