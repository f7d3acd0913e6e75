"""The minutes of a week ahead, for a version that may not exist yet. Reads only."""

import datetime as dt
from dataclasses import dataclass

from programs import routine
from programs.items import Item, open_items
from programs.models import Program, ProgramVersion
from programs.today import candidate_of, course_of, minutes_of


@dataclass(frozen=True)
class WeekDay:
    """One day: its exercises in their order, and those that do not fit into its minutes."""

    day: dt.date
    items: list[Item]
    left_out: int = 0

    @property
    def minutes(self) -> int:
        return minutes_of(self.items)


def week_of(*, program: Program, version: ProgramVersion, first: dt.date) -> list[WeekDay]:
    """Seven days from ``first`` (or the program's first day, if that is later), as if every
    routine before were done."""
    first = max(first, program.started_on)
    days: list[WeekDay] = []
    loaded = False
    for day in (first + dt.timedelta(days=n) for n in range(7)):
        items = {item.exercise.slug: item for item in open_items(version, day)}
        asked = {
            "day_index": (day - program.started_on).days,
            "loaded_yesterday": loaded,
            **course_of(version, day),
        }
        candidates = [candidate_of(item) for item in items.values()]
        chosen = routine.routine_of(candidates, **asked)
        wanted = routine.routine_of(candidates, **asked, budget_s=routine.NO_BUDGET_S)
        loaded = any(candidate.loaded for candidate in chosen)
        days.append(WeekDay(day, [items[c.exercise] for c in chosen], len(wanted) - len(chosen)))
    return days
