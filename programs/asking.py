"""Which answers call for the red-flag questions (clinical content, §3)."""

import datetime as dt

from patients.models import CheckIn
from programs.happened import felt_a_pull
from programs.models import Program, Session

EVERY = dt.timedelta(days=7)
SEVERE_PAIN = 8
NOTEWORTHY_RISE = 2


def calls_for_questions(check_in: CheckIn, session: Session | None) -> bool:
    """Whenever pain is 8 or more, rose by 2 or more, or a one-sided pull is reported.

    ``session`` is the one the answers are about, None for a daily check-in.
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
    before = check_in.pain_before
    if before is None and session is not None and session.after_check_in is not None:
        before = session.after_check_in.pain_before
    later = [p for p in (check_in.pain_during, check_in.pain_this_morning) if p is not None]
    return before is not None and any(pain - before >= NOTEWORTHY_RISE for pain in later)


def questions_due(program: Program, at: dt.datetime) -> bool:
    """Whether the questions come before the next routine: once a week, and until they are
    answered after a routine or a check-in that called for them, on whatever device that was."""
    patient = program.patient
    asked = patient.red_flag_screenings.order_by("-at").values_list("at", flat=True).first()
    if asked is None or at - asked >= EVERY:
        return True
    if any(felt_a_pull(s.items) for s in program.sessions.filter(at__gt=asked, at__lte=at)):
        return True
    since = patient.check_ins.filter(at__gt=asked, at__lte=at).select_related(
        "after_session__after_check_in", "morning_after__after_check_in"
    )
    return any(calls_for_questions(check_in, _session_of(check_in)) for check_in in since)


def _session_of(check_in: CheckIn) -> Session | None:
    return getattr(check_in, "after_session", None) or getattr(check_in, "morning_after", None)
