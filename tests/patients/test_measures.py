"""Scores, when a measure is due, and what a clear change is."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients import measures
from patients.questionnaires import read_questionnaire
from tests.patients.questionnaire_files import WORDS, questionnaire, scale

START = dt.date(2026, 3, 2)
HOUSE = read_questionnaire(questionnaire())


def scores(**answers) -> dict[str, measures.Score]:
    return {found.id: found for found in measures.score(HOUSE, answers)}


def test_a_sum_is_multiplied_and_put_in_its_band():
    found = scores(a="often", b="sometimes", c="always", d=4)
    assert (found["total"].value, found["total"].band) == (12, "much")
    assert (found["part"].value, found["part"].band) == (3.5, "")


def test_one_open_question_counts_like_the_average_of_the_others():
    assert scores(b="sometimes", c="always", d=0)["total"].value == 12


def test_more_open_questions_than_allowed_give_no_score():
    found = scores(c="always", d=1)
    assert found["total"].value is None
    assert found["part"].value == 2


def test_an_open_question_may_count_nothing():
    data = questionnaire()
    data["scoring"]["scores"][0]["missing"] = {"rule": "zero"}
    found = measures.score(read_questionnaire(data), {"c": "always"})
    assert found[0].value == 6


def test_without_a_rule_an_open_question_takes_the_score_away():
    assert scores(a="never", b="never", c="never")["part"].value is None


def test_a_half_goes_up_as_on_paper():
    data = questionnaire(item=[scale("d"), scale("e")])
    data["scoring"]["scores"] = [{"id": "m", "title": "Mean", "method": "mean", "decimals": 0}]
    assert measures.score(read_questionnaire(data), {"d": 2, "e": 3})[0].value == 3


answers = st.fixed_dictionaries(
    {"c": st.sampled_from(WORDS), "d": st.integers(0, 10)},
    optional={"a": st.sampled_from(WORDS), "b": st.sampled_from(WORDS)},
)


@given(answers)
def test_a_score_stays_within_what_its_questions_allow(given_answers):
    assert measures.wrong_answers(HOUSE, given_answers) == {}
    found = {score.id: score for score in measures.score(HOUSE, given_answers)}
    assert found["total"].value is None or 0 <= found["total"].value <= 18
    assert 0 <= found["part"].value <= 6.5


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"c": None}, {"c": "missing"}),
        ({"c": "perhaps"}, {"c": "choice"}),
        ({"d": 11}, {"d": "range"}),
        ({"d": True}, {"d": "range"}),
        ({"d": 2.5}, {"d": "range"}),
        ({"z": 1}, {"z": "unknown"}),
    ],
)
def test_what_cannot_be_kept_is_named(changed, said):
    assert measures.wrong_answers(HOUSE, {"c": "never", "d": 3, **changed}) == said


def named(*pairs: tuple[object, object]) -> list[dict[str, object]]:
    return [{"name": name, "number": number} for name, number in pairs]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (named(("Shoes", 3), ("Garden", 2), ("Film", 10)), ""),
        (named(("Shoes", 3), ("Garden", 2)), "rows"),
        (named(("Shoes", 3), ("Garden", 2), ("shoes ", 1)), "twice"),
        (named(("Shoes", 3), ("Garden", 2), (" ", 1)), "name"),
        (named(("Shoes", 3), ("Garden", 2), ("Film", 11)), "range"),
        ("Shoes", "rows"),
    ],
)
def test_things_that_a_patient_names(rows, said):
    group = {
        "linkId": "mine",
        "type": "group",
        "repeats": True,
        "text": "Mine",
        "extension": [
            {
                "url": "http://hl7.org/fhir/StructureDefinition/questionnaire-minOccurs",
                "valueInteger": 3,
            }
        ],
        "item": [{"linkId": "n", "type": "string", "text": "Name"}, scale("v")],
    }
    data = questionnaire(item=[group])
    data["scoring"]["scores"] = [{"id": "mean", "title": "Mean", "method": "mean"}]
    shape = read_questionnaire(data)
    assert measures.wrong_answers(shape, {"mine": rows}) == ({"mine": said} if said else {})
    if not said:
        assert measures.score(shape, {"mine": rows})[0].value == 5


@pytest.mark.parametrize(
    ("day", "point"),
    [
        (-1, None),
        (0, "start"),
        (20, "start"),
        (21, None),
        (41, None),
        (42, "week_6"),
        (62, "week_6"),
        (63, None),
        (84, "week_12"),
        (111, "week_12"),
        (112, None),
    ],
)
def test_measures_are_due_at_the_start_after_six_and_after_twelve_weeks(day, point):
    found = measures.open_point(started_on=START, today=START + dt.timedelta(days=day))
    assert found == point


def test_only_what_is_asked_at_a_point_and_not_taken_yet_is_due():
    assert measures.due([HOUSE], point="start", taken=set()) == [HOUSE]
    assert measures.due([HOUSE], point="week_6", taken=set()) == []
    assert measures.due([HOUSE], point="start", taken={"house-scale"}) == []
    assert measures.due([HOUSE], point=None, taken=set()) == []


@pytest.mark.parametrize(
    ("first", "last", "higher_is", "words"),
    [
        (6, 4, "worse", "better"),
        (6, 4.1, "worse", "same"),
        (8, 6, "worse", "same"),  # 30 % of 8 is more than two points
        (8, 5.6, "worse", "better"),
        (3, 5, "worse", "worse"),
        (3, 5, "better", "better"),
        (5, 5, "better", "same"),
    ],
)
def test_a_clear_change_is_two_points_and_thirty_percent(first, last, higher_is, words):
    limit = measures.clear_change(first, points=2, percent=30)
    assert measures.change_words(first, last, limit=limit, higher_is=higher_is) == words


def test_without_a_threshold_nobody_says_whether_a_change_is_clear():
    assert measures.clear_change(5, points=None, percent=None) is None
    assert measures.change_words(5, 1, limit=None, higher_is="worse") == "unknown"
