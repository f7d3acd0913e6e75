"""Take other people's exercises into the library, where they wait for a clinician's review."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pghistory
from django.db import DatabaseError, transaction
from django.utils.text import slugify

from programs.classifying import Suggestion, suggest_movement_class
from programs.loading import hold_library
from programs.models import Exercise, ExerciseLevel

if TYPE_CHECKING:
    from clinic.models import User

SOURCE = "free-exercise-db"
IMPORTED, ALREADY_THERE, REFUSED = "imported", "already there", "refused"
MAX_NAME = 120
MAX_ID = 100

# Their words for muscles and equipment in ours; what has no word of ours keeps its own.
_MUSCLES = {
    "abdominals": "rectus_abdominis",
    "lower back": "erector_spinae",
    "glutes": "gluteus_maximus",
    "abductors": "gluteus_medius",
    "chest": "pectorals",
    "traps": "trapezius",
}
_EQUIPMENT = {
    "body only": None,
    "bands": "band",
    "exercise ball": "ball",
    "medicine ball": "weight",
    "dumbbell": "weight",
    "barbell": "weight",
    "kettlebells": "weight",
    "e-z curl bar": "weight",
    "foam roll": "roller",
}
# Nothing imported is offered earlier than our own exercises of the same class.
_FIRST_PHASE = {
    "breathing": 0,
    "isometric": 0,
    "mobility": 0,
    "release": 0,
    "extension": 2,
    "hinge_loaded": 2,
    "rotation": 3,
    "flexion_loaded": 3,
}


@dataclass(frozen=True)
class RowOutcome:
    """What became of one row. ``row`` counts from 1; ``reason`` says why it was refused, or what a
    reviewer still has to add."""

    row: int
    name: str
    outcome: str
    movement_class: str = ""
    reason: str = ""


@dataclass
class ImportReport:
    rows: list[RowOutcome] = field(default_factory=list)

    def of(self, outcome: str) -> list[RowOutcome]:
        return [row for row in self.rows if row.outcome == outcome]

    def by_class(self) -> dict[str, int]:
        """How many rows were imported into each movement class, most first."""
        return dict(Counter(row.movement_class for row in self.of(IMPORTED)).most_common())

    def __str__(self) -> str:
        return ", ".join(
            f"{len(self.of(outcome))} {outcome}" for outcome in (IMPORTED, ALREADY_THERE, REFUSED)
        )


@transaction.atomic
def import_exercises(*, rows: Sequence[Any], by: User | None, at: dt.datetime) -> ImportReport:
    """Import rows in the shape of free-exercise-db; each is whole in the library or not there.

    Every exercise arrives as one level with a suggested movement class and a cautious dose, and
    cannot be prescribed before ``reviewing.approve_exercise``. A row that was imported before is
    left alone, whatever became of it. A row that is not right is refused with its reason and the
    others are imported. ``by`` and ``at`` are kept with the history of the rows (``by`` is None
    when the command line imports).
    """
    hold_library()
    report = ImportReport()
    there = set(Exercise.objects.exclude(origin_ref="").values_list("origin_ref", flat=True))
    in_file: dict[str, int] = {}
    with pghistory.context(user=by.pk if by else None, imported_at=at.isoformat(), source=SOURCE):
        for number, row in enumerate(rows, start=1):
            problem = _problem(row) or _stands_twice(row, in_file)
            if problem:
                report.rows.append(RowOutcome(number, _name_of(row), REFUSED, reason=problem))
                continue
            in_file[row["id"]] = number
            report.rows.append(_import_row(number, row, there))
    return report


def _import_row(number: int, row: Mapping[str, Any], there: set[str]) -> RowOutcome:
    name = row["name"].strip()
    reference = f"{SOURCE}:{row['id']}"
    if reference in there:
        return RowOutcome(number, name, ALREADY_THERE)
    suggestion = suggest_movement_class(row)
    try:
        with transaction.atomic():
            _create(row, name, reference, suggestion)
    except DatabaseError as error:
        return RowOutcome(number, name, REFUSED, reason=str(error).splitlines()[0])
    missing = "" if _cues(row) else "has no instructions: needs cues before it can be approved"
    return RowOutcome(number, name, IMPORTED, suggestion.movement_class, missing)


def _create(row: Mapping[str, Any], name: str, reference: str, suggestion: Suggestion) -> Exercise:
    muscles = [*row["primaryMuscles"], *(row.get("secondaryMuscles") or [])]
    equipment = _equipment(row.get("equipment"))
    exercise = Exercise.objects.create(
        slug=f"fedb-{slugify(row['id'].replace('_', '-'))}",
        name=name,
        movement_class=suggestion.movement_class,
        first_phase=_FIRST_PHASE.get(suggestion.movement_class, 2 if suggestion.loaded else 1),
        muscles=list(dict.fromkeys(_MUSCLES.get(m, m.replace(" ", "_")) for m in muscles)),
        equipment=equipment,
        sources=[reference],
        origin=Exercise.Origin.IMPORTED,
        origin_ref=reference,
        suggested_from=suggestion.reasons,
        review_state=Exercise.ReviewState.TO_REVIEW,
    )
    ExerciseLevel.objects.create(
        exercise=exercise,
        level=1,
        title=name,
        movement_class=suggestion.movement_class,
        loaded=suggestion.loaded,
        equipment=equipment,
        cues=_cues(row),
        **_dose(row, suggestion),
    )
    return exercise


def _cues(row: Mapping[str, Any]) -> list[str]:
    return [text.strip() for text in row["instructions"] if text.strip()]


def _equipment(theirs: str | None) -> list[str]:
    ours = _EQUIPMENT.get(theirs, theirs.replace(" ", "_")) if theirs else None
    return [ours] if ours else []


def _dose(row: Mapping[str, Any], suggestion: Suggestion) -> dict[str, int]:
    """A cautious start inside the ranges of our own exercises; the reviewer sets the real one."""
    if suggestion.movement_class == "release":
        hold = {"hold_from": 30, "hold_to": 60, "hold_step": 15}
        return {"sets": 1, "rest_s": 10, "days_per_week": 7, **hold}
    if row.get("force") == "static":
        hold = {"hold_from": 10, "hold_to": 20, "hold_step": 5}
        return {"sets": 2, "rest_s": 15, "days_per_week": 3 if suggestion.loaded else 7, **hold}
    gated = suggestion.movement_class in ("flexion_loaded", "rotation", "extension")
    start = 8 if suggestion.loaded and not gated else 6
    return {
        "sets": 2,
        "reps_from": start,
        "reps_to": start + 4,
        "reps_step": 2,
        "days_per_week": 3 if suggestion.loaded or gated else 7,
        "rest_s": 60 if suggestion.loaded else 20,
    }


# What makes a row unusable


def _problem(row: Any) -> str:
    if not isinstance(row, Mapping):
        return "is not an object with fields"
    for name, limit in (("id", MAX_ID), ("name", MAX_NAME)):
        value = row.get(name)
        if not isinstance(value, str) or not value.strip():
            return f"{name}: is missing"
        if len(value) > limit:
            return f"{name}: is longer than {limit} characters"
    for name in ("primaryMuscles", "secondaryMuscles", "instructions"):
        value = row.get(name, [] if name == "secondaryMuscles" else None)
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            return f"{name}: is not a list of texts"
    if not row["primaryMuscles"]:
        return "primaryMuscles: names no muscle"
    for name in ("category", "equipment", "force"):
        if not isinstance(row.get(name), str | None):
            return f"{name}: is not a text"
    if not slugify(row["id"]):
        return "id: has no letter or digit"
    if "\x00" in "".join(_texts(row)):
        return "holds a character that cannot be stored"
    return ""


def _texts(row: Mapping[str, Any]) -> list[str]:
    lists = [*row["primaryMuscles"], *row.get("secondaryMuscles", []), *row["instructions"]]
    return [row["id"], row["name"], row.get("equipment") or "", *lists]


def _stands_twice(row: Mapping[str, Any], in_file: Mapping[str, int]) -> str:
    first = in_file.get(row["id"])
    return f"id: stands in row {first} already" if first else ""


def _name_of(row: Any) -> str:
    name = row.get("name") or row.get("id") if isinstance(row, Mapping) else None
    return name[:MAX_NAME] if isinstance(name, str) else "(no name)"
