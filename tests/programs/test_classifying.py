"""Movement classes suggested for exercises that others wrote, on 50 real rows."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.classifying import FALLBACK, PRECEDENCE, suggest_movement_class

SAMPLE = json.loads(
    (Path(__file__).parent.parent / "data/free_exercise_db_sample.json").read_text("utf-8")
)
EXPECTED = {
    # Trunk curls, leg lifts from the front and side bends: loaded flexion
    "3/4 Sit-Up": "flexion_loaded",
    "Air Bike": "flexion_loaded",
    "Alternate Heel Touchers": "flexion_loaded",
    "Barbell Side Bend": "flexion_loaded",
    "Decline Crunch": "flexion_loaded",
    "Hanging Leg Raise": "flexion_loaded",
    "Toe Touchers": "flexion_loaded",
    "Supine Two-Arm Overhead Throw": "flexion_loaded",
    # … also with a twist in them, because clearance for flexion is asked on every pathway
    "Decline Oblique Crunch": "flexion_loaded",
    "Elbow to Knee": "flexion_loaded",
    "Kneeling Cable Crunch With Alternating Oblique Twists": "flexion_loaded",
    # Twists
    "Russian Twist": "rotation",
    "Cable Russian Twists": "rotation",
    "Standing Cable Wood Chop": "rotation",
    "Spell Caster": "rotation",
    "Torso Rotation": "rotation",
    "Pallof Press With Rotation": "rotation",
    "Knee Across The Body": "rotation",
    "Push Up to Side Plank": "rotation",
    "Kettlebell Windmill": "rotation",
    # Hinges and thrusts under load
    "Romanian Deadlift": "hinge_loaded",
    "Trap Bar Deadlift": "hinge_loaded",
    "Band Good Morning": "hinge_loaded",
    "Barbell Hip Thrust": "hinge_loaded",
    "Bent Over Barbell Row": "hinge_loaded",
    "Two-Arm Kettlebell Row": "hinge_loaded",
    "One-Arm Kettlebell Swings": "hinge_loaded",
    # Extension
    "Superman": "extension",
    "Reverse Hyperextension": "extension",
    # The trunk stays still
    "Plank": "anti_extension",
    "Barbell Ab Rollout": "anti_extension",
    "Dead Bug": "anti_extension",
    "Side Bridge": "anti_rotation",
    "Pallof Press": "anti_rotation",
    "Butt Lift (Bridge)": "hip_extension",
    # Rest and stretch
    "Lower Back-SMR": "release",
    "Adductor": "release",
    "Child's Pose": "mobility",
    "Cat Stretch": "mobility",
    "Stomach Vacuum": "isometric",
    # Words that mislead: these curl an arm or a leg, or turn a forearm
    "Standing Biceps Cable Curl": "function",
    "Dumbbell Bicep Curl": "function",
    "Lying Leg Curls": "function",
    "Wrist Rotations with Straight Bar": "function",
    "External Rotation with Band": "function",
    "Incline Dumbbell Flyes - With A Twist": "function",
    "Knee Tuck Jump": "function",
    "Front Squat (Clean Grip)": "function",
    "London Bridges": "function",
    "Goblet Squat": "function",
}


@pytest.mark.parametrize("row", SAMPLE, ids=lambda row: row["name"])
def test_a_real_row_gets_the_class_a_physiotherapist_would_expect(row):
    assert suggest_movement_class(row).movement_class == EXPECTED[row["name"]]


@pytest.mark.parametrize("row", SAMPLE, ids=lambda row: row["name"])
def test_every_suggestion_says_which_fields_led_to_it(row):
    suggestion = suggest_movement_class(row)
    fields = ("name:", "instructions:", "category:", "equipment:", "muscles:")
    assert suggestion.reasons[0].startswith(fields)


def test_the_sample_and_the_expectations_are_the_same_rows():
    assert {row["name"] for row in SAMPLE} == set(EXPECTED)


def row(name, **fields):
    return {
        "name": name,
        "category": "strength",
        "force": "pull",
        "equipment": "body only",
        "primaryMuscles": ["abdominals"],
        "instructions": [],
        **fields,
    }


def test_given_both_curl_and_twist_then_both_are_told_and_the_stricter_gate_wins():
    suggestion = suggest_movement_class(row("Crunch with a twist"))
    assert suggestion.movement_class == "flexion_loaded"
    assert any(reason.startswith("also rotation") for reason in suggestion.reasons)


def test_an_unknown_exercise_for_the_abdominals_waits_behind_the_strictest_gate():
    assert suggest_movement_class(row("Belly Wave")).movement_class == "flexion_loaded"


def test_a_twist_that_the_instructions_forbid_is_no_twist():
    careful = row(
        "Suitcase Hold",
        primaryMuscles=["forearms"],
        equipment="dumbbell",
        instructions=["Hold the weight.", "Do not twist your torso."],
    )
    assert suggest_movement_class(careful).movement_class == "function"
    told = row(
        "Suitcase Hold", primaryMuscles=["forearms"], instructions=["Twist your torso slowly."]
    )
    assert suggest_movement_class(told).movement_class == "rotation"


@pytest.mark.parametrize(
    ("fields", "loaded"),
    [
        ({"equipment": "body only"}, False),
        ({"equipment": "barbell"}, True),
        ({"equipment": "bands"}, True),
        ({"equipment": None}, False),
        ({"equipment": None, "category": "strongman"}, True),
        ({"equipment": "barbell", "category": "stretching"}, False),
    ],
)
def test_load_is_outside_load(fields, loaded):
    assert (
        suggest_movement_class(row("Squat", primaryMuscles=["glutes"], **fields)).loaded is loaded
    )


def test_a_deadlift_is_loaded_unless_it_needs_only_the_body():
    hinge = {"primaryMuscles": ["hamstrings"]}
    heavy = suggest_movement_class(row("Deadlift", equipment="other", **hinge))
    assert (heavy.movement_class, heavy.loaded) == ("hinge_loaded", True)
    light = suggest_movement_class(row("Single-leg deadlift", equipment="body only", **hinge))
    assert (light.movement_class, light.loaded) == ("hip_hinge", False)


@given(
    verb=st.sampled_from(["Sit-Up", "Situp", "Crunch", "Crunches", "SIT-UPS", "jackknife"]),
    before=st.text(alphabet="abcdefgh -/", max_size=12),
    after=st.text(alphabet="abcdefgh -/", max_size=12),
    muscle=st.sampled_from(["abdominals", "quadriceps", "chest", "neck"]),
    category=st.sampled_from(["strength", "stretching", "cardio", "plyometrics"]),
    equipment=st.sampled_from([None, "body only", "cable", "exercise ball", "foam roll"]),
)
def test_whatever_else_a_row_says_a_sit_up_is_loaded_flexion(
    verb, before, after, muscle, category, equipment
):
    suggestion = suggest_movement_class(
        row(
            f"{before} {verb} {after}",
            primaryMuscles=[muscle],
            category=category,
            equipment=equipment,
        )
    )
    assert suggestion.movement_class == "flexion_loaded"


@given(
    st.fixed_dictionaries(
        {"name": st.text(max_size=60)},
        optional={
            "category": st.one_of(st.none(), st.text(max_size=20)),
            "equipment": st.one_of(st.none(), st.text(max_size=20)),
            "force": st.one_of(st.none(), st.text(max_size=20)),
            "primaryMuscles": st.lists(st.text(max_size=20), max_size=3),
            "instructions": st.lists(st.text(max_size=200), max_size=4),
        },
    )
)
def test_any_row_gets_a_known_class_and_a_reason(anything):
    suggestion = suggest_movement_class(anything)
    assert suggestion.movement_class in (*PRECEDENCE, FALLBACK)
    assert suggestion.reasons
