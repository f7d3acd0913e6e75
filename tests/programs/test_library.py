"""The library in the portal: writing exercises, their review, and whose they are."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from programs import authoring
from programs.adjusting import adjust_program
from programs.clinician.exercise_form import LEVELS
from programs.content_files import read_content
from programs.exercise_versions import content_of
from programs.importing import import_exercises
from programs.loading import load_content
from programs.models import Exercise, ExerciseVersion, ProgramVersion
from programs.patient_words import BANNED_WORDS, banned_in, kind_refusal
from programs.positions import prescriptions_of
from programs.versioning import Change
from programs.wording import in_language
from tests.conftest import MONDAY
from tests.programs.own_exercises import at, do, written
from tests.reading import words

pytestmark = pytest.mark.django_db


# --- writing and reviewing -----------------------------------------------------------------------


def test_given_an_own_exercise_then_it_waits_for_a_colleague(client, physio, colleague):
    client.force_login(physio)
    response = client.post(at("library_new"), written(), follow=True)
    assert "Version 1 is a draft" in words(response)
    exercise = Exercise.objects.get(name="Wall lean")
    assert not Exercise.objects.prescribable().filter(pk=exercise.pk).exists()
    assert "Send for review" in words(response)
    do(client, exercise, "send")
    assert do(client, exercise, "approve").status_code == 403
    client.force_login(colleague)
    assert "may be" not in words(do(client, exercise, "approve"))
    exercise.refresh_from_db()
    assert Exercise.objects.prescribable().filter(pk=exercise.pk).exists()
    assert exercise.reviewed_by == colleague and exercise.current.author == physio


def test_given_one_physiotherapist_then_she_approves_her_own_with_a_reason(client, physio):
    client.force_login(physio)
    client.post(at("library_new"), written())
    exercise = Exercise.objects.get(name="Wall lean")
    assert "say why it is right" in words(do(client, exercise, "approve"))
    do(client, exercise, "approve", note="Taught it for ten years.")
    exercise.refresh_from_db()
    assert exercise.current.review_note == "Taught it for ten years."


def test_given_a_draft_that_is_not_whole_then_it_is_saved_but_not_sent(client, physio, colleague):
    client.force_login(physio)
    client.post(at("library_new"), written(**{"l1.cues": "", "why": ""}))
    exercise = Exercise.objects.get(name="Wall lean")
    page = words(do(client, exercise, "send"))
    assert "Level 1: write its cues." in page and "is a draft" in page


def test_given_back_with_words_then_the_author_reads_them(client, physio, colleague):
    client.force_login(physio)
    client.post(at("library_new"), written())
    exercise = Exercise.objects.get(name="Wall lean")
    do(client, exercise, "send")
    client.force_login(colleague)
    assert "Say what should be changed" in words(do(client, exercise, "return"))
    do(client, exercise, "return", note="Shorter cues, please.")
    client.force_login(physio)
    assert "Shorter cues, please." in words(client.get(at("library_exercise", exercise)))


def test_given_a_draft_changed_meanwhile_then_it_is_not_approved_unread(
    client, own_exercise, colleague
):
    client.post(at("library_edit", own_exercise), written(why="Another reason to do it."))
    do(client, own_exercise, "send")
    seen = authoring.draft_of(own_exercise).changed_at.isoformat()
    client.post(at("library_edit", own_exercise), written(why="A third reason to do it."))
    do(client, own_exercise, "send")
    client.force_login(colleague)
    assert "Read it again" in words(do(client, own_exercise, "approve", seen=seen))
    own_exercise.refresh_from_db()
    assert own_exercise.current.number == 1


def test_given_an_old_page_then_a_later_draft_is_not_overwritten(client, own_exercise):
    page = client.get(at("library_edit", own_exercise))
    first = page.context["seen_at"]
    client.post(at("library_edit", own_exercise), written(why="One reason to do it.", seen=first))
    old = client.get(at("library_edit", own_exercise)).context["seen_at"]
    client.post(at("library_edit", own_exercise), written(why="Two reasons to do it.", seen=old))
    again = client.post(at("library_edit", own_exercise), written(why="Lost.", seen=old))
    assert again.status_code == 400 and "another page" in words(again)
    assert authoring.draft_of(own_exercise).content["why"] == "Two reasons to do it."


def test_a_discarded_first_draft_is_gone_and_a_later_one_leaves_the_version(
    client, own_exercise, physio
):
    client.post(at("library_edit", own_exercise), written(why="Another reason."))
    do(client, own_exercise, "discard")
    own_exercise.refresh_from_db()
    assert own_exercise.current.number == 1 and authoring.draft_of(own_exercise) is None
    client.post(at("library_new"), written("Floor lean"))
    do(client, Exercise.objects.get(name="Floor lean"), "discard")
    assert not Exercise.objects.filter(name="Floor lean").exists()


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("why", "It mends the damage in your back.", "“damage” can frighten"),
        ("l1.feel", "Your weak side works.", "not used to this yet"),
        ("l1.cues", "Draw your navel in.", "belongs to the cue set “draw in”"),
        ("l1.set_up", " ".join(["step"] * 26) + ".", "A sentence of 26 words"),
        ("l1.reps_step", "3", "10 is not reached from 6 in steps of 3"),
        ("l1.reps_to", "4", "the top is below the start"),
        ("l1.hold_to", "9", "Repetitions and hold both rise"),
        ("l1.sets", "12", "Sets: from 1 to 6"),
        ("l3.title", "Out of turn", "Level 2 is empty"),
        ("l1.alternate", "on", "Sides take turns only"),
    ],
)
def test_what_cannot_be_is_refused_in_kind_words(client, physio, field, text, said):
    client.force_login(physio)
    changes = {field: text}
    if field == "l1.hold_to":
        changes["l1.hold_step"] = "3"
    response = client.post(at("library_new"), written(**changes))
    assert response.status_code == 400
    assert said in words(response)
    assert not Exercise.objects.filter(name="Wall lean").exists()


def test_every_banned_word_has_a_kind_refusal():
    for word in ("damage", "Unstable", "weakness", "failed", "best", "proven", "fragile"):
        assert banned_in(f"It is {word} now.") == word and BANNED_WORDS.search(word)
        assert "Say" in kind_refusal(word)
    assert banned_in("Tu espalda es frágil.", "es") == "frágil"
    assert banned_in("Rest your strongest side.") is None


def test_the_preview_shows_what_is_written_and_keeps_nothing(client, physio):
    client.force_login(physio)
    count = Exercise.objects.count()
    response = client.post(at("library_preview"), written(why=""), headers={"X-Live": "1"})
    text = words(response)
    assert (
        "Lean with both hands" in text
        and "2 sets of 6" in text
        and "<svg" in (response.content.decode())
    )
    assert "Say in a sentence why" in text
    page = client.post(at("library_new"), written(do="preview"))
    assert page.status_code == 200 and "2 sets of 6" in words(page)
    assert Exercise.objects.count() == count


# --- whose it is ---------------------------------------------------------------------------------


def test_what_is_mine_is_seen_by_nobody_else_until_it_is_sent(client, physio, colleague):
    client.force_login(physio)
    client.post(at("library_new"), written(mine="on"))
    exercise = Exercise.objects.get(name="Wall lean")
    client.force_login(colleague)
    assert client.get(at("library_exercise", exercise)).status_code == 404
    assert "Wall lean" not in words(client.get(at("library")))
    client.force_login(physio)
    do(client, exercise, "send")
    client.force_login(colleague)
    assert client.get(at("library_exercise", exercise)).status_code == 200
    do(client, exercise, "approve")
    assert client.get(at("library_exercise", exercise)).status_code == 404
    client.force_login(physio)
    do(client, exercise, "share")
    client.force_login(colleague)
    assert client.get(at("library_exercise", exercise)).status_code == 200


def test_a_supplied_exercise_is_copied_with_figures_and_never_changed(client, physio, colleague):
    client.force_login(physio)
    dead_bug = Exercise.objects.get(slug="dead-bug")
    assert client.get(at("library_edit", dead_bug)).status_code == 403
    with pytest.raises(ValidationError, match="supplied"):
        authoring.save_draft(
            exercise=dead_bug, content=content_of(dead_bug), by=physio, at=timezone.now()
        )
    do(client, dead_bug, "copy")
    copy = Exercise.objects.get(name="Dead bug, our version")
    assert [level.figure for level in copy.levels.all()] == [f"dead-bug:{n}" for n in LEVELS]
    assert (copy.review_state, copy.copied_from) == ("draft", dead_bug.current)
    assert in_language(copy.levels.get(level=1), "es").title == "Toques con el talón"
    load_content(at=MONDAY)
    copy.refresh_from_db()
    assert copy.name == "Dead bug, our version"


def test_given_a_newer_original_then_its_copy_is_told(client, physio):
    client.force_login(physio)
    cat_cow = Exercise.objects.get(slug="cat-cow")
    do(client, cat_cow, "copy")
    copy = Exercise.objects.get(copied_from__exercise=cat_cow)
    assert "newer version" not in words(client.get(at("library_exercise", copy)))
    ExerciseVersion.objects.create(
        exercise=cat_cow,
        number=2,
        state="approved",
        content={**cat_cow.current.content, "why": "Newer words."},
        changed_at=MONDAY,
        reviewed_at=MONDAY,
    )
    Exercise.objects.filter(pk=cat_cow.pk).update(current=cat_cow.versions.get(number=2))
    page = words(client.get(at("library_exercise", copy)))
    assert "The original has a newer version" in page and "Newer words." in page
    assert "original has a newer version" in words(client.get(at("library") + "?state=draft"))


def test_a_retired_exercise_is_not_prescribed_and_stays_where_it_is(
    client, own_exercise, program, physio
):
    version = adjust_program(
        program=program,
        change=Change(add=[own_exercise.slug]),
        by=physio,
        reason="Try it.",
        at=MONDAY,
    )
    do(client, own_exercise, "retire")
    assert own_exercise.slug in {
        p.exercise.slug for p in prescriptions_of(ProgramVersion.objects.get(pk=version.pk))
    }
    assert not Exercise.objects.prescribable().filter(pk=own_exercise.pk).exists()
    do(client, own_exercise, "restore")
    assert Exercise.objects.prescribable().filter(pk=own_exercise.pk).exists()


@pytest.mark.parametrize("who", ["manager", "front_desk"])
def test_nobody_but_a_clinician_writes(client, own_exercise, who, request):
    user = request.getfixturevalue(who)
    client.force_login(user)
    assert client.get(at("library_new")).status_code == 403
    assert do(client, own_exercise, "retire").status_code == 403
    with pytest.raises(PermissionDenied):
        authoring.retire_exercise(exercise=own_exercise, by=user, at=MONDAY)
    assert client.get(at("library")).status_code == (200 if who == "manager" else 403)


# --- words in other languages --------------------------------------------------------------------


def test_given_a_translation_then_it_counts_while_its_english_stands(
    client, own_exercise, colleague
):
    page = client.get(at("library_exercise", own_exercise))
    assert "not translated yet" in words(page)
    said = {"name": "Apoyo en la pared", "l1.cues": "Dobla los brazos.\nAcércate.\nVuelve."}
    assert client.post(at("library_words", own_exercise, "es"), said).status_code == 302
    do(client, own_exercise, "send")
    client.force_login(colleague)
    do(client, own_exercise, "approve")
    own_exercise.refresh_from_db()
    assert in_language(own_exercise, "es").name == "Apoyo en la pared"
    assert in_language(own_exercise.levels.get(), "es").cues[0] == "Dobla los brazos."
    assert in_language(own_exercise.levels.get(), "es").title == "Lean with both hands"
    client.post(at("library_edit", own_exercise), written("Wall lean with a turn"))
    page = words(client.get(at("library_words", own_exercise, "es")))
    assert "the English has changed" in page
    same = {**said, "l1.title": "Apoyo con dos manos"}
    client.post(at("library_words", own_exercise, "es"), same)
    assert "the English has changed" in words(client.get(at("library_words", own_exercise, "es")))
    do(client, own_exercise, "send")
    client.force_login(own_exercise.current.author)
    do(client, own_exercise, "approve")
    own_exercise.refresh_from_db()
    assert in_language(own_exercise, "es").name == "Wall lean with a turn"


def test_a_translation_with_other_lines_or_a_banned_word_is_refused(client, own_exercise):
    response = client.post(
        at("library_words", own_exercise, "es"), {"l1.cues": "Solo una.", "name": "Espalda frágil"}
    )
    assert response.status_code == 400
    assert "3 lines in English, 1 here" in words(response) and "“frágil”" in words(response)
    assert client.get(at("library_words", own_exercise, "xx")).status_code == 404


def test_given_a_stale_translation_that_still_fits_then_saying_so_is_enough(client, own_exercise):
    said = {"name": "Apoyo en la pared"}
    client.post(at("library_words", own_exercise, "es"), said)
    client.post(at("library_edit", own_exercise), written("Leaning on a wall"))
    assert "It still says the same" in words(client.get(at("library_words", own_exercise, "es")))
    client.post(at("library_words", own_exercise, "es"), {**said, "still.name": "on"})
    page = words(client.get(at("library_words", own_exercise, "es")))
    assert "the English has changed" not in page


# --- imported ones -------------------------------------------------------------------------------

ROW = {
    "id": "Wall_Push",
    "name": "Wall push",
    "force": "push",
    "category": "strength",
    "equipment": "body only",
    "primaryMuscles": ["chest"],
    "secondaryMuscles": [],
    "instructions": ["Push the wall away."],
}


def test_an_imported_exercise_is_approved_as_it_is_or_after_writing(client, physio, colleague):
    import_exercises(rows=[ROW, {**ROW, "id": "Two", "name": "Wall pull"}], by=None, at=MONDAY)
    client.force_login(physio)
    assert "Wall push" not in words(client.get(at("library")))
    assert "Imported, not yet reviewed 2" in words(client.get(at("library")))
    assert "Wall push" in words(client.get(at("library") + "?state=suggested&q=wall"))
    push = Exercise.objects.get(name="Wall push")
    do(client, push, "approve_import", movement_class="mobility")
    assert Exercise.objects.prescribable().get(pk=push.pk).movement_class == "mobility"
    pull = Exercise.objects.get(name="Wall pull")
    client.post(at("library_edit", pull), written("Wall pull", muscles=["pectorals"]))
    pull.refresh_from_db()
    assert pull.review_state == "draft" and pull.levels.get().title == "Wall pull"
    do(client, pull, "send")
    client.force_login(colleague)
    do(client, pull, "approve")
    pull.refresh_from_db()
    assert pull.levels.get().title == "Lean with both hands"
    assert Exercise.objects.prescribable().filter(pk=pull.pk).exists()


def test_the_list_asks_as_often_for_many_as_for_few(client, physio, django_assert_max_num_queries):
    client.force_login(physio)
    rows = [{**ROW, "id": f"Row_{n}", "name": f"Row {n}"} for n in range(60)]
    import_exercises(rows=rows, by=None, at=MONDAY)
    client.get(at("library"))
    with django_assert_max_num_queries(16):
        page = client.get(at("library") + "?state=suggested&owner=imported&phase=1&page=2")
    assert page.status_code == 200 and "Row 3" in words(page)
    for query in ("?class=rotation", "?things=band", "?things=none", "?owner=mine&state=nonsense"):
        assert client.get(at("library") + query).status_code == 200


def test_the_supplied_content_passes_the_rules_of_the_portal(library):
    from programs.authoring_rules import missing, problems

    assert len(read_content().exercises) == 24
    for exercise in Exercise.objects.filter(origin="supplied"):
        content = content_of(exercise)
        assert (exercise.slug, missing(content)) == (exercise.slug, [])
        assert (exercise.slug, problems(content)) == (exercise.slug, [])
