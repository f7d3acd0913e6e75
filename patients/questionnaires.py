"""Read a questionnaire file: FHIR-Questionnaire-shaped JSON with a ``scoring`` part of our own.

Pure: no Django, no clock. What a file may hold is described in ``docs/measures.md``. Everything
that is wrong with a file is said at once, each with its place.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from patients.measures import (
    METHODS,
    MISSING_RULES,
    POINTS,
    Band,
    Item,
    Option,
    Questionnaire,
    ScoreRule,
    Text,
)

TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"
ORDINAL = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MAX_ITEMS = 100


@dataclass(frozen=True)
class Problem:
    """Something wrong with a file: ``place`` such as "item 3 (q3), text" and what is the matter."""

    place: str
    matter: str

    def __str__(self) -> str:
        return f"{self.place}: {self.matter}"


class QuestionnaireError(Exception):
    """A file cannot be used; ``problems`` says everything that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(map(str, problems)))


def read_questionnaire(data: object) -> Questionnaire:
    """Check parsed JSON and return what it describes. Raises QuestionnaireError."""
    if not isinstance(data, Mapping):
        raise QuestionnaireError([Problem("file", "holds no JSON object.")])
    reader = _Reader()
    found = reader.questionnaire(data)
    if reader.problems or found is None:
        raise QuestionnaireError(reader.problems)
    return found


class _Reader:
    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def wrong(self, place: str, matter: str) -> None:
        self.problems.append(Problem(place, matter))

    # --- pieces ------------------------------------------------------------------------------

    def text(self, data: Mapping[str, Any], key: str, place: str, *, needed: bool = True) -> Text:
        own = data.get(key)
        where = f"{place}, {key}" if place else key
        if own is None and not needed:
            return Text("")
        if not isinstance(own, str) or not own.strip():
            self.wrong(where, "write some words.")
            return Text("")
        return Text(own.strip(), self._translations(data.get(f"_{key}"), where))

    def _translations(self, beside: Any, where: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for entry in _extensions(beside, TRANSLATION):
            parts = {
                part.get("url"): part for part in _list(entry.get("extension")) if _is_map(part)
            }
            language = parts.get("lang", {}).get("valueCode")
            words = parts.get("content", {}).get("valueString")
            if not isinstance(language, str) or not isinstance(words, str) or not words.strip():
                self.wrong(where, "a translation needs “lang” (valueCode) and “content”.")
                continue
            found[language.lower()] = words.strip()
        return found

    def number(
        self, value: Any, place: str, *, default: float | None = None, whole: bool = False
    ) -> float:
        if value is None and default is not None:
            return default
        right = isinstance(value, int) or (isinstance(value, float) and not whole)
        if isinstance(value, bool) or not right or not abs(value) <= 1_000_000:
            self.wrong(place, "write a whole number." if whole else "write a number.")
            return default or 0.0
        return float(value)

    def one_of(self, value: Any, place: str, allowed: Sequence[str], default: str) -> str:
        if value is None:
            return default
        if value not in allowed:
            self.wrong(place, f"is {value!r}; it can be {', '.join(allowed)}.")
            return default
        return str(value)

    # --- the whole ---------------------------------------------------------------------------

    def questionnaire(self, data: Mapping[str, Any]) -> Questionnaire | None:
        if data.get("resourceType") != "Questionnaire":
            self.wrong("resourceType", "should be “Questionnaire”.")
        name = data.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > 60:
            self.wrong("name", "write small letters, digits and hyphens, such as “my-scale”.")
        version = data.get("version")
        if not isinstance(version, str) or not 1 <= len(version.strip()) <= 20:
            self.wrong("version", "write the version as text, such as “1”.")
        title = self.text(data, "title", "")
        if len(title.own) > 200:
            self.wrong("title", "is longer than 200 letters.")
        items = tuple(self._items(data.get("item")))
        scoring = data.get("scoring")
        if not isinstance(scoring, Mapping):
            self.wrong("scoring", "is missing; it says how the answers become a score.")
            return None
        change = scoring.get("change") or {}
        if not isinstance(change, Mapping):
            self.wrong("scoring, change", "write an object with “points” and “percent”.")
            change = {}
        language = data.get("language")
        return Questionnaire(
            name=str(name),
            version=str(version).strip(),
            title=title,
            description=self.text(data, "description", "", needed=False),
            language=language.lower() if isinstance(language, str) else "en",
            items=items,
            scores=tuple(self._scores(scoring.get("scores"), items)),
            asked=self._asked(scoring.get("asked")),
            position=int(self.number(scoring.get("position"), "scoring, position", default=100)),
            higher_is=self.one_of(
                scoring.get("higher_is"), "scoring, higher_is", ("better", "worse"), "better"
            ),
            change_points=self._optional(change.get("points"), "scoring, change, points"),
            change_percent=self._optional(change.get("percent"), "scoring, change, percent"),
        )

    def _optional(self, value: Any, place: str) -> float | None:
        return None if value is None else self.number(value, place)

    def _asked(self, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list):
            self.wrong("scoring, asked", f"write a list of {', '.join(POINTS)}, or an empty one.")
            return ()
        for point in value:
            if point not in POINTS:
                self.wrong("scoring, asked", f"{point!r} is none of {', '.join(POINTS)}.")
        return tuple(point for point in POINTS if point in value)

    # --- questions ---------------------------------------------------------------------------

    def _items(self, value: Any) -> Iterator[Item]:
        if not isinstance(value, list) or not value:
            self.wrong("item", "write a list with at least one question.")
            return
        seen: set[str] = set()
        count = 0
        for place, heading, data in _walk(value, "item", None):
            if not _is_map(data):
                self.wrong(place, "is not an object.")
                continue
            id = data.get("linkId")
            if not isinstance(id, str) or not _ID.fullmatch(id):
                self.wrong(place, "linkId: write a letter, then letters, digits, “-” or “_”.")
                continue
            place = f"{place} ({id})"
            if id in seen:
                self.wrong(place, "this linkId stands twice.")
                continue
            seen.add(id)
            count += 1
            item = self._item(data, id, place, heading)
            if item is not None:
                yield item
        if count > _MAX_ITEMS:
            self.wrong("item", f"there are more than {_MAX_ITEMS} questions.")
        if not count:
            self.wrong("item", "there is no question in it.")

    def _item(
        self, data: Mapping[str, Any], id: str, place: str, heading: Mapping[str, Any] | None
    ) -> Item | None:
        kind = _KINDS.get(str(data.get("type")))
        if data.get("type") == "group" and data.get("repeats") is True:
            kind = "named"
        if kind is None:
            self.wrong(place, f"type {data.get('type')!r} is not known; {_KNOWN_TYPES}.")
            return None
        text = self.text(data, "text", place)
        above = self.text(heading, "text", place, needed=False) if heading else None
        required = data.get("required", True)
        if not isinstance(required, bool):
            self.wrong(place, "required: write true or false.")
        common: dict[str, Any] = {
            "id": id,
            "kind": kind,
            "text": text,
            "heading": above,
            "required": bool(required),
        }
        if kind == "choice":
            return Item(**common, options=tuple(self._options(data.get("answerOption"), place)))
        if kind == "scale":
            return Item(**common, **self._scale(data, place))
        if kind == "named":
            return self._named(data, place, common)
        return Item(**common)

    def _scale(self, data: Mapping[str, Any], place: str) -> dict[str, Any]:
        low = self._bound(data, "minValue", place, 0)
        high = self._bound(data, "maxValue", place, 10)
        if not low < high or high - low > 100:
            self.wrong(place, f"runs from {low} to {high}; it needs 1 to 100 steps.")
        return {
            "low": low,
            "high": high,
            "low_text": self._end(data, "lower", place),
            "high_text": self._end(data, "upper", place),
        }

    def _bound(self, data: Mapping[str, Any], name: str, place: str, default: int) -> int:
        url = f"http://hl7.org/fhir/StructureDefinition/{name}"
        found = next(iter(_extensions(data, url)), None)
        value = found.get("valueInteger") if found else None
        return int(self.number(value, f"{place}, {name}", default=default, whole=True))

    def _end(self, data: Mapping[str, Any], code: str, place: str) -> Text | None:
        """The words at one end of a scale: a display item with the control lower or upper."""
        for child in _list(data.get("item")):
            if _is_map(child) and child.get("type") == "display" and _control(child) == code:
                return self.text(child, "text", f"{place}, {code}")
        return None

    def _options(self, value: Any, place: str) -> Iterator[Option]:
        if not isinstance(value, list) or len(value) < 2:
            self.wrong(f"{place}, answerOption", "write at least two answers.")
            return
        codes: set[str] = set()
        for number, entry in enumerate(value, start=1):
            where = f"{place}, answer {number}"
            coding = entry.get("valueCoding") if _is_map(entry) else None
            if not _is_map(coding) or not isinstance(coding.get("code"), str):
                self.wrong(where, "needs a valueCoding with “code” and “display”.")
                continue
            if coding["code"] in codes:
                self.wrong(where, f"the code {coding['code']!r} stands twice.")
            codes.add(coding["code"])
            weight = next(iter([*_extensions(coding, ORDINAL), *_extensions(entry, ORDINAL)]), None)
            value_of = self.number(weight.get("valueDecimal"), where) if weight else None
            yield Option(coding["code"], self.text(coding, "display", where), value_of)

    def _named(self, data: Mapping[str, Any], place: str, common: dict[str, Any]) -> Item | None:
        children = [child for child in _list(data.get("item")) if _is_map(child)]
        names = [child for child in children if child.get("type") == "string"]
        numbers = [child for child in children if child.get("type") == "integer"]
        if len(names) != 1 or len(numbers) != 1:
            self.wrong(place, "a group that repeats needs one string and one integer in it.")
            return None
        few = self._bound(data, "questionnaire-minOccurs", place, 1)
        many = self._bound(data, "questionnaire-maxOccurs", place, max(few, 5))
        if not 1 <= few <= many <= 10:
            self.wrong(place, f"repeats {few} to {many} times; it can be 1 to 10.")
        return Item(
            **common,
            **self._scale(numbers[0], place),
            rows=(few, many),
            name_text=self.text(names[0], "text", f"{place}, name"),
            number_text=self.text(numbers[0], "text", f"{place}, number"),
        )

    # --- scores ------------------------------------------------------------------------------

    def _scores(self, value: Any, items: Sequence[Item]) -> Iterator[ScoreRule]:
        if not isinstance(value, list) or not value:
            self.wrong("scoring, scores", "write a list with at least one score.")
            return
        known = {item.id: item for item in items}
        seen: set[str] = set()
        for number, data in enumerate(value, start=1):
            place = f"score {number}"
            if not _is_map(data):
                self.wrong(place, "is not an object.")
                continue
            id = data.get("id")
            if not isinstance(id, str) or not _ID.fullmatch(id) or id in seen:
                self.wrong(place, "id: write a word that no other score has.")
                continue
            seen.add(id)
            yield self._score(data, id, f"{place} ({id})", known)

    def _score(
        self, data: Mapping[str, Any], id: str, place: str, known: Mapping[str, Item]
    ) -> ScoreRule:
        named = data.get("items", list(known))
        if not isinstance(named, list) or not named:
            self.wrong(f"{place}, items", "write a list of linkIds, or leave it out for all.")
            named = []
        for one in named:
            if not isinstance(one, str) or one not in known:
                self.wrong(f"{place}, items", f"{one!r} is not the linkId of a question.")
            elif known[one].kind == "choice" and any(o.value is None for o in known[one].options):
                self.wrong(
                    f"{place}, items", f"{one!r} has an answer without a number (ordinalValue)."
                )
        if len(set(map(str, named))) != len(named):
            self.wrong(f"{place}, items", "a question stands twice.")
        missing = data.get("missing") or {}
        if not _is_map(missing):
            self.wrong(f"{place}, missing", "write an object with “rule”.")
            missing = {}
        return ScoreRule(
            id=id,
            title=self.text(data, "title", place),
            items=tuple(map(str, named)),
            method=self.one_of(data.get("method"), f"{place}, method", METHODS, "sum"),
            factor=self.number(data.get("factor"), f"{place}, factor", default=1.0),
            missing=self.one_of(
                missing.get("rule"), f"{place}, missing, rule", MISSING_RULES, "refuse"
            ),
            missing_at_most=int(
                self.number(
                    missing.get("at_most"),
                    f"{place}, missing, at_most",
                    default=len(named) - 1 if named else 0,
                    whole=True,
                )
            ),
            decimals=int(
                self.number(data.get("decimals"), f"{place}, decimals", default=1, whole=True)
            ),
            bands=tuple(self._bands(data.get("bands"), place)),
        )

    def _bands(self, value: Any, place: str) -> Iterator[Band]:
        if value is None:
            return
        if not isinstance(value, list):
            self.wrong(f"{place}, bands", "write a list.")
            return
        last: float | None = None
        for number, data in enumerate(value, start=1):
            where = f"{place}, band {number}"
            if not _is_map(data):
                self.wrong(where, "is not an object.")
                continue
            low = self.number(data.get("from"), f"{where}, from")
            high = self.number(data.get("to"), f"{where}, to")
            if low > high:
                self.wrong(where, f"runs from {low:g} to {high:g}.")
            if last is not None and low <= last:
                self.wrong(where, "begins before the one above it ends.")
            last = high
            yield Band(low, high, self.text(data, "title", where))


_KINDS = {
    "integer": "scale",
    "choice": "choice",
    "coding": "choice",
    "boolean": "yes_no",
}
_KNOWN_TYPES = "it can be integer, choice, boolean, group or display"


def _walk(
    items: Sequence[Any], place: str, heading: Mapping[str, Any] | None
) -> Iterator[tuple[str, Mapping[str, Any] | None, Any]]:
    """Every question with its place and the group it stands in; words alone are no question."""
    for number, data in enumerate(items, start=1):
        here = f"{place} {number}"
        if _is_map(data) and data.get("type") == "display":
            continue
        if _is_map(data) and data.get("type") == "group" and data.get("repeats") is not True:
            yield from _walk(_list(data.get("item")), f"{here}, item", data)
        else:
            yield here, heading, data


def _extensions(data: Any, url: str) -> list[Mapping[str, Any]]:
    if not _is_map(data):
        return []
    return [e for e in _list(data.get("extension")) if _is_map(e) and e.get("url") == url]


def _control(child: Mapping[str, Any]) -> str:
    for entry in _extensions(
        child, "http://hl7.org/fhir/StructureDefinition/questionnaire-itemControl"
    ):
        concept = entry.get("valueCodeableConcept")
        for coding in _list(concept.get("coding")) if _is_map(concept) else []:
            if _is_map(coding):
                return str(coding.get("code", ""))
    return ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_map(value: Any) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)
