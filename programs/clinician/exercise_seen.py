"""An exercise as a page of the portal shows it: what the patient reads, level by level."""

from dataclasses import dataclass
from typing import Any

from programs import routine
from programs.exercise_versions import Content, exercise_at
from programs.items import Dose, words_of
from programs.models import Exercise, ExerciseLevel, ExerciseVersion
from programs.models.library import MovementClass


@dataclass(frozen=True)
class SeenLevel:
    """``start`` and ``top`` are doses in words, ``minutes`` what the start takes, to a tenth."""

    row: ExerciseLevel
    start: str
    top: str
    minutes: float
    movement_class: str


@dataclass(frozen=True)
class Seen:
    exercise: Exercise
    levels: list[SeenLevel]


def seen_of(exercise: Exercise) -> Seen:
    levels = sorted(exercise.levels.all(), key=lambda level: level.level)
    return Seen(exercise, [_level(level) for level in levels])


def seen_of_content(content: Content, slug: str) -> Seen:
    """What is being written, before it is anywhere."""
    whole = {"origin": Exercise.Origin.PRACTICE, **content, "slug": slug}
    return seen_of(exercise_at(ExerciseVersion(exercise_id=0, number=0, content=whole)))


def _level(level: ExerciseLevel) -> SeenLevel:
    breathing = level.movement_class == MovementClass.BREATHING

    def said(reps: int, hold: int) -> str:
        return words_of(Dose(level.sets, reps, hold, level.per_side), breathing=breathing)

    start, top = said(level.reps_from, level.hold_from), said(level.reps_to, level.hold_to)
    return SeenLevel(
        row=level,
        start=start,
        top=top if top != start else "",
        minutes=round(seconds_of(level) / 60, 1),
        movement_class=MovementClass(level.movement_class).label,
    )


def seconds_of(level: Any) -> int:
    """Seconds the dose takes with which this level begins."""
    return routine.dose_seconds(
        sets=level.sets,
        reps=level.reps_from,
        hold_s=level.hold_from,
        per_side=level.per_side,
        seconds_per_rep=level.seconds_per_rep,
        rest_s=level.rest_s,
    )
