"""A clinician looks at an exercise and takes it into what may be prescribed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from programs.authoring_rules import MAX_LOADED_DAYS
from programs.exercise_versions import keep_version
from programs.models import Exercise
from programs.models.library import ExerciseLevel, MovementClass

if TYPE_CHECKING:
    from clinic.models import User


@transaction.atomic
def approve_exercise(
    *, exercise: Exercise, movement_class: str, by: User, at: dt.datetime
) -> Exercise:
    """Approve an imported exercise under the movement class the clinician chose; returns it.

    Levels that had the exercise's old class move with it; a level with a class of its own keeps
    it. Only what waits to be reviewed: the class decides which patients get an exercise, so one
    that may be prescribed changes by a draft that a colleague reads. Raises PermissionDenied when
    ``by`` is not a clinician, and ValidationError when nothing waits, the class is unknown or a
    level has no cues a patient could follow.
    """
    _require_clinician(by)
    if movement_class not in MovementClass.values:
        raise ValidationError(f"“{movement_class}” is not a movement class.")
    row = Exercise.objects.select_for_update().get(pk=exercise.pk)
    if row.review_state != Exercise.ReviewState.TO_REVIEW:
        if _is_signed(row, by) and row.movement_class == movement_class:
            return row
        raise ValidationError(
            f"{row.name} does not wait to be reviewed. What is to be different is written as a "
            "draft, which a colleague approves."
        )
    levels = _levels_of(row)
    old = row.movement_class
    for level in levels:
        if level.movement_class == old != movement_class:
            level.movement_class = movement_class
            if movement_class == MovementClass.HINGE_LOADED:
                level.loaded = True
                level.days_per_week = min(level.days_per_week, MAX_LOADED_DAYS)
            level.save(update_fields=["movement_class", "loaded", "days_per_week"])
    row.movement_class = movement_class
    return _sign(row, by, at)


@transaction.atomic
def sign_exercise(*, exercise: Exercise, by: User, at: dt.datetime) -> Exercise:
    """Put a clinician's name under a supplied exercise as it stands; returns it.

    Raises PermissionDenied when ``by`` is not a clinician, and ValidationError when it was not
    supplied, is signed by somebody else already, or a level has no cues.
    """
    _require_clinician(by)
    row = Exercise.objects.select_for_update().get(pk=exercise.pk)
    if row.origin != Exercise.Origin.SUPPLIED:
        raise ValidationError(f"{row.name} was not supplied, so it is not signed in this way.")
    if row.review_state != Exercise.ReviewState.APPROVED:
        raise ValidationError(f"{row.name} is not in use.")
    if row.reviewed_by_id is not None:
        if _is_signed(row, by):
            return row
        raise ValidationError(f"{row.name} has {row.reviewed_by.name}’s name under it already.")
    _levels_of(row)
    return _sign(row, by, at)


def _require_clinician(by: User) -> None:
    if not by.is_clinician:
        raise PermissionDenied("Only a physiotherapist may approve an exercise.")


def _is_signed(row: Exercise, by: User) -> bool:
    """Whether this is a second click on what is done already."""
    return row.review_state == Exercise.ReviewState.APPROVED and row.reviewed_by_id == by.pk


def _levels_of(row: Exercise) -> list[ExerciseLevel]:
    levels = list(row.levels.all())
    if not levels:
        raise ValidationError(f"{row.name} has no level yet.")
    for level in levels:
        if not level.cues:
            raise ValidationError(f"{row.name}, level {level.level}: write its cues first.")
    return levels


def _sign(row: Exercise, by: User, at: dt.datetime) -> Exercise:
    row.review_state = Exercise.ReviewState.APPROVED
    row.reviewed_by = by
    row.reviewed_at = at
    row.save(update_fields=["movement_class", "review_state", "reviewed_by", "reviewed_at"])
    keep_version(row, by=by, at=at)
    return row
