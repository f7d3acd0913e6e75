"""The words of an exercise in other languages: what is there, and writing them.

Beside every translated text stands the English it was made from (``of``). When the English
changes, patients read it in English until somebody translates it again (see ``wording``).
"""

import copy
import datetime as dt
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError

from clinic.language import DEFAULT
from clinic.models import User
from programs.authoring import LEVEL_LANGUAGE_FIELDS, draft_of, save_draft
from programs.exercise_versions import Content, content_of
from programs.models import Exercise, ExerciseVersion
from programs.patient_words import EXERCISE_TEXTS, LEVEL_LISTS, banned_in
from programs.wording import standing_words

LABELS = {
    "name": "Name",
    "why": "Why",
    "alternative": "Without the equipment",
    "title": "Title",
    "set_up": "Set-up",
    "feel": "You should feel",
    "not_feel": "You should not feel",
    "cues": "Cues",
    "cues_draw_in": "Only for “draw in”",
    "cues_fill_out": "Only for “fill outward”",
}


def other_languages() -> dict[str, str]:
    """Code and own name of every language but English."""
    return {code: name for code, name in settings.LANGUAGES if code != DEFAULT}


def languages_of(exercise: Exercise) -> list[dict[str, Any]]:
    """How much of the exercise is there in each language: ``code``, ``name``, ``done`` texts of
    ``all``."""
    found = []
    for code, name in other_languages().items():
        done = total = 0
        rows = [(exercise, EXERCISE_TEXTS)]
        rows += [(level, LEVEL_LANGUAGE_FIELDS) for level in exercise.levels.all()]
        for row, fields in rows:
            said = row.words.get(code, {})
            if said and exercise.origin != Exercise.Origin.SUPPLIED:
                said = standing_words(row, said)
            asked = [field for field in fields if getattr(row, field)]
            total += len(asked)
            done += sum(1 for field in asked if said.get(field))
        found.append({"code": code, "name": name, "done": done, "all": total})
    return found


def texts_of(content: Content, language: str) -> list[dict[str, Any]]:
    """Every text with its English: ``place``, ``label``, ``english``, ``said``, and ``stale``
    where the English has changed since."""
    found = []
    for prefix, title, row, fields in _rows(content):
        words = row["words"].get(language, {})
        of = words.get("of", {})
        for field in fields:
            if not row[field]:
                continue
            found.append(
                {
                    "place": prefix + field,
                    "label": f"{title}{LABELS[field]}",
                    "english": _lines(row[field]),
                    "said": _lines(words.get(field, "")),
                    "stale": bool(words.get(field)) and of.get(field, row[field]) != row[field],
                }
            )
    return found


def save_words(
    *,
    exercise: Exercise,
    language: str,
    said: dict[str, str],
    by: User,
    at: dt.datetime,
    seen: str = "",
) -> ExerciseVersion:
    """Write ``said`` (text by place, lines for lists) into the draft of the next version.

    A text that was left as it was, though its English has changed, stays marked so, unless
    ``said`` has its place with "still." before it: then it was read again and still fits.

    Raises ValidationError by place for a word patients should not read, and where a list has
    another number of lines than in English.
    """
    if language not in other_languages():
        raise ValidationError("The portal knows no such language.")
    content = copy.deepcopy(written_of(exercise))
    wrong: dict[str, str] = {}
    for prefix, _, row, fields in _rows(content):
        before = row["words"].get(language, {})
        words: dict[str, Any] = {}
        for field in fields:
            text = said.get(prefix + field, "").strip()
            if not text or not row[field]:
                continue
            word = banned_in(text, language)
            if word:
                wrong[prefix + field] = f"“{word}” can frighten or judge. Say it another way."
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            if field in LEVEL_LISTS and len(lines) != len(row[field]):
                wrong[prefix + field] = (
                    f"{len(row[field])} lines in English, {len(lines)} here: one line for each."
                )
            words[field] = lines if field in LEVEL_LISTS else text
        row["words"] = {name: kept for name, kept in row["words"].items() if name != language}
        if words:
            words["of"] = {
                field: _english_of(
                    field, text, row, before, bool(said.get(f"still.{prefix}{field}"))
                )
                for field, text in words.items()
            }
            row["words"][language] = words
    if wrong:
        raise ValidationError(wrong)
    note = f"Words in {other_languages()[language]}"
    return save_draft(exercise=exercise, content=content, by=by, at=at, note=note, seen=seen)


def _english_of(
    field: str, text: Any, row: dict[str, Any], before: dict[str, Any], still: bool
) -> Any:
    """The English that a text translates: the row's, unless it was left as it was for another."""
    untouched = text == before.get(field) and not still
    return before.get("of", {}).get(field, row[field]) if untouched else row[field]


def written_of(exercise: Exercise) -> Content:
    """What an author continues from: the open draft, else what is approved, else the rows."""
    draft = draft_of(exercise)
    if draft is not None:
        return draft.content
    return exercise.current.content if exercise.current else content_of(exercise)


def _rows(content: Content) -> list[tuple[str, str, dict[str, Any], tuple[str, ...]]]:
    return [
        ("", "", content, EXERCISE_TEXTS),
        *(
            (f"l{level['level']}.", f"Level {level['level']}: ", level, LEVEL_LANGUAGE_FIELDS)
            for level in content["levels"]
        ),
    ]


def _lines(value: Any) -> str:
    return "\n".join(value) if isinstance(value, list) else str(value)
