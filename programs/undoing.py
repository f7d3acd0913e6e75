"""Taking an acceptance back, for a short time after it was given."""

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
from programs.reasons import STAYS
from programs.telling import changed_again

UNDO_WITHIN = dt.timedelta(minutes=10)


@transaction.atomic
def undo_acceptance(*, proposal: Proposal, by: User, at: dt.datetime) -> ProgramVersion:
    """Issue a version that restores the one before the accepted step; the proposal is open again.

    When answers came in since, they have overtaken the proposal: then it is not opened again,
    and the rules look at the restored version with those answers.

    Nothing is deleted: the accepted version, the new one and the change of the proposal stay on
    record. Only who accepted may do this, within ten minutes, before the patient has used the
    step, and while nothing else has changed the program.
    """
    require_clinician(by, proposal.program.patient)
    program = lock_program(proposal.program)
    proposal = Proposal.objects.select_related("resulting_version").get(pk=proposal.pk)
    accepted = proposal.resulting_version
    if proposal.status != Proposal.Status.ACCEPTED or accepted is None:
        raise ValidationError("There is no acceptance to take back.")
    if proposal.answered_by_id != by.pk:
        raise PermissionDenied("Only who accepted a step may take that back.")
    _refuse_too_late(proposal, accepted, program, at)
    before = program.versions.get(number=accepted.number - 1)
    _refuse_more_than_allowed(program, accepted, before, at)
    # Every new answer after the acceptance was decided on the accepted version.
    overtaken = program.decisions.filter(version=accepted).exists()
    version = _restore(before, program, by, at)
    changed_again(version=version, at=at)
    # One that came up in between speaks of the step that is no more.
    supersede_open_proposal(program=program, at=at)
    proposal.status = Proposal.Status.SUPERSEDED if overtaken else Proposal.Status.OPEN
    proposal.answered_at = at if overtaken else None
    proposal.answered_by = proposal.resulting_version = None
    proposal.answer_reason = ""
    proposal.save()
    if overtaken:
        consider_locked(program=program, at=at)
    return version


def can_be_undone(proposal: Proposal, *, by: User, at: dt.datetime) -> bool:
    """Whether to offer it; ``undo_acceptance`` looks again. Costs at most one query."""
    accepted = proposal.resulting_version
    if proposal.status != Proposal.Status.ACCEPTED or accepted is None:
        return False
    if proposal.answered_by_id != by.pk:
        return False
    try:
        _refuse_too_late(proposal, accepted, proposal.program, at)
    except ValidationError:
        return False
    return True


def _refuse_too_late(
    proposal: Proposal, accepted: ProgramVersion, program: Program, at: dt.datetime
) -> None:
    if program.current_version_id != accepted.pk or program.status != Program.Status.ACTIVE:
        raise ValidationError("The program has changed since. Change it on the patient’s own page.")
    if proposal.answered_at is None or at - proposal.answered_at > UNDO_WITHIN:
        raise ValidationError(
            "More than ten minutes have passed. Change the program on the patient’s own page."
        )
    if accepted.sessions.exists():
        raise ValidationError(
            "The patient has used the new step already. Change it on the patient’s own page."
        )


def _refuse_more_than_allowed(
    program: Program, accepted: ProgramVersion, before: ProgramVersion, at: dt.datetime
) -> None:
    """What is true of every version is true of a restored one: taking a step down back asks for
    more again."""
    today = program.patient.local_date(at)
    require_criteria(program=program, previous=accepted, phase=before.phase)
    refuse_more_while_flagged(program=program, previous=accepted, version=before, today=today)
    raised = raised_in(accepted, before)
    refuse_against_limits(program=program, raised=raised, today=today)


def _restore(before: ProgramVersion, program: Program, by: User, at: dt.datetime) -> ProgramVersion:
    """The next version, with all that ``before`` had; its days at each level go on counting."""
    own = {
        "program": program,
        "number": program.current_version.number + 1,
        "cause": ProgramVersion.Cause.CHANGED,
        "reason": f"Taken back: version {program.current_version.number} was accepted by mistake.",
        "patient_reason": STAYS,
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


def _copied(row: ProgramVersion | Prescription, *, without: tuple[str, ...]) -> dict[str, object]:
    return {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.name not in without
    }
