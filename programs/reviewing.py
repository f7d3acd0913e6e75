"""A clinician looks at an exercise and takes it into what may be prescribed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from programs.exercise_versions import keep_version
from programs.models import Exercise
from programs.models.library import MovementClass

if TYPE_CHECKING:
    from clinic.models import User

# Resistance work is never planned on two days running (clinical content, conflict C5).
MAX_LOADED_DAYS = 3


@transaction.atomic
def approve_exercise(
    *, exercise: Exercise, movement_class: str, by: User, at: dt.datetime
) -> Exercise:
    """Approve an exercise under the movement class the clinician chose, and return it.

    Levels that had the exercise's old class move with it; a level with a class of its own keeps
    it. A supplied exercise that gets another class is the practice's own from then on, and new
    supplied versions leave it alone. Raises PermissionDenied when ``by`` is not a clinician, and
    ValidationError when the class is unknown or a level has no cues a patient could follow.
    """
    if not by.is_clinician:
        raise PermissionDenied("Only a physiotherapist may approve an exercise.")
    if movement_class not in MovementClass.values:
        raise ValidationError(f"“{movement_class}” is not a movement class.")
    row = Exercise.objects.select_for_update().get(pk=exercise.pk)
    levels = list(row.levels.all())
    if not levels:
        raise ValidationError(f"{row.name} has no level yet.")
    for level in levels:
        if not level.cues:
            raise ValidationError(f"{row.name}, level {level.level}: write its cues first.")
    old = row.movement_class
    for level in levels:
        if level.movement_class == old != movement_class:
            level.movement_class = movement_class
            if movement_class == MovementClass.HINGE_LOADED:
                level.loaded = True
                level.days_per_week = min(level.days_per_week, MAX_LOADED_DAYS)
            level.save(update_fields=["movement_class", "loaded", "days_per_week"])
    if row.origin == Exercise.Origin.SUPPLIED and movement_class != old:
        row.origin = Exercise.Origin.PRACTICE
    row.movement_class = movement_class
    row.review_state = Exercise.ReviewState.APPROVED
    row.reviewed_by = by
    row.reviewed_at = at
    row.save(
        update_fields=["movement_class", "review_state", "reviewed_by", "reviewed_at", "origin"]
    )
    keep_version(row, by=by, at=at)
    return row
