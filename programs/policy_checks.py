"""Whether thresholds can be meant, what is loose about them, and how two sets differ.

Pure: no Django, no clock. Thresholds are the whole set of ``programs.thresholds.Policy`` as a
mapping by name, as a policy stores them.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import cast

from programs.threshold_words import BY_NAME, NOT_READ, Value, all_thresholds
from programs.thresholds import DEFAULT_POLICIES, Policy

Thresholds = Mapping[str, object]


@dataclass(frozen=True)
class Change:
    """One threshold that differs, with both values as people read them."""

    name: str
    title: str
    old: str
    new: str
    unit: str
    looser: bool


@dataclass(frozen=True)
class Caution:
    """Something that can be meant, and should be looked at once more."""

    name: str
    words: str


def nonsense(pathway: str, whole: Thresholds) -> dict[str, str]:
    """A message per threshold that cannot be meant; empty when all can.

    Looks for missing and unknown names, wrong kinds, values out of range, and thresholds that
    contradict each other or switch a rule off without saying so.
    """
    found = {name: "There is no such threshold." for name in whole if name not in _KINDS}
    for name, kind in _KINDS.items():
        if name not in whole:
            found[name] = "This threshold is missing."
            continue
        wrong = _wrong_value(name, kind, whole[name])
        if wrong:
            found[name] = wrong
    return found or _contradictions(pathway, cast("Mapping[str, Value]", whole))


def _wrong_value(name: str, kind: type, value: object) -> str:
    if kind is bool:
        return "" if isinstance(value, bool) else "Choose yes or no."
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return "Write a number."
    if kind is int and value != int(value):
        return "Write a whole number."
    known = BY_NAME.get(name)
    low, high = (known.low, known.high) if known else (0, 1)
    if low <= value <= high:
        return ""
    if known is None:
        return f"Write a number from {low} to {high}."
    return f"{known.title}: write a number from {known.said(low)} to {known.said(high)}."


def _contradictions(pathway: str, whole: Mapping[str, Value]) -> dict[str, str]:
    found: dict[str, str] = {}
    if whole["progress_max_pain"] > whole["pain_ceiling"]:
        found["progress_max_pain"] = "Easy enough must not be above the pain ceiling."
    if whole["pain_ceiling"] >= whole["severe_pain"]:
        found["pain_ceiling"] = "The pain ceiling must be below severe pain."
    if whole["long_soreness_days"] <= whole["normal_soreness_days"]:
        found["long_soreness_days"] = "Long soreness must be longer than ordinary soreness."
    if whole["adherence_shorter"] > whole["adherence_floor"]:
        found["adherence_floor"] = (
            "Adherence must not be below the share for a shorter version "
            f"({whole['adherence_shorter'] * 100:g} %)."
        )
    if pathway == "post_injury" and whole["auto_policy_offered"]:
        found["auto_policy_offered"] = "After an injury a physiotherapist takes every step up."
    return found


def cautions(pathway: str, whole: Thresholds) -> list[Caution]:
    """What is looser than supplied, or cannot have the effect one may expect.

    ``whole`` must be free of nonsense.
    """
    values = cast("Mapping[str, Value]", whole)
    found = [
        Caution(
            change.name,
            f"{change.title}: {change.new} is looser than the {change.old} supplied.",
        )
        for change in looser_than_supplied(pathway, whole)
    ]
    if values["min_sessions_at_level"] > values["min_days_at_level"]:
        found.append(
            Caution(
                "min_sessions_at_level",
                "More sessions than days: with one session a day the sessions alone decide.",
            )
        )
    if values["min_sessions"] > 7:
        found.append(
            Caution(
                "min_sessions",
                "More than 7 sessions in 14 days: a program with rest days may never reach it.",
            )
        )
    return found


def looser_than_supplied(pathway: str, whole: Thresholds) -> list[Change]:
    """The thresholds that are less careful than the supplied ones of this pathway."""
    supplied = asdict(DEFAULT_POLICIES[pathway])
    return [change for change in difference(supplied, whole) if change.looser]


def needs_its_own_reason(pathway: str, whole: Thresholds) -> list[Change]:
    """Post-injury, what is looser than supplied: each time somebody says why that is safe."""
    return looser_than_supplied(pathway, whole) if pathway == "post_injury" else []


def difference(old: Thresholds, new: Thresholds) -> list[Change]:
    """What ``new`` changes against ``old``, in the order of the page."""
    changes = []
    for threshold in all_thresholds():
        before, after = old.get(threshold.name), new.get(threshold.name)
        if before == after:
            continue
        changes.append(
            Change(
                name=threshold.name,
                title=threshold.title,
                old=threshold.said(before),
                new=threshold.said(after),
                unit=threshold.unit,
                looser=before is not None
                and after is not None
                and threshold.is_looser(cast("Value", after), cast("Value", before)),
            )
        )
    for name in sorted(NOT_READ):
        if old.get(name) != new.get(name):
            words = name.replace("_", " ").capitalize()
            changes.append(Change(name, words, f"{old.get(name)}", f"{new.get(name)}", "", False))
    return changes


_KINDS: dict[str, type] = {field.name: type(field.default) for field in fields(Policy)}
# Points may be halves; the field is a whole number only by its default.
_KINDS["meaningful_points"] = float
