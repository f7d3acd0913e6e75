"""The figures of all levels: a person's proportions and joints, on their supports, in the frame.

Each is played through as it is drawn, and looked at in every frame and half-way between two.
"""

import gzip
import itertools
import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs import figures
from programs.content_files import BANNED_WORDS, read_content
from programs.figures import anatomy, drawing, poses, skeleton, words
from programs.figures.skeleton import LENGTHS, LIMBS, Limb, Pose, distance, solve, spine_point

CONTENT = read_content()
LEVELS = [(item["slug"], level["level"]) for item in CONTENT.exercises for level in item["levels"]]
SLUGS = sorted({slug for slug, _ in LEVELS})


def each_level(test):
    """Run ``test(slug, level)`` for the four levels of each exercise, one test an exercise."""

    def for_all_levels(slug):
        for level in (1, 2, 3, 4):
            try:
                test(slug, level)
            except AssertionError as error:
                error.add_note(f"in level {level}")
                raise

    for_all_levels.__doc__ = test.__doc__
    return pytest.mark.parametrize("slug", SLUGS)(for_all_levels)


# How thick the body is around a joint, in centimetres.
AROUND = {"knee": 5.6, "ankle": 3.6, "elbow": 4.2, "wrist": 3, "toes": 0, "heel": 0, "fingers": 1.5}
ON_THE_SPOT = 1.6
PRESSED_IN = -2.6


def shown(slug, level):
    found = figures.figure(slug, level)
    assert found is not None
    return found


def bodies(slug, level):
    return [moment.body for moment in shown(slug, level).moments]


def content_of(slug, level):
    exercise = CONTENT.exercise(slug)
    return exercise, next(one for one in exercise["levels"] if one["level"] == level)


# --- every level is there --------------------------------------------------------------------


def test_every_level_of_every_supplied_exercise_is_drawn():
    assert len(LEVELS) == 96
    assert [one for one in LEVELS if figures.figure(*one) is None] == []
    assert sorted(figures.slugs()) == sorted({slug for slug, _ in LEVELS})


def test_an_exercise_that_nobody_has_drawn_gives_nothing():
    assert figures.figure("barbell-curl", 1) is None
    assert figures.figure("dead-bug", 5) is None
    assert figures.moving("barbell-curl", 1) == ""
    assert figures.still("barbell-curl", 1) == ""


# --- a person --------------------------------------------------------------------------------


@each_level
def test_limbs_keep_their_length_in_every_frame(slug, level):
    for body in bodies(slug, level):
        for limb in LIMBS:
            side, kind = limb.split("_")
            names = ("hip", "knee", "ankle") if kind == "leg" else ("shoulder", "elbow", "wrist")
            tilts = body.pose.limbs[limb].tilt
            for part, (first, second) in enumerate(itertools.pairwise(names)):
                seen = distance(body.joints[f"{side}_{first}"], body.joints[f"{side}_{second}"])
                true = LENGTHS[kind][part] * math.cos(math.radians(tilts[part]))
                assert seen == pytest.approx(true, abs=0.01), (limb, part)


@each_level
def test_the_spine_bends_but_does_not_stretch(slug, level):
    for body in bodies(slug, level):
        points = [spine_point(body.pose.trunk, along / 2) for along in range(109)]
        assert sum(itertools.starmap(distance, itertools.pairwise(points))) == pytest.approx(
            skeleton.SPINE, abs=1.0
        )
        assert distance(body.joints["skull"], body.joints["neck"]) == pytest.approx(skeleton.NECK)


@each_level
def test_no_joint_goes_further_than_a_persons(slug, level):
    for moment in shown(slug, level).moments:
        assert anatomy.beyond(moment.body) == [], f"at {moment.time:.1f} s"


# --- in the room -----------------------------------------------------------------------------


@each_level
def test_supports_stay_where_they_are(slug, level):
    figure = shown(slug, level)
    start = figure.moments[0].body
    for moment in figure.moments:
        for joint in figure.supports:
            moved = distance(start.joints[joint], moment.body.joints[joint])
            assert moved <= ON_THE_SPOT, f"{joint} moved {moved:.1f} cm at {moment.time:.1f} s"


@each_level
def test_a_hand_or_foot_that_is_placed_does_not_slide_between_two_frames(slug, level):
    figure = shown(slug, level)
    for first, second in itertools.pairwise(figure.moments):
        for limb in LIMBS:
            one, two = first.body.pose.limbs[limb], second.body.pose.limbs[limb]
            if one.frame != "world" or two.frame != "world" or one.to != two.to:
                continue
            # What the picture shows half-way: each group turned half, each place half-way.
            side, kind = limb.split("_")
            joint = f"{side}_{'hip' if kind == 'leg' else 'shoulder'}"
            x, y = (
                (a + b) / 2
                for a, b in zip(first.body.joints[joint], second.body.joints[joint], strict=True)
            )
            lengths = zip(first.body.drawn(limb), second.body.drawn(limb), strict=True)
            parts = zip(first.body.limbs[limb], second.body.limbs[limb], lengths, strict=True)
            for a, b, (shorter, longer) in itertools.islice(parts, 2):
                half = a + ((b - a + 180) % 360 - 180) / 2
                x, y = skeleton.step((x, y), half, (shorter + longer) / 2)
            assert distance((x, y), one.to) <= 1.0, f"{limb} at {first.time:.1f} s"


@each_level
def test_nothing_goes_through_the_floor(slug, level):
    figure = shown(slug, level)
    if not figure.floor:
        return
    for moment in figure.moments:
        body = moment.body
        for side, (joint, thick) in itertools.product(("near", "far"), AROUND.items()):
            height = body.joints[f"{side}_{joint}"][1] - thick
            assert height >= PRESSED_IN, f"{side} {joint} at {moment.time:.1f} s"
        if not figure.front:
            for along, forward in ((3, -12.5), (39, -10.8), (39, 11), (3, 9)):
                assert body.spine(along, forward)[1] >= PRESSED_IN, f"trunk at {moment.time:.1f} s"
        middle = skeleton.step(body.joints["skull"], body.head, 13)
        assert middle[1] - 11.5 >= PRESSED_IN, f"head at {moment.time:.1f} s"


@each_level
def test_the_person_is_inside_the_picture(slug, level):
    figure = shown(slug, level)
    canvas = drawing.Canvas(figure, [figure.moments[0].body], [1.0])
    for moment in figure.moments:
        for point in drawing.extent(moment.body):
            x, y = canvas.place(point)
            assert 2 <= x <= drawing.WIDTH - 2
            assert 2 <= y <= canvas.height


# --- what the exercise's own words say ---------------------------------------------------------

PROP_FOR = {
    "chair": lambda prop: "chair" in prop or "chair_front" in prop,
    "wall": lambda prop: "wall" in prop,
    "band": lambda prop: "anchor" in prop,
    "strap": lambda prop: "line" in prop,
    "dowel": lambda prop: prop.get("look") == "f-stick",
    "bench": lambda prop: "box" in prop,
    "step": lambda prop: "box" in prop,
    "weight": lambda prop: "weight" in prop,
    "roller": lambda prop: prop.get("look") == "f-iron",
    "ball": lambda prop: prop.get("ball", 0) > 15,
    "small_ball": lambda prop: 0 < prop.get("ball", 0) < 8,
}


@each_level
def test_what_the_level_needs_is_in_the_picture(slug, level):
    exercise, content = content_of(slug, level)
    needed = content.get("equipment", exercise.get("equipment", []))
    for thing in needed:
        assert any(PROP_FOR[thing](prop) for prop in shown(slug, level).props), thing


# How the trunk lies in each posture: directions from the hips to the neck.
LIES = {
    "supine": (150, 215),
    "side_lying": (120, 185),
    "prone": (-5, 20),
    "propped": (0, 50),
    "all_fours": (-35, 60),
    "bench": (135, 185),
    "seat_floor": (100, 140),
    "sitting": (70, 115),
    "kneeling": (40, 110),
    "standing": (30, 100),
}
# Where the first sentence of a description begins, by posture.
SAID = {
    "supine": ("supine", "bed"),
    "side_lying": ("side",),
    "prone": ("prone",),
    "propped": ("propped", "plank"),
    "all_fours": ("all",),
    "bench": ("bench",),
    "seat_floor": ("floor",),
    "sitting": ("sitting",),
    "kneeling": ("kneeling", "half"),
    "standing": ("standing", "wall"),
}


@each_level
def test_picture_and_words_begin_in_the_same_posture(slug, level):
    figure = shown(slug, level)
    low, high = LIES[figure.posture]
    assert low <= figure.keyframes[0].pose.trunk[1] <= high
    assert figure.says[0].split("_")[0] in SAID[figure.posture]


@each_level
def test_a_movement_takes_the_time_that_the_dose_gives_it(slug, level):
    figure = shown(slug, level)
    _, content = content_of(slug, level)
    moving = sum(keyframe.seconds for keyframe in figure.keyframes)
    sides = 2 if figure.alternated else 1
    share = moving / sides / content["dose"]["seconds_per_rep"]
    assert 0.6 <= share <= 2.7, f"{moving} s drawn"


# --- words -----------------------------------------------------------------------------------


@each_level
def test_every_figure_says_in_calm_words_what_it_shows(slug, level):
    said = words.describe(shown(slug, level))
    assert 40 <= len(said) <= 220
    assert BANNED_WORDS.findall(said) == []
    sentences = re.findall(r"[^.]+\.", said)
    assert all(len(sentence.split()) <= 20 for sentence in sentences), said


def test_every_sentence_is_used_and_none_is_missing():
    used = {key for one in LEVELS for key in shown(*one).says}
    assert used == words.POSITIONS.keys() | words.MOVES.keys()


def test_a_description_is_translated_sentence_by_sentence():
    said = words.describe(shown("dead-bug", 1), lambda sentence: f"<{sentence}>")
    assert said.startswith("<Lying on your back")
    assert said.count("<") == 2


# --- the drawing -----------------------------------------------------------------------------


@each_level
def test_the_picture_is_sound_has_a_name_and_no_colour_or_style_of_its_own(slug, level):
    label = 'Lying & "breathing"'
    for drawn in (
        figures.moving(slug, level, label),
        figures.still(slug, level, "start", label),
        figures.still(slug, level, "end", label, mirrored=True),
    ):
        root = ElementTree.fromstring(drawn)
        assert root.get("role") == "img"
        assert root.get("aria-label") == label
        assert "style" not in drawn
        assert "#" not in drawn
        assert "id=" not in drawn
        assert "nan" not in drawn


@each_level
def test_each_animation_runs_from_the_start_to_the_end_of_the_same_time(slug, level):
    root = ElementTree.fromstring(figures.moving(slug, level))
    total = {node.get("dur") for node in root.iter() if node.tag.startswith("animate")}
    assert len(total) == 1
    for node in root.iter():
        if node.tag.startswith("animate"):
            times = [float(part) for part in node.get("keyTimes").split(";")]
            assert times[0] == 0
            assert times[-1] == 1
            assert times == sorted(times)
            assert len(times) == len(node.get("values").split(";"))


@each_level
def test_a_still_does_not_move(slug, level):
    assert "animate" not in figures.still(slug, level, "start")
    assert figures.still(slug, level, "start") != figures.still(slug, level, "end")


def packed(text: str) -> int:
    return len(gzip.compress(text.encode()))


@each_level
def test_a_figure_is_light(slug, level):
    assert packed(figures.moving(slug, level, words.describe(shown(slug, level)))) <= 2900


def test_figures_of_a_routine_are_light_even_if_they_are_the_heaviest():
    heaviest = sorted((figures.moving(*one) for one in LEVELS), key=packed)[-8:]
    assert packed("".join(heaviest)) <= 20_000


# --- the bones, for any pose -------------------------------------------------------------------

angle = st.floats(-180, 180)


@given(
    x=st.floats(-60, 60),
    y=st.floats(-60, 60),
    limb=st.sampled_from(["near_arm", "near_leg"]),
    front=st.booleans(),
)
def test_a_limb_reaches_its_place_bending_only_the_way_it_bends(x, y, limb, front):
    start = (0.0, 48.0) if limb.endswith("arm") else (0.0, 0.0)
    kind = limb[-3:]
    first, second, _ = LENGTHS[kind]
    reach = math.hypot(x, y)
    limbs = dict.fromkeys(LIMBS, Limb())
    if front:
        half = skeleton.SHOULDER_HALF if kind == "arm" else skeleton.HIP_HALF
        start = (start[0] + half, start[1])
    limbs[limb] = Limb(frame="world", to=(start[0] + x, start[1] + y))
    pose = Pose(limbs=limbs)
    if not abs(first - second) <= reach <= first + second:
        if not abs(first - second) - 0.7 <= reach <= first + second + 0.7:
            with pytest.raises(skeleton.PoseError):
                solve(pose, front=front)
        return
    body = solve(pose, front=front)
    end = "near_wrist" if kind == "arm" else "near_ankle"
    assert distance(body.joints[end], limbs[limb].to) < 0.01
    if not front:
        name = "near elbow" if kind == "arm" else "near knee"
        bent = body.limbs[limb][1] - body.limbs[limb][0]
        bent = anatomy.turn(bent if kind == "arm" else -bent)
        assert bent >= -0.1, name


@given(one=st.sampled_from(LEVELS), place=st.floats(0, 1), share=st.floats(0, 1))
def test_anywhere_between_two_keyframes_there_is_a_person(one, place, share):
    figure = shown(*one)
    number = min(int(place * len(figure.keyframes)), len(figure.keyframes) - 1)
    here = figure.keyframes[number]
    following = figure.keyframes[(number + 1) % len(figure.keyframes)]
    body = solve(poses.between(here, following, share), front=figure.front)
    assert all(math.isfinite(value) for point in body.joints.values() for value in point)
    assert anatomy.beyond(body) == []


@given(trunk=st.tuples(angle, angle, angle))
def test_a_trunk_of_any_bend_is_drawn(trunk):
    outline = drawing.shapes.trunk_outline(trunk, False, 0.5, 0)
    assert outline.startswith("M")
    assert outline.endswith("Z")
    assert "nan" not in outline
