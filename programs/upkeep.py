"""Maintenance and taper: keeping up what was reached, on fewer days step by step.

Nothing rises in maintenance (the lock is set with it), and a taper only takes days away, so the
whole of it stands in one version that a clinician issued.
"""

import datetime as dt
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction

from clinic.models import User
from patients.access import require_clinician
from programs import taper
from programs.deciding import lock_program, refuse_overtaken, supersede_open_proposal
from programs.models import Program, ProgramVersion
from programs.reasons import BUILDING, UPKEEP
from programs.versioning import Change, make_version


@transaction.atomic
def keep_up(
    *,
    program: Program,
    by: User,
    reason: str,
    at: dt.datetime,
    days: Sequence[int] = (),
    first: dt.date | None = None,
    weeks_each: int = 2,
    patient_reason: str = "",
    seen: int | None = None,
) -> ProgramVersion:
    """Go over to maintenance; with ``days`` (a week, falling) the routine tapers as well.

    ``first`` is the local day of the first step, today when left out, and each step lasts
    ``weeks_each`` weeks; the last one goes on. Without ``days`` a taper that runs is ended.
    ``seen`` is the number of the version that was looked at.
    Raises ValidationError on ``days``, ``first`` or ``reason``.
    """
    require_clinician(by, program.patient)
    program = lock_program(program)
    refuse_overtaken(program, seen)
    _refuse_ended(program)
    today = program.patient.local_date(at)
    first = first or today
    if not today <= first <= today + dt.timedelta(days=90):
        raise ValidationError({"first": "Choose a day from today to three months ahead."})
    steps: list[taper.Step] = []
    if days:
        steps, wrong = taper.schedule(days, first=first, weeks_each=weeks_each)
        if wrong:
            raise ValidationError({"days": wrong})
    supersede_open_proposal(program=program, at=at)
    fewest = f" Step by step you exercise on fewer days, down to {days[-1]} a week." if days else ""
    return make_version(
        program=program,
        change=Change(
            maintenance=True,
            lock=ProgramVersion.Lock.NO_PROGRESS,
            auto_policy=False,
            taper=taper.as_json(steps),
        ),
        cause=ProgramVersion.Cause.CHANGED,
        reason=reason,
        patient_reason=patient_reason.strip() or f"{UPKEEP}{fewest}",
        at=at,
        by=by,
    )


@transaction.atomic
def build_again(
    *, program: Program, by: User, reason: str, at: dt.datetime, seen: int | None = None
) -> ProgramVersion:
    """Leave maintenance: the taper ends and the lock it set is taken off; a freeze stays."""
    require_clinician(by, program.patient)
    program = lock_program(program)
    refuse_overtaken(program, seen)
    _refuse_ended(program)
    version = program.current_version
    if version.maintenance_since is None:
        raise ValidationError("This program is not in maintenance.")
    frozen = version.lock == ProgramVersion.Lock.FROZEN
    supersede_open_proposal(program=program, at=at)
    return make_version(
        program=program,
        change=Change(
            maintenance=False, taper=[], lock=None if frozen else ProgramVersion.Lock.NONE
        ),
        cause=ProgramVersion.Cause.CHANGED,
        reason=reason,
        patient_reason=BUILDING,
        at=at,
        by=by,
    )


def _refuse_ended(program: Program) -> None:
    if program.status == Program.Status.ENDED:
        raise ValidationError("This program has ended.")
