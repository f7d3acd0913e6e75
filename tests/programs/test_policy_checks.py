"""Thresholds that can be meant, what they would decide, and made-up courses under them."""

import dataclasses
import math
from dataclasses import asdict, fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.comparing import UnreadableEvidence, decide_again, evidence_from, in_words
from programs.policy_checks import cautions, difference, needs_its_own_reason, nonsense
from programs.policy_files import PolicyFileError, completed, read_policy
from programs.progression import Outcome
from programs.simulating import COURSES, compare_courses
from programs.threshold_words import BY_NAME, NOT_READ, all_thresholds
from programs.thresholds import DEFAULT_POLICIES, Policy
from tests.programs.test_progression import evidence

STRENGTH = [Outcome.PROGRESS, Outcome.HOLD, Outcome.REGRESS, Outcome.STOP]
pathways = st.sampled_from(sorted(DEFAULT_POLICIES))


def whole(pathway: str = "chronic", **changed) -> dict:
    return asdict(DEFAULT_POLICIES[pathway]) | changed


@st.composite
def policies(draw) -> tuple[str, dict]:
    """A whole set of thresholds somebody could mean."""
    pathway = draw(pathways)
    values = {t.name: draw(values_of(t)) for t in all_thresholds()}
    values["pain_ceiling"] = max(values["pain_ceiling"], values["progress_max_pain"])
    values["severe_pain"] = max(values["severe_pain"], values["pain_ceiling"] + 1)
    normal = values["normal_soreness_days"]
    values["long_soreness_days"] = max(values["long_soreness_days"], normal + 1)
    values["adherence_shorter"] = values["adherence_floor"] / 2
    values["auto_policy_offered"] &= pathway != "post_injury"
    return pathway, values


def values_of(threshold) -> st.SearchStrategy:
    if threshold.kind == "switch":
        return st.booleans()
    if threshold.kind == "share":
        percent = st.integers(round(threshold.low * 100), round(threshold.high * 100))
        return percent.map(lambda value: value / 100)
    return st.integers(int(threshold.low), int(threshold.high))


def test_what_is_supplied_can_be_meant_and_needs_no_caution():
    for pathway in DEFAULT_POLICIES:
        assert nonsense(pathway, whole(pathway)) == {}
        assert cautions(pathway, whole(pathway)) == []


def test_every_threshold_that_a_rule_reads_stands_on_the_page():
    assert set(BY_NAME) | NOT_READ == {field.name for field in fields(Policy)}
    assert not set(BY_NAME) & NOT_READ


@given(policies())
def test_whatever_is_in_range_and_in_order_can_be_meant(found):
    pathway, values = found
    assert nonsense(pathway, values) == {}


@given(policies(), st.data())
def test_whatever_is_out_of_range_or_of_another_kind_is_refused_by_name(found, data):
    pathway, values = found
    threshold = data.draw(st.sampled_from(list(all_thresholds())))
    wrong: list[object] = [None, "3", [3], math.nan, math.inf]
    if threshold.kind == "switch":
        wrong += [0, 1, "yes"]
    else:
        wrong += [True, threshold.low - 1, threshold.high + 1]
        wrong += [threshold.low + 0.5] if threshold.kind == "whole" else []
    refused = nonsense(pathway, values | {threshold.name: data.draw(st.sampled_from(wrong))})
    assert list(refused) == [threshold.name]


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"progress_max_pain": 5, "pain_ceiling": 4}, "progress_max_pain"),
        ({"pain_ceiling": 6, "severe_pain": 6}, "pain_ceiling"),
        ({"normal_soreness_days": 7, "long_soreness_days": 7}, "long_soreness_days"),
        ({"adherence_floor": 0.4}, "adherence_floor"),
        ({"no_such_thing": 1}, "no_such_thing"),
    ],
)
def test_thresholds_that_contradict_each_other_are_refused(changed, name):
    assert list(nonsense("chronic", whole(**changed))) == [name]


def test_a_threshold_that_is_missing_is_named():
    given = whole()
    del given["max_effort"]
    assert nonsense("chronic", given) == {"max_effort": "This threshold is missing."}


def test_after_an_injury_no_policy_raises_anybody_and_looser_needs_a_reason():
    assert "auto_policy_offered" in nonsense(
        "post_injury", whole("post_injury", auto_policy_offered=True)
    )
    looser = whole("post_injury", progress_max_pain=3)
    assert [change.name for change in needs_its_own_reason("post_injury", looser)] == [
        "progress_max_pain"
    ]
    assert not needs_its_own_reason("post_injury", whole("post_injury", progress_max_pain=1))
    assert not needs_its_own_reason("chronic", whole(progress_max_pain=4))


def test_a_difference_reads_as_people_say_it():
    changes = difference(
        whole(), whole(adherence_floor=0.6, pain_ceiling=4, auto_policy_offered=False)
    )
    assert [(c.title, c.old, c.new, c.looser) for c in changes] == [
        ("Pain ceiling", "5", "4", False),
        ("Adherence", "70 %", "60 %", True),
        ("Up by the policy", "yes", "no", False),
    ]


# --- what it would decide ----------------------------------------------------------------------


@given(evidence, policies(), st.data())
@settings(max_examples=300)
def test_more_careful_thresholds_never_decide_less_carefully(seen, found, data):
    _, values = found
    threshold = data.draw(st.sampled_from(list(all_thresholds())))
    other = data.draw(values_of(threshold))
    if threshold.is_looser(other, values[threshold.name]):
        careful, loose = values, values | {threshold.name: other}
    else:
        careful, loose = values | {threshold.name: other}, values
    stored = dataclasses.asdict(seen)
    said = decide_again(stored, {}, Policy(**careful), Policy(**loose))
    assert STRENGTH.index(said[0].outcome) >= STRENGTH.index(said[1].outcome)


@given(evidence)
def test_evidence_is_read_back_as_it_was_stored(seen):
    assert evidence_from(dataclasses.asdict(seen)) == seen


@pytest.mark.parametrize("stored", [None, 7, [], {}, {"pathway": "chronic"}])
def test_what_is_no_evidence_is_not_guessed(stored):
    with pytest.raises(UnreadableEvidence):
        evidence_from(stored)


def test_turns_read_as_one_sentence():
    assert in_words({}) == ""
    assert in_words({"HOLD>STOP": 3}) == "stopped 3 more"
    counted = {"HOLD>STOP": 3, "HOLD>REGRESS": 9, "HOLD>PROGRESS": 14, "PROGRESS>HOLD": 2}
    assert in_words(counted) == (
        "stopped 3 more, regressed 9 more, progressed 14 more and progressed 2 fewer"
    )


# --- made-up courses ---------------------------------------------------------------------------


def test_courses_are_the_same_every_time_and_the_same_under_the_same_policy():
    policy = DEFAULT_POLICIES["chronic"]
    once = compare_courses("chronic", policy, policy)
    assert once == compare_courses("chronic", policy, policy)
    assert [one.course for one in once] == list(COURSES)
    assert not any(one.differs for one in once)


def test_longer_at_a_level_reaches_the_next_one_later():
    policy = DEFAULT_POLICIES["athlete"]
    slower = dataclasses.replace(policy, min_days_at_level=14)
    steady = compare_courses("athlete", policy, slower)[0]
    assert steady.old.days_to[0] < steady.new.days_to[0] >= 14


# --- from a file -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "pathway", "words"),
    [
        ([], None, "must hold an object"),
        ({}, "desk", "names no threshold"),
        ({"thresholds": [], "pathway": "desk"}, None, "must be an object"),
        ({"thresholds": {"max_effort": 6}}, None, "Name the pathway"),
        ({"thresholds": {"max_effort": 6}, "pathway": "knee"}, None, "no pathway “knee”"),
        ({"thresholds": {"max_effort": 6}, "colour": 1}, "desk", "Unknown field “colour”"),
    ],
)
def test_a_file_that_is_no_policy_gets_one_clear_error(given, pathway, words):
    with pytest.raises(PolicyFileError, match=words):
        read_policy(given, pathway)


def test_a_file_names_only_what_differs():
    pathway, changed = read_policy({"max_effort": 6}, "desk")
    assert completed(pathway, whole("desk"), changed)["min_days_at_level"] == 7
    with pytest.raises(PolicyFileError, match="max_effort"):
        completed("desk", whole("desk"), {"max_effort": 60})
