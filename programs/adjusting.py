"""What a clinician does to a running program: adjust, reopen, end."""

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from clinic import alerts
from clinic.models import Alert, User
from patients import red_flagging
from patients.access import require_clinician
from programs import gates, overrides, reminders, telling
from programs.deciding import lock_program, refuse_overtaken, supersede_open_proposal
from programs.models import Exercise, Program, ProgramVersion
from programs.obstacles import obstacles_to
from programs.raising import refuse_more_while_flagged
from programs.reasons import CHANGED, REOPENED
from programs.versioning import (
    KEEP,
    Change,
    PrescriptionChange,
    draft_version,
    make_version,
)

__all__ = [
    "KEEP",
    "Change",
    "PrescriptionChange",
    "adjust_program",
    "end_program",
    "reopen_program",
]


@transaction.atomic
def adjust_program(
    *,
    program: Program,
    change: Change,
    by: User,
    reason: str,
    at: dt.datetime,
    patient_reason: str = "",
    cause: str = ProgramVersion.Cause.CHANGED,
    seen: int | None = None,
    tell: bool = False,
) -> ProgramVersion:
    """Issue the next version with a clinician's change, made on version number ``seen``; with
    ``tell`` the patient gets a message that the routine has changed (``programs.telling``).

    Refused without a reason, for an exercise that nobody reviewed, for more of anything while a
    red flag is open, and for a level whose gate stays closed after the change, unless
    ``change.overrides`` has a reason for it; a limit of an injury is never overridden.
    """
    require_clinician(by, program.patient)
    program = lock_program(program)
    refuse_overtaken(program, seen)
    if program.status == Program.Status.ENDED:
        raise ValidationError("This program has ended.")
    _refuse_nonsense(program, change)
    _refuse_foreign(change, by)
    supersede_open_proposal(program=program, at=at)
    opened = _open_gates(program, change, at)
    version = make_version(
        program=program,
        change=change,
        opened=opened,
        cause=cause,
        reason=reason,
        patient_reason=patient_reason or CHANGED,
        at=at,
        by=by,
    )
    telling.changed_again(version=version, at=at)
    if tell:
        telling.tell_of_change(version=version, at=at)
    return version


@transaction.atomic
def reopen_program(
    *,
    program: Program,
    by: User,
    reason: str,
    at: dt.datetime,
    seen: Collection[int] | None = None,
    read_at: dt.datetime | None = None,
) -> ProgramVersion:
    """Let a suspended program go on, closing the red flags that stopped it. Clinicians only.

    ``seen`` names the flags the clinician had before her (see ``close_red_flags``), ``read_at`` is
    when her page was drawn. Alerts of red flags and of the rules of this program close with it; one
    raised since she read, a text and whatever else waits for an answer stay.
    """
    require_clinician(by, program.patient)
    program = lock_program(program)
    if not reason.strip():
        raise ValidationError({"reason": "Say what was found and why it is safe to go on."})
    if program.status != Program.Status.SUSPENDED:
        raise ValidationError("This program is not suspended.")
    red_flagging.close_red_flags(patient=program.patient, by=by, reason=reason, at=at, seen=seen)
    answered = Alert.objects.about("patient", program.patient_id).filter(
        Q(key__startswith="red_flag:") | Q(key__startswith=f"rule:{program.pk}:"),
        raised_at__lte=min(read_at or at, at),
    )
    for alert in answered.unresolved():
        alerts.settle(
            alert=alert, by=by, outcome=reason.strip(), kind=Alert.Outcome.REOPENED, at=at
        )
    program.status, program.suspended_for = Program.Status.ACTIVE, ""
    program.save(update_fields=["status", "suspended_for"])
    return make_version(
        program=program,
        change=Change(),
        cause=ProgramVersion.Cause.REOPENED,
        reason=reason,
        patient_reason=REOPENED,
        at=at,
        by=by,
    )


@transaction.atomic
def end_program(
    *,
    program: Program,
    by: User,
    reason: str,
    at: dt.datetime,
    outcome: str = "",
    farewell: str = "",
    follow_up_on: dt.date | None = None,
) -> Program:
    """Close a program for good; a later one is a new program. Clinicians only.

    ``farewell`` is what the patient reads from then on, ``follow_up_on`` the day on which the
    physiotherapist is told to look again. Raises ValidationError on ``reason``, ``outcome`` or
    ``follow_up_on``.
    """
    require_clinician(by, program.patient)
    program = lock_program(program)
    if not reason.strip():
        raise ValidationError({"reason": "Say why the program ends."})
    if program.status == Program.Status.ENDED:
        return program
    today = program.patient.local_date(at)
    if outcome and outcome not in Program.Outcome.values:
        raise ValidationError({"outcome": "Choose how it came out."})
    if follow_up_on is not None and not today < follow_up_on <= today + dt.timedelta(days=730):
        raise ValidationError({"follow_up_on": "Choose a day from tomorrow to two years ahead."})
    supersede_open_proposal(program=program, at=at)
    program.status, program.suspended_for = Program.Status.ENDED, ""
    program.ended_on, program.end_reason = today, reason.strip()
    program.outcome, program.farewell = outcome, farewell.strip()
    program.follow_up_on = follow_up_on
    program.save()
    reminders.program_stands_still(program=program, at=at)
    return program


def _refuse_foreign(change: Change, by: User) -> None:
    """An exercise that belongs to a colleague alone is prescribed by nobody else."""
    owned = Exercise.objects.filter(slug__in=change.add, owner__isnull=False).exclude(owner=by)
    theirs = owned.select_related("owner").first() if change.add else None
    if theirs is not None:
        raise ValidationError(
            {"exercise": f"{theirs} belongs to {theirs.owner} alone. Ask them to share it."}
        )


def _refuse_nonsense(program: Program, change: Change) -> None:
    found: dict[str, str] = {}
    ceiling = change.pain_ceiling
    if ceiling not in (KEEP, None) and (not isinstance(ceiling, int) or not 2 <= ceiling <= 6):
        found["pain_ceiling"] = "Choose a pain ceiling from 2 to 6."
    if change.phase is not None and change.phase not in range(4):
        found["phase"] = "Choose a phase from 0 to 3."
    unknown = set(change.clearances or ()) - set(gates.CLEARABLE)
    if unknown:
        found["clearances"] = f"“{sorted(unknown)[0]}” needs no clearance."
    if change.auto_policy and program.current_version.pathway == "post_injury":
        found["auto_policy"] = "After an injury every step is decided by a clinician."
    if found:
        raise ValidationError(found)


def _open_gates(program: Program, change: Change, at: dt.datetime) -> list[dict[str, Any]]:
    """The overrides of this change. Refused for a gate without a reason: a clinician may not ask
    for a level that its gate would keep from the patient without saying why."""
    before = program.current_version
    draft = draft_version(program=program, change=change, at=at)
    today = program.patient.local_date(at)
    refuse_more_while_flagged(program=program, previous=before, version=draft, today=today)
    opened = []
    for obstacle in obstacles_to(before, draft, today=today):
        reason = change.overrides.get(obstacle.exercise, "").strip()
        if obstacle.final or not reason:
            raise ValidationError({"level": obstacle.words})
        opened.append(
            overrides.given(
                exercise=obstacle.exercise,
                level=obstacle.level,
                movement_class=obstacle.gate.movement_class,
                needs=obstacle.gate.needs,
                reason=reason,
                version=before.number + 1,
            )
        )
    return opened
