"""Gates and the ladder: one step, one variable, and only where the gate is open."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.gates import GateFacts, gate_for
from programs.ladder import (
    Position,
    Rung,
    Standing,
    easier_and_resting,
    exercise_in_question,
    opened_by,
    pause_after_pull,
    step_down,
    step_up,
)

DAY = dt.date(2026, 3, 2)
PATHWAYS = ["chronic", "desk", "athlete", "post_injury"]


def rung(level: int, movement_class: str = "anti_extension", **fields) -> Rung:
    return Rung(
        **{
            "level": level,
            "movement_class": movement_class,
            "loaded": False,
            "reps_from": 6,
            "reps_to": 10,
            "reps_step": 2,
            "hold_from": 0,
            "hold_to": 0,
            "hold_step": 0,
            **fields,
        }
    )


def position(slug: str = "dead-bug", movement_class: str = "anti_extension", **fields) -> Position:
    return Position(
        **{
            "exercise": slug,
            "name": slug.replace("-", " ").capitalize(),
            "first_phase": 1,
            "order": 1,
            "level": 1,
            "reps": 6,
            "hold_s": 0,
            "rungs": tuple(rung(level, movement_class) for level in (1, 2, 3, 4)),
            "since": DAY,
            **fields,
        }
    )


def standing(*positions: Position, pathway: str = "chronic", phase: int = 1, **facts) -> Standing:
    found = GateFacts(
        pathway=pathway,
        phase=phase,
        levels=tuple((p.exercise, p.level) for p in positions),
        **facts,
    )
    return Standing(found, positions, opened_by(positions, found))


# --- gates ------------------------------------------------------------------------------------


@pytest.mark.parametrize("pathway", PATHWAYS)
@pytest.mark.parametrize("phase", [0, 1, 2, 3])
def test_loaded_flexion_waits_for_a_clearance_everywhere(pathway, phase):
    facts = GateFacts(pathway=pathway, phase=phase, weeks_in_program=50, calm_fortnight=True)
    assert gate_for("flexion_loaded", facts) is not None
    assert (
        gate_for("flexion_loaded", replace(facts, clearances=frozenset({"flexion_loaded"}))) is None
    )


def test_chronic_rotation_needs_every_condition_at_once():
    everything = GateFacts(
        pathway="chronic",
        phase=2,
        clearances=frozenset({"rotation"}),
        weeks_in_program=4,
        levels=(("pallof-press", 2),),
        calm_fortnight=True,
    )
    assert gate_for("rotation", everything) is None
    for missing in (
        {"phase": 1},
        {"clearances": frozenset()},
        {"weeks_in_program": 3},
        {"levels": (("pallof-press", 1),)},
        {"calm_fortnight": False},
    ):
        assert gate_for("rotation", replace(everything, **missing)) is not None, missing


def test_rotation_of_the_other_pathways():
    athlete = GateFacts(pathway="athlete", phase=2, levels=(("dead-bug", 2), ("bird-dog", 2)))
    assert gate_for("rotation", athlete) is None
    assert "bird dog" in gate_for("rotation", replace(athlete, levels=(("dead-bug", 2),))).needs
    cleared = frozenset({"rotation"})
    assert gate_for("rotation", GateFacts("desk", 2, cleared)) is None
    assert gate_for("rotation", GateFacts("desk", 2)) is not None
    assert gate_for("rotation", GateFacts("post_injury", 2, cleared)) is not None
    assert gate_for("rotation", GateFacts("post_injury", 3, cleared)) is None


@pytest.mark.parametrize(
    ("movement_class", "pathway", "opens_at"),
    [
        ("anti_extension", "chronic", 1),
        ("anti_rotation", "post_injury", 1),
        ("anti_extension", "athlete", 0),
        ("hip_hinge", "chronic", 1),
        ("hip_hinge", "desk", 0),
        ("hinge_loaded", "desk", 2),
        ("hinge_loaded", "athlete", 1),
        ("hinge_loaded", "post_injury", None),
        ("breathing", "post_injury", 0),
    ],
)
def test_classes_open_with_their_phase(movement_class, pathway, opens_at):
    for phase in range(4):
        gate = gate_for(movement_class, GateFacts(pathway=pathway, phase=phase))
        assert (gate is None) == (opens_at is not None and phase >= opens_at)


def test_post_injury_mobility_stays_in_the_neutral_range():
    facts = GateFacts(pathway="post_injury", phase=0)
    assert gate_for("mobility", facts, level=1) is None
    assert gate_for("mobility", facts, level=2) is not None
    assert gate_for("release", facts, level=4) is not None
    assert gate_for("mobility", GateFacts("desk", 0), level=4) is None


# --- up ---------------------------------------------------------------------------------------


def test_the_order_is_repetitions_then_hold_then_level_then_phase():
    held = tuple(rung(n, hold_from=3, hold_to=5, hold_step=2) for n in (1, 2, 3, 4))
    at = position(rungs=held, reps=6, hold_s=3)
    taken = []
    for _ in range(5):
        step = step_up(standing(at))
        changed = {
            name: getattr(step, name)
            for name in ("level", "reps", "hold_s")
            if getattr(step, name) is not None
        }
        taken.append((step.kind, changed))
        at = replace(at, **changed)
    assert (
        taken
        == [
            ("dose", {"reps": 8}),
            ("dose", {"reps": 10}),
            ("dose", {"hold_s": 5}),
            ("level", {"level": 2, "reps": 6, "hold_s": 3}),
            ("dose", {"reps": 8}),
        ]
        or taken[4][0] == "phase"
    )


def test_a_closed_gate_lets_the_next_exercise_go_first_and_blocks_when_alone():
    top = {"reps": 10, "level": 3}
    turning = position(
        "cat-cow",
        "mobility",
        first_phase=0,
        rungs=(*(rung(n, "mobility") for n in (1, 2, 3)), rung(4, "rotation")),
        **top,
    )
    other = position("chest-opener", "mobility", first_phase=0, order=2)
    assert step_up(standing(turning, other, phase=0)).exercise == "chest-opener"
    alone = step_up(standing(turning, phase=0))
    assert alone.blocked_by == "rotation" and "clearance" in alone.needs


def test_phase_zero_ends_with_a_mastered_deep_core_hold():
    hold = position(
        "deep-core-hold",
        "isometric",
        first_phase=0,
        level=2,
        reps=5,
        hold_s=10,
        rungs=tuple(rung(n, "isometric", hold_from=10, hold_to=10) for n in (1, 2, 3)),
    )
    joins = position("dead-bug", order=2)
    step = step_up(standing(hold, joins, phase=0))
    assert (step.kind, step.phase, step.phase_change) == ("phase", 1, True)
    assert step.opens_class and "Dead bug" in step.words
    for short in ({"hold_s": 9}, {"reps": 4}, {"level": 1}, {"paused": True}):
        found = step_up(standing(replace(hold, **short), joins, phase=0))
        assert found is None or found.kind != "phase", short


def test_a_level_that_is_the_key_to_another_gate_opens_its_class():
    """An athlete's bird dog at level 2 is what the chop and lift waits for."""
    top = {"reps": 10, "first_phase": 1}
    bird_dog = position("bird-dog", "anti_rotation", level=1, **top)
    dead_bug = position("dead-bug", level=4, order=2, **top)
    chop = position("chop-and-lift", "rotation", level=4, order=3, reps=10, first_phase=3)
    athlete = standing(bird_dog, dead_bug, chop, pathway="athlete", phase=3)
    step = step_up(athlete)
    assert (step.exercise, step.level) == ("bird-dog", 2)
    assert step.opens_class is True
    assert "opens Chop and lift" in step.words
    other = standing(bird_dog, dead_bug, pathway="athlete", phase=3)
    assert step_up(other).opens_class is False


def test_load_grows_by_two_to_ten_percent_and_only_at_the_top():
    loaded = tuple(rung(n, "hinge_loaded", loaded=True) for n in (1, 2, 3, 4))
    at = position("hip-thrust", "hinge_loaded", rungs=loaded, level=4, reps=10, first_phase=2)
    for load in ("10", "20", "47.5", "100"):
        step = step_up(standing(replace(at, load_kg=Decimal(load)), phase=3))
        growth = Decimal(step.load_kg) / Decimal(load) - 1
        assert Decimal("0.02") <= growth <= Decimal("0.10")
    assert step_up(standing(replace(at, load_kg=Decimal(2)), phase=3)) is None
    assert step_up(standing(at, phase=3)) is None, "no load known, nothing left to climb"


positions = st.lists(
    st.builds(
        position,
        slug=st.sampled_from(["dead-bug", "bird-dog", "cat-cow", "deep-core-hold", "hip-hinge"]),
        movement_class=st.sampled_from(
            ["anti_extension", "mobility", "isometric", "rotation", "hinge_loaded", "release"]
        ),
        first_phase=st.integers(0, 3),
        level=st.integers(1, 4),
        reps=st.sampled_from([6, 8, 10]),
        paused=st.booleans(),
        since=st.dates(DAY, DAY + dt.timedelta(days=40)),
        raised_on=st.one_of(st.none(), st.dates(DAY, DAY + dt.timedelta(days=40))),
    ),
    max_size=5,
    unique_by=lambda p: p.exercise,
)
standings = st.builds(
    lambda found, pathway, phase: standing(*found, pathway=pathway, phase=phase),
    positions,
    st.sampled_from(PATHWAYS),
    st.integers(0, 3),
)


@given(standings)
def test_a_step_up_changes_one_thing_of_an_open_exercise_and_never_skips_a_level(found):
    step = step_up(found)
    if step is None or step.kind == "phase":
        return
    here = next(p for p in found.positions if p.exercise == step.exercise)
    assert found.is_open(here)
    if step.kind == "level":
        assert step.level == here.level + 1
        assert (step.blocked_by is None) == (found.gate(here, step.level) is None)
    else:
        assert [step.reps, step.hold_s, step.load_kg].count(None) == 2


@given(standings, st.booleans())
def test_a_step_down_never_raises_anything_and_never_empties_the_routine(found, flagged):
    here = exercise_in_question(found, None)
    if here is None:
        return
    step = step_down(here, found, flagged=flagged)
    if step is None:
        return
    assert step.kind in ("ease", "pause") and step.phase is None
    if step.level is not None:
        assert step.level == here.level - 1
    elif step.kind == "ease":
        assert step.reps <= here.reps and step.hold_s <= here.hold_s
    else:
        assert len(found.open_positions()) > len(step.pause)


@given(standings)
def test_after_a_pull_something_rests_but_never_everything(found):
    step = pause_after_pull(found)
    if step is not None:
        assert 0 < len(step.pause) < len(found.open_positions())


@given(standings)
def test_easier_and_resting_rests_all_that_either_rests_but_never_everything(found):
    here = exercise_in_question(found, None)
    if here is None:
        return
    easier, rest = step_down(here, found), pause_after_pull(found)
    step = easier_and_resting(easier, rest, found)
    if easier is None or rest is None:
        assert step == (easier or rest)
        return
    assert len(step.pause) < len(found.open_positions())
    if len({*easier.pause, *rest.pause}) < len(found.open_positions()):
        assert set(rest.pause) <= set(step.pause)
        assert here.exercise in step.pause or step.exercise == here.exercise


def test_the_exercise_in_question_is_flagged_then_newest_raised_then_highest():
    low = position("cat-cow", "mobility", first_phase=0, level=1)
    high = position("dead-bug", level=3, order=2)
    raised = position("bird-dog", "anti_rotation", level=1, order=3, raised_on=DAY)
    found = standing(low, high, raised)
    assert exercise_in_question(found, "cat-cow").exercise == "cat-cow"
    assert exercise_in_question(found, None).exercise == "bird-dog"
    assert exercise_in_question(standing(low, high), None).exercise == "dead-bug"
    assert exercise_in_question(standing(low, high), "sit-up").exercise == "dead-bug"
