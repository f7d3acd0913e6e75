"""Turns stored versions and library rows into what the pure rules read, and back."""

import datetime as dt
from decimal import Decimal

from programs import day_queries
from programs.exercise_versions import exercises_at
from programs.gates import GateFacts
from programs.ladder import Position, Rung, Standing, Step, opened_by
from programs.limits import limits_on
from programs.models import ExerciseLevel, Prescription, ProgramVersion
from programs.overrides import opened


def prescriptions_of(version: ProgramVersion) -> list[Prescription]:
    """The version's prescriptions in routine order, each with its exercise and levels as they
    were prescribed (see ``exercise_versions``), in at most 2 queries.

    Versions never change, so what was read once stays right for as long as the object lives.
    """
    kept: list[Prescription] | None = getattr(version, "_prescriptions", None)
    if kept is None:
        return take_prescriptions(version, day_queries.prescriptions(version.pk))
    return kept


def take_prescriptions(version: ProgramVersion, rows: list[Prescription]) -> list[Prescription]:
    """Let ``prescriptions_of`` know the version's prescriptions, which were read with other
    things; each gets its exercise here."""
    exercises = exercises_at([prescription.exercise_version_id for prescription in rows])
    for prescription in rows:
        prescription.exercise = exercises[prescription.exercise_version_id]
    version._prescriptions = rows
    return rows


def rung_of(level: ExerciseLevel) -> Rung:
    return Rung(
        level=level.level,
        movement_class=level.movement_class,
        loaded=level.loaded,
        reps_from=level.reps_from,
        reps_to=level.reps_to,
        reps_step=level.reps_step,
        hold_from=level.hold_from,
        hold_to=level.hold_to,
        hold_step=level.hold_step,
    )


def position_of(prescription: Prescription) -> Position:
    exercise = prescription.exercise
    return Position(
        exercise=exercise.slug,
        name=exercise.name,
        first_phase=exercise.first_phase,
        order=prescription.order,
        level=prescription.level,
        reps=prescription.reps,
        hold_s=prescription.hold_s,
        rungs=tuple(rung_of(level) for level in exercise.levels.all()),
        load_kg=prescription.load_kg,
        paused=prescription.paused,
        since=prescription.since,
        raised_on=prescription.raised_on,
        regress_to=exercise.regress_to.slug if exercise.regress_to else None,
    )


def level_of(prescription: Prescription) -> ExerciseLevel:
    """The level a prescription stands on, as it was prescribed (from ``prescriptions_of``)."""
    return next(
        level for level in prescription.exercise.levels.all() if level.level == prescription.level
    )


def standing_of(
    version: ProgramVersion,
    *,
    today: dt.date,
    calm_fortnight: bool = False,
) -> Standing:
    """The program as the ladder and the gates see it on this day."""
    positions = tuple(position_of(p) for p in prescriptions_of(version))
    facts = GateFacts(
        pathway=version.pathway,
        phase=version.phase,
        clearances=frozenset(version.clearances),
        weeks_in_program=max(0, (today - version.program.started_on).days // 7),
        levels=tuple(sorted((p.exercise, p.level) for p in positions)),
        calm_fortnight=calm_fortnight,
        limits=limits_on(version.program.patient.limits, today),
        overridden=opened(version.overrides),
    )
    return Standing(facts, positions, opened_by(positions, facts))


def step_as_json(step: Step) -> dict[str, object]:
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in vars(step).items()
    }


def step_from_json(stored: dict[str, object]) -> Step:
    return Step(
        **{
            name: tuple(value) if isinstance(value, list) else value
            for name, value in stored.items()
        }
    )


def kilograms(value: str | None) -> Decimal | None:
    return Decimal(value) if value else None
