"""The days of a week a routine falls on, going down on a schedule. Pure: no Django, no clock.

A clinician writes the whole schedule into one version; nothing has to be changed on the way. It
only ever takes days away, so that no step of it needs another look.
"""

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Fewer than one day a week is no routine, and from seven there is nothing to take away.
FEWEST, MOST = 1, 6
LONGEST_WEEKS = 26


@dataclass(frozen=True)
class Step:
    """From ``first`` on, so many days a week."""

    first: dt.date
    days: int


def schedule(
    days: Sequence[int], *, first: dt.date, weeks_each: int
) -> tuple[list[Step], list[str]]:
    """The steps of a taper that begins on ``first``, and what is wrong with it, in words."""
    wrong: list[str] = []
    if not days:
        wrong.append("Say on how many days a week the routine falls.")
    if any(not FEWEST <= n <= MOST for n in days):
        wrong.append(f"Choose from {FEWEST} to {MOST} days a week.")
    if any(later >= sooner for sooner, later in itertools.pairwise(days)):
        wrong.append("Each step has fewer days than the one before.")
    if not 1 <= weeks_each * max(1, len(days)) <= LONGEST_WEEKS:
        wrong.append(f"A taper takes from 1 to {LONGEST_WEEKS} weeks.")
    if wrong:
        return [], wrong
    return [Step(first + dt.timedelta(weeks=weeks_each * n), d) for n, d in enumerate(days)], []


def as_json(steps: Iterable[Step]) -> list[dict[str, Any]]:
    return [{"first": step.first.isoformat(), "days": step.days} for step in steps]


def from_json(stored: Iterable[Mapping[str, Any]]) -> list[Step]:
    return [Step(dt.date.fromisoformat(row["first"]), row["days"]) for row in stored]


def days_on(stored: Iterable[Mapping[str, Any]], day: dt.date) -> int | None:
    """Days a week on this day; None while no step has begun."""
    begun = [step for step in from_json(stored) if step.first <= day]
    return max(begun, key=lambda step: step.first).days if begun else None
