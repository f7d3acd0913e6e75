"""Read and check the supplied content: exercises, templates, habit tasks and cue sets.

Pure: no Django, no clock. The files are what a physiotherapist reviews; this module refuses a
file that a patient should not meet. Every refusal is a ``ContentError`` that names the file and
the field. How the content is reviewed and versioned: ``docs/content.md``.
"""

import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from programs.authoring_rules import MAX_LOADED_DAYS
from programs.patient_words import (
    BANNED_WORDS,
    CUE_SET_WORDS,
    EXERCISE_TEXTS,
    LEVEL_LISTS,
    LEVEL_TEXTS,
)

CONTENT_DIR = Path(__file__).resolve().parent / "content"
CUE_SETS = ("draw_in", "fill_out")

# Exercises in which "pressure" is that of a ball and sets no core.
_OWN_VOCABULARY = {"pressure-release"}


class ContentError(Exception):
    """A content file cannot be used. Says which file, which field and what is the matter."""

    def __init__(self, file: str, field: str, problem: str) -> None:
        self.file, self.field, self.problem = file, field, problem
        super().__init__(f"{file}: {field}: {problem}")


Item = Mapping[str, Any]


@dataclass(frozen=True)
class Content:
    """All supplied content, checked. Items are the files' mappings, in the files' order."""

    exercises: tuple[Item, ...]
    templates: tuple[Item, ...]
    habits: tuple[Item, ...]
    cue_sets: tuple[Item, ...]

    def exercise(self, slug: str) -> Item:
        return next(item for item in self.exercises if item["slug"] == slug)


@dataclass(frozen=True)
class CueSet:
    """One of the two ways to set the core. ``summary`` is for the clinician, the rest for the
    patient."""

    slug: str
    name: str
    summary: str
    lead_in: str
    steps: tuple[str, ...]


def read_content(folder: Path = CONTENT_DIR) -> Content:
    """Read and check everything under ``folder``.

    Raises ContentError at the first file or field that is not right.
    """
    exercises = tuple(_read_each(folder, "exercises", "exercise"))
    templates = tuple(_read_each(folder, "templates", "template"))
    habits = tuple(_read(folder, "habits.yaml", "habits"))
    cue_sets = tuple(_read(folder, "cue_sets.yaml", "cue_sets"))
    content = Content(exercises, templates, habits, cue_sets)
    _check_exercises(content)
    _check_templates(content)
    _check_habits(content)
    _check_cue_sets(content)
    return content


@functools.cache
def cue_sets() -> dict[str, CueSet]:
    """The supplied cue sets by slug (``draw_in``, ``fill_out``)."""
    items = _read(CONTENT_DIR, "cue_sets.yaml", "cue_sets")
    return {
        item["slug"]: CueSet(
            item["slug"], item["name"], item["summary"], item["lead_in"], tuple(item["steps"])
        )
        for item in items
    }


def cues_to_show(
    cues: Sequence[str],
    *,
    draw_in: Sequence[str],
    fill_out: Sequence[str],
    cue_set: str,
    english: Sequence[str] | None = None,
) -> list[str]:
    """The cues of a level for a patient whose clinician picked ``cue_set``; never both sets.

    ``english`` are the same cues in English, where ``cues`` are not.

    The set's own cues follow the first cue that says "set your core", because they explain it;
    where no cue says so they come last. Raises ValueError for an unknown cue set.
    """
    if cue_set not in CUE_SETS:
        raise ValueError(f"Unknown cue set: {cue_set}")
    extra = list(draw_in if cue_set == "draw_in" else fill_out)
    for index, cue in enumerate(cues if english is None else english):
        if "set your core" in cue.lower():
            return [*cues[: index + 1], *extra, *cues[index + 1 :]]
    return [*cues, *extra]


# Reading


# The parser in C, where the wheel has it, reads the files five times as fast.
class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML without surprises: a key that stands twice in one mapping is an error."""


def _mapping_once(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if key.value in seen:
            line = key.start_mark.line + 1
            raise yaml.constructor.ConstructorError(
                None, None, f"'{key.value}' stands twice (line {line})", key.start_mark
            )
        seen.add(key.value)
    mapping: dict[Any, Any] = loader.construct_mapping(node, deep=True)
    return mapping


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_once)


@functools.cache
def _validator(name: str) -> Draft202012Validator:
    schema = json.loads((CONTENT_DIR / "schema" / f"{name}.schema.json").read_text("utf-8"))
    return Draft202012Validator(schema)


def _read_each(folder: Path, sub: str, schema: str) -> Iterator[Item]:
    paths = sorted((folder / sub).glob("*.yaml"))
    if not paths:
        raise ContentError(sub, "folder", "there is no .yaml file in it")
    for path in paths:
        item = _read(folder, f"{sub}/{path.name}", schema)
        named = re.sub(r"^\d+-", "", path.stem)
        if item["slug"] != named:
            raise ContentError(f"{sub}/{path.name}", "slug", f"should be '{named}', as the file")
        yield {**item, "file": f"{sub}/{path.name}"}


def _read(folder: Path, file: str, schema: str) -> Any:
    return read_yaml(folder, file, _validator(schema))


def read_yaml(folder: Path, file: str, validator: Draft202012Validator) -> Any:
    """What a file holds, checked. Raises ContentError with the file and the field."""
    try:
        data = yaml.load((folder / file).read_text("utf-8"), Loader=_Loader)
    except FileNotFoundError:
        raise ContentError(file, "file", "is missing") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ContentError(file, "file", f"is not YAML: {' '.join(str(error).split())}") from None
    first = min(validator.iter_errors(data), key=lambda e: list(map(str, e.path)), default=None)
    if first is not None:
        raise ContentError(file, _field(first.absolute_path), first.message)
    return data


def _field(path: Any) -> str:
    """``levels[2].dose.reps`` from the parts of a JSON path; "file" for the whole of it."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "file"


# Checks that a schema cannot say


def _check_exercises(content: Content) -> None:
    by_slug = _once(content.exercises)
    for item in content.exercises:
        file = item["file"]
        if item["regress_to"] is not None and item["regress_to"] not in by_slug:
            raise ContentError(file, "regress_to", f"no exercise '{item['regress_to']}'")
        _check_no_circle(item, by_slug)
        if item["equipment"] and not item["alternative"]:
            raise ContentError(file, "alternative", "is needed, because there is equipment")
        for index, level in enumerate(item["levels"]):
            _check_level(file, f"levels[{index}]", index + 1, level)
        titles = [level["title"] for level in item["levels"]]
        if len(set(titles)) != len(titles):
            raise ContentError(file, "levels", "two levels have the same title")
        for field, text in patient_texts(item):
            _check_words(file, field, text)
            if item["slug"] not in _OWN_VOCABULARY:
                _check_cue_words(file, field, text)


def _check_no_circle(item: Item, by_slug: Mapping[str, Item]) -> None:
    seen = [item["slug"]]
    easier = item["regress_to"]
    while easier in by_slug:
        if easier in seen:
            raise ContentError(
                item["file"], "regress_to", f"goes round in a circle: {' → '.join([*seen, easier])}"
            )
        seen.append(easier)
        easier = by_slug[easier]["regress_to"]


def _check_level(file: str, field: str, number: int, level: Item) -> None:
    if level["level"] != number:
        raise ContentError(file, f"{field}.level", f"should be {number}: levels stand in order")
    if bool(level.get("cues_draw_in")) != bool(level.get("cues_fill_out")):
        raise ContentError(file, f"{field}.cues_draw_in", "needs its counterpart in the other set")
    dose = level["dose"]
    for name in ("reps", "hold_s"):
        _check_range(file, f"{field}.dose.{name}", dose[name])
    if dose["reps"]["from"] < 1:
        raise ContentError(file, f"{field}.dose.reps.from", "is 1 for something held still")
    moving = [name for name in ("reps", "hold_s") if dose[name]["step"]]
    if dose.get("alternate") and not dose["per_side"]:
        raise ContentError(file, f"{field}.dose.alternate", "needs per_side: sides take turns")
    if len(moving) == 2:
        raise ContentError(file, f"{field}.dose", "reps and hold_s both rise: one at a time")
    if not moving and "fixed" not in dose:
        raise ContentError(file, f"{field}.dose.fixed", "is needed: say why nothing rises")
    if level["loaded"] and dose["days_per_week"] > MAX_LOADED_DAYS:
        raise ContentError(
            file, f"{field}.dose.days_per_week", f"is at most {MAX_LOADED_DAYS} when loaded"
        )


def _check_range(file: str, field: str, range_: Item) -> None:
    start, end, step = range_["from"], range_["to"], range_["step"]
    if end < start:
        raise ContentError(file, field, f"goes down, from {start} to {end}")
    if (step == 0) != (start == end):
        raise ContentError(file, f"{field}.step", "is 0 exactly when from and to are the same")
    if step and (end - start) % step:
        raise ContentError(file, f"{field}.to", f"{end} is not reached from {start} by {step}")


def _check_templates(content: Content) -> None:
    exercises = {item["slug"]: item for item in content.exercises}
    habits = {item["slug"]: item for item in content.habits}
    _once(content.templates)
    for item in content.templates:
        file = item["file"]
        asked = [entry["exercise"] for entry in item["items"]]
        for index, entry in enumerate(item["items"]):
            field = f"items[{index}]"
            if entry["exercise"] not in exercises:
                raise ContentError(file, f"{field}.exercise", f"no exercise '{entry['exercise']}'")
            if asked.count(entry["exercise"]) > 1:
                raise ContentError(file, f"{field}.exercise", f"'{entry['exercise']}' twice")
            level = exercises[entry["exercise"]]["levels"][entry["level"] - 1]
            if level["loaded"] and entry["days_per_week"] > MAX_LOADED_DAYS:
                raise ContentError(
                    file, f"{field}.days_per_week", f"is at most {MAX_LOADED_DAYS} when loaded"
                )
        for index, slug in enumerate(item["habits"]):
            if slug not in habits:
                raise ContentError(file, f"habits[{index}]", f"no habit '{slug}'")
            missing = set(item["pathways"]) - set(habits[slug]["pathways"])
            if missing:
                raise ContentError(
                    file, f"habits[{index}]", f"'{slug}' is not for {', '.join(sorted(missing))}"
                )
        _check_words(file, "patient_summary", item["patient_summary"])
        _check_cue_words(file, "patient_summary", item["patient_summary"])


def _check_habits(content: Content) -> None:
    _once([{**item, "file": "habits.yaml"} for item in content.habits])
    for index, item in enumerate(content.habits):
        for name in ("title", "text"):
            _check_words("habits.yaml", f"[{index}].{name}", item[name])
            _check_cue_words("habits.yaml", f"[{index}].{name}", item[name])


def _check_cue_sets(content: Content) -> None:
    file = "cue_sets.yaml"
    _once([{**item, "file": file} for item in content.cue_sets])
    for index, item in enumerate(content.cue_sets):
        texts = [("lead_in", item["lead_in"])]
        texts += [(f"steps[{n}]", text) for n, text in enumerate(item["steps"])]
        for name, text in texts:
            _check_words(file, f"[{index}].{name}", text)
            _check_cue_words(file, f"[{index}].{name}", text, own=item["slug"])


def patient_texts(exercise: Item) -> Iterator[tuple[str, str]]:
    """Every text of an exercise that a patient reads, with its field."""
    for name in EXERCISE_TEXTS:
        yield name, exercise[name]
    for index, level in enumerate(exercise["levels"]):
        for name in LEVEL_TEXTS:
            yield f"levels[{index}].{name}", level[name]
        for name in LEVEL_LISTS:
            for number, cue in enumerate(level.get(name, [])):
                yield f"levels[{index}].{name}[{number}]", cue


def _once(items: Sequence[Item]) -> dict[str, Item]:
    by_slug: dict[str, Item] = {}
    for item in items:
        if item["slug"] in by_slug:
            raise ContentError(item["file"], "slug", f"'{item['slug']}' is already taken")
        by_slug[item["slug"]] = item
    return by_slug


def _check_words(file: str, field: str, text: str) -> None:
    found = BANNED_WORDS.search(text)
    if found:
        raise ContentError(file, field, f"'{found.group()}' is not a word for patients")


def _check_cue_words(file: str, field: str, text: str, own: str | None = None) -> None:
    """Refuse words of a cue set outside their own place; ``own`` is the set that may speak."""
    for cue_set, words in CUE_SET_WORDS.items():
        if own == cue_set or f"cues_{cue_set}" in field:
            continue
        found = words.search(text)
        if found:
            raise ContentError(file, field, f"'{found.group()}' belongs to the cue set {cue_set}")
