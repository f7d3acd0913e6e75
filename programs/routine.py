"""The routine of a day: which exercises, in which order, within about ten minutes.

Pure: no Django, no clock. Warm-up first, release last, unless a clinician gave the routine an
order of its own; loaded exercises never on two days running; when everything does not fit,
exercises take turns so that each keeps coming round.
"""

from collections.abc import Sequence
from dataclasses import dataclass

BUDGET_S = 600
# A routine may run a little over rather than drop an exercise for seconds.
TOLERANCE_S = 60
# A day: whatever is due fits.
NO_BUDGET_S = 24 * 3600
LOADED_DAYS_PER_WEEK = 3
# The short version: with the tolerance, five minutes.
SHORT_S = 300 - TOLERANCE_S

_ORDER = {
    "breathing": 0,
    "mobility": 1,
    "isometric": 2,
    "anti_extension": 3,
    "anti_rotation": 3,
    "hip_hinge": 3,
    "hip_extension": 3,
    "extension": 3,
    "function": 3,
    "hinge_loaded": 3,
    "rotation": 3,
    "flexion_loaded": 3,
    "release": 4,
}
WARM_UP = frozenset({"breathing", "mobility"})


@dataclass(frozen=True)
class Candidate:
    """An exercise that may be done on the day; ``seconds`` is how long its dose takes."""

    exercise: str
    movement_class: str
    loaded: bool
    days_per_week: int
    seconds: int
    order: int

    @property
    def warm_up(self) -> bool:
        return self.movement_class in WARM_UP


def dose_seconds(
    *, sets: int, reps: int, hold_s: int, per_side: bool, seconds_per_rep: int, rest_s: int
) -> int:
    """Seconds a dose takes, with the rest after each set."""
    sides = 2 if per_side else 1
    return sets * (reps * (seconds_per_rep + hold_s) * sides + rest_s)


def less(sets: int, reps: int, hold_s: int) -> tuple[int, int, int]:
    """About half of a dose: of its sets, else its repetitions, else its hold; never nothing."""
    if sets > 1:
        return (sets + 1) // 2, reps, hold_s
    if reps > 1:
        return sets, (reps + 1) // 2, hold_s
    return sets, reps, (hold_s + 1) // 2


def is_on(days_per_week: int, day_index: int, offset: int = 0) -> bool:
    """Whether an exercise of so many days a week falls on this day, spread evenly.

    ``day_index`` counts days from the first of the program; ``offset`` shifts the pattern. With 3
    or fewer days a week no two chosen days of one pattern touch.
    """
    return (day_index * days_per_week + offset) % 7 < days_per_week


def _is_due(candidate: Candidate, day_index: int, days: int | None) -> bool:
    """Loaded exercises share one pattern, so that their rest days are the same; the others are
    shifted against each other, so that every day has something. In a taper all share the days of
    the routine, and what is asked for on fewer keeps to fewer."""
    if candidate.loaded:
        return is_on(min(candidate.days_per_week, LOADED_DAYS_PER_WEEK), day_index)
    if days is not None:
        return candidate.days_per_week >= days or is_on(candidate.days_per_week, day_index)
    return is_on(candidate.days_per_week, day_index, offset=candidate.order)


def routine_of(
    candidates: Sequence[Candidate],
    *,
    day_index: int,
    loaded_yesterday: bool = False,
    budget_s: int = BUDGET_S,
    days: int | None = None,
    own_order: bool = False,
) -> list[Candidate]:
    """Return the day's exercises in the order they are done.

    At least one exercise comes back, however small the budget, unless every exercise is loaded
    and it is a day of rest. ``days`` of a taper are those a week the whole routine falls on;
    ``own_order`` keeps the order of the candidates' numbers.
    """
    if days is not None and not is_on(days, day_index):
        return []
    unloaded = [c for c in candidates if not c.loaded]
    due = [
        c for c in candidates if _is_due(c, day_index, days) and not (c.loaded and loaded_yesterday)
    ] or unloaded
    limit = budget_s + TOLERANCE_S
    if sum(c.seconds for c in due) > limit:
        due = _take_turns(due, day_index, limit)
    return sorted(due, key=lambda c: (0 if own_order else class_order(c.movement_class), c.order))


def class_order(movement_class: str) -> int:
    """The place of a class in a routine without an order of its own."""
    return _ORDER.get(movement_class, 3)


def _take_turns(due: list[Candidate], day_index: int, limit: int) -> list[Candidate]:
    """One warm-up, then the others in an order that moves on by one every day."""
    warm_ups = _turned([c for c in due if c.warm_up], day_index)
    others = _turned([c for c in due if not c.warm_up], day_index)
    chosen: list[Candidate] = []
    left = limit
    for candidate in [*warm_ups[:1], *others, *warm_ups[1:]]:
        if candidate.seconds <= left or not chosen:
            chosen.append(candidate)
            left -= candidate.seconds
    return chosen


def _turned(items: list[Candidate], by: int) -> list[Candidate]:
    if not items:
        return []
    ordered = sorted(items, key=lambda c: c.order)
    start = by % len(ordered)
    return ordered[start:] + ordered[:start]
