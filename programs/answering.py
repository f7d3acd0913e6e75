"""What a patient reports: a session, and how the back answered.

Every door (pages, API, a text message) calls these. Each writes the answer and lets the rules
look at it in the same transaction: what the patient is told is saved is saved.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.written_once import together
from patients.checking_in import USED, record_check_in
from patients.late import LATE_DAYS, moment_given, too_late
from patients.models import CheckIn
from patients.models.safety import open_severities
from programs import happened, reminders, rule_queries
from programs.asking import calls_for_questions
from programs.day_facts import NIGHT_ENDS
from programs.deciding import consider_locked, lock_program
from programs.models import Decision, Program, ProgramVersion, Session
from programs.today import routine_for

STOPPED = gettext_lazy("Your exercises are paused. Please follow the advice on the first page.")
# A session may be reported late, but not so late that nobody remembers it.
BACK_FILL_DAYS = LATE_DAYS


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
    given_at: dt.datetime | None = None,
    skip_reason: str = "",
    done: Collection[str] | None = None,
    how: Mapping[str, str] | None = None,
) -> Session:
    """Keep what became of one day's routine.

    ``done`` names the exercises that were done. Left out, it is all of them for a done session
    and none that is known for a partly done one. ``how`` says more in its place: per exercise one
    of ``happened.ALL``. Where it is said of a partly done session, something of it was done, or
    tried until it hurt. A replay returns the session that is kept; a skipped or partly done
    session may still become a fuller one. ``given_at`` is when the patient said so, where that was
    before ``at``.
    """
    program = lock_program(program)
    kept = Session.objects.filter(client_id=client_id).first()
    if kept is not None:
        if kept.program_id != program.pk:
            raise ValidationError(_("This session belongs to somebody else."))
        if not _done_after_all(kept, day, status):
            return kept
    moment = moment_given(given_at, at=at)
    _refuse_stopped(program, moment)
    _refuse_session(program, day, status, skip_reason, known, at)
    session = program.sessions.filter(day=day).first()
    version, asked = _asked_for(program, day, session, at)
    items = _items(asked, status, done, how)
    if session is not None and _fullness(status) <= _fullness(session.status):
        return session
    if session is None:
        session = Session(program=program, day=day, client_id=client_id)
    session.version, session.status, session.known = version, status, known
    session.skip_reason, session.items, session.at = skip_reason, items, moment
    session.save()
    reminders.session_recorded(session=session, at=at)
    if status == Session.Status.SKIPPED:
        consider_locked(program=program, at=at)
    return session


@transaction.atomic
def answer_after_session(
    *,
    session: Session,
    client_id: uuid.UUID,
    at: dt.datetime,
    given_at: dt.datetime | None = None,
    **answers: object,
) -> Answered:
    """Keep the answers given right after a session, and let the rules look at them.

    ``given_at`` is when they were given, where that was before ``at``.
    """
    program = lock_program(session.program)
    session = Session.objects.select_related("after_check_in").get(pk=session.pk)
    kept = session.after_check_in
    if kept is not None and kept.client_id != client_id:
        # Other answers than the kept ones: dropped in silence they would pass for saved.
        raise ValidationError(_("You have answered for this session already."))
    if kept is None:
        moment = moment_given(given_at, at=at)
        _refuse_stopped(program, moment)
        if session.status == Session.Status.SKIPPED:
            raise ValidationError(
                _("This session was skipped, so there is nothing to ask about it.")
            )
        if too_late(session.day, today=program.patient.local_date(at)):
            raise ValidationError(_("This session is too long ago to say how it felt."))
        if CheckIn.objects.filter(client_id=client_id).exists():
            raise ValidationError({"client_id": USED})
        _refuse_unknown_exercise(answers, {item["exercise"] for item in session.items})
        kept = record_check_in(
            patient=program.patient,
            kind=CheckIn.Kind.AFTER_SESSION,
            client_id=client_id,
            day=session.day,
            at=moment,
            **answers,
        )
        session.after_check_in = kept
        session.save(update_fields=["after_check_in"])
        reminders.answer_recorded(patient=program.patient, at=at)
    decision = consider_locked(program=program, at=at) or program.decisions.first()
    return Answered(kept, decision, calls_for_questions(kept))


@transaction.atomic
def answer_morning(
    *,
    program: Program,
    client_id: uuid.UUID,
    at: dt.datetime,
    given_at: dt.datetime | None = None,
    **answers: object,
) -> Answered:
    """Keep the morning's answers: the next-morning check-in of yesterday's session where there
    was one, else a daily check-in. Before the night is over nothing is known of the morning.

    ``given_at`` is when they were given, where that was before ``at``: it names the morning.
    """
    program = lock_program(program)
    patient = program.patient
    moment = moment_given(given_at, at=at)
    today = patient.local_date(moment)
    before, flags, unanswered = together(
        rule_queries.answers_kept.about(patient.pk, client_id),
        open_severities.about(patient.pk),
        rule_queries.session_without_morning.about(program.pk, today - dt.timedelta(days=1)),
    )
    kept, session = (before or [None])[0], None
    if kept is None:
        _refuse_stopped(program, moment, flags)
        if too_late(today, today=patient.local_date(at)):
            raise ValidationError(_("This morning is too long ago."))
        if answers.get("exercise"):
            slugs = program.current_version.prescriptions.values_list("exercise__slug", flat=True)
            _refuse_unknown_exercise(answers, set(slugs))
        if moment.astimezone(patient.zone).time() >= NIGHT_ENDS:
            session = (unanswered or [None])[0]
        kept = record_check_in(
            patient=patient,
            kind=CheckIn.Kind.NEXT_MORNING if session else CheckIn.Kind.DAILY,
            client_id=client_id,
            day=today,
            at=moment,
            **answers,
        )
        reminders.answer_recorded(patient=patient, at=at)
        if session is not None:
            session.morning_check_in = kept
            session.save(update_fields=["morning_check_in"])
    elif kept.kind == CheckIn.Kind.AFTER_SESSION:
        raise ValidationError({"client_id": USED})
    else:
        session = Session.objects.filter(morning_check_in=kept).first()
    decision = consider_locked(program=program, at=at) or program.decisions.first()
    before = session.after_check_in.pain_before if session and session.after_check_in else None
    return Answered(kept, decision, calls_for_questions(kept, before))


def _refuse_stopped(
    program: Program, moment: dt.datetime, open_flags: Collection[str] | None = None
) -> None:
    if program.status == Program.Status.ENDED:
        raise ValidationError(_("This program has ended."))
    if program.stands_still(open_flags) and not _before_the_stop(program, moment):
        raise ValidationError(STOPPED)


def _before_the_stop(program: Program, moment: dt.datetime) -> bool:
    """Whether answers of ``moment`` came before what stops the program. A device that has a line
    again sends red flags first; what was done before them stays true."""
    flags = program.patient.red_flags.open().select_related("screening")
    stops = [flag.screening.at for flag in flags]
    stopping = program.decisions.filter(outcome=Decision.Outcome.STOP).first()
    if program.status == Program.Status.SUSPENDED and stopping is not None:
        stops.append(stopping.at)
    return bool(stops) and moment < min(stops)


def _refuse_session(
    program: Program, day: dt.date, status: str, skip_reason: str, known: str, at: dt.datetime
) -> None:
    today = program.patient.local_date(at)
    found: dict[str, str] = {}
    if status not in Session.Status.values:
        found["status"] = _("Choose done, partly or skipped.")
    if known not in Session.Known.values:
        found["known"] = _("Say how the session is known.")
    if day > today:
        found["day"] = _("This day has not come yet.")
    elif day < program.started_on:
        found["day"] = _("Your program starts later than this day.")
    elif day < today - dt.timedelta(days=BACK_FILL_DAYS):
        found["day"] = _("This day is too long ago.")
    if status == Session.Status.SKIPPED and skip_reason not in Session.SkipReason.values:
        found["skip_reason"] = _("Choose what kept you from it.")
    if status != Session.Status.SKIPPED and skip_reason:
        found["skip_reason"] = _("A reason belongs to a skipped session only.")
    if found:
        raise ValidationError(found)


@dataclass(frozen=True)
class _Asked:
    """What a day asked for, and the easier form of each exercise that has one."""

    items: list[happened.Item]
    easier: dict[str, happened.Item]


def _asked_for(
    program: Program, day: dt.date, kept: Session | None, at: dt.datetime
) -> tuple[ProgramVersion, _Asked]:
    """What the day asked for and by which version: a day that is over keeps its own."""
    version, patient = program.current_version, program.patient
    over = day < patient.local_date(at)
    if over and kept is not None:
        version = kept.version
    elif over:
        versions = list(program.versions.order_by("-number"))
        version = next((v for v in versions if patient.local_date(v.at) <= day), versions[-1])
    items = routine_for(program=program, day=day, version=version)
    easier = {item.exercise.slug: item.easier.as_done() for item in items if item.easier}
    if over and kept is not None:
        names = ("exercise", "level", "sets", "reps", "hold_s", "loaded")
        same = [{name: item[name] for name in names if name in item} for item in kept.items]
        return version, _Asked(same, easier)
    asked_for = [
        {"exercise": item.exercise.slug, **item.as_done(), "loaded": item.level.loaded}
        for item in items
    ]
    return version, _Asked(asked_for, easier)


def _items(
    asked: _Asked, status: str, done: Collection[str] | None, how: Mapping[str, str] | None
) -> list[happened.Item]:
    if not asked.items:
        raise ValidationError({"day": _("Nothing was asked for on this day.")})
    slugs = {str(item["exercise"]) for item in asked.items}
    if how is not None:
        done = {slug for slug, said in how.items() if said in happened.DID}
    unknown = set(done or ()).union(how or ()) - slugs
    if unknown:
        raise ValidationError(
            {
                "done": _("“%(exercise)s” is not in this day’s routine.")
                % {"exercise": sorted(unknown)[0]}
            }
        )
    did: Collection[str] = ()
    if status == Session.Status.DONE:
        if done is not None and set(done) != slugs:
            raise ValidationError({"status": _("Not everything was done: choose partly.")})
        did = slugs
    elif status == Session.Status.PARTLY:
        did = done or ()
    if how is None:
        how = dict.fromkeys(did, happened.DONE)
    elif set(how.values()) - {"", *happened.ALL}:
        raise ValidationError({"how": _("Choose one of the answers for each exercise.")})
    _refuse_nothing(status, done, how)
    try:
        return happened.items_after(asked.items, how, asked.easier)
    except ValueError:
        raise ValidationError({"how": _("There is no easier form of this exercise.")}) from None


def _refuse_nothing(status: str, done: Collection[str] | None, how: Mapping[str, str]) -> None:
    """Part of a routine is at least one exercise; without a list nobody knows which."""
    if status == Session.Status.PARTLY and done is not None and not happened.began(how):
        raise ValidationError(
            {
                "status": _(
                    "Nothing is marked as done yet. Say it for the other exercises too, or choose "
                    "“I cannot do it today”."
                )
            }
        )


def _done_after_all(kept: Session, day: dt.date, status: str) -> bool:
    """Whether a day that was skipped under the same id was exercised later on."""
    skipped = kept.status == Session.Status.SKIPPED and kept.day == day
    return skipped and status in (Session.Status.DONE, Session.Status.PARTLY)


def _fullness(status: str) -> int:
    return [Session.Status.SKIPPED, Session.Status.PARTLY, Session.Status.DONE].index(
        Session.Status(status)
    )


def _refuse_unknown_exercise(answers: dict[str, object], known: set[str]) -> None:
    if answers.get("exercise") and answers["exercise"] not in known:
        raise ValidationError({"exercise": _("This exercise is not in your routine.")})
