"""Whether a change of a program asks more of the back, and what may not be while a flag is open."""

import datetime as dt

from django.core.exceptions import ValidationError

from programs import taper
from programs.models import Policy, Prescription, Program, ProgramVersion
from programs.obstacles import RED_FLAG
from programs.positions import level_of, prescriptions_of

# From the loosest to the tightest.
_LOCKS = [ProgramVersion.Lock.NONE, ProgramVersion.Lock.NO_PROGRESS, ProgramVersion.Lock.FROZEN]


def raised_in(previous: ProgramVersion, version: ProgramVersion) -> list[Prescription]:
    """The prescriptions that are new or ask more than in the version before."""
    before = {p.exercise_id: p for p in prescriptions_of(previous)}
    return [
        p
        for p in prescriptions_of(version)
        if p.exercise_id not in before or is_raised(before[p.exercise_id], p)
    ]


def is_raised(before: Prescription, after: Prescription) -> bool:
    """Whether the change asks more of the back than before, in any variable.

    A lower level may have as much as stood before or as that level goes up to, and no more.
    """
    if before.paused and not after.paused:
        return True
    if after.level > before.level or (after.load_kg or 0) > (before.load_kg or 0):
        return True
    if after.level == before.level:
        return any(now > then for now, then in zip(_dose(after), _dose(before), strict=True))
    rung = level_of(after)
    most_sets = max(before.sets, rung.sets)
    most_days = max(before.days_per_week, rung.days_per_week)
    if after.sets > most_sets or after.days_per_week > most_days:
        return True
    # One beside the other: as many repetitions as before with the longest hold is more than both.
    doses = ((before.reps, before.hold_s), (rung.reps_to, rung.hold_to))
    return not any(after.reps <= reps and after.hold_s <= hold for reps, hold in doses)


def load_of(prescription: Prescription) -> tuple[float, ...]:
    """Level, dose and kilograms: what a step changes."""
    return (prescription.level, *_dose(prescription), float(prescription.load_kg or 0))


def _dose(prescription: Prescription) -> tuple[int, ...]:
    return (
        prescription.sets,
        prescription.reps,
        prescription.hold_s,
        prescription.days_per_week,
    )


def refuse_more_while_flagged(
    *, program: Program, previous: ProgramVersion, version: ProgramVersion, today: dt.date
) -> None:
    """Refuse a version that asks for more, or lets more happen, while a red flag is open.

    That is also a higher phase, a further clearance, a higher pain ceiling, a looser lock, steps
    under a policy, another version of an exercise, and an end of maintenance or of a taper.
    """
    if asks_for_more(previous, version, today=today) and program.patient.red_flags.open().exists():
        raise ValidationError(RED_FLAG)


def asks_for_more(previous: ProgramVersion, version: ProgramVersion, *, today: dt.date) -> bool:
    """Whether anything of the program is more or looser than in the version before."""
    return (
        version.phase > previous.phase
        or not set(version.clearances) <= set(previous.clearances)
        or _LOCKS.index(version.lock) < _LOCKS.index(previous.lock)
        or (version.auto_policy and not previous.auto_policy)
        or (previous.maintenance_since is not None and version.maintenance_since is None)
        or _another_movement(previous, version)
        or _gives_days_back(previous, version, today)
        or bool(raised_in(previous, version))
        or _ceiling_rises(previous, version)
    )


def _another_movement(previous: ProgramVersion, version: ProgramVersion) -> bool:
    before = {p.exercise_id: p.exercise_version_id for p in prescriptions_of(previous)}
    return any(
        before.get(p.exercise_id, p.exercise_version_id) != p.exercise_version_id
        for p in prescriptions_of(version)
    )


def _gives_days_back(previous: ProgramVersion, version: ProgramVersion, today: dt.date) -> bool:
    """Whether the taper leaves more days a week than before, today or from any step on."""
    if version.taper == previous.taper:
        return False
    steps = [*taper.from_json(previous.taper), *taper.from_json(version.taper)]
    days = {today, *(step.first for step in steps if step.first > today)}
    return any(
        (taper.days_on(version.taper, day) or 7) > (taper.days_on(previous.taper, day) or 7)
        for day in days
    )


def _ceiling_rises(previous: ProgramVersion, version: ProgramVersion) -> bool:
    """None is the policy's own ceiling."""
    if version.pain_ceiling == previous.pain_ceiling:
        return False
    usual = Policy.objects.in_force(version.pathway).thresholds["pain_ceiling"]
    now = usual if version.pain_ceiling is None else version.pain_ceiling
    then = usual if previous.pain_ceiling is None else previous.pain_ceiling
    return bool(now > then)
