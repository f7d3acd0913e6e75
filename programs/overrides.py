"""Gates that a clinician opened for one exercise, with a reason. Pure: no Django, no clock.

An override opens an exercise up to the level it was given for and no further: the next level
meets its gate again. It goes along with the versions that follow, sinks with a level that is
lowered, and ends when the exercise leaves the program. A limit of an injury is never overridden.
"""

from collections.abc import Iterable, Mapping
from typing import Any

Stored = Mapping[str, Any]


def given(
    *, exercise: str, level: int, movement_class: str, needs: str, reason: str, version: int
) -> dict[str, Any]:
    """One override as a version keeps it; ``version`` is the number it was given with."""
    return {
        "exercise": exercise,
        "level": level,
        "movement_class": movement_class,
        "needs": needs,
        "reason": reason.strip(),
        "version": version,
    }


def carried(stored: Iterable[Stored], levels: Mapping[str, int]) -> list[dict[str, Any]]:
    """What of ``stored`` the next version keeps; ``levels`` are its exercises with their levels."""
    return [
        {**one, "level": min(one["level"], levels[one["exercise"]])}
        for one in stored
        if one["exercise"] in levels
    ]


def replaced(
    stored: Iterable[Stored], fresh: Iterable[Stored], levels: Mapping[str, int]
) -> list[dict[str, Any]]:
    """``carried`` with ``fresh`` ones in the place of older ones for the same exercise."""
    new = {one["exercise"]: dict(one) for one in fresh}
    return [one for one in carried(stored, levels) if one["exercise"] not in new] + list(
        new.values()
    )


def opened(stored: Iterable[Stored]) -> tuple[tuple[str, int], ...]:
    """Exercise and highest opened level, as ``GateFacts.overridden`` takes them."""
    return tuple(sorted((one["exercise"], one["level"]) for one in stored))
