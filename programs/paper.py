"""Entering what a patient wrote on paper: past days, known as back-filled, all or nothing.

Every day goes through the same verbs as the patient's own answers; the rules look once, when the
whole paper is in. How old the answers are is told by their days, so that a paper that comes late
holds a program where it is and never raises it.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError

from clinic.audit import record_access
from clinic.models import AccessRecord, User
from clinic.quiet_hours import local_moment
from clinic.roles import May, may
from patients.access import require_staff
from patients.models import CheckIn
from programs.answering import answer_after_session, answer_morning, record_session
from programs.deciding import lock_program, one_decision
from programs.models import Program, Session

# Nobody writes the hour on a paper: an evening and a morning on the patient's clock.
EVENING, MORNING = dt.time(21), dt.time(8)
STANDS_STILL = "Exercising is paused. Answer what stopped it first; then the paper can be entered."


@dataclass(frozen=True)
class PaperDay:
    """One line of the paper. ``after`` and ``morning`` are answers as the check-ins take them, or
    None where nothing was written; ``morning`` is of the day after."""

    day: dt.date
    status: str
    skip_reason: str = ""
    after: Mapping[str, object] | None = None
    morning: Mapping[str, object] | None = None

    @property
    def said(self) -> str:
        return f"{self.day:%A %-d %B}"


@dataclass(frozen=True)
class Entered:
    """What was kept; ``ask`` are the days whose answers call for the safety questions."""

    sessions: list[Session]
    ask: list[dt.date]


def enter_paper(
    *,
    program: Program,
    days: Sequence[PaperDay],
    client_id: uuid.UUID,
    by: User,
    at: dt.datetime,
) -> Entered:
    """Keep the days of a paper. The same ``client_id`` with the same days returns what is kept.

    Raises PermissionDenied for whoever may not read clinical records, and ValidationError, with
    the day in its words, for a day that is recorded already, too long ago, still to come, or
    answered in part, and for a paper sent again with other days; then nothing of the paper is kept.
    """
    if not may(by, May.SEE_CLINICAL):
        raise PermissionDenied("Papers are entered by physiotherapists and managers.")
    require_staff(by, program.patient)
    if not days:
        raise ValidationError("Fill in at least one day.")
    with one_decision(program=program, at=at):
        program = lock_program(program)
        ids = {_id(client_id, line, "session") for line in days}
        known = list(Session.objects.filter(program=program, client_id__in=ids).order_by("day"))
        if known and {session.client_id for session in known} == ids:
            return Entered(known, [])
        if known:
            raise ValidationError(_in_part(known))
        if program.stands_still():
            raise ValidationError(STANDS_STILL)
        sessions, ask = [], []
        for line in sorted(days, key=lambda line: line.day):
            try:
                session, calls = _enter(program, line, client_id, by, at)
            except ValidationError as error:
                words = [f"{line.said}: {message}" for message in error.messages]
                raise ValidationError(words) from None
            sessions.append(session)
            if calls:
                ask.append(line.day)
    return Entered(sessions, ask)


def _enter(
    program: Program, line: PaperDay, client_id: uuid.UUID, by: User, at: dt.datetime
) -> tuple[Session, bool]:
    patient = program.patient
    if line.day >= patient.local_date(at):
        raise ValidationError("Only days that are over are entered from paper.")
    if program.sessions.filter(day=line.day).exists():
        raise ValidationError("This day is recorded already.")
    following = line.day + dt.timedelta(days=1)
    mornings = [CheckIn.Kind.NEXT_MORNING, CheckIn.Kind.DAILY]
    if line.morning and patient.check_ins.filter(day=following, kind__in=mornings).exists():
        raise ValidationError("The morning after is answered already.")
    evening = local_moment(line.day, EVENING, patient.zone)
    session = record_session(
        program=program,
        day=line.day,
        status=line.status,
        skip_reason=line.skip_reason,
        client_id=_id(client_id, line, "session"),
        known=Session.Known.BACK_FILLED,
        at=at,
        given_at=evening,
    )
    _note("session", session.pk, by, at)
    calls = False
    if line.after:
        after = answer_after_session(
            session=session,
            client_id=_id(client_id, line, "after"),
            at=at,
            given_at=evening,
            **line.after,
        )
        _note("check_in", after.check_in.pk, by, at)
        calls = after.ask_red_flags
    if line.morning:
        morning = answer_morning(
            program=program,
            client_id=_id(client_id, line, "morning"),
            at=at,
            given_at=min(at, local_moment(following, MORNING, patient.zone)),
            **line.morning,
        )
        _note("check_in", morning.check_in.pk, by, at)
        calls = calls or morning.ask_red_flags
    return session, calls


def _in_part(known: Sequence[Session]) -> str:
    days = ", ".join(f"{session.day:%A %-d %B}" for session in known)
    return (
        f"This paper was sent before, with other days; {days} "
        f"{'is' if len(known) == 1 else 'are'} kept from it. Nothing more is kept now. "
        "Open the page anew and enter the days that are missing."
    )


def _id(client_id: uuid.UUID, line: PaperDay, what: str) -> uuid.UUID:
    return uuid.uuid5(client_id, f"{line.day.isoformat()}:{what}")


def _note(subject_type: str, pk: object, by: User, at: dt.datetime) -> None:
    """Whose hand it was: the rows themselves say only what the patient answered."""
    record_access(
        actor=by,
        action=AccessRecord.Action.CHANGE,
        subject_type=subject_type,
        subject_id=pk,
        page="paper",
        at=at,
    )
