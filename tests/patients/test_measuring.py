"""Loading questionnaires and keeping what was answered, through the database."""

import datetime as dt
import json
import uuid
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from patients import measuring
from patients.models import Measure, Questionnaire
from patients.questionnaires import QuestionnaireError
from tests.conftest import MONDAY
from tests.patients.questionnaire_files import questionnaire

pytestmark = pytest.mark.django_db
GOOD = {"a": "often", "b": "sometimes", "c": "always", "d": 4}


def load(**changes) -> Questionnaire:
    return measuring.load_questionnaire(data=questionnaire(**changes), at=MONDAY)[0]


def record(patient, row, **changes) -> Measure:
    return measuring.record_measure(
        **{
            "patient": patient,
            "questionnaire": row,
            "answers": GOOD,
            "point": "start",
            "client_id": uuid.uuid4(),
            "at": MONDAY,
            **changes,
        }
    )


# --- loading -------------------------------------------------------------------------------------


def test_the_supplied_ones_are_there_after_loading_the_content(library):
    names = list(Questionnaire.objects.current().values_list("name", flat=True))
    assert names == ["pain", "activities", "feels-safe", "overall-change"]
    assert measuring.load_supplied(at=MONDAY) == 0


def test_loading_the_same_again_changes_nothing():
    first = load()
    again, new = measuring.load_questionnaire(data=questionnaire(), at=MONDAY)
    assert (again.pk, new) == (first.pk, False)


def test_a_loaded_version_says_the_same_for_ever():
    row = load()
    with pytest.raises(QuestionnaireError, match="give the changed file a new version"):
        load(title="House scale, improved")
    with pytest.raises(DatabaseError), transaction.atomic():
        Questionnaire.objects.filter(pk=row.pk).update(content={})


def test_a_new_version_is_asked_instead_of_the_old_one_and_old_results_stay(patient):
    old = load()
    kept = record(patient, old)
    new = load(version="2")
    asked = Questionnaire.objects.current().filter(name="house-scale")
    assert [row.pk for row in asked] == [new.pk]
    kept.refresh_from_db()
    assert kept.questionnaire == old


def test_a_retired_one_is_no_longer_asked_until_it_is_loaded_again():
    load()
    call_command("load_questionnaire", "--retire", "house-scale", stdout=StringIO())
    assert not Questionnaire.objects.current().filter(name="house-scale").exists()
    load()
    assert Questionnaire.objects.current().filter(name="house-scale").exists()


def test_loading_content_does_not_bring_back_what_a_practice_retired(library):
    measuring.retire_questionnaire(name="pain", at=MONDAY)
    measuring.load_supplied(at=MONDAY)
    assert not Questionnaire.objects.current().filter(name="pain").exists()


def test_the_command_says_what_it_loaded(tmp_path):
    file = tmp_path / "house.json"
    file.write_text(json.dumps(questionnaire()))
    out = StringIO()
    call_command("load_questionnaire", str(file), stdout=out)
    assert "Loaded: House scale, version 1, 4 questions, 2 scores." in out.getvalue()
    assert "start, week_12" in out.getvalue()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "file: holds no JSON object."),
        (json.dumps(questionnaire(title="")), "title: write some words."),
    ],
)
def test_the_command_says_what_is_wrong_and_loads_nothing(tmp_path, text, said):
    file = tmp_path / "house.json"
    file.write_text(text)
    with pytest.raises(CommandError, match=said):
        call_command("load_questionnaire", str(file))
    assert not Questionnaire.objects.filter(name="house-scale").exists()


# --- recording -----------------------------------------------------------------------------------


def test_answers_are_kept_with_their_scores_and_version(patient):
    kept = record(patient, load())
    assert kept.answers == GOOD
    assert [(s["id"], s["value"], s["band"]) for s in kept.scores] == [
        ("total", 12.0, "much"),
        ("part", 3.5, ""),
    ]
    assert (kept.questionnaire.version, kept.day) == ("1", MONDAY.date())


def test_a_replay_and_a_second_form_on_the_same_day_change_nothing(patient):
    row, once = load(), uuid.uuid4()
    first = record(patient, row, client_id=once)
    assert record(patient, row, client_id=once, answers={**GOOD, "d": 9}) == first
    assert record(patient, row, answers={**GOOD, "d": 9}) == first
    assert Measure.objects.get().answers["d"] == 4


def test_somebody_elses_id_is_refused(patient, make_patient):
    once = uuid.uuid4()
    row = load()
    record(patient, row, client_id=once)
    with pytest.raises(ValidationError):
        record(make_patient("Ben"), row, client_id=once)


def test_an_answer_out_of_range_is_refused_at_its_question_and_nothing_is_kept(patient):
    with pytest.raises(ValidationError) as caught:
        record(patient, load(), answers={**GOOD, "d": 11, "c": None})
    assert set(caught.value.message_dict) == {"c", "d"}
    assert not Measure.objects.exists()


def test_what_was_answered_cannot_be_changed(patient):
    kept = record(patient, load())
    with pytest.raises(DatabaseError), transaction.atomic():
        Measure.objects.filter(pk=kept.pk).update(scores=[])


# --- asking --------------------------------------------------------------------------------------


def due(patient, day: int) -> measuring.MeasureDue | None:
    started = MONDAY.date()
    return measuring.measure_due(
        patient=patient, started_on=started, today=started + dt.timedelta(days=day)
    )


def test_at_the_start_three_are_open_and_after_six_weeks_four(library, patient):
    assert [row.name for row in due(patient, 0).open] == ["pain", "activities", "feels-safe"]
    assert [row.name for row in due(patient, 42).open][-1] == "overall-change"
    assert due(patient, 30) is None


def test_what_was_answered_at_this_point_is_not_asked_again(library, patient):
    pain = Questionnaire.objects.get(name="pain")
    record(patient, pain, answers={"pain": 6})
    found = due(patient, 3)
    assert [row.name for row in found.open] == ["activities", "feels-safe"]
    assert (found.answered, found.total) == (1, 3)
    # Six weeks later it is another point.
    assert "pain" in [row.name for row in due(patient, 45).open]


def test_what_staff_entered_is_not_asked_again(library, patient, physio):
    measuring.enter_result(
        patient=patient,
        questionnaire=Questionnaire.objects.get(name="pain"),
        title="Pain",
        scores=[{"id": "pain", "title": "Pain", "value": 5, "band": ""}],
        point="start",
        day=MONDAY.date(),
        client_id=uuid.uuid4(),
        by=physio,
        at=MONDAY,
    )
    assert "pain" not in [row.name for row in due(patient, 0).open]


def test_the_same_activities_are_asked_about_again(library, patient):
    row = Questionnaire.objects.get(name="activities")
    named = [{"name": n, "number": 2} for n in ("Shoes", "Garden", "Film")]
    record(patient, row, answers={"activity": named})
    found = measuring.named_before(patient=patient, questionnaire=row, since=MONDAY.date())
    assert found == {"activity": ["Shoes", "Garden", "Film"]}
    later = measuring.named_before(
        patient=patient, questionnaire=row, since=MONDAY.date() + dt.timedelta(days=1)
    )
    assert later == {}


# --- by hand -------------------------------------------------------------------------------------


def enter(patient, physio, **changes) -> Measure:
    return measuring.enter_result(
        **{
            "patient": patient,
            "title": "Paper scale",
            "scores": [{"id": "result", "title": "Paper scale", "value": None, "band": "medium"}],
            "point": "between",
            "day": MONDAY.date(),
            "client_id": uuid.uuid4(),
            "by": physio,
            "at": MONDAY,
            **changes,
        }
    )


def test_a_result_on_paper_is_kept_with_who_entered_it(patient, physio):
    kept = enter(patient, physio)
    assert (kept.entered_by, kept.scores[0]["band"], kept.questionnaire) == (physio, "medium", None)
    assert enter(patient, physio, client_id=kept.client_id) == kept


@pytest.mark.parametrize(
    "changes",
    [
        {"day": MONDAY.date() + dt.timedelta(days=1)},
        {"title": "  "},
        {"point": "week_5"},
        {"scores": [{"id": "r", "title": "r", "value": None, "band": ""}]},
    ],
)
def test_a_result_that_says_nothing_is_refused(patient, physio, changes):
    with pytest.raises(ValidationError):
        enter(patient, physio, **changes)
    assert not Measure.objects.exists()


# --- telling -------------------------------------------------------------------------------------


def test_a_result_is_told_in_the_readers_language_with_the_patients_own_names(library, patient):
    row = Questionnaire.objects.get(name="activities")
    named = [{"name": n, "number": 2} for n in ("Shoes", "Garden", "Film")]
    kept = record(patient, row, answers={"activity": named})
    title, lines = measuring.told(kept, language="es")
    assert title == "Mis actividades"
    assert lines == ("Shoes: 2", "Garden: 2", "Film: 2", "Mis actividades, promedio de 0 a 10: 2")


def test_a_result_from_paper_is_told_as_it_was_written(patient, physio):
    assert measuring.told(enter(patient, physio), language="es") == (
        "Paper scale",
        ("Paper scale: –, medium",),
    )
