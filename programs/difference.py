"""What differs between two states of a program: for the clinician, and for the patient.

Pure: no Django, no clock. The clinician reads every change, whatever the patient sees of it; the
patient reads only what changes in the routine, in sentences that ``programs.retelling`` knows, so
that they can be said again in another language.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from programs.reasons import NEW_ORDER, NEXT_PART, PART_BACK, UNCHANGED

UP, DOWN, NEW, GONE, PLAIN = "up", "down", "new", "gone", "plain"
_PHASES = ("Activate", "Stabilise", "Strengthen", "Daily life")
_LOCKS = {"none": "none", "no_progress": "no progress", "frozen": "frozen"}
_CUES = {"draw_in": "draw in", "fill_out": "fill outward"}


@dataclass(frozen=True)
class Line:
    """One exercise of a program. ``shown`` says whether the patient meets it: not paused, its
    phase reached, its gate open."""

    slug: str
    name: str
    level: int
    title: str
    sets: int
    reps: int
    hold_s: int
    days: int
    load_kg: Decimal | None = None
    paused: bool = False
    shown: bool = True


@dataclass(frozen=True)
class Shape:
    """One state of a program. ``taper`` pairs the first day, in words, with the days a week."""

    phase: int
    lock: str = "none"
    auto_policy: bool = False
    pain_ceiling: int | None = None
    clearances: tuple[str, ...] = ()
    cue_set: str = "draw_in"
    maintenance: bool = False
    taper: tuple[tuple[str, int], ...] = ()
    lines: tuple[Line, ...] = ()

    def line(self, slug: str) -> Line | None:
        return next((line for line in self.lines if line.slug == slug), None)


@dataclass(frozen=True)
class Said:
    """One change in a clinician's words. ``kind`` is up (asks more), down, new, gone or plain."""

    kind: str
    words: str


# --- for the clinician ---------------------------------------------------------------------------


def for_clinician(before: Shape, after: Shape) -> list[Said]:
    """Every change, the exercises first, in the order of the new routine."""
    found: list[Said] = []
    for line in after.lines:
        then = before.line(line.slug)
        if then is None:
            words = f"{line.name}: new, level {line.level} {line.title}, {_dose(line)}"
            found.append(Said(NEW, words + (", paused" if line.paused else "")))
        else:
            found += _line_changes(then, line)
    found += [
        Said(GONE, f"{line.name}: taken out")
        for line in before.lines
        if after.line(line.slug) is None
    ]
    if _moved(before, after):
        found.append(Said(PLAIN, "Order: " + ", ".join(line.name for line in after.lines)))
    return found + _brakes(before, after)


def _line_changes(then: Line, now: Line) -> list[Said]:
    found: list[Said] = []
    if now.paused != then.paused:
        found.append(
            Said(DOWN, f"{now.name}: paused") if now.paused else Said(UP, f"{now.name}: goes on")
        )
    parts: list[str] = []
    if now.level != then.level:
        parts.append(f"level {then.level} → {now.level} {now.title}")
    for label, old, new in (
        ("sets", then.sets, now.sets),
        ("repetitions", then.reps, now.reps),
        ("hold, s", then.hold_s, now.hold_s),
        ("days a week", then.days, now.days),
        ("load, kg", then.load_kg or 0, now.load_kg or 0),
    ):
        if new != old:
            parts.append(f"{label} {old:g} → {new:g}")
    if parts:
        found.append(Said(UP if _asks_more(then, now) else DOWN, f"{now.name}: {', '.join(parts)}"))
    return found


def _asks_more(then: Line, now: Line) -> bool:
    if now.level != then.level:
        return now.level > then.level
    pairs = (
        (then.sets, now.sets),
        (then.reps, now.reps),
        (then.hold_s, now.hold_s),
        (then.days, now.days),
        (then.load_kg or 0, now.load_kg or 0),
    )
    return any(new > old for old, new in pairs)


def _dose(line: Line) -> str:
    held = f", hold {line.hold_s} s" if line.hold_s else ""
    load = f", {line.load_kg:g} kg" if line.load_kg else ""
    return f"{line.sets} × {line.reps}{held}{load}, {_week(line.days)}"


def _week(days: int) -> str:
    return "1 day a week" if days == 1 else f"{days} days a week"


def _moved(before: Shape, after: Shape) -> bool:
    """Whether the exercises that stay come in another order."""
    then = [line.slug for line in before.lines if after.line(line.slug)]
    now = [line.slug for line in after.lines if before.line(line.slug)]
    return then != now


def _brakes(before: Shape, after: Shape) -> list[Said]:
    found: list[Said] = []
    if after.phase != before.phase:
        kind = UP if after.phase > before.phase else DOWN
        named = [f"{n} {_PHASES[n]}" for n in (before.phase, after.phase)]
        found.append(Said(kind, f"Phase {named[0]} → {named[1]}"))
    if after.lock != before.lock:
        found.append(Said(PLAIN, f"Lock: {_LOCKS[before.lock]} → {_LOCKS[after.lock]}"))
    if after.pain_ceiling != before.pain_ceiling:
        then, now = (
            "the policy’s own" if value is None else str(value)
            for value in (before.pain_ceiling, after.pain_ceiling)
        )
        found.append(Said(PLAIN, f"Pain ceiling: {then} → {now}"))
    for name in sorted({*after.clearances} - {*before.clearances}):
        found.append(Said(PLAIN, f"Cleared: {name.replace('_', ' ')}"))
    for name in sorted({*before.clearances} - {*after.clearances}):
        found.append(Said(PLAIN, f"No longer cleared: {name.replace('_', ' ')}"))
    if after.cue_set != before.cue_set:
        found.append(Said(PLAIN, f"Cue set: {_CUES[before.cue_set]} → {_CUES[after.cue_set]}"))
    if after.auto_policy != before.auto_policy:
        words = "may raise the dose by itself" if after.auto_policy else "raises nothing by itself"
        found.append(Said(PLAIN, f"The policy {words}"))
    if after.maintenance != before.maintenance:
        words = "Maintenance begins" if after.maintenance else "Building again, no maintenance"
        found.append(Said(PLAIN, words))
    if after.taper != before.taper:
        steps = "; ".join(f"{_week(days)} from {first}" for first, days in after.taper)
        found.append(Said(DOWN, f"Taper: {steps}") if steps else Said(PLAIN, "Taper ends"))
    return found


# --- for the patient -----------------------------------------------------------------------------


def for_patient(before: Shape, after: Shape) -> list[str]:
    """What changes in the routine, one sentence each; never empty."""
    found: list[str] = []
    if after.phase > before.phase:
        found.append(NEXT_PART)
    elif after.phase < before.phase:
        found.append(PART_BACK)
    new: list[str] = []
    for line in after.lines:
        then = before.line(line.slug)
        if not line.shown:
            if then is not None and then.shown:
                found.append(f"{line.name} rests for now.")
        elif then is None or not (then.shown or then.paused):
            new.append(line.name)
        elif not then.shown:
            found.append(f"{line.name} is back.")
        else:
            found += _told(then, line)
    found += [
        f"{line.name} leaves your routine."
        for line in before.lines
        if line.shown and after.line(line.slug) is None
    ]
    if new:
        found.append(f"New: {', '.join(new)}.")
    if _moved(_seen(before), _seen(after)):
        found.append(NEW_ORDER)
    if after.taper != before.taper and after.taper:
        fewest = min(days for _first, days in after.taper)
        found.append(f"Step by step you exercise on fewer days, down to {fewest} a week.")
    return found or [UNCHANGED]


def _told(then: Line, now: Line) -> list[str]:
    name = now.name
    if now.level == then.level - 1:
        return [f"{name} goes one level easier."]
    if now.level < then.level:
        return [f"{name} goes back to level {now.level}."]
    if now.level > then.level:
        return [f"{name} goes up to level {now.level}."]
    found: list[str] = []
    if now.sets != then.sets:
        found.append(f"{name}: sets {now.sets} instead of {then.sets}.")
    if now.reps != then.reps:
        found.append(f"{name}: {now.reps} times instead of {then.reps}.")
    if now.hold_s != then.hold_s:
        found.append(f"{name}: hold for {now.hold_s} seconds instead of {then.hold_s}.")
    if now.days != then.days:
        found.append(f"{name}: days a week {now.days} instead of {then.days}.")
    if (now.load_kg or 0) != (then.load_kg or 0):
        found.append(f"{name}: {now.load_kg or 0:g} kg instead of {then.load_kg or 0:g} kg.")
    return found


def _seen(shape: Shape) -> Shape:
    return Shape(phase=shape.phase, lines=tuple(_shown(shape.lines)))


def _shown(lines: Iterable[Line]) -> Iterable[Line]:
    return (line for line in lines if line.shown)
