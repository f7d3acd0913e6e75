"""The ladder: which single step comes next, up or down.

Pure: no Django, no clock. One step changes one variable. For one exercise the order is dose to
the top of its range, then level; the phase of the program follows when the exercises that carry
the phase are ready (``docs/decisions/0003-which-step-comes-next.md``).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from programs.gates import Gate, GateFacts, gate_for
from programs.reasons import NEXT_PART

TOP_LEVEL = 4
LAST_PHASE = 3
# The classes whose exercises carry a phase: when they are ready, the program is.
CARRYING = frozenset({"anti_extension", "anti_rotation", "hip_extension", "hip_hinge"})
# Exercises that ease a back rather than load it: they are the last to go.
GENTLE = frozenset({"breathing", "mobility", "release"})
# Load rises by 2–10 % (ACSM 2009); 5 % sits in the middle.
LOAD_STEP = Decimal("0.05")
MASTERY = "deep-core-hold"
MASTERY_HOLD_S = 10
MASTERY_REPS = 5


@dataclass(frozen=True)
class Rung:
    """One level of an exercise: its class and the range of its dose (repetitions, seconds)."""

    level: int
    movement_class: str
    loaded: bool
    reps_from: int
    reps_to: int
    reps_step: int
    hold_from: int
    hold_to: int
    hold_step: int


@dataclass(frozen=True)
class Position:
    """Where one prescribed exercise stands on its ladder."""

    exercise: str
    name: str
    first_phase: int
    order: int
    level: int
    reps: int
    hold_s: int
    rungs: tuple[Rung, ...]
    load_kg: Decimal | None = None
    paused: bool = False
    since: dt.date | None = None
    raised_on: dt.date | None = None
    regress_to: str | None = None

    @property
    def rung(self) -> Rung:
        return self.rung_at(self.level)

    def rung_at(self, level: int) -> Rung:
        return next(rung for rung in self.rungs if rung.level == level)

    @property
    def top(self) -> int:
        return max(rung.level for rung in self.rungs)


@dataclass(frozen=True)
class Step:
    """One change. ``kind``: dose, load, level, phase (up), ease (down), pause (out of the routine).

    Empty fields stay as they are. ``words`` says it for the clinician, ``patient_words`` for the
    patient. ``blocked_by`` names the class whose gate is closed, ``needs`` what would open it.
    """

    kind: str
    exercise: str = ""
    level: int | None = None
    reps: int | None = None
    hold_s: int | None = None
    load_kg: str | None = None
    phase: int | None = None
    pause: tuple[str, ...] = ()
    opens_class: bool = False
    phase_change: bool = False
    blocked_by: str | None = None
    needs: str = ""
    words: str = ""
    patient_words: str = ""


@dataclass(frozen=True)
class Standing:
    """A program as the ladder sees it."""

    facts: GateFacts
    positions: tuple[Position, ...]
    opened_classes: frozenset[str] = field(default_factory=frozenset)

    def open_positions(self) -> list[Position]:
        """The exercises that may be in today's routine: not paused, phase reached, gate open."""
        return [p for p in self.positions if self.is_open(p)]

    def is_open(self, position: Position) -> bool:
        return (
            not position.paused
            and (
                position.first_phase <= self.facts.phase
                or self.facts.opened_by_hand(position.exercise, position.level)
            )
            and self.gate(position, position.level) is None
        )

    def waits_for(self, position: Position) -> str:
        """What keeps the exercise out of the routine at its level, such as "phase 2", for the
        clinician; "" for one that is open, or only paused."""
        gate = self.gate(position, position.level)
        if gate is not None:
            return gate.needs
        if self.is_open(replace(position, paused=False)):
            return ""
        return f"phase {position.first_phase}"

    def gate(
        self, position: Position, level: int, *, load_kg: Decimal | None = None
    ) -> Gate | None:
        """What holds this level back; ``load_kg`` is the present load when left out."""
        rung = position.rung_at(level)
        return gate_for(
            rung.movement_class,
            self.facts,
            level=level,
            first_phase=position.first_phase,
            loaded=rung.loaded,
            load_kg=position.load_kg if load_kg is None else load_kg,
            overridden=self.facts.opened_by_hand(position.exercise, level),
        )


def exercise_in_question(standing: Standing, flagged: str | None) -> Position | None:
    """The exercise the per-exercise rules look at (clinical content §4.1, Scope).

    The one the patient pointed at; else the one that went up last; else the highest level, and
    among equals the one that loads the back most.
    """
    active = standing.open_positions()
    by_slug = {position.exercise: position for position in active}
    if flagged in by_slug:
        return by_slug[flagged]
    raised = [position for position in active if position.raised_on]
    if raised:
        return max(raised, key=lambda p: (p.raised_on or dt.date.min, -p.order))
    return max(
        active,
        key=lambda p: (p.level, p.rung.movement_class not in GENTLE, p.order),
        default=None,
    )


def step_up(standing: Standing) -> Step | None:
    """The next step up, blocked or not; None when nothing is left to climb."""
    if standing.facts.phase < LAST_PHASE and _phase_ready(standing):
        return _phase_step(standing)
    waiting = sorted(
        (p for p in standing.open_positions() if p.rung.movement_class != "release"),
        key=lambda p: (not _carries(p, standing), p.since or dt.date.min, p.order),
    )
    blocked: Step | None = None
    for position in waiting:
        step = _climb(position, standing)
        if step is not None and step.blocked_by is None:
            return step
        blocked = blocked or step
    return blocked


def step_down(position: Position, standing: Standing, *, flagged: bool = False) -> Step | None:
    """One step easier: a level down, then the start of the dose, then the exercise it leans on.

    None when nothing easier is left: a routine is never emptied, and an exercise that leans on no
    easier one rests only when the patient pointed at it (``flagged``).
    """
    if position.level > 1:
        rung = position.rung_at(position.level - 1)
        return Step(
            kind="ease",
            exercise=position.exercise,
            level=rung.level,
            reps=rung.reps_from,
            hold_s=rung.hold_from,
            words=f"{position.name}: level {position.level} → {rung.level}",
            patient_words=f"{position.name} goes one level easier.",
        )
    rung = position.rung
    if position.reps > rung.reps_from or position.hold_s > rung.hold_from:
        return Step(
            kind="ease",
            exercise=position.exercise,
            reps=min(position.reps, rung.reps_from),
            hold_s=min(position.hold_s, rung.hold_from),
            words=f"{position.name}: back to the start of its dose",
            patient_words=f"We do a little less of {position.name}.",
        )
    others = len(standing.open_positions()) - 1
    if others < 1 or (position.regress_to is None and not flagged):
        return None
    # What it leans on stays in the routine if it is there; a paused exercise is the clinician's
    # to bring back.
    easier = next((p.name for p in standing.positions if p.exercise == position.regress_to), None)
    return Step(
        kind="pause",
        exercise=position.exercise,
        pause=(position.exercise,),
        words=f"{position.name}: paused" + (f", {easier} stays" if easier else ""),
        patient_words=f"{position.name} rests for now.",
    )


def pause_after_pull(standing: Standing) -> Step | None:
    """R10: rest the hamstring stretch and whatever went up last; None when both rest already."""
    raised = [p for p in standing.open_positions() if p.raised_on]
    last = max(raised, key=lambda p: (p.raised_on or dt.date.min, -p.order), default=None)
    resting = [
        p
        for p in standing.open_positions()
        if p.exercise == "hamstring-stretch" or (last is not None and p.exercise == last.exercise)
    ]
    if not resting or len(resting) == len(standing.open_positions()):
        return None
    names = " and ".join(p.name for p in resting)
    return Step(
        kind="pause",
        pause=tuple(p.exercise for p in resting),
        words=f"{names}: paused after a one-sided pull",
        patient_words=f"{names} rest for now." if len(resting) > 1 else f"{names} rests for now.",
    )


def easier_and_resting(easier: Step | None, rest: Step | None, standing: Standing) -> Step | None:
    """Both at once, where something goes easier and a one-sided pull asks for rest as well: who
    reports more is not to rest less. ``easier`` alone where both would empty the routine."""
    if easier is None or rest is None:
        return easier or rest
    resting = tuple(dict.fromkeys((*easier.pause, *rest.pause)))
    if len(resting) == len(standing.open_positions()):
        return easier
    if easier.exercise in rest.pause:
        # What rests needs no easier dose.
        return rest
    return replace(
        easier,
        pause=resting,
        words=f"{easier.words}; {rest.words}",
        patient_words=f"{easier.patient_words} {rest.patient_words}",
    )


def _climb(position: Position, standing: Standing) -> Step | None:
    rung = position.rung
    if rung.reps_step and position.reps < rung.reps_to:
        reps = min(position.reps + rung.reps_step, rung.reps_to)
        return Step(
            kind="dose",
            exercise=position.exercise,
            reps=reps,
            words=f"{position.name}: {position.reps} → {reps} repetitions",
            patient_words=f"{position.name}: {reps} times instead of {position.reps}.",
        )
    if rung.hold_step and position.hold_s < rung.hold_to:
        hold = min(position.hold_s + rung.hold_step, rung.hold_to)
        return Step(
            kind="dose",
            exercise=position.exercise,
            hold_s=hold,
            words=f"{position.name}: hold {position.hold_s} → {hold} s",
            patient_words=f"{position.name}: hold for {hold} seconds instead of {position.hold_s}.",
        )
    if position.level < position.top:
        return _level_step(position, standing)
    if rung.loaded and position.load_kg:
        heavier = _heavier(position.load_kg)
        if heavier is not None:
            gate = standing.gate(position, position.level, load_kg=heavier)
            return Step(
                kind="load",
                exercise=position.exercise,
                load_kg=str(heavier),
                blocked_by=gate.movement_class if gate else None,
                needs=gate.needs if gate else "",
                words=f"{position.name}: {position.load_kg} → {heavier} kg",
                patient_words=f"{position.name}: {heavier} kg instead of {position.load_kg} kg.",
            )
    return None


def _heavier(load_kg: Decimal) -> Decimal | None:
    """About 5 % more, in half kilograms; None when half a kilogram would be over 10 %."""
    half_kilograms = max(1, round(load_kg * LOAD_STEP * 2))
    heavier = load_kg + Decimal(half_kilograms) / 2
    return heavier if heavier <= load_kg * Decimal("1.10") else None


def _level_step(position: Position, standing: Standing) -> Step:
    rung = position.rung_at(position.level + 1)
    gate = standing.gate(position, rung.level)
    after = _after_raise(position, standing)
    before = {p.exercise for p in standing.open_positions()}
    # A level may be the key to another exercise's gate.
    joining = [p for p in after.open_positions() if p.exercise not in before]
    shown = {rung.movement_class, *(p.rung.movement_class for p in joining)}
    names = ", ".join(p.name for p in joining)
    return Step(
        kind="level",
        exercise=position.exercise,
        level=rung.level,
        reps=rung.reps_from,
        hold_s=rung.hold_from,
        opens_class=not shown <= standing.opened_classes,
        blocked_by=gate.movement_class if gate else None,
        needs=gate.needs if gate else "",
        words=f"{position.name}: level {position.level} → {rung.level}"
        + (f", opens {names}" if names else ""),
        patient_words=f"{position.name} goes up to level {rung.level}."
        + (f" New: {names}." if names else ""),
    )


def _after_raise(position: Position, standing: Standing) -> Standing:
    """The program with this exercise one level higher."""
    positions = tuple(
        replace(p, level=p.level + 1) if p.exercise == position.exercise else p
        for p in standing.positions
    )
    levels = tuple(sorted((p.exercise, p.level) for p in positions))
    return replace(standing, facts=replace(standing.facts, levels=levels), positions=positions)


def _carries(position: Position, standing: Standing) -> bool:
    """Whether the phase is waiting for this exercise."""
    if standing.facts.phase == 0:
        return position.exercise == MASTERY
    needed = min(standing.facts.phase + 1, position.top)
    return position.rung.movement_class in CARRYING and position.level < needed


def _phase_ready(standing: Standing) -> bool:
    """Phase 0 ends with a mastered deep-core hold (10 s, breathing, 5 times); phases 1 and 2
    when every open exercise that carries the phase has reached level 2 and 3."""
    active = standing.open_positions()
    if standing.facts.phase == 0:
        return any(
            p.exercise == MASTERY
            and p.level >= 2
            and p.hold_s >= MASTERY_HOLD_S
            and p.reps >= MASTERY_REPS
            for p in active
        )
    carrying = [p for p in active if p.rung.movement_class in CARRYING]
    return bool(carrying) and not any(_carries(p, standing) for p in carrying)


def _phase_step(standing: Standing) -> Step:
    phase = standing.facts.phase + 1
    after = replace(standing, facts=replace(standing.facts, phase=phase))
    before = {p.exercise for p in standing.open_positions()}
    joining = [p for p in after.open_positions() if p.exercise not in before]
    names = ", ".join(p.name for p in joining)
    return Step(
        kind="phase",
        phase=phase,
        phase_change=True,
        opens_class=any(p.rung.movement_class not in standing.opened_classes for p in joining),
        words=f"Phase {phase - 1} → {phase}" + (f", opens {names}" if names else ""),
        patient_words=NEXT_PART + (f" New: {names}." if names else ""),
    )


def opened_by(positions: Sequence[Position], facts: GateFacts) -> frozenset[str]:
    """The movement classes that a program in this state shows the patient."""
    standing = Standing(facts, tuple(positions))
    return frozenset(p.rung.movement_class for p in standing.open_positions())
