"""Red-flag questions and the suggestion of a pathway, for any answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.red_flags import ANSWERS, BY_ID, QUESTIONS, REPEATED, assess, complete
from patients.screening import EQUIPMENT, GOALS, IMBALANCES, PREFERENCES, IntakeAnswers, suggest
from programs.content_files import read_content

answer_sets = st.fixed_dictionaries({q.id: st.sampled_from(ANSWERS) for q in REPEATED})


@given(answer_sets)
def test_any_yes_or_not_sure_counts_and_emergency_wins(answers):
    found = assess(answers)
    counting = {qid for qid, answer in answers.items() if answer != "no"}
    assert set(found.raised) == counting
    severities = {BY_ID[qid].severity for qid in counting}
    expected = "emergency" if "emergency" in severities else "same_day" if counting else None
    assert found.severity == expected


@pytest.mark.parametrize("question", [q for q in REPEATED if q.severity == "emergency"])
def test_each_emergency_question_alone_is_enough(question):
    answers = {q.id: "no" for q in REPEATED} | {question.id: "not_sure"}
    assert assess(answers).severity == "emergency"


def test_the_age_of_the_first_pain_asks_for_a_look_not_for_a_stop():
    answers = {q.id: "no" for q in QUESTIONS} | {"age_of_onset": "yes"}
    found = assess(answers, questions=QUESTIONS)
    assert (found.severity, found.review) == (None, ("age_of_onset",))


@pytest.mark.parametrize(
    "broken", [{}, {"bladder": "perhaps"}, {"colour": "yes"}, {"bladder": "no"}]
)
def test_a_set_with_a_hole_or_an_unknown_answer_is_never_read_as_no(broken):
    with pytest.raises(ValueError, match=r"question|answer"):
        assess(broken)


def test_what_was_left_out_is_never_kept_as_an_answer_but_is_read_the_careful_way():
    found = assess(complete({"infection": "yes"}))
    assert found.raised == {"infection": "yes"}
    assert found.severity == "emergency", "the emergency questions were not answered no"
    answered = {q.id: "no" for q in REPEATED if q.severity == "emergency"}
    assert assess(complete(answered | {"infection": "yes"})).severity == "same_day"
    with pytest.raises(ValueError, match="not answered"):
        assess(complete({"infection": "no"}))


intakes = st.builds(
    IntakeAnswers,
    pain_now=st.integers(0, 10),
    usual_pain=st.integers(0, 10),
    pain_weeks=st.integers(0, 400),
    sitting_hours=st.integers(0, 16),
    stress=st.integers(0, 10),
    sleep=st.integers(0, 10),
    feels_safe=st.integers(0, 10),
    recent_injury=st.booleans(),
    plays_sport=st.booleans(),
    comes_back_yearly=st.booleans(),
    imbalances=st.lists(st.sampled_from(sorted(IMBALANCES)), unique=True).map(tuple),
    goals=st.lists(st.sampled_from(sorted(GOALS)), unique=True).map(tuple),
    preferences=st.lists(st.sampled_from(sorted(PREFERENCES)), unique=True).map(tuple),
    equipment=st.lists(st.sampled_from(sorted(EQUIPMENT)), unique=True).map(tuple),
)


@given(intakes)
def test_every_suggestion_is_explained_and_its_template_fits_its_pathway(answers):
    found = suggest(answers)
    templates = {t["slug"]: t for t in TEMPLATES}
    assert found.reasons
    assert found.pathway in templates[found.template]["pathways"]
    if answers.recent_injury or "after_injury" in answers.goals:
        assert found.pathway == "post_injury"
    if answers.fear >= 7:
        assert any("Fear of movement" in caution for caution in found.cautions)
        assert found.template != "posterior-chain"


TEMPLATES = read_content().templates
