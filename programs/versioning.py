"""The one place where a new program version is made.

Nothing is edited in place: a version is a copy of the one before with a change, a reason and a
name. What may be changed by whom is decided by the callers; what can never be is checked here.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError

from clinic.models import User
from programs import overrides
from programs.exercise_versions import exercises_at
from programs.ladder import Step
from programs.models import Exercise, Prescription, Program, ProgramVersion
from programs.positions import kilograms, level_of, prescriptions_of
from programs.post_injury import ask_again, is_post_injury, refuse_against_limits, require_criteria
from programs.raising import is_raised, load_of, raised_in, refuse_more_while_flagged

KEEP = "keep"
# Beyond these a number is a slip of the finger; hold in seconds.
SANE = {"sets": (1, 6), "reps": (1, 30), "hold_s": (0, 300)}


@dataclass
class PrescriptionChange:
    """What becomes of one prescription; None keeps what is."""

    level: int | None = None
    sets: int | None = None
    reps: int | None = None
    hold_s: int | None = None
    days_per_week: int | None = None
    load_kg: Decimal | None = None
    paused: bool | None = None
    pause_reason: str = ""


@dataclass
class Change:
    """What becomes of a program; None keeps what is. ``pain_ceiling`` None is the policy's own,
    so keeping it is said by ``KEEP``. ``add`` and ``remove`` name exercises by slug;
    ``prescriptions`` may speak of an added one too. ``order`` lists slugs in the order of the
    routine. ``overrides`` gives a reason for each exercise whose gate the clinician opens.
    ``taper`` is in the shape of ``programs.taper``; empty ends one."""

    phase: int | None = None
    lock: str | None = None
    auto_policy: bool | None = None
    pain_ceiling: int | str | None = KEEP
    clearances: list[str] | None = None
    cue_set: str | None = None
    prescriptions: dict[str, PrescriptionChange] = field(default_factory=dict)
    add: list[str] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)
    order: list[str] | None = None
    overrides: dict[str, str] = field(default_factory=dict)
    # Exercises that are moved to their newest version of the library.
    renew: list[str] = field(default_factory=list)
    maintenance: bool | None = None
    taper: list[dict[str, Any]] | None = None


def change_of(step: Step) -> Change:
    """The change a step of the ladder stands for."""
    change = Change(phase=step.phase)
    if step.exercise and step.kind in ("dose", "load", "level", "ease"):
        change.prescriptions[step.exercise] = PrescriptionChange(
            level=step.level,
            reps=step.reps,
            hold_s=step.hold_s,
            load_kg=kilograms(step.load_kg),
        )
    for slug in step.pause:
        change.prescriptions[slug] = PrescriptionChange(paused=True, pause_reason=step.words[:200])
    return change


def make_version(
    *,
    program: Program,
    change: Change,
    cause: str,
    reason: str,
    patient_reason: str,
    at: dt.datetime,
    by: User | None = None,
    policy_approved_by: User | None = None,
    opened: Sequence[dict[str, Any]] = (),
) -> ProgramVersion:
    """Write the next version and make it the current one. Call inside a transaction that holds
    the program's row lock. ``opened`` are new overrides (``programs.overrides.given``)."""
    if not reason.strip():
        raise ValidationError({"reason": "Say why."})
    previous = program.current_version
    today = program.patient.local_date(at)
    phase = previous.phase if change.phase is None else change.phase
    require_criteria(program=program, previous=previous, phase=phase)
    version = draft_version(
        program=program,
        change=change,
        cause=cause,
        reason=reason,
        patient_reason=patient_reason,
        at=at,
        by=by,
        policy_approved_by=policy_approved_by,
        opened=opened,
    )
    prescriptions = prescriptions_of(version)
    refuse_more_while_flagged(program=program, previous=previous, version=version, today=today)
    refuse_against_limits(program=program, raised=raised_in(previous, version), today=today)
    version.full_clean(
        exclude=["by", "policy_approved_by", "patient_reason", "clearances", "overrides", "taper"]
    )
    version.save(force_insert=True)
    for prescription in prescriptions:
        prescription.version = version
    Prescription.objects.bulk_create(prescriptions)
    program.current_version = version
    program.save(update_fields=["current_version"])
    if is_post_injury(version) and (
        phase < previous.phase or cause == ProgramVersion.Cause.REOPENED
    ):
        ask_again(program=program, reason=version.reason, by=by, at=at)
    return version


def draft_version(
    *,
    program: Program,
    change: Change,
    at: dt.datetime,
    cause: str = ProgramVersion.Cause.CHANGED,
    reason: str = "",
    patient_reason: str = "",
    by: User | None = None,
    policy_approved_by: User | None = None,
    opened: Sequence[dict[str, Any]] = (),
) -> ProgramVersion:
    """The next version as it would be, with its prescriptions (``prescriptions_of``); nothing is
    written. Raises ValidationError for what can never be."""
    previous = program.current_version
    today = program.patient.local_date(at)
    phase = previous.phase if change.phase is None else change.phase
    prescriptions, stepped = _prescriptions(previous, change, phase, today)
    # A reopened program and a declined step wait as long as a new level does.
    waits = cause in (ProgramVersion.Cause.REOPENED, ProgramVersion.Cause.DECLINED)
    stepped = stepped or waits or phase != previous.phase
    version = ProgramVersion(
        program=program,
        number=previous.number + 1,
        cause=cause,
        reason=reason.strip(),
        patient_reason=patient_reason.strip(),
        by=by,
        policy_approved_by=policy_approved_by,
        at=at,
        pathway=previous.pathway,
        phase=phase,
        lock=previous.lock if change.lock is None else change.lock,
        auto_policy=previous.auto_policy if change.auto_policy is None else change.auto_policy,
        pain_ceiling=previous.pain_ceiling if change.pain_ceiling == KEEP else change.pain_ceiling,
        clearances=sorted(previous.clearances if change.clearances is None else change.clearances),
        cue_set=change.cue_set or previous.cue_set,
        step_since=max(today, program.started_on) if stepped else previous.step_since,
        overrides=overrides.replaced(
            previous.overrides, opened, _levels_of_same_movement(previous, prescriptions)
        ),
        own_order=previous.own_order or change.order is not None,
        maintenance_since=_maintenance(previous, change, today),
        taper=previous.taper if change.taper is None else change.taper,
    )
    version._prescriptions = prescriptions
    return version


def _levels_of_same_movement(
    previous: ProgramVersion, prescriptions: list[Prescription]
) -> dict[str, int]:
    """Exercise → level, without those whose newest version is of another class at their level: a
    gate opened by hand was opened for the movement that it was."""
    was = {p.exercise.slug: p for p in prescriptions_of(previous)}
    levels: dict[str, int] = {}
    for p in prescriptions:
        before = was.get(p.exercise.slug)
        same = before is None or before.exercise_version_id == p.exercise_version_id
        if same or classes_of(before) == classes_of(p):
            levels[p.exercise.slug] = p.level
    return levels


def classes_of(prescription: Prescription) -> list[tuple[int, str]]:
    """The movement class of every level of the prescribed exercise."""
    return [(level.level, level.movement_class) for level in prescription.exercise.levels.all()]


def _maintenance(previous: ProgramVersion, change: Change, today: dt.date) -> dt.date | None:
    if change.maintenance is None:
        return previous.maintenance_since
    return (previous.maintenance_since or today) if change.maintenance else None


def _prescriptions(
    previous: ProgramVersion, change: Change, phase: int, today: dt.date
) -> tuple[list[Prescription], bool]:
    """Copies with the change applied, and whether any of them took a step up or down."""
    kept = [p for p in prescriptions_of(previous) if p.exercise.slug not in change.remove]
    known = {p.exercise.slug for p in prescriptions_of(previous)}
    spoken = [slug for slug in change.prescriptions if slug not in change.add]
    unknown = [slug for slug in (*spoken, *change.remove, *change.renew) if slug not in known]
    if unknown:
        raise ValidationError({"exercise": f"“{unknown[0]}” is not in this program."})
    stepped = False
    copies: list[Prescription] = []
    for prescription in kept:
        wanted = change.prescriptions.get(prescription.exercise.slug)
        if prescription.exercise.slug in change.renew:
            prescription = renewed(prescription, today=today)
        copy, moved = _copy(prescription, wanted, today)
        if phase > previous.phase and prescription.exercise.first_phase == phase:
            # It joins the routine with the phase: its time at this level begins now.
            copy.since = copy.raised_on = today
        copies.append(copy)
        stepped = stepped or moved
    for slug in change.add:
        if slug in known:
            raise ValidationError({"exercise": "This exercise is in the program already."})
        fresh = first_prescription(slug, order=_next_order(copies), since=today)
        copies.append(_as_wanted(fresh, change.prescriptions.get(slug), today))
        stepped = True
    if not copies:
        raise ValidationError({"exercise": "A program needs at least one exercise."})
    if change.order is not None:
        places = {slug: place for place, slug in enumerate(change.order)}
        copies.sort(key=lambda p: (places.get(p.exercise.slug, len(places)), p.order))
        for number, copy in enumerate(copies, 1):
            copy.order = number
    return copies, stepped


def _as_wanted(
    fresh: Prescription, wanted: PrescriptionChange | None, today: dt.date
) -> Prescription:
    """An exercise that is added, at the level and dose the clinician wrote."""
    if wanted is None:
        return fresh
    copy, _moved = _copy(fresh, wanted, today)
    copy.since, copy.raised_on = today, None
    return copy


def _copy(
    prescription: Prescription, wanted: PrescriptionChange | None, today: dt.date
) -> tuple[Prescription, bool]:
    copy = Prescription(
        **{
            f.attname: getattr(prescription, f.attname)
            for f in Prescription._meta.concrete_fields
            if f.name not in ("id", "version")
        }
    )
    # As it was prescribed, not as the library has it today.
    copy.exercise = prescription.exercise
    if wanted is None:
        return copy, False
    before = load_of(copy)
    for name in ("level", "sets", "reps", "hold_s", "days_per_week", "load_kg", "paused"):
        value = getattr(wanted, name)
        if value is not None:
            setattr(copy, name, value)
    copy.pause_reason = wanted.pause_reason if copy.paused else ""
    _refuse_impossible(copy)
    if copy.level != prescription.level:
        copy.per_side = level_of(copy).per_side
    after = load_of(copy)
    moved = after != before or copy.paused != prescription.paused
    if moved:
        copy.since = today
        copy.raised_on = today if is_raised(prescription, copy) else None
    return copy, moved


def renewed(prescription: Prescription, *, today: dt.date) -> Prescription:
    """The prescription with its exercise as the library has it now, at the same level and dose.
    Its time at this level begins anew where the level became another movement."""
    current = Exercise.objects.get(pk=prescription.exercise_id)
    if current.review_state != Exercise.ReviewState.APPROVED or current.current_id is None:
        raise ValidationError({"exercise": f"{current} is not in the library any more."})
    before = level_of(prescription)
    copy, _moved = _copy(prescription, None, today)
    copy.exercise_version_id = current.current_id
    copy.exercise = exercises_at([current.current_id])[current.current_id]
    _refuse_impossible(copy)
    after = level_of(copy)
    copy.per_side = after.per_side
    if (before.movement_class, before.loaded) != (after.movement_class, after.loaded):
        copy.since = today
    return copy


def _refuse_impossible(prescription: Prescription) -> None:
    levels = {level.level: level for level in prescription.exercise.levels.all()}
    if prescription.level not in levels:
        raise ValidationError(
            {"level": f"{prescription.exercise} has no level {prescription.level}."}
        )
    for name, (low, high) in SANE.items():
        if not low <= getattr(prescription, name) <= high:
            what = name.removesuffix("_s").replace("reps", "repetitions")
            raise ValidationError(
                {name: f"{prescription.exercise}: {what} must be from {low} to {high}."}
            )
    if levels[prescription.level].loaded:
        prescription.days_per_week = min(prescription.days_per_week, 3)
    prescription.full_clean(
        exclude=["version", "exercise", "exercise_version"], validate_unique=False
    )


def _next_order(copies: list[Prescription]) -> int:
    return max((copy.order for copy in copies), default=0) + 1


def first_prescription(
    exercise: Exercise | str,
    *,
    order: int,
    since: dt.date,
    level: int = 1,
    days_per_week: int | None = None,
) -> Prescription:
    """A new prescription at the start of a level's dose. Refuses what no clinician has reviewed."""
    if isinstance(exercise, str):
        found = Exercise.objects.filter(slug=exercise).first()
        if found is None:
            raise ValidationError({"exercise": f"There is no exercise “{exercise}”."})
        exercise = found
    if exercise.review_state == Exercise.ReviewState.RETIRED:
        raise ValidationError({"exercise": f"{exercise} was retired from the library."})
    if exercise.review_state != Exercise.ReviewState.APPROVED or exercise.current_id is None:
        raise ValidationError(
            {"exercise": f"{exercise} must be reviewed by a clinician before it can be prescribed."}
        )
    prescription = Prescription(
        exercise=exercises_at([exercise.current_id])[exercise.current_id],
        exercise_version_id=exercise.current_id,
        level=level,
        sets=1,
        reps=1,
        order=order,
        since=since,
        days_per_week=days_per_week or 7,
    )
    try:
        rung = level_of(prescription)
    except StopIteration:
        raise ValidationError({"level": f"{exercise} has no level {level}."}) from None
    prescription.sets, prescription.reps = rung.sets, rung.reps_from
    prescription.hold_s, prescription.per_side = rung.hold_from, rung.per_side
    prescription.days_per_week = min(days_per_week or 7, rung.days_per_week)
    _refuse_impossible(prescription)
    return prescription
