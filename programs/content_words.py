"""What patients read of the supplied content in other languages. Pure: no Django, no clock.

``content/<language>/`` has the same exercises, habits, cue sets and templates by the same slugs,
with the words only; everything else is said once, in the English files. A translation that leaves
a text out, adds one, or has another number of cues is refused.
"""

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from programs.content_files import CONTENT_DIR, Content, ContentError, Item, read_yaml
from programs.patient_words import BANNED, EXERCISE_TEXTS, LEVEL_LISTS, LEVEL_TEXTS

LANGUAGES = ("es",)

Words = dict[str, Any]


class ContentWords:
    """The words of one language by slug. ``levels`` are by slug and number of the level."""

    def __init__(self) -> None:
        self.exercises: dict[str, Words] = {}
        self.levels: dict[tuple[str, int], Words] = {}
        self.habits: dict[str, Words] = {}
        self.cue_sets: dict[str, Words] = {}
        self.templates: dict[str, Words] = {}


def read_words(content: Content, folder: Path = CONTENT_DIR) -> dict[str, ContentWords]:
    """The words of every language that has a folder, checked against the English content.

    Raises ContentError at the first file or field that is not right.
    """
    return {
        language: _read_language(content, folder, language)
        for language in LANGUAGES
        if (folder / language).is_dir()
    }


def _read_language(content: Content, folder: Path, language: str) -> ContentWords:
    found = ContentWords()
    for item in content.exercises:
        file = f"{language}/{item['file']}"
        said = _read(folder, file, "exercise")
        _check_exercise(file, item, said, language)
        found.exercises[item["slug"]] = {name: said[name] for name in EXERCISE_TEXTS}
        for level in said["levels"]:
            words = {name: level.get(name, []) for name in LEVEL_LISTS}
            words |= {name: level[name] for name in LEVEL_TEXTS}
            found.levels[item["slug"], level["level"]] = words
    for kind, items in (
        ("habits", content.habits),
        ("cue_sets", content.cue_sets),
        ("templates", content.templates),
    ):
        file = f"{language}/{kind}.yaml"
        setattr(found, kind, _by_slug(file, items, _read(folder, file, kind), language))
    return found


def _by_slug(
    file: str, items: Sequence[Item], said: list[Words], language: str
) -> dict[str, Words]:
    _same(file, "slugs", {item["slug"] for item in items}, {item["slug"] for item in said})
    by_slug = {item.pop("slug"): item for item in [dict(item) for item in said]}
    for item in items:
        words = by_slug[item["slug"]]
        if "steps" in words:
            _same(file, f"{item['slug']}.steps", len(item["steps"]), len(words["steps"]))
        for name, text in _texts(words):
            _check_words(file, f"{item['slug']}.{name}", text, language)
    return by_slug


def _check_exercise(file: str, item: Item, said: Words, language: str) -> None:
    _same(file, "slug", item["slug"], said["slug"])
    _same(file, "alternative", bool(item["alternative"]), bool(said["alternative"]))
    _same(
        file, "levels", [lv["level"] for lv in item["levels"]], [s["level"] for s in said["levels"]]
    )
    titles = [level["title"] for level in said["levels"]]
    if len(set(titles)) != len(titles):
        raise ContentError(file, "levels", "two levels have the same title")
    for index, (level, words) in enumerate(zip(item["levels"], said["levels"], strict=True)):
        for name in LEVEL_LISTS:
            counts = len(level.get(name, [])), len(words.get(name, []))
            _same(file, f"levels[{index}].{name}", *counts)
    for name, text in _texts(said):
        _check_words(file, name, text, language)


def _texts(words: Mapping[str, Any], field: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a mapping of any depth, with the field it stands in."""
    for name, value in words.items():
        here = f"{field}.{name}" if field else name
        values = value if isinstance(value, list) else [value]
        for number, one in enumerate(values):
            at = f"{here}[{number}]" if isinstance(value, list) else here
            if isinstance(one, Mapping):
                yield from _texts(one, at)
            elif isinstance(one, str):
                yield at, one


def _check_words(file: str, field: str, text: str, language: str) -> None:
    found = BANNED[language].search(text)
    if found:
        raise ContentError(file, field, f"'{found.group()}' is not a word for patients")


def _same(file: str, field: str, english: object, other: object) -> None:
    if english != other:
        raise ContentError(file, field, f"is {other}, and in English {english}")


@functools.cache
def _validator(kind: str) -> Draft202012Validator:
    schema = json.loads((CONTENT_DIR / "schema" / "words.schema.json").read_text("utf-8"))
    return Draft202012Validator({"$ref": f"#/$defs/{kind}", "$defs": schema["$defs"]})


def _read(folder: Path, file: str, kind: str) -> Any:
    return read_yaml(folder, file, _validator(kind))
