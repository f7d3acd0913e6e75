"""The supplied content in Spanish: whole, checked, and no more than the English one."""

import shutil
from pathlib import Path

import pytest
import yaml

from programs.content_files import CONTENT_DIR, ContentError, cues_to_show, read_content
from programs.content_words import read_words
from programs.patient_words import LEVEL_LISTS

CONTENT = read_content()
SPANISH = read_words(CONTENT)["es"]
LEVELS = [(item, level) for item in CONTENT.exercises for level in item["levels"]]


@pytest.fixture
def folder(tmp_path) -> Path:
    return Path(shutil.copytree(CONTENT_DIR, tmp_path / "content"))


@pytest.mark.parametrize(
    ("item", "level"), LEVELS, ids=[f"{i['slug']}-{lv['level']}" for i, lv in LEVELS]
)
def test_given_a_level_then_every_text_of_it_is_there_in_spanish(item, level):
    words = SPANISH.levels[item["slug"], level["level"]]
    for name in ("title", "set_up", "feel", "not_feel"):
        assert words[name] and (words[name] != level[name] or level[name] == "Superman")
    for name in LEVEL_LISTS:
        assert len(words[name]) == len(level.get(name, []))


def test_given_the_content_then_nothing_is_without_its_words():
    assert set(SPANISH.exercises) == {item["slug"] for item in CONTENT.exercises}
    assert set(SPANISH.habits) == {item["slug"] for item in CONTENT.habits}
    assert set(SPANISH.templates) == {item["slug"] for item in CONTENT.templates}
    assert set(SPANISH.cue_sets) == {item["slug"] for item in CONTENT.cue_sets}


def test_given_spanish_cues_then_those_of_the_set_follow_the_one_they_explain():
    english = CONTENT.exercise("dead-bug")["levels"][0]
    spanish = SPANISH.levels["dead-bug", 1]
    shown = cues_to_show(
        spanish["cues"],
        draw_in=spanish["cues_draw_in"],
        fill_out=spanish["cues_fill_out"],
        cue_set="draw_in",
        english=english["cues"],
    )
    at = shown.index("Suelta el aire y activa el abdomen.")
    assert shown[at + 1] == spanish["cues_draw_in"][0]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda said: said["levels"][0]["cues"].pop(), "cues"),
        (lambda said: said["levels"].pop(), "levels"),
        (lambda said: said.update(name=""), "name"),
        (lambda said: said.update(slug="bird-dog"), "slug"),
        (lambda said: said.update(why="Tu espalda es débil."), "why"),
        (lambda said: said.update(dose={"sets": 2}), "file"),
        (lambda said: said["levels"][1].update(title=said["levels"][0]["title"]), "levels"),
    ],
)
def test_given_a_translation_that_says_something_else_then_it_is_refused(folder, change, problem):
    path = folder / "es/exercises/09-dead-bug.yaml"
    said = yaml.safe_load(path.read_text("utf-8"))
    change(said)
    path.write_text(yaml.safe_dump(said, allow_unicode=True), "utf-8")
    with pytest.raises(ContentError) as refused:
        read_words(CONTENT, folder)
    assert refused.value.file == "es/exercises/09-dead-bug.yaml"
    assert problem in refused.value.field


def test_given_a_translation_that_is_missing_then_it_is_named(folder):
    (folder / "es/exercises/09-dead-bug.yaml").unlink()
    with pytest.raises(ContentError, match="09-dead-bug"):
        read_words(CONTENT, folder)
