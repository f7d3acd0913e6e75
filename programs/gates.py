"""Which movement classes are open to a program now, and which wait for what.

Pure: no Django, no clock. Source: the table of class gates in the clinical content document,
§4.3 (rule R22). Where the table is silent (hip extension, extension, function) an exercise opens
with the phase it first belongs to.
"""

from dataclasses import dataclass
from decimal import Decimal

from programs.limits import NO_LIMITS, Limits

ALWAYS_OPEN = frozenset({"breathing", "isometric", "mobility", "release"})
CLEARABLE = ("rotation", "flexion_loaded", "hinge_loaded")

# After an injury mobility and rest stay in the neutral range: above these levels a ladder leaves
# it (full-range tilts, child's pose).
NEUTRAL_RANGE_TOP_LEVEL = {"mobility": 1, "release": 3}


@dataclass(frozen=True)
class GateFacts:
    """What the gates look at. ``levels`` maps exercise slug to its present level;
    ``calm_fortnight`` is true when the last 14 days had no flare, no STOP and no pain above 3
    during a session, and answers enough to know it; ``limits`` are those of an injury."""

    pathway: str
    phase: int
    clearances: frozenset[str] = frozenset()
    weeks_in_program: int = 0
    levels: tuple[tuple[str, int], ...] = ()
    calm_fortnight: bool = False
    limits: Limits = NO_LIMITS
    overridden: tuple[tuple[str, int], ...] = ()

    def opened_by_hand(self, exercise: str, level: int) -> bool:
        """Whether a clinician opened this level's gate for this exercise (programs.overrides)."""
        return level <= dict(self.overridden).get(exercise, 0)

    def level(self, exercise: str) -> int:
        return dict(self.levels).get(exercise, 0)


@dataclass(frozen=True)
class Gate:
    """A closed gate: the class it holds back and what would open it, for the clinician.

    A ``final`` one cannot be overridden.
    """

    movement_class: str
    needs: str
    final: bool = False


def gate_for(
    movement_class: str,
    facts: GateFacts,
    *,
    level: int = 1,
    first_phase: int = 0,
    loaded: bool = False,
    load_kg: Decimal | None = None,
    overridden: bool = False,
) -> Gate | None:
    """Return the gate that holds this class back, or None when it is open; ``overridden`` when a
    clinician opened it for this exercise.

    A limit of an injury comes first: nothing but its end opens what it closes.
    """
    limit = facts.limits.against(movement_class, loaded=loaded, load_kg=load_kg)
    if limit:
        return Gate(movement_class, f"the end of a limit ({limit})", final=True)
    if overridden:
        return None
    if movement_class in ALWAYS_OPEN:
        return _neutral_range(movement_class, facts, level)
    if movement_class == "rotation":
        return _rotation(facts)
    if movement_class == "flexion_loaded":
        return _needs_clearance("flexion_loaded", facts)
    if movement_class == "hinge_loaded":
        return _hinge_loaded(facts)
    if movement_class in ("anti_extension", "anti_rotation"):
        return None if facts.pathway == "athlete" else _needs_phase(movement_class, facts, 1)
    if movement_class == "hip_hinge":
        open_from = 0 if facts.pathway in ("desk", "athlete") else 1
        return _needs_phase(movement_class, facts, open_from)
    return _needs_phase(movement_class, facts, first_phase)


def _neutral_range(movement_class: str, facts: GateFacts, level: int) -> Gate | None:
    beyond = (
        facts.pathway == "post_injury"
        and level > NEUTRAL_RANGE_TOP_LEVEL.get(movement_class, level)
        and facts.phase < 2
    )
    return Gate(movement_class, "phase 2: neutral range only before it") if beyond else None


def _needs_phase(movement_class: str, facts: GateFacts, phase: int) -> Gate | None:
    return None if facts.phase >= phase else Gate(movement_class, f"phase {phase}")


def _needs_clearance(movement_class: str, facts: GateFacts) -> Gate | None:
    if movement_class in facts.clearances:
        return None
    return Gate(movement_class, "a clinician’s clearance")


def _hinge_loaded(facts: GateFacts) -> Gate | None:
    if facts.pathway == "post_injury":
        return _needs_clearance("hinge_loaded", facts)
    return _needs_phase("hinge_loaded", facts, 1 if facts.pathway == "athlete" else 2)


def _rotation(facts: GateFacts) -> Gate | None:
    missing: list[str] = []
    if facts.pathway == "athlete":
        if facts.phase < 2:
            missing.append("phase 2")
        missing += [
            f"{name} at level 2"
            for slug, name in (("dead-bug", "dead bug"), ("bird-dog", "bird dog"))
            if facts.level(slug) < 2
        ]
    else:
        if "rotation" not in facts.clearances:
            missing.append("a clinician’s clearance")
        phase = 3 if facts.pathway == "post_injury" else 2
        if facts.phase < phase:
            missing.append(f"phase {phase}")
        if facts.pathway == "chronic":
            if facts.weeks_in_program < 4:
                missing.append("4 weeks in the program")
            if facts.level("pallof-press") < 2:
                missing.append("Pallof press at level 2")
            if not facts.calm_fortnight:
                missing.append("14 days without a flare and with pain during of 3 or less")
    return Gate("rotation", ", ".join(missing)) if missing else None
