"""Loading the supplied content: the first time, again, and over what a practice changed."""

import datetime as dt
import shutil
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command

from programs import content_files
from programs.content_files import CONTENT_DIR, read_content
from programs.loading import load_content
from programs.management.commands import load_content as command
from programs.models import Exercise, ExerciseLevel, HabitTask, ProgramTemplate, TemplateItem
from programs.reviewing import sign_exercise

pytestmark = pytest.mark.django_db

AT = dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC)
LATER = AT + dt.timedelta(days=30)


@pytest.fixture
def empty(db):
    """A library with nothing in it, whatever the session has loaded."""
    TemplateItem.objects.all().delete()
    ProgramTemplate.objects.all().delete()
    HabitTask.objects.all().delete()
    Exercise.objects.all().delete()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(CONTENT_DIR, tmp_path / "content")
    return tmp_path / "content"


def edit(folder: Path, file: str, change) -> None:
    path = folder / file
    data = yaml.safe_load(path.read_text("utf-8"))
    change(data)
    path.write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")


def state() -> list:
    tables = (Exercise, ExerciseLevel, HabitTask, ProgramTemplate, TemplateItem)
    return [list(table.objects.order_by("pk").values()) for table in tables]


def test_given_an_empty_library_when_loaded_then_everything_is_there(empty):
    report = load_content(at=AT)
    assert (report.added, report.changed, report.unchanged, report.kept) == (35, 0, 0, [])
    assert Exercise.objects.prescribable().count() == 24
    assert ExerciseLevel.objects.count() == 96
    assert ProgramTemplate.objects.current().count() == 5
    dead_bug = Exercise.objects.get(slug="dead-bug")
    assert dead_bug.regress_to.slug == "deep-core-hold"
    assert dead_bug.origin == Exercise.Origin.SUPPLIED
    first = dead_bug.levels.get(level=1)
    assert (first.sets, first.reps_from, first.reps_to, first.reps_step) == (2, 6, 10, 2)
    assert first.cues_draw_in
    assert first.cues_fill_out
    cat_cow = Exercise.objects.get(slug="cat-cow")
    assert [level.movement_class for level in cat_cow.levels.all()] == ["mobility"] * 3 + [
        "rotation"
    ]
    pallof = Exercise.objects.get(slug="pallof-press")
    assert pallof.levels.get(level=1).equipment == ["band"]


def test_a_template_keeps_the_order_of_its_file(empty):
    load_content(at=AT)
    for item in read_content().templates:
        template = ProgramTemplate.objects.get(slug=item["slug"])
        asked = [entry["exercise"] for entry in item["items"]]
        assert [row.exercise.slug for row in template.items.all()] == asked


def test_given_a_loaded_library_when_loaded_again_then_nothing_changes(empty):
    load_content(at=AT)
    before = state()
    report = load_content(at=LATER)
    assert (report.added, report.changed, report.unchanged) == (0, 0, 35)
    assert state() == before


def test_given_a_new_text_when_loaded_then_that_exercise_changes_and_its_sign_off_goes(
    empty, folder, physio
):
    load_content(at=AT)
    dead_bug = Exercise.objects.get(slug="dead-bug")
    sign_exercise(exercise=dead_bug, by=physio, at=AT)
    edit(
        folder,
        "exercises/09-dead-bug.yaml",
        lambda d: (d.update(version=2), d["levels"][0].update(feel="Low work in your tummy.")),
    )
    report = load_content(at=LATER, folder=folder)
    assert (report.added, report.changed, report.unchanged) == (0, 1, 34)
    dead_bug.refresh_from_db()
    assert dead_bug.version == 2
    assert dead_bug.levels.get(level=1).feel == "Low work in your tummy."
    assert (dead_bug.reviewed_by, dead_bug.reviewed_at) == (None, LATER)


def test_given_an_older_file_when_loaded_then_the_newer_row_stays(empty, folder):
    edit(folder, "exercises/09-dead-bug.yaml", lambda d: d.update(version=3, why="Newer words."))
    load_content(at=AT, folder=folder)
    report = load_content(at=LATER)
    assert report.kept == ["dead-bug (version 3 is newer)"]
    assert Exercise.objects.get(slug="dead-bug").why == "Newer words."


def test_given_the_practice_made_an_exercise_its_own_then_loading_leaves_it_alone(empty, folder):
    load_content(at=AT)
    Exercise.objects.filter(slug="dead-bug").update(
        origin=Exercise.Origin.PRACTICE, why="Our own words."
    )
    edit(folder, "exercises/09-dead-bug.yaml", lambda d: d.update(version=9))
    report = load_content(at=LATER, folder=folder)
    assert report.kept == ["dead-bug (the practice’s own)"]
    assert Exercise.objects.get(slug="dead-bug").why == "Our own words."


def test_given_a_new_template_version_then_the_old_row_stays_and_is_no_longer_current(
    empty, folder
):
    load_content(at=AT)
    old = ProgramTemplate.objects.get(slug="desk")
    edit(folder, "templates/desk.yaml", lambda d: (d.update(version=2), d["items"].pop()))
    report = load_content(at=LATER, folder=folder)
    assert (report.added, report.unchanged) == (1, 34)
    old.refresh_from_db()
    assert not old.is_current
    assert old.items.count() == 9
    new = ProgramTemplate.objects.current().get(slug="desk")
    assert (new.version, new.items.count()) == (2, 8)
    assert load_content(at=LATER, folder=folder).added == 0


def test_given_a_changed_template_without_a_new_version_then_the_row_stays_and_it_is_said(
    empty, folder
):
    load_content(at=AT)
    edit(folder, "templates/desk.yaml", lambda d: d["items"].pop())
    report = load_content(at=LATER, folder=folder)
    assert report.kept == ["desk (differs from its file: raise the file’s version)"]
    assert ProgramTemplate.objects.get(slug="desk").items.count() == 9


def test_a_habit_is_overwritten_only_by_a_higher_version(empty, folder):
    load_content(at=AT)
    HabitTask.objects.filter(slug="walking").update(text="Walk the dog.")
    assert load_content(at=LATER).kept == ["walking (edited here since version 1)"]
    edit(folder, "habits.yaml", lambda d: [h.update(version=2) for h in d])
    assert load_content(at=LATER, folder=folder).changed == 6
    assert HabitTask.objects.get(slug="walking").text.startswith("Walk, swim")


def test_given_one_bad_file_then_nothing_is_loaded(empty, folder, monkeypatch):
    edit(folder, "templates/desk.yaml", lambda d: d["habits"].append("nap"))
    monkeypatch.setattr(command, "load_content", partial(load_content, folder=folder))
    with pytest.raises(CommandError, match=r"Nothing was loaded\. templates/desk\.yaml: habits"):
        call_command("load_content")
    assert not Exercise.objects.exists()


def test_the_command_says_what_it_did_in_one_line(empty):
    out = StringIO()
    call_command("load_content", stdout=out)
    call_command("load_content", stdout=out)
    first, second = out.getvalue().splitlines()
    assert first.startswith("Content: 35 added, 0 changed, 0 unchanged.")
    assert second.startswith("Content: 0 added, 0 changed, 35 unchanged.")


def test_loading_asks_the_database_a_bounded_number_of_times(empty, django_assert_max_num_queries):
    load_content(at=AT)
    with django_assert_max_num_queries(20):
        load_content(at=LATER)


def test_both_cue_sets_reach_a_level_apart(empty):
    load_content(at=AT)
    for level in ExerciseLevel.objects.all():
        for picked in content_files.CUE_SETS:
            shown = content_files.cues_to_show(
                level.cues,
                draw_in=level.cues_draw_in,
                fill_out=level.cues_fill_out,
                cue_set=picked,
            )
            other = level.cues_fill_out if picked == "draw_in" else level.cues_draw_in
            assert not set(shown) & set(other)
