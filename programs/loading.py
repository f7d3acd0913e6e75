"""Bring the supplied content files into the library. May be run again at any time."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection, models, transaction

from programs.content_files import CONTENT_DIR, Content, read_content
from programs.content_words import read_words
from programs.exercise_versions import EXERCISE_FIELDS, keep_supplied
from programs.loading_words import load_words
from programs.models import Exercise, ExerciseLevel, HabitTask, ProgramTemplate, TemplateItem
from programs.template_authoring import PLAN_FIELDS

# The words of other languages stand in files of their own.
_EXERCISE_FIELDS = ("version", *(name for name in EXERCISE_FIELDS if name != "words"))
_TEMPLATE_FIELDS = (*PLAN_FIELDS, "sources")

# Two loads at once would both see "not there yet"; the second waits for the first.
_LOCK = 5_190_024


@dataclass
class LoadReport:
    """How many rows were added, changed and already right; ``kept`` names rows left alone."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    kept: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        line = f"{self.added} added, {self.changed} changed, {self.unchanged} unchanged"
        return f"{line}, {len(self.kept)} kept: {'; '.join(self.kept)}" if self.kept else line


@transaction.atomic
def load_content(*, at: dt.datetime, folder: Path = CONTENT_DIR) -> LoadReport:
    """Create or update the supplied exercises, habit tasks and templates from ``folder``.

    An exercise that the practice has made its own (``origin`` no longer ``supplied``) is never
    overwritten, and no row goes back to an older version. A template's row is never edited: a new
    version is a new row, and programs keep the one they came from. A supplied exercise arrives
    approved, with ``at`` as its date and nobody's name: the name follows when a physiotherapist of
    the practice signs it off, and goes again when its text changes.

    Raises ContentError before anything is written.
    """
    content = read_content(folder)
    words = read_words(content, folder)
    hold_library()
    report = LoadReport()
    exercises = _load_exercises(content, report, at)
    _load_habits(content, report)
    _load_templates(content, report, exercises)
    load_words(content, words)
    keep_supplied(at=at)
    return report


def hold_library() -> None:
    """Hold the library for this transaction: loading and importing wait for each other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _load_exercises(
    content: Content, report: LoadReport, at: dt.datetime
) -> dict[str, Exercise | None]:
    """Return the library's row for every supplied slug, whoever owns it by now."""
    there = {row.slug: row for row in Exercise.objects.prefetch_related("levels")}
    mine = []
    for item in content.exercises:
        row = there.get(item["slug"])
        reason = _why_kept(row, item["version"]) if row is not None else ""
        if reason:
            report.kept.append(f"{item['slug']} ({reason})")
            continue
        there[item["slug"]], outcome = _write_exercise(row, item, at)
        mine.append((item, outcome))
    # Links come last: an exercise may lean on one that stands further down.
    for item, outcome in mine:
        exercise = there[item["slug"]]
        easier = there.get(item["regress_to"]) if item["regress_to"] else None
        if exercise.regress_to_id != (easier.pk if easier else None):
            exercise.regress_to = easier
            exercise.save(update_fields=["regress_to"])
            outcome = "changed" if outcome == "unchanged" else outcome
        _count(report, outcome)
    return there


def _why_kept(row: Exercise, version: int) -> str:
    if row.origin != Exercise.Origin.SUPPLIED:
        return "the practice’s own"
    if row.version > version:
        return f"version {row.version} is newer"
    return ""


def _write_exercise(
    row: Exercise | None, item: Mapping[str, Any], at: dt.datetime
) -> tuple[Exercise, str]:
    values = {name: item[name] for name in _EXERCISE_FIELDS}
    levels = {level["level"]: _level_values(item, level) for level in item["levels"]}
    if row is None:
        row = Exercise.objects.create(
            slug=item["slug"],
            origin=Exercise.Origin.SUPPLIED,
            review_state=Exercise.ReviewState.APPROVED,
            reviewed_at=at,
            **values,
        )
        for number, level in levels.items():
            ExerciseLevel.objects.create(exercise=row, level=number, **level)
        return row, "added"
    changed = _set(row, values)
    for level_row in row.levels.all():
        changed |= _set(level_row, levels.pop(level_row.level))
    for number, level in levels.items():
        ExerciseLevel.objects.create(exercise=row, level=number, **level)
        changed = True
    if changed:
        _set(row, {"reviewed_by_id": None, "reviewed_at": at})
    return row, "changed" if changed else "unchanged"


def _level_values(item: Mapping[str, Any], level: Mapping[str, Any]) -> dict[str, Any]:
    """A file's level as the columns of ExerciseLevel; what it leaves out it has from the item."""
    dose = level["dose"]
    return {
        "title": level["title"],
        "movement_class": level.get("movement_class", item["movement_class"]),
        "loaded": level["loaded"],
        "equipment": level.get("equipment", item["equipment"]),
        "set_up": level["set_up"],
        "cues": level["cues"],
        "cues_draw_in": level.get("cues_draw_in", []),
        "cues_fill_out": level.get("cues_fill_out", []),
        "feel": level["feel"],
        "not_feel": level["not_feel"],
        "sets": dose["sets"],
        "reps_from": dose["reps"]["from"],
        "reps_to": dose["reps"]["to"],
        "reps_step": dose["reps"]["step"],
        "hold_from": dose["hold_s"]["from"],
        "hold_to": dose["hold_s"]["to"],
        "hold_step": dose["hold_s"]["step"],
        "per_side": dose["per_side"],
        "alternate": dose.get("alternate", False),
        "days_per_week": dose["days_per_week"],
        "seconds_per_rep": dose["seconds_per_rep"],
        "rest_s": dose["rest_s"],
    }


def _load_habits(content: Content, report: LoadReport) -> None:
    there = {row.slug: row for row in HabitTask.objects.all()}
    names = ("version", "title", "text", "cadence", "pathways", "sources")
    for item in content.habits:
        values = {name: item[name] for name in names}
        row = there.get(item["slug"])
        if row is None:
            HabitTask.objects.create(slug=item["slug"], **values)
            report.added += 1
        elif item["version"] > row.version:
            _set(row, values)
            report.changed += 1
        elif any(getattr(row, name) != value for name, value in values.items()):
            # A habit carries no origin, so only a higher version may overwrite it.
            report.kept.append(f"{item['slug']} (edited here since version {row.version})")
        else:
            report.unchanged += 1


def _load_templates(
    content: Content, report: LoadReport, exercises: Mapping[str, Exercise | None]
) -> None:
    there: dict[str, dict[int, ProgramTemplate]] = {}
    for row in ProgramTemplate.objects.prefetch_related("items__exercise"):
        there.setdefault(row.slug, {})[row.version] = row
    for item in content.templates:
        rows = there.get(item["slug"], {})
        same = rows.get(item["version"])
        if same is not None:
            if _template_state(same) == _template_state_of_file(item):
                report.unchanged += 1
            else:
                report.kept.append(
                    f"{item['slug']} (differs from its file: raise the file’s version)"
                )
        elif any(version > item["version"] for version in rows):
            report.kept.append(f"{item['slug']} (version {max(rows)} is newer)")
        else:
            _add_template(item, exercises)
            report.added += 1


def _add_template(
    item: Mapping[str, Any], exercises: Mapping[str, Exercise | None]
) -> ProgramTemplate:
    ProgramTemplate.objects.filter(slug=item["slug"], is_current=True).update(is_current=False)
    template = ProgramTemplate.objects.create(
        slug=item["slug"],
        version=item["version"],
        is_current=True,
        origin=ProgramTemplate.Origin.SUPPLIED,
        state=ProgramTemplate.State.APPROVED,
        **_template_values(item),
    )
    TemplateItem.objects.bulk_create(
        TemplateItem(
            template=template,
            exercise=exercises[entry["exercise"]],
            level=entry["level"],
            days_per_week=entry["days_per_week"],
            order=order,
        )
        for order, entry in enumerate(item["items"], start=1)
    )
    return template


def _template_values(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in _TEMPLATE_FIELDS}


def _template_state(row: ProgramTemplate) -> dict[str, Any]:
    items = [(i.exercise.slug, i.level, i.days_per_week) for i in row.items.all()]
    return {**{name: getattr(row, name) for name in _TEMPLATE_FIELDS}, "items": items}


def _template_state_of_file(item: Mapping[str, Any]) -> dict[str, Any]:
    items = [(e["exercise"], e["level"], e["days_per_week"]) for e in item["items"]]
    return {**_template_values(item), "items": items}


def _set(row: models.Model, values: Mapping[str, Any]) -> bool:
    """Write what differs and nothing else, so that history shows real changes only."""
    differing = [name for name, value in values.items() if getattr(row, name) != value]
    for name in differing:
        setattr(row, name, values[name])
    if differing:
        row.save(update_fields=differing)
    return bool(differing)


def _count(report: LoadReport, outcome: str) -> None:
    setattr(report, outcome, getattr(report, outcome) + 1)
