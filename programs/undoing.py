"""Taking an answer to a proposal back, for a short time after it was given."""

import datetime as dt

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from clinic.models import User
from patients.access import require_clinician
from programs.deciding import consider_locked, lock_program, supersede_open_proposal
from programs.models import Prescription, Program, ProgramVersion, Proposal
from programs.positions import prescriptions_of
from programs.post_injury import refuse_against_limits, require_criteria
from programs.raising import raised_in, refuse_more_while_flagged
from programs.reasons import STAYS, WAITS
from programs.telling import changed_again

UNDO_WITHIN = dt.timedelta(minutes=10)
_ACCEPTED, _DECLINED = Proposal.Status.ACCEPTED, Proposal.Status.DECLINED
_OVERTAKEN = (
    "Newer answers have overtaken the step that was declined. What the rules say of them stands on "
    "the patient’s own page."
)


@transaction.atomic
def undo_answer(*, proposal: Proposal, by: User, at: dt.datetime) -> ProgramVersion:
    """Issue a version that restores the one before the answer; the proposal is open again.

    Taken back is an acceptance or a decline, by who gave it, within ten minutes, before the
    patient has used the version it made, and while nothing else has changed the program. Nothing
    is deleted: both versions and the change of the proposal stay on record.

    Where the rules have looked since, they look at the restored version as well, and newer answers
    may overtake the proposal. A step that was taken must not stay for that: it is taken back all
    the same. A decline has left the routine as it was: it stands, and this is refused.
    """
    require_clinician(by, proposal.program.patient)
    program = lock_program(proposal.program)
    proposal = Proposal.objects.select_related("resulting_version", "decision").get(pk=proposal.pk)
    status, made = proposal.status, proposal.resulting_version
    if status not in (_ACCEPTED, _DECLINED) or made is None:
        raise ValidationError("There is no answer to take back.")
    if proposal.answered_by_id != by.pk:
        raise PermissionDenied("Only who answered a proposal may take that back.")
    _refuse_too_late(proposal, made, program, at)
    before = program.versions.get(number=made.number - 1)
    if status == _DECLINED and program.patient.red_flags.open().exists():
        raise ValidationError("A red flag is open. Look into it first.")
    _refuse_more_than_allowed(program, made, before, at)
    # Every new answer since was decided on the version that is taken back; so was what the rules
    # say every hour.
    decided = program.decisions.filter(version=made).exists()
    version = _restore(before, program, status, by, at)
    changed_again(version=version, at=at)
    # One that came up in between speaks of the version that is no more.
    supersede_open_proposal(program=program, at=at)
    proposal.status, proposal.answered_at = Proposal.Status.OPEN, None
    proposal.answered_by = proposal.resulting_version = None
    proposal.answer_reason = ""
    proposal.save()
    if decided:
        consider_locked(program=program, at=at)
        if status == _DECLINED and not waits_again(proposal):
            raise ValidationError(_OVERTAKEN)
    return version


def waits_again(proposal: Proposal) -> bool:
    """Whether its step waits for an answer: in this proposal, or in one of the same step that the
    rules have put in its place."""
    standing = proposal.program.proposals.open().select_related("decision").first()
    if standing is None or standing.pk == proposal.pk:
        return standing is not None
    was, now = proposal.decision, standing.decision
    return (now.outcome, now.step) == (was.outcome, was.step)


def can_be_undone(proposal: Proposal, *, by: User, at: dt.datetime) -> bool:
    """Whether to offer it; ``undo_answer`` looks again. Costs at most one query."""
    made = proposal.resulting_version
    if proposal.status not in (_ACCEPTED, _DECLINED) or made is None:
        return False
    if proposal.answered_by_id != by.pk:
        return False
    try:
        _refuse_too_late(proposal, made, proposal.program, at)
    except ValidationError:
        return False
    return True


def _refuse_too_late(
    proposal: Proposal, made: ProgramVersion, program: Program, at: dt.datetime
) -> None:
    if program.status == Program.Status.SUSPENDED:
        raise ValidationError("The program stands still. Look into why on the patient’s own page.")
    if program.current_version_id != made.pk or program.status != Program.Status.ACTIVE:
        raise ValidationError("The program has changed since. Change it on the patient’s own page.")
    if proposal.answered_at is None or at - proposal.answered_at > UNDO_WITHIN:
        raise ValidationError(
            "More than ten minutes have passed. Change the program on the patient’s own page."
        )
    if made.sessions.exists():
        raise ValidationError(
            "The patient has used the new step already. Change it on the patient’s own page."
            if proposal.status == _ACCEPTED
            else "The patient has exercised since. Change the program on the patient’s own page."
        )


def _refuse_more_than_allowed(
    program: Program, made: ProgramVersion, before: ProgramVersion, at: dt.datetime
) -> None:
    """What is true of every version is true of a restored one: taking a step down back asks for
    more again."""
    today = program.patient.local_date(at)
    require_criteria(program=program, previous=made, phase=before.phase)
    refuse_more_while_flagged(program=program, previous=made, version=before, today=today)
    raised = raised_in(made, before)
    refuse_against_limits(program=program, raised=raised, today=today)


def _restore(
    before: ProgramVersion, program: Program, status: str, by: User, at: dt.datetime
) -> ProgramVersion:
    """The next version, with all that ``before`` had; its days at each level go on counting."""
    number = program.current_version.number
    own = {
        "program": program,
        "number": number + 1,
        "cause": ProgramVersion.Cause.CHANGED,
        "reason": f"Taken back: version {number} was {status} by mistake.",
        "patient_reason": STAYS if status == _ACCEPTED else _said_again(before),
        "by": by,
        "policy_approved_by": None,
        "at": at,
    }
    version = ProgramVersion(**_copied(before, without=("id", *own)), **own)
    version.full_clean(exclude=["by", "policy_approved_by", "patient_reason", "clearances"])
    version.save(force_insert=True)
    Prescription.objects.bulk_create(
        [
            Prescription(**_copied(prescription, without=("id", "version")), version=version)
            for prescription in prescriptions_of(before)
        ]
    )
    program.current_version = version
    program.save(update_fields=["current_version"])
    return version


def _said_again(before: ProgramVersion) -> str:
    """After a decline the patient waits as before it; news that nobody has read yet stay news."""
    return WAITS if before.sessions.exists() else before.patient_reason


def _copied(row: ProgramVersion | Prescription, *, without: tuple[str, ...]) -> dict[str, object]:
    return {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.name not in without
    }
