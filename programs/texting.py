"""What a patient reports by text message: the day's routine done, and how much it usually hurts.

It goes through the same verbs as the pages, so that the rules see it and the safety questions
follow. While exercises are paused nothing is taken in this way: a person reads it.
"""

import datetime as dt
import uuid

from django.core.exceptions import ValidationError
from django.db import transaction

from clinic.messaging.persons import Person
from clinic.models import IncomingText
from clinic.quiet_hours import local_moment
from patients.checking_in import record_check_in
from patients.models import CheckIn, Patient
from programs.answering import Answered, record_session
from programs.asking import calls_for_questions
from programs.day_facts import morning_of
from programs.deciding import consider_locked, lock_program
from programs.models import Program, Session
from programs.today import program_for

Meaning = IncomingText.Meaning
_TEXTS = uuid.UUID("7e87e000-0000-4000-8000-000000000000")


def act_on_text(
    *, text: IncomingText, person: Person, pain: int | None, at: dt.datetime
) -> str | None:
    """Do what the text says; the purpose of the reply, or None when a person has to read it."""
    kind, key = person.subject
    patient = Patient.objects.filter(pk=key).first() if kind == "patient" else None
    program = program_for(patient) if patient is not None else None
    if program is None:
        return None
    if program.stands_still():
        return "paused"
    if text.meaning == Meaning.DONE:
        return _done(program, text, at)
    if text.meaning == Meaning.PAIN and pain is not None:
        answered = record_pain(program=program, pain=pain, client_id=_id_of(text), at=at)
        return "questions" if answered.ask_red_flags else "saved"
    return None


@transaction.atomic
def record_pain(*, program: Program, pain: int, client_id: uuid.UUID, at: dt.datetime) -> Answered:
    """Keep usual pain today (0-10) as a check-in by text, and let the rules look at it.

    It stands beside the morning's check-in and does not take its place. Raises ValidationError
    while the program stands still.
    """
    program = lock_program(program)
    if program.stands_still():
        raise ValidationError("The exercises are paused.")
    kept = record_check_in(
        patient=program.patient,
        kind=CheckIn.Kind.TEXT,
        client_id=client_id,
        day=program.patient.local_date(at),
        at=at,
        usual_pain=pain,
    )
    decision = consider_locked(program=program, at=at) or program.decisions.first()
    return Answered(kept, decision, calls_for_questions(kept))


def _done(program: Program, text: IncomingText, at: dt.datetime) -> str:
    try:
        session = record_session(
            program=program,
            day=_day_meant(program, at),
            status=Session.Status.DONE,
            client_id=_id_of(text),
            known=Session.Known.SELF_REPORTED,
            at=at,
        )
    except ValidationError:
        # A day without a routine: before the first, or with nothing in it.
        return "nothing_due"
    return "done" if session.after_check_in_id is None else "saved"


def _day_meant(program: Program, at: dt.datetime) -> dt.date:
    """Today; in the night the day just gone, unless that one was done before the night began."""
    patient = program.patient
    today = patient.local_date(at)
    yesterday = today - dt.timedelta(days=1)
    if at >= morning_of(program, today) or yesterday < program.started_on:
        return today
    midnight = local_moment(today, dt.time(), patient.zone)
    evening = program.sessions.exercised().filter(day=yesterday, at__lt=midnight)
    return today if evening.exists() else yesterday


def _id_of(text: IncomingText) -> uuid.UUID:
    return uuid.uuid5(_TEXTS, str(text.pk))
