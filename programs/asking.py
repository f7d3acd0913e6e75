"""Which answers call for the red-flag questions (clinical content, §3)."""

import datetime as dt

from patients.models import CheckIn
from programs import day_queries
from programs.day_facts import DayFacts, facts_of
from programs.models import Program

EVERY = dt.timedelta(days=7)
SEVERE_PAIN = 8
NOTEWORTHY_RISE = 2


def calls_for_questions(check_in: CheckIn, pain_before: int | None = None) -> bool:
    """Whenever pain is 8 or more, rose by 2 or more, or a one-sided pull is reported.

    ``pain_before`` (0 to 10) is the pain before the session that a morning's answers are about;
    answers right after a session say it themselves.
    """
    pains = (
        check_in.usual_pain,
        check_in.pain_before,
        check_in.pain_during,
        check_in.pain_this_morning,
    )
    if any(pain is not None and pain >= SEVERE_PAIN for pain in pains):
        return True
    if check_in.soreness == CheckIn.Soreness.ONE_SIDED:
        return True
    before = pain_before if check_in.pain_before is None else check_in.pain_before
    later = [p for p in (check_in.pain_during, check_in.pain_this_morning) if p is not None]
    return before is not None and any(pain - before >= NOTEWORTHY_RISE for pain in later)


def questions_due(program: Program, at: dt.datetime, facts: DayFacts | None = None) -> bool:
    """Whether the questions come before the next routine: once a week, and until they are
    answered after a routine or a check-in that called for them, on whatever device that was.

    ``facts`` are those of the day where the caller knows them already.
    """
    facts = facts or facts_of(program, at)
    asked = facts.screened_at
    if asked is None or at - asked >= EVERY or facts.pulled_since:
        return True
    since = day_queries.answers_given(program.patient_id, asked, at)
    return any(calls_for_questions(given, given.pain_before_session) for given in since)
