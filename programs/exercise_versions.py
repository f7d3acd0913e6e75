"""An exercise as it was at one moment: what a prescription points at, and stays with.

The rows of ``Exercise`` and ``ExerciseLevel`` are the library of today. A program reads the
``ExerciseVersion`` it was made with, so that a change of the library reaches nobody who already
has the exercise until a clinician moves them to it.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from django.core.exceptions import ValidationError

from clinic.models import User
from programs.models import Exercise, ExerciseLevel, ExerciseVersion

EXERCISE_FIELDS = (
    "name",
    "movement_class",
    "first_phase",
    "muscles",
    "equipment",
    "alternative",
    "why",
    "words",
    "sources",
)
LEVEL_FIELDS = tuple(
    field.name
    for field in ExerciseLevel._meta.concrete_fields
    if field.name not in ("id", "exercise")
)
Content = dict[str, Any]

# Approved versions never change, so what was built once stays right in this process.
_BUILT: dict[int, Exercise] = {}
_MANY = 600


def content_of(exercise: Exercise) -> Content:
    """The exercise with its levels as a version keeps them: the columns by name, ``regress_to``
    as a slug, ``levels`` in their order."""
    levels = sorted(exercise.levels.all(), key=lambda level: level.level)
    return {
        **{name: getattr(exercise, name) for name in EXERCISE_FIELDS},
        "slug": exercise.slug,
        "origin": exercise.origin,
        "regress_to": exercise.regress_to.slug if exercise.regress_to else None,
        "levels": [{name: getattr(level, name) for name in LEVEL_FIELDS} for level in levels],
    }


def exercise_at(version: ExerciseVersion) -> Exercise:
    """The exercise of this version, levels and all, for reading: it is not the library's row."""
    content = version.content
    exercise = Exercise(
        pk=version.exercise_id,
        slug=content["slug"],
        origin=content["origin"],
        version=version.number,
        review_state=version.state,
        current_id=version.pk,
        **{name: content[name] for name in EXERCISE_FIELDS},
    )
    easier = content["regress_to"]
    exercise.regress_to = Exercise(slug=easier, name=easier) if easier else None
    levels = exercise.levels.get_queryset()
    levels._result_cache = [
        ExerciseLevel(exercise=exercise, **{name: level[name] for name in LEVEL_FIELDS})
        for level in content["levels"]
    ]
    levels._prefetch_done = True
    exercise._prefetched_objects_cache = {"levels": levels}
    return exercise


def exercises_at(ids: Collection[int]) -> dict[int, Exercise]:
    """The exercises of these versions by the version's key; one query for those not yet read."""
    missing = [pk for pk in set(ids) if pk not in _BUILT]
    if not missing:
        return {pk: _BUILT[pk] for pk in ids}
    found = {pk: _BUILT[pk] for pk in ids if pk in _BUILT}
    for version in ExerciseVersion.objects.filter(pk__in=missing):
        found[version.pk] = exercise_at(version)
        if version.state == ExerciseVersion.State.APPROVED:
            if len(_BUILT) >= _MANY:
                _BUILT.clear()
            _BUILT[version.pk] = found[version.pk]
    return found


def write_rows(exercise: Exercise, content: Mapping[str, Any]) -> None:
    """Make the library's rows say what ``content`` says; levels it does not have go."""
    values = {name: content[name] for name in EXERCISE_FIELDS}
    slug = content["regress_to"]
    values["regress_to"] = Exercise.objects.filter(slug=slug).first() if slug else None
    for name, value in values.items():
        setattr(exercise, name, value)
    exercise.save(update_fields=list(values))
    there = {level.level: level for level in exercise.levels.all()}
    for said in content["levels"]:
        level = there.pop(said["level"], None) or ExerciseLevel(exercise=exercise)
        changed = [name for name in LEVEL_FIELDS if getattr(level, name) != said[name]]
        for name in changed:
            setattr(level, name, said[name])
        if changed or level.pk is None:
            level.save()
    for gone in there.values():
        gone.delete()
    # What was fetched before is not what stands there now.
    exercise._prefetched_objects_cache = {}


def next_number(exercise: Exercise) -> int:
    newest = exercise.versions.order_by("-number").values_list("number", flat=True).first()
    return (newest or 0) + 1


def keep_version(
    exercise: Exercise, *, by: User | None, at: dt.datetime, note: str = ""
) -> ExerciseVersion:
    """Keep the library's rows as the approved version that is prescribed from now on; the newest
    one where nothing differs. ``by`` is None for supplied content."""
    content = content_of(exercise)
    current = exercise.current
    if current is not None and current.content == content:
        return current
    if exercise.versions.exclude(state=ExerciseVersion.State.APPROVED).exists():
        raise ValidationError(f"{exercise.name} has an open draft. Finish or discard it first.")
    version = ExerciseVersion.objects.create(
        exercise=exercise,
        number=next_number(exercise),
        state=ExerciseVersion.State.APPROVED,
        content=content,
        note=note,
        changed_at=at,
        reviewed_by=by,
        reviewed_at=at,
    )
    exercise.current = version
    exercise.save(update_fields=["current"])
    return version


def keep_supplied(*, at: dt.datetime) -> None:
    """Keep every supplied exercise that differs from its newest version, after loading."""
    rows = (
        Exercise.objects.filter(origin=Exercise.Origin.SUPPLIED)
        .prescribable()
        .select_related("current", "regress_to")
        .prefetch_related("levels")
    )
    for exercise in rows:
        keep_version(exercise, by=None, at=at)
