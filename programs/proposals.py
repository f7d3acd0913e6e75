"""A clinician's three answers to a proposal: accept, change, decline. Each makes a version."""

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction

from clinic.models import User
from patients.access import require_clinician
from programs.adjusting import adjust_program
from programs.deciding import lock_program
from programs.models import Program, ProgramVersion, Proposal
from programs.positions import step_from_json
from programs.reasons import STAYS, WAITS
from programs.versioning import Change, change_of, make_version


@transaction.atomic
def accept_proposal(
    *, proposal: Proposal, by: User, at: dt.datetime, reason: str = ""
) -> ProgramVersion:
    """Take the proposed step as it stands."""
    proposal, program = _open(proposal, by)
    decision = proposal.decision
    step = step_from_json(decision.step)
    version = make_version(
        program=program,
        change=change_of(step),
        cause=ProgramVersion.Cause.ACCEPTED,
        reason=reason.strip() or f"Accepted: {step.words} ({', '.join(decision.rules)})",
        patient_reason=_to_patient(decision.patient_text, step.patient_words),
        at=at,
        by=by,
    )
    _answer(proposal, Proposal.Status.ACCEPTED, by, reason, version, at)
    return version


@transaction.atomic
def change_proposal(
    *,
    proposal: Proposal,
    change: Change,
    by: User,
    reason: str,
    at: dt.datetime,
    patient_reason: str = "",
    tell: bool = False,
) -> ProgramVersion:
    """Take another step than the one proposed; the reason is kept with both. ``tell`` as in
    ``adjust_program``."""
    proposal, program = _open(proposal, by)
    if not reason.strip():
        raise ValidationError({"reason": "Say why you chose another step."})
    # Answered before the adjustment, which would otherwise overtake it.
    proposal.status = Proposal.Status.SUPERSEDED
    proposal.save(update_fields=["status"])
    version = adjust_program(
        program=program,
        change=change,
        by=by,
        reason=reason,
        patient_reason=patient_reason,
        at=at,
        tell=tell,
    )
    _answer(proposal, Proposal.Status.CHANGED, by, reason, version, at)
    return version


@transaction.atomic
def decline_proposal(
    *, proposal: Proposal, by: User, reason: str, at: dt.datetime
) -> ProgramVersion:
    """Leave the routine as it is; the new version says who decided so and why."""
    proposal, program = _open(proposal, by)
    if not reason.strip():
        raise ValidationError({"reason": "Say why the step is not taken."})
    version = make_version(
        program=program,
        change=Change(),
        cause=ProgramVersion.Cause.DECLINED,
        reason=reason,
        patient_reason=STAYS,
        at=at,
        by=by,
    )
    _answer(proposal, Proposal.Status.DECLINED, by, reason, version, at)
    return version


def _open(proposal: Proposal, by: User) -> tuple[Proposal, Program]:
    require_clinician(by, proposal.program.patient)
    program = lock_program(proposal.program)
    proposal = Proposal.objects.select_related("decision").get(pk=proposal.pk)
    if proposal.status != Proposal.Status.OPEN:
        who = f" by {proposal.answered_by.name}" if proposal.answered_by else ""
        raise ValidationError(
            f"This proposal is answered already: {proposal.get_status_display().lower()}{who}."
        )
    if program.status != Program.Status.ACTIVE:
        raise ValidationError("The program is suspended. Look into the red flag first.")
    return proposal, program


def _answer(
    proposal: Proposal,
    status: str,
    by: User,
    reason: str,
    version: ProgramVersion,
    at: dt.datetime,
) -> None:
    proposal.status, proposal.answered_by, proposal.answered_at = status, by, at
    proposal.answer_reason, proposal.resulting_version = reason.strip(), version
    proposal.save()


def _to_patient(said: str, step_words: str) -> str:
    """The reason without the sentence that says a clinician will look: she has."""
    return f"{said.replace(WAITS, '').strip()} {step_words}".strip()
