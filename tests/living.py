"""Lives a patient's days through the same functions that the pages call."""

import datetime as dt
import uuid

from programs.answering import Answered, answer_after_session, answer_morning, record_session
from programs.models import Program, Session
from tests.conftest import MONDAY

GOOD_AFTER = {
    "pain_before": 2,
    "pain_during": 2,
    "effort": 5,
    "form_kept": True,
    "stiffer_after": False,
    "neck_tension": False,
    "soreness": "none",
}
GOOD_MORNING = {"pain_this_morning": 2, "usual_pain": 2, "soreness": "none", "feels_safe": 8}


def at_day(number: int, hour: int = 9) -> dt.datetime:
    """Nine o'clock (UTC) on the program's day ``number``, counted from 0."""
    return MONDAY.replace(hour=hour) + dt.timedelta(days=number)


def do_session(program: Program, number: int, **answers) -> Answered:
    session = report_session(program, number)
    return answer_after_session(
        session=session,
        client_id=uuid.uuid4(),
        at=at_day(number, 18),
        **{**GOOD_AFTER, **answers},
    )


def report_session(program: Program, number: int, **options) -> Session:
    at = at_day(number, 17)
    return record_session(
        program=program,
        **{
            "day": program.patient.local_date(at),
            "status": "done",
            "client_id": uuid.uuid4(),
            "known": "timed",
            "at": at,
            **options,
        },
    )


def do_morning(program: Program, number: int, **answers) -> Answered:
    return answer_morning(
        program=program,
        client_id=uuid.uuid4(),
        at=at_day(number),
        **{**GOOD_MORNING, **answers},
    )


def live_well(program: Program, first: int, last: int) -> Answered | None:
    """Good days ``first`` to ``last``: a check-in every morning, a session every evening."""
    answered = None
    for number in range(first, last + 1):
        program.refresh_from_db()
        if number > 0:
            answered = do_morning(program, number)
        do_session(program, number)
    return answered
