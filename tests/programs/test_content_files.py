"""The supplied content: what the files promise, and that a bad file is refused with its place."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from programs import content_files
from programs.content_files import (
    BANNED_WORDS,
    CONTENT_DIR,
    CUE_SET_WORDS,
    ContentError,
    cues_to_show,
    patient_texts,
    read_content,
)
from programs.routine import dose_seconds

CONTENT = read_content()
EXERCISES = {item["slug"]: item for item in CONTENT.exercises}
LEVELS = [
    pytest.param(item, level, id=f"{item['slug']}-{level['level']}")
    for item in CONTENT.exercises
    for level in item["levels"]
]
# Clinical content §5, column "reg".
REGRESSIONS = {
    "dead-bug": "deep-core-hold",
    "bird-dog": "deep-core-hold",
    "glute-bridge": "pelvic-tilt",
    "front-plank": "dead-bug",
    "side-plank": "bird-dog",
    "pallof-press": "bird-dog",
    "ball-stability": "glute-bridge",
    "hip-hinge": "glute-bridge",
    "hip-thrust": "glute-bridge",
    "superman": "bird-dog",
    "sit-to-stand": "glute-bridge",
    "single-leg-balance": "sit-to-stand",
    "chop-and-lift": "pallof-press",
    "curl-up": "dead-bug",
}
PHASE_ONE_AND_LATER = {
    "dead-bug": 1,
    "bird-dog": 1,
    "glute-bridge": 1,
    "front-plank": 2,
    "side-plank": 2,
    "pallof-press": 1,
    "ball-stability": 2,
    "hip-hinge": 1,
    "hip-thrust": 2,
    "superman": 2,
    "sit-to-stand": 1,
    "single-leg-balance": 1,
    "chop-and-lift": 3,
    "curl-up": 3,
}


def all_patient_texts():
    for item in CONTENT.exercises:
        for field, text in patient_texts(item):
            yield f"{item['slug']}.{field}", text
    for item in CONTENT.templates:
        yield f"{item['slug']}.name", item["name"]
        yield f"{item['slug']}.patient_summary", item["patient_summary"]
    for item in CONTENT.habits:
        yield f"{item['slug']}.title", item["title"]
        yield f"{item['slug']}.text", item["text"]
    for item in CONTENT.cue_sets:
        for text in (item["lead_in"], *item["steps"]):
            yield f"{item['slug']}.steps", text


# What is there


def test_there_are_24_exercises_five_templates_six_habits_and_two_cue_sets():
    assert len(CONTENT.exercises) == 24
    assert {item["slug"] for item in CONTENT.templates} == {
        "stability-first",
        "posterior-chain",
        "desk",
        "athlete",
        "post-injury",
    }
    assert {item["slug"] for item in CONTENT.habits} == {
        "sit-break",
        "lifting-check",
        "relaxation",
        "walking",
        "stiffness-self-check",
        "brace-before-lifting",
    }
    assert {item["slug"] for item in CONTENT.cue_sets} == {"draw_in", "fill_out"}


@pytest.mark.parametrize("name", ["exercise", "template", "habits", "cue_sets"])
def test_each_schema_is_itself_a_schema(name):
    path = CONTENT_DIR / "schema" / f"{name}.schema.json"
    Draft202012Validator.check_schema(json.loads(path.read_text("utf-8")))


def test_every_exercise_leans_on_and_starts_where_the_clinical_content_says():
    assert {
        slug: item["regress_to"] for slug, item in EXERCISES.items() if item["regress_to"]
    } == REGRESSIONS
    assert {
        slug: item["first_phase"] for slug, item in EXERCISES.items() if item["first_phase"]
    } == PHASE_ONE_AND_LATER


def test_the_gated_rungs_carry_the_class_that_gates_them():
    def classes(slug):
        item = EXERCISES[slug]
        return [level.get("movement_class", item["movement_class"]) for level in item["levels"]]

    assert classes("cat-cow") == ["mobility"] * 3 + ["rotation"]
    assert classes("hip-hinge") == ["hip_hinge"] * 2 + ["hinge_loaded"] * 2
    assert classes("hip-thrust") == ["hip_extension"] * 2 + ["hinge_loaded"] * 2
    assert classes("chop-and-lift") == ["rotation"] * 4
    assert classes("curl-up") == ["flexion_loaded"] * 4


def test_desk_breaks_and_release_and_the_calm_start_after_injury_are_there():
    by_slug = {item["slug"]: item for item in CONTENT.templates}
    asked = {slug: {entry["exercise"] for entry in item["items"]} for slug, item in by_slug.items()}
    assert "pressure-release" in asked["desk"]
    assert "sit-break" in by_slug["desk"]["habits"]
    assert by_slug["post-injury"]["starting_phase"] == 0
    gentle = {"breathing", "isometric", "mobility", "release"}
    for entry in by_slug["post-injury"]["items"]:
        item = EXERCISES[entry["exercise"]]
        assert item["movement_class"] in gentle or item["first_phase"] == 1


# Doses


@pytest.mark.parametrize(("item", "level"), LEVELS)
def test_a_dose_rises_in_one_variable_and_reaches_its_top(item, level):
    dose = level["dose"]
    rising = [dose[name] for name in ("reps", "hold_s") if dose[name]["step"]]
    assert len(rising) == 1 or dose.get("fixed")
    for range_ in rising:
        steps = (range_["to"] - range_["from"]) / range_["step"]
        assert steps == int(steps) >= 1


@pytest.mark.parametrize(("item", "level"), LEVELS)
def test_a_loaded_level_leaves_days_between(item, level):
    outside_load = {"weight", "band"} & set(level.get("equipment", item["equipment"]))
    assert level["loaded"] or not outside_load
    if level["loaded"]:
        assert level["dose"]["days_per_week"] <= 3


@pytest.mark.parametrize("template", CONTENT.templates, ids=lambda item: item["slug"])
def test_a_template_starts_near_ten_minutes_a_day(template):
    weekly = 0
    for entry in template["items"]:
        dose = EXERCISES[entry["exercise"]]["levels"][entry["level"] - 1]["dose"]
        seconds = dose_seconds(
            sets=dose["sets"],
            reps=dose["reps"]["from"],
            hold_s=dose["hold_s"]["from"],
            per_side=dose["per_side"],
            seconds_per_rep=dose["seconds_per_rep"],
            rest_s=dose["rest_s"],
        )
        weekly += seconds * entry["days_per_week"]
    assert 5 * 60 <= weekly / 7 <= 12 * 60


# The language


def test_no_patient_text_frightens_or_judges():
    found = [(place, text) for place, text in all_patient_texts() if BANNED_WORDS.search(text)]
    assert found == []


@pytest.mark.parametrize(
    "word",
    ["damage", "damaged", "unstable", "dangerous", "weak", "failed", "failure", "non-compliant"],
)
def test_the_banned_words_are_known(word):
    assert BANNED_WORDS.search(f"This is {word} now.")


def test_a_week_is_not_weak():
    assert not BANNED_WORDS.search("Once a week, on weekdays, rest your strongest side.")


def test_patient_texts_stay_at_a_reading_age_of_eleven():
    """Flesch-Kincaid grade 6 is read at about eleven; syllables are counted roughly."""
    for item in CONTENT.exercises:
        texts = [text for field, text in patient_texts(item) if text.endswith((".", "?", "!"))]
        assert _grade(texts) <= 4, item["slug"]
    for item in CONTENT.templates:
        assert _grade([item["patient_summary"]]) <= 6, item["slug"]
    for item in CONTENT.habits:
        assert _grade([item["text"]]) <= 6, item["slug"]


def test_no_sentence_for_patients_is_long():
    for place, text in all_patient_texts():
        for sentence in re.split(r"(?<=[.!?])\s+", text):
            assert len(sentence.split()) <= 25, f"{place}: {sentence}"


def _grade(texts):
    sentences = [s for text in texts for s in re.split(r"(?<=[.!?])\s+", text) if s]
    words = [word for sentence in sentences for word in re.findall(r"[A-Za-z']+", sentence)]
    syllables = sum(
        max(1, len(re.findall(r"[aeiouy]+", re.sub(r"e$", "", word.lower())))) for word in words
    )
    return 0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59


@pytest.mark.parametrize(("item", "level"), LEVELS)
def test_what_to_feel_and_what_not_to_feel_says_what_to_do(item, level):
    assert 3 <= len(level["cues"]) <= 5
    assert len(set(level["cues"])) == len(level["cues"])
    assert re.search(r"\bIf\b", level["not_feel"]), "says what to do then"


# The two cue sets


@pytest.mark.parametrize(("item", "level"), LEVELS)
def test_a_patient_meets_only_the_cue_set_of_the_program(item, level):
    parts = {
        "draw_in": level.get("cues_draw_in", []),
        "fill_out": level.get("cues_fill_out", []),
    }
    for picked, other in (("draw_in", "fill_out"), ("fill_out", "draw_in")):
        shown = cues_to_show(level["cues"], **parts, cue_set=picked)
        assert [cue for cue in shown if cue in level["cues"]] == level["cues"]
        assert len(shown) == len(level["cues"]) + len(parts[picked])
        texts = [*shown, level["set_up"], level["feel"], level["not_feel"]]
        if item["slug"] != "pressure-release":
            assert not [text for text in texts if CUE_SET_WORDS[other].search(text)]


@pytest.mark.parametrize(
    "slug",
    [
        "deep-core-hold",
        "dead-bug",
        "bird-dog",
        "glute-bridge",
        "front-plank",
        "side-plank",
        "pallof-press",
        "hip-hinge",
        "hip-thrust",
        "ball-stability",
        "chop-and-lift",
        "curl-up",
    ],
)
def test_an_exercise_that_asks_to_set_the_core_explains_it_both_ways(slug):
    for level in EXERCISES[slug]["levels"]:
        assert level["cues_draw_in"]
        assert level["cues_fill_out"]


def test_the_explanation_follows_the_cue_it_explains():
    shown = cues_to_show(
        ["Lie down.", "Set your core.", "Lift."],
        draw_in=["Navel in."],
        fill_out=["Fill."],
        cue_set="draw_in",
    )
    assert shown == ["Lie down.", "Set your core.", "Navel in.", "Lift."]


def test_an_unknown_cue_set_is_refused():
    with pytest.raises(ValueError, match="both"):
        cues_to_show(["Lift."], draw_in=[], fill_out=[], cue_set="both")


def test_cue_sets_are_at_hand_by_slug():
    assert content_files.cue_sets()["fill_out"].steps


# A file that is not right


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(CONTENT_DIR, tmp_path / "content", ignore=shutil.ignore_patterns("*.py"))
    return tmp_path / "content"


DEAD_BUG = "exercises/09-dead-bug.yaml"


def edit(folder: Path, file: str, change) -> None:
    path = folder / file
    data = yaml.safe_load(path.read_text("utf-8"))
    change(data)
    path.write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")


def _dose(number, **changes):
    return lambda data: data["levels"][number]["dose"].update(changes)


@pytest.mark.parametrize(
    ("file", "change", "says"),
    [
        (DEAD_BUG, lambda d: d.pop("why"), "file: 'why' is a required property"),
        (DEAD_BUG, lambda d: d.update(movement_class="crunching"), "movement_class: "),
        (DEAD_BUG, lambda d: d.update(colour="red"), "file: Additional properties"),
        (DEAD_BUG, lambda d: d.update(slug="bug"), "slug: should be 'dead-bug'"),
        (DEAD_BUG, lambda d: d["levels"].pop(), "levels: "),
        (DEAD_BUG, lambda d: d["levels"].reverse(), "levels[0].level: should be 1"),
        (DEAD_BUG, lambda d: d.update(regress_to="nothing"), "regress_to: no exercise 'nothing'"),
        (DEAD_BUG, lambda d: d.update(regress_to="front-plank"), "regress_to: goes round"),
        (DEAD_BUG, lambda d: d.update(regress_to="dead-bug"), "regress_to: goes round"),
        (DEAD_BUG, lambda d: d["levels"][1].update(cues=["Lift."]), "levels[1].cues: "),
        (
            DEAD_BUG,
            lambda d: d["levels"][2].update(feel="Your weak side works."),
            "levels[2].feel: 'weak' is not a word for patients",
        ),
        (
            DEAD_BUG,
            lambda d: d["levels"][0]["cues"].append("Draw your navel in."),
            "levels[0].cues[4]: 'Draw your navel in' belongs to the cue set draw_in",
        ),
        (
            DEAD_BUG,
            lambda d: d["levels"][0].update(cues_draw_in=["Fill your waist first."]),
            "levels[0].cues_draw_in[0]: 'Fill' belongs to the cue set fill_out",
        ),
        (DEAD_BUG, lambda d: d["levels"][0].pop("cues_fill_out"), "levels[0].cues_draw_in: "),
        (
            DEAD_BUG,
            _dose(0, reps={"from": 6, "to": 9, "step": 2}),
            "levels[0].dose.reps.to: 9 is not reached from 6 by 2",
        ),
        (
            DEAD_BUG,
            _dose(0, reps={"from": 9, "to": 6, "step": 1}),
            "levels[0].dose.reps: goes down",
        ),
        (
            DEAD_BUG,
            _dose(0, reps={"from": 6, "to": 6, "step": 0}),
            "levels[0].dose.fixed: is needed",
        ),
        (
            DEAD_BUG,
            _dose(0, hold_s={"from": 3, "to": 6, "step": 3}),
            "levels[0].dose: reps and hold_s both rise",
        ),
        (
            "exercises/16-hip-hinge.yaml",
            _dose(3, days_per_week=4),
            "levels[3].dose.days_per_week: is at most 3",
        ),
        (
            "exercises/16-hip-hinge.yaml",
            lambda d: d.update(alternative="", equipment=["dowel"]),
            "alternative: is needed",
        ),
        (
            "templates/desk.yaml",
            lambda d: d["items"][2].update(exercise="sit-ups"),
            "items[2].exercise: no exercise 'sit-ups'",
        ),
        (
            "templates/desk.yaml",
            lambda d: d["items"].append(dict(d["items"][0])),
            "items[0].exercise: 'diaphragmatic-breathing' twice",
        ),
        (
            "templates/desk.yaml",
            lambda d: d["items"][7].update(days_per_week=5),
            "items[7].days_per_week: is at most 3",
        ),
        ("templates/desk.yaml", lambda d: d["habits"].append("nap"), "habits[4]: no habit 'nap'"),
        (
            "templates/post-injury.yaml",
            lambda d: d["habits"].append("stiffness-self-check"),
            "habits[4]: 'stiffness-self-check' is not for post_injury",
        ),
        (
            "templates/desk.yaml",
            lambda d: d.update(patient_summary="This is the best plan for your back, always."),
            "patient_summary: 'best' is not a word for patients",
        ),
        (
            "habits.yaml",
            lambda d: d[0].update(text="Sitting is dangerous, so stand up now and then."),
            "[0].text: 'dangerous'",
        ),
        ("habits.yaml", lambda d: d.append(dict(d[0])), "slug: 'sit-break' is already taken"),
        ("cue_sets.yaml", lambda d: d[0].update(slug="suck_in"), "[0].slug: "),
        (
            "cue_sets.yaml",
            lambda d: d[0]["steps"].append("Fill your waist."),
            "[0].steps[5]: 'Fill' belongs",
        ),
    ],
)
def test_a_bad_file_is_refused_with_its_place(copy, file, change, says):
    edit(copy, file, change)
    with pytest.raises(ContentError) as refusal:
        read_content(copy)
    assert str(refusal.value).startswith(f"{file}: {says}")


def test_what_is_not_yaml_is_refused(copy):
    (copy / DEAD_BUG).write_text("slug: [dead-bug", "utf-8")
    with pytest.raises(ContentError, match=r"09-dead-bug\.yaml: file: is not YAML"):
        read_content(copy)


def test_a_key_that_stands_twice_is_refused(copy):
    path = copy / DEAD_BUG
    path.write_text(path.read_text("utf-8") + "version: 2\n", "utf-8")
    with pytest.raises(ContentError, match="'version' stands twice"):
        read_content(copy)


def test_a_missing_file_is_refused(copy):
    (copy / "habits.yaml").unlink()
    with pytest.raises(ContentError, match=r"habits\.yaml: file: is missing"):
        read_content(copy)


def test_an_empty_folder_is_refused(copy):
    shutil.rmtree(copy / "templates")
    with pytest.raises(ContentError, match="templates: folder"):
        read_content(copy)


def test_two_exercises_cannot_share_a_slug(copy):
    shutil.copy(copy / DEAD_BUG, copy / "exercises/30-dead-bug.yaml")
    with pytest.raises(ContentError, match=r"30-dead-bug\.yaml: slug: 'dead-bug' is already taken"):
        read_content(copy)
