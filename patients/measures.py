"""Outcome measures: what a questionnaire is, its score, when it is due, what a clear change is.

Pure: no Django, no clock. ``patients.questionnaires`` makes a ``Questionnaire`` from a file.
"""

import datetime as dt
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

NAME_LENGTH = 80
POINTS = ("start", "week_6", "week_12")
METHODS = ("sum", "mean")
MISSING_RULES = ("refuse", "skip", "zero")
# How many days a point stays open. The start is over once a program has done its first work.
_OPEN = {
    "start": (0, 20),
    "week_6": (42, 62),
    "week_12": (84, 111),
}


@dataclass(frozen=True)
class Text:
    """Words in the file's own language, and in the others it brings along."""

    own: str
    others: Mapping[str, str] = field(default_factory=dict)

    def read_in(self, language: str) -> str:
        """The words for a reader of ``language``, such as "es" or "es-mx"."""
        return self.others.get(language) or self.others.get(language.split("-")[0]) or self.own


@dataclass(frozen=True)
class Option:
    code: str
    text: Text
    value: float | None


@dataclass(frozen=True)
class Item:
    """One question. ``kind`` is scale (``low``–``high``), choice, yes_no or named: things the
    patient names (``rows`` says how few and how many) and gives a number each."""

    id: str
    kind: str
    text: Text
    heading: Text | None = None
    required: bool = True
    low: int = 0
    high: int = 10
    low_text: Text | None = None
    high_text: Text | None = None
    options: tuple[Option, ...] = ()
    rows: tuple[int, int] = (1, 1)
    name_text: Text | None = None
    number_text: Text | None = None

    def value_of(self, answer: Any) -> float | None:
        """What the answer counts for; None when it counts for nothing."""
        if answer is None:
            return None
        if self.kind == "choice":
            return next((o.value for o in self.options if o.code == answer), None)
        if self.kind == "named":
            return sum(row["number"] for row in answer) / len(answer) if answer else None
        return float(answer)

    @property
    def range(self) -> tuple[float, float]:
        """The least and the most that an answer can count for."""
        if self.kind == "choice":
            values = [o.value for o in self.options if o.value is not None]
            return (min(values), max(values)) if values else (0.0, 0.0)
        return (0.0, 1.0) if self.kind == "yes_no" else (float(self.low), float(self.high))


@dataclass(frozen=True)
class Band:
    """Scores from ``low`` to ``high``, both included."""

    low: float
    high: float
    title: Text


@dataclass(frozen=True)
class ScoreRule:
    """How one score is made. ``missing`` says what an unanswered question does: refuse (no score),
    skip (as if answered like the average of the others, up to ``missing_at_most``) or zero."""

    id: str
    title: Text
    items: tuple[str, ...]
    method: str = "sum"
    factor: float = 1.0
    missing: str = "refuse"
    missing_at_most: int = 0
    decimals: int = 1
    bands: tuple[Band, ...] = ()


@dataclass(frozen=True)
class Questionnaire:
    """``asked`` are the points of a program at which patients are asked; none means that staff
    enter it. ``change_points`` and ``change_percent`` are what counts as a clear change."""

    name: str
    version: str
    title: Text
    description: Text
    language: str
    items: tuple[Item, ...]
    scores: tuple[ScoreRule, ...]
    asked: tuple[str, ...]
    position: int
    higher_is: str
    change_points: float | None
    change_percent: float | None

    def item(self, id: str) -> Item:
        return next(item for item in self.items if item.id == id)


@dataclass(frozen=True)
class Score:
    """A score as it is kept: ``value`` is None when too many questions were left open."""

    id: str
    title: str
    value: float | None
    band: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, "title": self.title, "value": self.value, "band": self.band}


def score(questionnaire: Questionnaire, answers: Mapping[str, Any]) -> list[Score]:
    """Score answers that ``wrong_answers`` found nothing wrong with. Titles are in the
    questionnaire's own language, for the record."""
    return [_score(questionnaire, rule, answers) for rule in questionnaire.scores]


def _score(questionnaire: Questionnaire, rule: ScoreRule, answers: Mapping[str, Any]) -> Score:
    values = [questionnaire.item(id).value_of(answers.get(id)) for id in rule.items]
    known = [value for value in values if value is not None]
    value = _combined(rule, known, missing=len(values) - len(known))
    if value is None:
        return Score(rule.id, rule.title.own, None)
    value = _rounded(value * rule.factor, rule.decimals)
    band = next((band.title.own for band in rule.bands if band.low <= value <= band.high), "")
    return Score(rule.id, rule.title.own, value, band)


def _combined(rule: ScoreRule, known: list[float], *, missing: int) -> float | None:
    if missing and rule.missing == "refuse":
        return None
    if rule.missing == "zero":
        known = [*known, *[0.0] * missing]
    elif missing > rule.missing_at_most:
        return None
    if not known:
        return None
    mean = math.fsum(known) / len(known)
    return mean if rule.method == "mean" else mean * len(rule.items)


def _rounded(value: float, decimals: int) -> float:
    # A half goes up, as it does on paper; floats alone would take 2.5 to 2.
    step = Decimal(1).scaleb(-max(0, min(decimals, 6)))
    return float(Decimal(repr(round(value, 9))).quantize(step, rounding=ROUND_HALF_UP))


def wrong_answers(questionnaire: Questionnaire, answers: Mapping[str, Any]) -> dict[str, str]:
    """What cannot be kept, by question: "missing", "unknown", "choice", "range", "rows", "name" or
    "twice". Empty when everything is right."""
    found = {id: "unknown" for id in answers if id not in {item.id for item in questionnaire.items}}
    for item in questionnaire.items:
        problem = _problem(item, answers.get(item.id))
        if problem:
            found[item.id] = problem
    return found


def _problem(item: Item, answer: Any) -> str:
    if answer is None:
        return "missing" if item.required else ""
    if item.kind == "choice":
        return "" if answer in [option.code for option in item.options] else "choice"
    if item.kind == "yes_no":
        return "" if isinstance(answer, bool) else "choice"
    if item.kind == "named":
        return _problem_of_rows(item, answer)
    return "" if _in_range(item, answer) else "range"


def _problem_of_rows(item: Item, answer: Any) -> str:
    few, many = item.rows
    if not isinstance(answer, list) or not few <= len(answer) <= many:
        return "rows"
    names = []
    for row in answer:
        if not isinstance(row, Mapping) or set(row) != {"name", "number"}:
            return "rows"
        if not isinstance(row["name"], str) or not 1 <= len(row["name"].strip()) <= NAME_LENGTH:
            return "name"
        if not _in_range(item, row["number"]):
            return "range"
        names.append(row["name"].strip().casefold())
    return "twice" if len(set(names)) < len(names) else ""


def _in_range(item: Item, value: Any) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole and item.low <= value <= item.high


# --- when ------------------------------------------------------------------------------------


def open_point(*, started_on: dt.date, today: dt.date) -> str | None:
    """The point of the program whose questions are open today: start (the first three weeks),
    week_6 (three weeks from then), week_12 (four weeks from then), or None."""
    day = (today - started_on).days
    return next((point for point, (first, last) in _OPEN.items() if first <= day <= last), None)


def first_day_of(point: str, *, started_on: dt.date) -> dt.date:
    """The day from which the questions of ``point`` are open."""
    return started_on + dt.timedelta(days=_OPEN[point][0])


def due(
    questionnaires: Iterable[Questionnaire], *, point: str | None, taken: Collection[str]
) -> list[Questionnaire]:
    """Those asked at ``point`` whose names are not among ``taken``, in the order they are asked."""
    return sorted(
        (q for q in questionnaires if point in q.asked and q.name not in taken),
        key=lambda q: (q.position, q.name),
    )


# --- what counts as a change -------------------------------------------------------------------


def clear_change(first: float, *, points: float | None, percent: float | None) -> float | None:
    """How far a score has to move from ``first`` to count as clear: the larger of ``points`` and
    ``percent`` of it, or None when neither is known."""
    limits = [points] if points is not None else []
    if percent is not None:
        limits.append(abs(first) * percent / 100)
    return max(limits) if limits else None


def change_words(first: float, last: float, *, limit: float | None, higher_is: str) -> str:
    """ "better", "worse", "same" (less than ``limit``) or "unknown" (no limit)."""
    if limit is None:
        return "unknown"
    moved = last - first
    # A hair's breadth of floats must not part 2.0 from 2.
    if abs(moved) < limit - 1e-9 or abs(moved) < 1e-9:
        return "same"
    return "better" if (moved > 0) == (higher_is == "better") else "worse"
