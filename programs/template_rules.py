"""What a program template asks for: minutes of a week, and what its gates hold back at the start.

Pure: no Django, no clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from programs.gates import GateFacts, gate_for
from programs.routine import Candidate, routine_of

DAYS = 14


@dataclass(frozen=True)
class Planned:
    """One item: the exercise at the level it starts with. ``seconds`` is what its first dose
    takes, rest included."""

    exercise: str
    name: str
    level: int
    movement_class: str
    loaded: bool
    first_phase: int
    days_per_week: int
    seconds: int
    order: int


@dataclass(frozen=True)
class Waiting:
    """An item that a new patient does not get yet, and what it waits for, for the clinician."""

    exercise: str
    name: str
    needs: str


@dataclass(frozen=True)
class Start:
    """The first two weeks on a pathway: ``minutes`` of each day, and what waits."""

    pathway: str
    minutes: tuple[int, ...]
    waiting: tuple[Waiting, ...]

    @property
    def average(self) -> int:
        return round(sum(self.minutes) / len(self.minutes)) if self.minutes else 0

    @property
    def least(self) -> int:
        return min(self.minutes, default=0)

    @property
    def most(self) -> int:
        return max(self.minutes, default=0)


def start_of(items: Sequence[Planned], *, pathway: str, phase: int) -> Start:
    """How the template begins for a patient of ``pathway`` in its starting phase, without any
    clearance."""
    facts = GateFacts(
        pathway=pathway,
        phase=phase,
        levels=tuple(sorted((item.exercise, item.level) for item in items)),
    )
    waiting = [_waits(item, facts) for item in items]
    open_items = [item for item, held in zip(items, waiting, strict=True) if held is None]
    return Start(pathway, _minutes(open_items), tuple(held for held in waiting if held))


def _waits(item: Planned, facts: GateFacts) -> Waiting | None:
    gate = gate_for(
        item.movement_class,
        facts,
        level=item.level,
        first_phase=item.first_phase,
        loaded=item.loaded,
    )
    if gate is not None:
        return Waiting(item.exercise, item.name, gate.needs)
    if item.first_phase > facts.phase:
        return Waiting(item.exercise, item.name, f"phase {item.first_phase}")
    return None


def _minutes(items: Sequence[Planned]) -> tuple[int, ...]:
    if not items:
        return ()
    candidates = [
        Candidate(
            exercise=item.exercise,
            movement_class=item.movement_class,
            loaded=item.loaded,
            days_per_week=item.days_per_week,
            seconds=item.seconds,
            order=item.order,
        )
        for item in items
    ]
    found: list[int] = []
    loaded = False
    for day in range(DAYS):
        chosen = routine_of(candidates, day_index=day, loaded_yesterday=loaded)
        loaded = any(one.loaded for one in chosen)
        seconds = sum(one.seconds for one in chosen)
        found.append(max(1, round(seconds / 60)) if chosen else 0)
    return tuple(found)
