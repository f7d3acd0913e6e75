"""What a patient reads, in the language the page speaks.

Library rows carry their words in other languages (``words``); what the rules and the verbs said
is kept in English and said again in the reader's language. What a clinician wrote stays as
written.
"""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar, cast

from django.utils.formats import get_format
from django.utils.translation import get_language, gettext

from clinic.language import DEFAULT, page_language
from programs.models import Exercise, ProgramTemplate, ProgramVersion
from programs.retelling import retell

Row = TypeVar("Row")


class InLanguage:
    """A row of the library as its reader's language has it; everything else is the row's own."""

    def __init__(self, row: Any, words: dict[str, Any]) -> None:
        self._row, self._words = row, words

    def __getattr__(self, name: str) -> Any:
        # Before __init__ (a copy, a pickle) there is nothing to ask.
        if name in ("_row", "_words"):
            raise AttributeError(name)
        return self._words.get(name) or getattr(self._row, name)

    def __eq__(self, other: object) -> bool:
        return bool(self._row == getattr(other, "_row", other))

    def __hash__(self) -> int:
        return hash(self._row)

    def __str__(self) -> str:
        return str(self._words.get("name") or self._words.get("title") or self._row)


def in_language(row: Row, language: str | None = None) -> Row:
    """The row with its words in ``language`` (that of the page, unless one is given); the row
    itself where it has none."""
    if isinstance(row, InLanguage):
        return row
    words = getattr(row, "words", {}).get(page_language(language or get_language()))
    exercise = getattr(row, "exercise", row)
    if words and getattr(exercise, "origin", Exercise.Origin.SUPPLIED) != Exercise.Origin.SUPPLIED:
        words = standing_words(row, words)
    return cast("Row", InLanguage(row, words)) if words else row


def standing_words(row: Any, words: Mapping[str, Any]) -> dict[str, Any]:
    """The words that still say what the row says: of what the practice wrote, those whose English
    (kept beside them under ``of``) is the row's own. A text that changed is read in English until
    it is translated again."""
    of = words.get("of", {})
    return {
        name: said
        for name, said in words.items()
        if name != "of" and name in of and of[name] == getattr(row, name, None)
    }


def retold(text: str) -> str:
    """What a decision or a version says to the patient, in the language of the page."""
    language = page_language(get_language())
    if language == DEFAULT or not text:
        return text
    return retell(
        text,
        say=gettext,
        names=_names(language),
        whole=_summaries(language, text),
        point=get_format("DECIMAL_SEPARATOR"),
    )


def told(version: ProgramVersion) -> ProgramVersion:
    """The version with its reason for the patient in the language of the page."""
    words = {"patient_reason": retold(version.patient_reason)}
    return cast("ProgramVersion", InLanguage(version, words))


def exercise_names(slugs: Collection[str] | None = None) -> dict[str, str]:
    """Slug → name of the library's exercises (of ``slugs``), in the language of the page."""
    rows = Exercise.objects.all() if slugs is None else Exercise.objects.filter(slug__in=slugs)
    return {row.slug: in_language(row).name for row in rows}


def _names(language: str) -> dict[str, str]:
    rows = Exercise.objects.filter(origin=Exercise.Origin.SUPPLIED)
    return {
        name: words.get(language, {}).get("name", name)
        for name, words in rows.values_list("name", "words")
    } | {
        # A practice's own exercise has the name it was written with, until it is translated.
        name: _own_name(name, words.get(language, {}))
        for name, words in Exercise.objects.exclude(origin=Exercise.Origin.SUPPLIED).values_list(
            "name", "words"
        )
    }


def _own_name(name: str, words: dict[str, Any]) -> str:
    return str(words["name"]) if words.get("of", {}).get("name") == name else name


def _summaries(language: str, text: str) -> dict[str, str]:
    """The template's summary, where this is one: the reason of a program's first version."""
    found = ProgramTemplate.objects.filter(patient_summary=text).order_by("-version").first()
    words = found.words.get(language) if found else None
    return {text: words["patient_summary"]} if words else {}
