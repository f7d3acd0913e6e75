"""What was given stays as it was given, until a clinician moves the patient on."""

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.urls import reverse

from programs.adjusting import adjust_program
from programs.exercise_versions import content_of, exercises_at
from programs.loading import load_content
from programs.models import Exercise, ExerciseLevel, ExerciseVersion, Prescription
from programs.positions import prescriptions_of
from programs.versioning import Change, draft_version
from tests.conftest import MONDAY
from tests.programs.own_exercises import at, do, written
from tests.reading import words

pytestmark = pytest.mark.django_db


# --- what was given stays ------------------------------------------------------------------------


def given(program) -> list[tuple]:
    """Everything of a program that the library could change."""
    version = type(program.current_version).objects.get(pk=program.current_version.pk)
    return [
        (
            p.level,
            p.sets,
            p.reps,
            p.hold_s,
            content_of(p.exercise),
        )
        for p in prescriptions_of(version)
    ]


def change_everything() -> None:
    """What loading and editing may ever do to the rows of the library."""
    ExerciseLevel.objects.update(
        title="Something else",
        cues=["Do this."],
        feel="Other.",
        movement_class="rotation",
        figure="plank:1",
        sets=5,
        reps_from=9,
        reps_to=9,
        seconds_per_rep=9,
        words={},
    )
    Exercise.objects.update(name="Renamed", why="Other.", first_phase=3, words={})


def test_given_a_program_when_every_row_of_the_library_changes_then_it_stays(program):
    before = given(program)
    change_everything()
    assert given(program) == before


def test_given_new_supplied_content_then_a_new_version_is_kept_and_the_program_stays(
    program, tmp_path
):
    before = given(program)
    ExerciseLevel.objects.filter(exercise__slug="cat-cow").update(feel="Another feeling.")
    load_content(at=MONDAY)
    assert given(program) == before
    cat_cow = Exercise.objects.get(slug="cat-cow")
    # Loading put the file's words back, so what is current says what it always said.
    assert content_of(cat_cow) == cat_cow.current.content


def test_given_an_edited_exercise_when_assigned_then_old_and_new_programs_differ(
    client, own_exercise, program, physio, colleague, make_program
):
    version = adjust_program(
        program=program,
        change=Change(add=[own_exercise.slug]),
        by=physio,
        reason="Try it.",
        at=MONDAY,
    )
    client.post(
        at("library_edit", own_exercise),
        written(**{"l1.title": "Lean with one hand", "l1.sets": "3", "note": "Harder"}),
    )
    assert Exercise.objects.get(pk=own_exercise.pk).name == "Wall lean"
    do(client, own_exercise, "send")
    client.force_login(colleague)
    page = client.get(at("library_exercise", own_exercise))
    assert "Lean with one hand" in words(page) and "Level 1: title" in words(page)
    do(client, own_exercise, "approve")
    own_exercise.refresh_from_db()
    assert (own_exercise.current.number, own_exercise.levels.get().title) == (
        2,
        "Lean with one hand",
    )
    old = next(p for p in prescriptions_of(fresh(version)) if p.exercise == own_exercise)
    assert (old.exercise.levels.all()[0].title, old.exercise_version.number) == (
        "Lean with both hands",
        1,
    )
    other = adjust_program(
        program=make_program("stability-first"),
        change=Change(add=[own_exercise.slug]),
        by=physio,
        reason="Try it.",
        at=MONDAY,
    )
    new = next(p for p in prescriptions_of(fresh(other)) if p.exercise == own_exercise)
    assert (new.exercise.levels.all()[0].title, new.sets) == ("Lean with one hand", 3)


def fresh(version):
    return type(version).objects.get(pk=version.pk)


@pytest.mark.database
def test_an_approved_version_cannot_be_edited(own_exercise):
    with pytest.raises(DatabaseError), transaction.atomic():
        ExerciseVersion.objects.filter(pk=own_exercise.current_id).update(note="other")


def test_reading_a_program_asks_at_most_twice(program, django_assert_max_num_queries):
    version = fresh(program.current_version)
    exercises_at([p.exercise_version_id for p in Prescription.objects.all()])
    with django_assert_max_num_queries(1):
        assert prescriptions_of(version)


# --- moving a patient to the newest version ------------------------------------------------------


def test_given_a_newer_version_then_a_clinician_moves_the_patient_to_it(
    client, own_exercise, program, physio, colleague
):
    adjust_program(
        program=program,
        change=Change(add=[own_exercise.slug]),
        by=physio,
        reason="Try it.",
        at=MONDAY,
    )
    client.post(at("library_edit", own_exercise), written(**{"l1.title": "Lean with one hand"}))
    do(client, own_exercise, "send")
    client.force_login(colleague)
    do(client, own_exercise, "approve")
    client.force_login(physio)
    patient_page = reverse("admin:patient", args=[program.patient_id])
    assert "Newer in the library" in words(client.get(patient_page))
    address = reverse("admin:patient_renew", args=[program.patient_id])
    page = client.get(address)
    assert "Lean with both hands" in words(page) and "Lean with one hand" in words(page)
    sent = {"version": 2, "exercise": [own_exercise.slug], "reason": "Harder now."}
    assert client.post(address, {**sent, "reason": ""}).status_code == 400
    assert client.post(address, sent).status_code == 302
    # Sent once more, it makes nothing twice.
    assert client.post(address, sent).status_code == 400
    program.refresh_from_db()
    now = next(
        p for p in prescriptions_of(fresh(program.current_version)) if p.exercise == own_exercise
    )
    assert program.current_version.number == 3
    assert now.exercise.levels.all()[0].title == "Lean with one hand"
    assert "Newer in the library" not in words(client.get(patient_page))


def test_a_gate_opened_by_hand_is_not_opened_for_another_movement(program, physio):
    slug = program.current_version.prescriptions.first().exercise.slug
    exercise = Exercise.objects.get(slug=slug)
    opened = {"exercise": slug, "level": 1, "movement_class": "x", "needs": "", "reason": "y"}
    version = program.current_version
    version.overrides = [opened]
    content = exercise.current.content
    for level in content["levels"]:
        level["movement_class"] = "rotation"
    newer = ExerciseVersion.objects.create(
        exercise=exercise,
        number=2,
        state="approved",
        content=content,
        changed_at=MONDAY,
        reviewed_at=MONDAY,
    )
    Exercise.objects.filter(pk=exercise.pk).update(current=newer)
    kept = draft_version(program=program, change=Change(), at=MONDAY)
    assert kept.overrides == [opened]
    moved = draft_version(program=program, change=Change(renew=[slug]), at=MONDAY)
    assert moved.overrides == []


def test_a_colleagues_own_exercise_is_offered_to_nobody_else(
    client, own_exercise, program, colleague
):
    Exercise.objects.filter(pk=own_exercise.pk).update(owner=own_exercise.current.author)
    with pytest.raises(ValidationError, match="belongs to Ruth Adeyemi alone"):
        adjust_program(
            program=program,
            change=Change(add=[own_exercise.slug]),
            by=colleague,
            reason="x",
            at=MONDAY,
        )
    address = reverse("admin:patient_change", args=[program.patient_id])
    offered = client.get(address).context["form"].fields["add"].queryset
    assert own_exercise in offered
    client.force_login(colleague)
    assert own_exercise not in client.get(address).context["form"].fields["add"].queryset
