"""What stands against a change of a program: asked while it is made, and again by the verb."""

import datetime as dt
from dataclasses import dataclass

from programs.gates import Gate
from programs.models import ProgramVersion
from programs.positions import prescriptions_of, standing_of

RED_FLAG = (
    "A red flag is open. Until it is closed a program can only ask for less: no exercise is added, "
    "raised or brought back."
)


@dataclass(frozen=True)
class Obstacle:
    """A closed gate before one exercise of the change; ``final`` means that no reason opens it."""

    exercise: str
    name: str
    level: int
    gate: Gate

    @property
    def final(self) -> bool:
        return self.gate.final

    @property
    def words(self) -> str:
        return (
            f"{self.name} at level {self.level} waits for {self.gate.needs} "
            f"(gate {self.gate.movement_class.replace('_', ' ')})."
        )


def asked_for(before: ProgramVersion, after: ProgramVersion) -> set[str]:
    """The exercises that the change adds, brings back or puts on a higher level, by slug."""
    stood = {p.exercise_id: p for p in prescriptions_of(before)}
    found = set()
    for now in prescriptions_of(after):
        then = stood.get(now.exercise_id)
        if now.paused:
            continue
        if then is None or then.paused or now.level > then.level:
            found.add(now.exercise.slug)
    return found


def obstacles_to(
    before: ProgramVersion, after: ProgramVersion, *, today: dt.date
) -> list[Obstacle]:
    """The gates that the change runs against, in routine order. Gates over exercises that it
    leaves as they are stay quiet: those wait, as they did."""
    wanted = asked_for(before, after)
    standing = standing_of(after, today=today, calm_fortnight=True)
    found = []
    for position in standing.positions:
        if position.exercise not in wanted:
            continue
        gate = standing.gate(position, position.level)
        if gate is not None:
            found.append(Obstacle(position.exercise, position.name, position.level, gate))
    return found
