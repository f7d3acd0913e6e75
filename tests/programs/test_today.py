"""What the day's page is made of."""

import uuid

import pytest
import time_machine

from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from programs.adjusting import Change, PrescriptionChange, adjust_program, reopen_program
from programs.models import Exercise, HabitTask, Program
from programs.reasons import UNCHANGED
from programs.today import ASKS_FOR, routine_for, today_for
from tests.living import at_day, do_morning, do_session
from tests.reading import words

pytestmark = pytest.mark.django_db


def whole(program: Program) -> Program:
    return Program.objects.whole().get(pk=program.pk)


def test_habit_tasks_take_turns_and_stand_on_the_page_of_a_finished_day(program, client):
    habits = [today_for(program=whole(program), at=at_day(n)).habit.slug for n in range(4)]
    assert habits == program.template.habits
    answer_red_flags(
        patient=program.patient,
        answers={q.id: "no" for q in REPEATED},
        source="weekly",
        client_id=uuid.uuid4(),
        at=at_day(0),
    )
    client.force_login(program.patient.user)
    with time_machine.travel(at_day(0, 20), tick=False):
        assert b"A small thing for today" not in client.get("/").content
        do_session(program, 0)
        assert b"A small thing for today" in client.get("/").content


def test_cues_are_of_one_set_only_the_one_the_clinician_picked(program, physio):
    def cues(version_of: Program) -> set[str]:
        found = routine_for(program=whole(version_of), day=at_day(1).date())
        return {cue for item in found for cue in item.cues}

    drawn = cues(program)
    adjust_program(
        program=program, change=Change(cue_set="fill_out"), by=physio, reason="x", at=at_day(0)
    )
    filled = cues(program)
    assert drawn != filled
    for level in program.current_version.prescriptions.first().exercise.levels.all():
        assert not set(level.cues_draw_in) & filled
        assert not set(level.cues_fill_out) & drawn


def test_a_dose_is_said_in_plain_words(program, physio):
    texts = {
        item.exercise.slug: item.dose_text
        for n in range(7)
        for item in routine_for(program=whole(program), day=at_day(n).date())
    }
    assert texts["diaphragmatic-breathing"] == "2 sets of 8 slow breaths"
    assert texts["deep-core-hold"] == "2 sets of 6, hold 5 seconds"


def test_the_routine_of_the_day_is_fixed_by_the_day_not_by_when_one_looks(program):
    morning = [i.exercise.slug for i in routine_for(program=whole(program), day=at_day(2).date())]
    do_morning(program, 2)
    do_session(program, 2)
    assert morning == [
        i.exercise.slug for i in routine_for(program=whole(program), day=at_day(2).date())
    ]


def test_a_paused_exercise_is_not_in_the_routine(program, physio):
    adjust_program(
        program=program,
        change=Change(prescriptions={"cat-cow": PrescriptionChange(paused=True)}),
        by=physio,
        reason="Sore today",
        at=at_day(0),
    )
    seen = {
        item.exercise.slug
        for n in range(14)
        for item in routine_for(program=whole(program), day=at_day(n).date())
    }
    assert "cat-cow" not in seen and "chest-opener" in seen


def test_given_a_paused_exercise_then_no_habit_of_the_day_asks_for_it(program, physio):
    adjust_program(
        program=program,
        change=Change(prescriptions={"cat-cow": PrescriptionChange(paused=True)}),
        by=physio,
        reason="Sore today",
        at=at_day(0),
    )
    offered = [today_for(program=whole(program), at=at_day(n)).habit for n in range(4)]
    assert "stiffness-self-check" in program.template.habits
    assert not [habit for habit in offered if "cat-cow" in habit.text]


def test_every_exercise_a_habit_asks_for_is_in_the_library(program):
    for habit, exercise in ASKS_FOR.items():
        assert HabitTask.objects.filter(slug=habit).exists()
        assert Exercise.objects.filter(slug=exercise).exists()
    # Who names an exercise in a habit's words says so in the table.
    names = {slug: name.lower() for slug, name in Exercise.objects.values_list("slug", "name")}
    for habit in HabitTask.objects.all():
        named = {slug for slug, name in names.items() if name in habit.text.lower()}
        assert named <= {ASKS_FOR.get(habit.slug)}


def test_given_a_reopened_program_then_the_patient_reads_that_the_exercises_go_on(
    program, physio, client
):
    client.force_login(program.patient.user)
    answer_red_flags(
        patient=program.patient,
        answers={q.id: "no" for q in REPEATED} | {"infection": "yes"},
        source="button",
        client_id=uuid.uuid4(),
        at=at_day(0),
    )
    reopen_program(program=whole(program), by=physio, reason="A cold.", at=at_day(0, 10))
    with time_machine.travel(at_day(0, 11), tick=False):
        said = words(client.get("/"))
    assert "Your exercises go on" in said and "You can go on with your routine." in said
    assert "Your routine has changed" not in said


@pytest.mark.parametrize(
    ("change", "patient_reason", "heading"),
    [
        (Change(lock="no_progress"), UNCHANGED, "Your routine stays as it is"),
        (
            Change(prescriptions={"cat-cow": PrescriptionChange(paused=True)}),
            "",
            "Your routine has changed",
        ),
    ],
)
def test_news_are_headed_by_what_they_come_to(program, physio, change, patient_reason, heading):
    adjust_program(
        program=program,
        change=change,
        by=physio,
        reason="A look.",
        patient_reason=patient_reason,
        at=at_day(0),
    )
    assert today_for(program=whole(program), at=at_day(0)).news_heading == heading
