"""What a patient reports: a session, and how the back answered.

Every door (pages, API, a text message) calls these. Each writes the answer and lets the rules
look at it in the same transaction: what the patient is told is saved is saved.
"""

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction

from patients.checking_in import record_check_in
from patients.models import CheckIn
from programs.deciding import consider_locked, lock_program
from programs.models import Decision, Program, Session
from programs.today import routine_for

STOPPED = "Your exercises are paused. Please follow the advice on the first page."
# A session may be reported late, but not so late that nobody remembers it.
BACK_FILL_DAYS = 7
SEVERE_PAIN = 8
NOTEWORTHY_RISE = 2


@dataclass(frozen=True)
class Answered:
    """A kept check-in, what the rules said of it, and whether the red-flag questions come next."""

    check_in: CheckIn
    decision: Decision | None
    ask_red_flags: bool


@transaction.atomic
def record_session(
    *,
    program: Program,
    day: dt.date,
    status: str,
    client_id: uuid.UUID,
    known: str,
    at: dt.datetime,
    skip_reason: str = "",
    done: Collection[str] | None = None,
) -> Session:
    """Keep what became of one day's routine.

    ``done`` names the exercises that were done, all of them when left out. A replay returns the
    session that is kept; a skipped or partly done session may still become a fuller one.
    """
    program = lock_program(program)
    kept = Session.objects.filter(client_id=client_id).first()
    if kept is not None:
        if kept.program_id != program.pk:
            raise ValidationError("This session belongs to somebody else.")
        return kept
    _refuse_session(program, day, status, skip_reason, known, at)
    items = _items(program, day, status, done)
    session = program.sessions.filter(day=day).first()
    if session is not None and _fullness(status) <= _fullness(session.status):
        return session
    if session is None:
        session = Session(program=program, day=day, client_id=client_id)
    session.version, session.status, session.known = program.current_version, status, known
    session.skip_reason, session.items, session.at = skip_reason, items, at
    session.save()
    if status == Session.Status.SKIPPED:
        consider_locked(program=program, at=at)
    return session


@transaction.atomic
def answer_after_session(
    *, session: Session, client_id: uuid.UUID, at: dt.datetime, **answers: object
) -> Answered:
    """Keep the answers given right after a session, and let the rules look at them."""
    program = lock_program(session.program)
    session = Session.objects.select_related("after_check_in").get(pk=session.pk)
    kept = session.after_check_in
    if kept is None:
        _refuse_stopped(program)
        if session.status == Session.Status.SKIPPED:
            raise ValidationError("This session was skipped, so there is nothing to ask about it.")
        _refuse_unknown_exercise(answers, {item["exercise"] for item in session.items})
        kept = record_check_in(
            patient=program.patient,
            kind=CheckIn.Kind.AFTER_SESSION,
            client_id=client_id,
            day=session.day,
            at=at,
            **answers,
        )
        session.after_check_in = kept
        session.save(update_fields=["after_check_in"])
    decision = consider_locked(program=program, at=at) or program.decisions.first()
    return Answered(kept, decision, _ask_red_flags(kept, session))


@transaction.atomic
def answer_morning(
    *, program: Program, client_id: uuid.UUID, at: dt.datetime, **answers: object
) -> Answered:
    """Keep the morning's answers: the next-morning check-in of yesterday's session where there
    was one, else a daily check-in."""
    program = lock_program(program)
    patient = program.patient
    today = patient.local_date(at)
    kept = CheckIn.objects.filter(client_id=client_id, patient=patient).first()
    session = None
    if kept is None:
        _refuse_stopped(program)
        _refuse_unknown_exercise(
            answers,
            set(program.current_version.prescriptions.values_list("exercise__slug", flat=True)),
        )
        session = (
            program.sessions.exercised()
            .filter(day=today - dt.timedelta(days=1), morning_check_in__isnull=True)
            .select_related("after_check_in")
            .first()
        )
        kept = record_check_in(
            patient=patient,
            kind=CheckIn.Kind.NEXT_MORNING if session else CheckIn.Kind.DAILY,
            client_id=client_id,
            day=today,
            at=at,
            **answers,
        )
        if session is not None:
            session.morning_check_in = kept
            session.save(update_fields=["morning_check_in"])
    else:
        session = Session.objects.filter(morning_check_in=kept).first()
    decision = consider_locked(program=program, at=at) or program.decisions.first()
    return Answered(kept, decision, _ask_red_flags(kept, session))


def _refuse_stopped(program: Program) -> None:
    if program.status == Program.Status.ENDED:
        raise ValidationError("This program has ended.")
    if program.status != Program.Status.ACTIVE or program.patient.red_flags.open().exists():
        raise ValidationError(STOPPED)


def _refuse_session(
    program: Program, day: dt.date, status: str, skip_reason: str, known: str, at: dt.datetime
) -> None:
    _refuse_stopped(program)
    today = program.patient.local_date(at)
    found: dict[str, str] = {}
    if status not in Session.Status.values:
        found["status"] = "Choose done, partly or skipped."
    if known not in Session.Known.values:
        found["known"] = "Say how the session is known."
    if day > today:
        found["day"] = "This day has not come yet."
    elif day < max(program.started_on, today - dt.timedelta(days=BACK_FILL_DAYS)):
        found["day"] = "This day is too long ago."
    if status == Session.Status.SKIPPED and skip_reason not in Session.SkipReason.values:
        found["skip_reason"] = "Choose what kept you from it."
    if status != Session.Status.SKIPPED and skip_reason:
        found["skip_reason"] = "A reason belongs to a skipped session only."
    if found:
        raise ValidationError(found)


def _items(
    program: Program, day: dt.date, status: str, done: Collection[str] | None
) -> list[dict[str, object]]:
    asked_for = routine_for(program=program, day=day)
    slugs = {item.exercise.slug for item in asked_for}
    unknown = set(done or ()) - slugs
    if unknown:
        raise ValidationError({"done": f"“{sorted(unknown)[0]}” is not in this day’s routine."})
    if status == Session.Status.SKIPPED:
        did: set[str] = set()
    else:
        did = slugs if done is None else set(done)
    return [
        {
            "exercise": item.exercise.slug,
            "level": item.prescription.level,
            "sets": item.prescription.sets,
            "reps": item.prescription.reps,
            "hold_s": item.prescription.hold_s,
            "loaded": item.level.loaded,
            "done": item.exercise.slug in did,
        }
        for item in asked_for
    ]


def _fullness(status: str) -> int:
    return [Session.Status.SKIPPED, Session.Status.PARTLY, Session.Status.DONE].index(
        Session.Status(status)
    )


def _refuse_unknown_exercise(answers: dict[str, object], known: set[str]) -> None:
    if answers.get("exercise") and answers["exercise"] not in known:
        raise ValidationError({"exercise": "This exercise is not in your routine."})


def _ask_red_flags(check_in: CheckIn, session: Session | None) -> bool:
    """Whenever pain is 8 or more, rose by 2 or more, or a one-sided pull is reported."""
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
