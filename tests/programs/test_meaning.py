"""What a check-in means in words, and where on the body it is felt."""

import datetime as dt
import re
import uuid

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from patients.checking_in import answered_before, record_check_in
from patients.models import CheckIn
from programs import meaning
from programs.answer_forms import AfterSessionForm, MorningForm
from programs.body_map import BANDS, EVEN_AREAS, SIDED_AREAS, side_and_place
from programs.meaning import MOST, Answers, Meaning, meaning_of
from tests.conftest import MONDAY
from tests.living import GOOD_AFTER

SCALE = st.none() | st.integers(0, 10)
ANY = st.builds(
    Answers,
    pain_before=SCALE,
    pain_during=SCALE,
    pain_this_morning=SCALE,
    soreness=st.sampled_from(["", "none", "even", "one_sided"]),
    stiffer_after=st.none() | st.booleans(),
    neck_tension=st.none() | st.booleans(),
    sleep=SCALE,
    stress=SCALE,
    feels_safe=SCALE,
)
ALL = [value for value in vars(meaning).values() if isinstance(value, Meaning)]


def said(**answers: object) -> list[Meaning]:
    return meaning_of(Answers(**answers), comfortable=3, ceiling=5)


@given(ANY, st.integers(0, 4), st.integers(2, 6))
def test_a_few_sentences_and_none_twice(answers, comfortable, ceiling):
    found = meaning_of(answers, comfortable=comfortable, ceiling=ceiling)
    assert len(found) <= MOST
    assert len(set(found)) == len(found)


@given(ANY)
def test_what_the_decision_says_is_not_said_again(answers):
    every_rule = {rule for one in ALL for rule in one.rules}
    found = meaning_of(answers, comfortable=3, ceiling=5, rules=every_rule)
    assert not any(one.rules for one in found)


@pytest.mark.parametrize(
    ("answers", "first"),
    [
        ({"pain_during": 3}, meaning.COMFORTABLE),
        ({"pain_during": 5}, meaning.ACCEPTABLE),
        ({"pain_during": 6}, meaning.TOO_MUCH),
        ({"pain_during": 2, "soreness": "one_sided"}, meaning.PULL),
        ({"pain_during": 2, "soreness": "even"}, meaning.EVEN),
        ({"pain_before": 2, "pain_this_morning": 4}, meaning.SORER),
        ({"pain_before": 2, "pain_this_morning": 2}, meaning.SETTLED),
        ({"sleep": 3}, meaning.TIRED),
        ({"stress": 8}, meaning.TIRED),
        ({"feels_safe": 3}, meaning.NOT_SURE_OF_MOVING),
    ],
)
def test_what_matters_most_comes_first(answers, first):
    assert said(**answers)[0] == first


def test_nothing_noteworthy_needs_no_words():
    assert said(pain_before=2, pain_this_morning=3, sleep=6, stress=4, feels_safe=8) == []


def test_no_sentence_frightens_blames_or_diagnoses():
    never = re.compile(r"damage|unstable|weak|danger|fail|injur|should have|diagnos", re.IGNORECASE)
    assert ALL
    for one in ALL:
        assert not never.search(one.words)
        assert all(len(sentence.split()) <= 22 for sentence in re.split(r"[.!?]", one.words))


# --- where on the body ---------------------------------------------------------------------------


def test_every_area_has_a_name_of_its_own_and_a_place_of_the_record():
    for areas in (EVEN_AREAS, SIDED_AREAS):
        names = [name for _, name in areas]
        assert len(set(names)) == len(names)
    assert {area for area, _ in EVEN_AREAS} == set(CheckIn.Place.values)
    found = {side_and_place(area) for area, _ in SIDED_AREAS}
    assert found == {
        (side, place) for side in CheckIn.Side.values for place in CheckIn.Place.values
    }


def test_a_side_is_named_as_it_lies():
    for area, name in SIDED_AREAS:
        side, _ = side_and_place(area)
        assert side in name.lower()


@given(st.text(max_size=20))
def test_what_is_no_area_is_refused(text):
    if text not in dict(SIDED_AREAS):
        with pytest.raises(ValueError, match="no area"):
            side_and_place(text)


def test_bands_are_tall_enough_for_a_thumb():
    assert all(band.height >= 48 for band in BANDS)


AFTER = {
    "pain_before": "2",
    "pain_during": "2",
    "effort": "5",
    "form_kept": "yes",
    "stiffer_after": "no",
    "neck_tension": "no",
}


@pytest.mark.parametrize(
    ("felt", "kept"),
    [
        ({"soreness": "none", "pull_at": "left-thigh"}, ("none", "", "")),
        ({"soreness": "even"}, ("even", "", "")),
        ({"soreness": "even", "sore_at": "lower_back"}, ("even", "", "lower_back")),
        ({"soreness": "one_sided", "pull_at": "left-thigh"}, ("one_sided", "left", "thigh")),
        ({"soreness": "one_sided", "pull_at": "right-neck", "sore_at": "thigh"},
         ("one_sided", "right", "neck")),
    ],
)  # fmt: skip
def test_the_side_comes_from_the_place(felt, kept):
    form = AfterSessionForm({**AFTER, **felt, "client_id": str(uuid.uuid4())}, exercises={})
    assert form.is_valid(), form.errors
    answers = form.answers()
    assert (answers["soreness"], answers["side"], answers["place"]) == kept
    assert not {"sore_at", "pull_at"} & set(answers)


def test_a_morning_takes_answers_that_the_page_did_not_ask_for():
    answers = {"pain_this_morning": "2", "usual_pain": "2", "soreness": "none", "sleep": "3"}
    form = MorningForm(
        {**answers, "client_id": str(uuid.uuid4())},
        asked=("pain_this_morning", "usual_pain", "soreness"),
    )
    shown = [question["field"].name for question in form.shown()]
    assert "sleep" not in shown and shown[-1] == "note"
    assert form.is_valid() and form.answers()["sleep"] == 3


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({"soreness": "none", "place": "thigh"}, "place"),
        ({"soreness": "even", "place": "knee"}, "place"),
        ({"soreness": "one_sided", "place": "thigh"}, "side"),
    ],
)
def test_a_place_that_cannot_be_is_refused_in_words(patient, answers, field):
    with pytest.raises(ValidationError) as refused:
        record_check_in(
            patient=patient,
            kind="after_session",
            client_id=uuid.uuid4(),
            day=MONDAY.date(),
            at=MONDAY,
            **{**GOOD_AFTER, **answers},
        )
    assert list(refused.value.message_dict) == [field]
    assert not CheckIn.objects.exists()


def test_the_turns_count_from_what_was_answered(patient):
    for days_ago, sleep in ((3, 2), (1, None), (20, 9)):
        CheckIn.objects.create(
            patient=patient,
            kind="daily",
            client_id=uuid.uuid4(),
            day=MONDAY.date() - dt.timedelta(days=days_ago),
            at=MONDAY,
            sleep=sleep,
            feels_safe=8,
        )
    asked = answered_before(patient, today=MONDAY.date())
    assert (asked.sleep, asked.feels_safe) == ({3: 2}, {3: 8, 1: 8})
