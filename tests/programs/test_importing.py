"""Importing other people's exercises, and the review before anybody may prescribe them."""

import datetime as dt
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import CommandError, call_command

from clinic.models import Role
from programs.importing import ALREADY_THERE, IMPORTED, REFUSED, import_exercises
from programs.models import Exercise, ExerciseLevel
from programs.reviewing import approve_exercise, sign_exercise
from tests.conftest import make_staff

pytestmark = pytest.mark.django_db

AT = dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC)
FILE = Path(__file__).parent.parent / "data/free_exercise_db_sample.json"
SAMPLE = json.loads(FILE.read_text("utf-8"))


def row(**changes):
    good = {
        "id": "Crunches",
        "name": "Crunches",
        "force": "pull",
        "category": "strength",
        "equipment": "body only",
        "primaryMuscles": ["abdominals"],
        "secondaryMuscles": [],
        "instructions": ["Lie flat on your back.", "Roll your shoulders off the floor."],
    }
    return {key: value for key, value in {**good, **changes}.items() if value is not ...}


def imported() -> list:
    mine = Exercise.objects.filter(origin=Exercise.Origin.IMPORTED)
    levels = ExerciseLevel.objects.filter(exercise__in=mine)
    return [list(mine.order_by("pk").values()), list(levels.order_by("pk").values())]


# Importing


def test_given_real_rows_when_imported_then_all_are_there_and_none_may_be_prescribed(library):
    before = set(Exercise.objects.prescribable())
    report = import_exercises(rows=SAMPLE, by=None, at=AT)
    assert len(report.of(IMPORTED)) == len(SAMPLE)
    assert set(Exercise.objects.prescribable()) == before
    sit_up = Exercise.objects.get(origin_ref="free-exercise-db:3_4_Sit-Up")
    assert sit_up.movement_class == "flexion_loaded"
    assert sit_up.review_state == Exercise.ReviewState.TO_REVIEW
    assert sit_up.suggested_from == ["name: “Sit-Up” is a trunk curl"]
    level = sit_up.levels.get()
    assert level.level == 1
    assert level.cues == SAMPLE[0]["instructions"]
    assert (level.sets, level.reps_from, level.days_per_week) == (2, 6, 3)


def test_given_an_imported_file_when_imported_again_then_nothing_changes(library):
    import_exercises(rows=SAMPLE, by=None, at=AT)
    before = imported()
    report = import_exercises(rows=SAMPLE, by=None, at=AT + dt.timedelta(days=1))
    assert len(report.of(ALREADY_THERE)) == len(SAMPLE)
    assert imported() == before


def test_given_a_reviewed_exercise_when_imported_again_then_the_review_stands(library, physio):
    import_exercises(rows=SAMPLE, by=None, at=AT)
    plank = Exercise.objects.get(origin_ref="free-exercise-db:Plank")
    approve_exercise(exercise=plank, movement_class="anti_extension", by=physio, at=AT)
    import_exercises(rows=SAMPLE, by=physio, at=AT)
    plank.refresh_from_db()
    assert plank.review_state == Exercise.ReviewState.APPROVED


def test_no_imported_dose_breaks_what_our_own_doses_keep(library):
    import_exercises(rows=SAMPLE, by=None, at=AT)
    for level in ExerciseLevel.objects.filter(exercise__origin=Exercise.Origin.IMPORTED):
        for start, end, step in (
            (level.reps_from, level.reps_to, level.reps_step),
            (level.hold_from, level.hold_to, level.hold_step),
        ):
            assert (start == end) if not step else (end - start) % step == 0
        assert level.days_per_week <= 3 or not level.loaded


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("a sit-up", "is not an object with fields"),
        (None, "is not an object with fields"),
        (row(id=...), "id: is missing"),
        (row(id=7), "id: is missing"),
        (row(id="—"), "id: has no letter or digit"),
        (row(name="  "), "name: is missing"),
        (row(name="x" * 121), "name: is longer than 120 characters"),
        (row(instructions=...), "instructions: is not a list of texts"),
        (row(instructions="Lie down."), "instructions: is not a list of texts"),
        (row(instructions=["Lie down.", 3]), "instructions: is not a list of texts"),
        (row(primaryMuscles=[]), "primaryMuscles: names no muscle"),
        (row(secondaryMuscles=None), "secondaryMuscles: is not a list of texts"),
        (row(equipment=["bands"]), "equipment: is not a text"),
        (row(category=5), "category: is not a text"),
        (row(name="Cr\x00unch"), "holds a character that cannot be stored"),
    ],
)
def test_given_one_broken_row_then_it_is_refused_with_its_reason_and_the_rest_imported(
    library, bad, reason
):
    rows = [row(), bad, row(id="Plank", name="Plank")]
    report = import_exercises(rows=rows, by=None, at=AT)
    assert [(r.row, r.outcome, r.reason) for r in report.rows] == [
        (1, IMPORTED, ""),
        (2, REFUSED, reason),
        (3, IMPORTED, ""),
    ]
    assert Exercise.objects.filter(origin=Exercise.Origin.IMPORTED).count() == 2


def test_a_row_that_stands_twice_is_imported_once(library):
    report = import_exercises(rows=[row(), row(name="Crunches again")], by=None, at=AT)
    assert [r.reason for r in report.of(REFUSED)] == ["id: stands in row 1 already"]


def test_given_a_row_the_database_refuses_then_nothing_of_it_is_there(library):
    # Two ids that differ only in signs become one slug, which is unique.
    rows = [row(), row(id="Crunches!", name="Crunches!"), row(id="Plank", name="Plank")]
    report = import_exercises(rows=rows, by=None, at=AT)
    assert [r.outcome for r in report.rows] == [IMPORTED, REFUSED, IMPORTED]
    names = Exercise.objects.filter(origin=Exercise.Origin.IMPORTED).values_list("name", flat=True)
    assert sorted(names) == ["Crunches", "Plank"]


# The command


def test_the_command_prints_counts_then_what_to_complete_then_refused_rows(library, tmp_path):
    file = tmp_path / "mine.json"
    file.write_text(
        json.dumps([row(), row(id="Side_Bridge", name="Side Bridge", instructions=[]), 5])
    )
    out = StringIO()
    call_command("import_exercises", str(file), stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[0] == "3 rows: 2 imported, 0 already there, 1 refused."
    assert sorted(lines[1:3]) == ["     1 anti_rotation", "     1 flexion_loaded"]
    assert lines[3].startswith("To complete, row 2, Side Bridge: has no instructions")
    assert lines[4] == "Refused, row 3, (no name): is not an object with fields"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot be read"),
        ("[{", "is not JSON"),
        ('{"name": "Plank"}', "holds no list of exercises"),
    ],
)
def test_a_file_that_is_no_list_of_exercises_is_refused_in_one_sentence(tmp_path, text, says):
    file = tmp_path / "mine.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(CommandError, match=says):
        call_command("import_exercises", str(file))


def test_a_file_in_another_encoding_is_refused(tmp_path):
    file = tmp_path / "mine.json"
    file.write_bytes('["Übung"]'.encode("latin-1"))
    with pytest.raises(CommandError, match="is not UTF-8"):
        call_command("import_exercises", str(file))


# The review


@pytest.fixture
def crunches(library) -> Exercise:
    import_exercises(rows=[row()], by=None, at=AT)
    return Exercise.objects.get(origin_ref="free-exercise-db:Crunches")


def test_given_a_clinician_approves_then_it_may_be_prescribed_under_the_class_chosen(
    crunches, physio
):
    approve_exercise(exercise=crunches, movement_class="function", by=physio, at=AT)
    approved = Exercise.objects.prescribable().get(pk=crunches.pk)
    assert (approved.movement_class, approved.reviewed_by) == ("function", physio)
    assert approved.reviewed_at == AT
    assert approved.levels.get().movement_class == "function"


def test_a_loaded_hinge_keeps_days_between(library, physio):
    import_exercises(rows=[row(id="Wave", name="Wave", primaryMuscles=["glutes"])], by=None, at=AT)
    wave = Exercise.objects.get(origin_ref="free-exercise-db:Wave")
    approve_exercise(exercise=wave, movement_class="hinge_loaded", by=physio, at=AT)
    level = wave.levels.get()
    assert (level.loaded, level.days_per_week) == (True, 3)


@pytest.mark.parametrize("who", ["front_desk", "manager"])
def test_nobody_but_a_clinician_approves(crunches, who, request):
    with pytest.raises(PermissionDenied):
        approve_exercise(
            exercise=crunches,
            movement_class="function",
            by=request.getfixturevalue(who),
            at=AT,
        )
    assert not Exercise.objects.prescribable().filter(pk=crunches.pk).exists()


def test_an_exercise_without_cues_is_not_approved(library, physio):
    import_exercises(rows=[row(instructions=[])], by=None, at=AT)
    empty = Exercise.objects.get(origin_ref="free-exercise-db:Crunches")
    with pytest.raises(ValidationError, match="write its cues first"):
        approve_exercise(exercise=empty, movement_class="flexion_loaded", by=physio, at=AT)


def test_an_unknown_class_is_refused(crunches, physio):
    with pytest.raises(ValidationError, match="not a movement class"):
        approve_exercise(exercise=crunches, movement_class="crunching", by=physio, at=AT)


def test_given_an_approved_exercise_when_one_clinician_reclassifies_it_then_it_is_refused(
    crunches, physio
):
    approve_exercise(exercise=crunches, movement_class="flexion_loaded", by=physio, at=AT)
    with pytest.raises(ValidationError, match="a colleague approves"):
        approve_exercise(exercise=crunches, movement_class="function", by=physio, at=AT)
    again = approve_exercise(
        exercise=crunches, movement_class="flexion_loaded", by=physio, at=AT + dt.timedelta(days=1)
    )
    assert (again.movement_class, again.reviewed_at) == ("flexion_loaded", AT)


def test_given_a_supplied_exercise_when_signed_then_it_stays_as_it_is_and_only_once(
    library, physio, site
):
    colleague = make_staff(site, Role.PHYSIOTHERAPIST, "Ivo Hansen")
    superman = Exercise.objects.get(slug="superman")
    with pytest.raises(ValidationError, match="does not wait"):
        approve_exercise(exercise=superman, movement_class="function", by=physio, at=AT)
    signed = sign_exercise(exercise=superman, by=physio, at=AT)
    assert (signed.origin, signed.movement_class, signed.reviewed_by) == (
        Exercise.Origin.SUPPLIED,
        superman.movement_class,
        physio,
    )
    with pytest.raises(ValidationError, match="name under it already"):
        sign_exercise(exercise=superman, by=colleague, at=AT)


def test_given_what_the_practice_imported_when_signed_as_supplied_then_it_is_refused(
    crunches, physio
):
    with pytest.raises(ValidationError, match="was not supplied"):
        sign_exercise(exercise=crunches, by=physio, at=AT)
    assert not Exercise.objects.prescribable().filter(pk=crunches.pk).exists()


def test_who_imported_is_kept_with_the_history(library, physio):
    import_exercises(rows=[row()], by=physio, at=AT)
    event = Exercise.pgh_event_model.objects.get(origin_ref="free-exercise-db:Crunches")
    assert event.pgh_context.metadata["user"] == physio.pk
