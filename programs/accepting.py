"""Accepting from a list, where the patient's own page is not open: one proposal, or several, each
by itself, so that one that is refused holds up no other."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from clinic.models import Alert, User
from patients.models import RedFlag
from programs.deciding import lock_program
from programs.models import Program, ProgramVersion, Proposal
from programs.needs import why_one_by_one
from programs.proposals import accept_proposal


@dataclass(frozen=True)
class Told:
    """What became of one case; ``refused`` says why not, or is empty."""

    proposal: Proposal
    refused: str = ""
    version: int | None = None


@transaction.atomic
def accept_from_list(*, proposal: Proposal, by: User, at: dt.datetime) -> ProgramVersion:
    """Accept a step that needs no look at the patient's own page, and return the new version.

    Raises ValidationError with the reason (``programs.needs.why_one_by_one``) where it does need
    one, as things stand under the program's lock.
    """
    program = lock_program(proposal.program)
    why = why_not_together(proposal, program)
    if why and proposal.status == Proposal.Status.OPEN:
        raise ValidationError(why)
    return accept_proposal(proposal=proposal, by=by, at=at)


def accept_together(*, proposals: Sequence[Proposal], by: User, at: dt.datetime) -> list[Told]:
    """Accept each in a transaction of its own."""
    return [_accept_one(proposal, by, at) for proposal in proposals]


def _accept_one(proposal: Proposal, by: User, at: dt.datetime) -> Told:
    try:
        version = accept_from_list(proposal=proposal, by=by, at=at)
    except ValidationError as error:
        return Told(proposal, " ".join(error.messages))
    except PermissionDenied as error:
        return Told(proposal, str(error) or "Your role does not include this.")
    return Told(proposal, version=version.number)


def why_not_together(proposal: Proposal, program: Program) -> str:
    """Why this one must be looked at by itself, as things stand now; empty when it need not."""
    about = str(program.patient_id)
    return why_one_by_one(
        step=proposal.decision.step,
        pathway=program.current_version.pathway,
        flags=RedFlag.objects.open().filter(patient=program.patient_id).count(),
        alerts=Alert.objects.open().about("patient", about).count(),
        active=program.status == Program.Status.ACTIVE,
    )
