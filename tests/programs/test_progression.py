"""The rules of progression, by the acceptance cases and by what must hold for any evidence."""

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.cases import CaseError, decide_cases
from programs.progression import (
    Approval,
    Contact,
    Evidence,
    NextStep,
    Outcome,
    SessionEvidence,
    decide,
)
from programs.reasons import REASONS
from programs.thresholds import DEFAULT_POLICIES

CASES = json.loads((Path(__file__).parent.parent / "data/progression-cases.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_acceptance_case_is_decided_exactly_as_expected(case):
    answer = decide_cases([case])[0]
    assert {name: answer[name] for name in case["expected"]} == case["expected"]
    assert answer["reasons"] == [REASONS[rule] for rule in answer["rules"]]


def changed(**fields) -> dict:
    return {**CASES[0], **fields}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"nothing": 1}, "The file must hold a list"),
        ([7], "case 1: the case must be an object"),
        ([changed(colour="red")], "unknown field “colour”"),
        ([{k: v for k, v in CASES[0].items() if k != "lock"}], "field “lock” is missing"),
        ([changed(phase=True)], "“phase” must be a whole number from 0 to 3"),
        ([changed(level=5)], "“level” must be a whole number from 1 to 4"),
        ([changed(adherence=float("nan"))], "“adherence” must be a number from 0 to 1"),
        ([changed(adherence="0.8")], "“adherence” must be a number from 0 to 1"),
        ([changed(pathway=["chronic"])], "“pathway” must be one of"),
        ([changed(sessions=[{**CASES[0]["sessions"][0], "pain_during": 11}])], "pain_during"),
        ([changed(sessions=[{"pain_before": 1}])], "sessions[0].pain_during” is missing"),
        ([changed(next_step={"blocked_by_gate": "dance"})], "next_step.blocked_by_gate"),
        ([changed(weekly_median_pain=[4, None])], "“weekly_median_pain” must be a list"),
    ],
)
def test_malformed_case_gets_one_clear_error(raw, words):
    with pytest.raises(CaseError) as refused:
        decide_cases(raw)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_error_names_the_case_by_place_and_name():
    with pytest.raises(CaseError, match=r"case 2 \(second\): “lock” must be"):
        decide_cases([CASES[0], changed(name="second", lock="open")])


# --- what must hold for any evidence --------------------------------------------------------

scale = st.integers(0, 10)
maybe = st.one_of(st.none(), scale)
flag = st.sampled_from([None, True, False])

sessions = st.builds(
    SessionEvidence,
    pain_before=maybe,
    pain_during=maybe,
    pain_next_morning=maybe,
    completed=st.booleans(),
    form_kept=flag,
    effort_rpe=maybe,
    stiffer_after=flag,
    neck_tension=flag,
    one_sided_pull=flag,
    ref=st.uuids().map(str),
)

evidence = st.builds(
    Evidence,
    pathway=st.sampled_from(sorted(DEFAULT_POLICIES)),
    phase=st.integers(0, 3),
    level=st.integers(1, 4),
    lock=st.sampled_from(["none", "no_progress", "frozen"]),
    auto_policy=st.booleans(),
    pain_ceiling=st.one_of(st.none(), st.integers(2, 6)),
    red_flag=st.sampled_from([None, None, None, "same_day", "emergency"]),
    usual_pain_now=maybe,
    weekly_median_pain=st.lists(st.floats(0, 10), max_size=6).map(tuple),
    weeks_in_program=st.integers(0, 20),
    adherence=st.one_of(st.none(), st.floats(0, 1)),
    check_ins_last_7_days=st.integers(0, 7),
    days_since_last_check_in=st.one_of(st.none(), st.integers(0, 10)),
    symmetrical_soreness_days=st.integers(0, 12),
    fear_of_movement=maybe,
    start_back_risk=st.sampled_from([None, "low", "medium", "high"]),
    poor_recovery_days=st.integers(0, 7),
    days_at_level=st.integers(0, 40),
    sessions_at_level=st.integers(0, 40),
    next_step=st.builds(
        NextStep,
        blocked_by_gate=st.sampled_from([None, None, "rotation", "flexion_loaded"]),
        phase_change=st.booleans(),
        opens_class=st.booleans(),
    ),
    sessions=st.lists(sessions, max_size=6).map(tuple),
)


@st.composite
def good_evidence(draw):
    """Evidence near the edge of progressing, so that the interesting side is visited often."""
    base = draw(evidence)
    good = SessionEvidence(1, 1, 1, True, True, 5, False, False, False, "a")
    return dataclasses.replace(
        base,
        level=draw(st.integers(1, 3)),
        lock="none",
        red_flag=draw(st.sampled_from([None, None, "emergency"])),
        usual_pain_now=1,
        weekly_median_pain=(2, 1),
        adherence=draw(st.sampled_from([None, 0.9])),
        check_ins_last_7_days=7,
        days_since_last_check_in=draw(st.sampled_from([0, 0, None, 4])),
        symmetrical_soreness_days=0,
        fear_of_movement=0,
        start_back_risk=None,
        poor_recovery_days=0,
        days_at_level=30,
        sessions_at_level=30,
        next_step=dataclasses.replace(base.next_step, blocked_by_gate=None),
        sessions=(
            good,
            dataclasses.replace(good, ref="b"),
            dataclasses.replace(good, ref="c", pain_next_morning=draw(st.sampled_from([1, None]))),
        ),
    )


anything = st.one_of(evidence, good_evidence())


def decided(given_evidence, **options):
    return decide(given_evidence, DEFAULT_POLICIES[given_evidence.pathway], **options)


@given(anything)
def test_an_open_red_flag_always_stops_whatever_else_is_known(found):
    decision = decided(found)
    if found.red_flag == "emergency":
        assert (decision.outcome, decision.contact) == (Outcome.STOP, Contact.EMERGENCY)
    elif found.red_flag:
        assert decision.outcome is Outcome.STOP


@given(anything)
def test_missing_or_stale_data_never_progress_anyone(found):
    decision = decided(found)
    last_two = found.sessions[-2:]
    incomplete = (
        len(last_two) < 2
        or any(
            value is None
            for s in last_two
            for value in (s.pain_during, s.pain_next_morning, s.form_kept, s.effort_rpe)
        )
        or found.days_since_last_check_in is None
        or found.days_since_last_check_in > 3
        or found.adherence is None
    )
    if incomplete:
        assert decision.outcome is not Outcome.PROGRESS


@given(anything)
def test_load_grows_only_by_a_clinician_or_an_approved_policy(found):
    decision = decided(found)
    if decision.outcome is Outcome.PROGRESS:
        assert decision.approval in (Approval.CLINICIAN, Approval.POLICY)
        if (
            found.pathway == "post_injury"
            or not found.auto_policy
            or found.next_step.phase_change
            or found.next_step.opens_class
        ):
            assert decision.approval is Approval.CLINICIAN
    else:
        assert decision.approval is not Approval.POLICY


@given(anything)
def test_a_locked_program_never_moves_by_itself(found):
    decision = decided(found)
    if found.lock != "none":
        assert decision.outcome is not Outcome.PROGRESS
    if found.lock == "frozen":
        assert decision.approval is not Approval.APPLIED


@given(anything)
def test_the_decision_is_the_strongest_rule_and_names_every_rule_of_that_strength(found):
    decision = decided(found)
    order = [Outcome.PROGRESS, Outcome.HOLD, Outcome.REGRESS, Outcome.STOP]
    assert decision.outcome == max((rule.outcome for rule in decision.fired), key=order.index)
    assert list(decision.rules) == sorted(
        rule.rule for rule in decision.fired if rule.outcome is decision.outcome
    )
    assert decision.contact == max(
        (rule.contact for rule in decision.fired), key=list(Contact).index
    )
    assert all(rule.answers or rule.rule == "R28" for rule in decision.fired)


@given(anything, st.sampled_from(["pain_during", "pain_next_morning"]))
def test_more_pain_never_makes_the_decision_bolder(found, name):
    order = [Outcome.PROGRESS, Outcome.HOLD, Outcome.REGRESS, Outcome.STOP]
    before = decided(found).outcome
    worse_sessions = tuple(
        dataclasses.replace(s, **{name: min(10, getattr(s, name) + 3)})
        if getattr(s, name) is not None
        else s
        for s in found.sessions
    )
    after = decided(dataclasses.replace(found, sessions=worse_sessions)).outcome
    assert order.index(after) >= order.index(before)


@given(anything)
def test_answers_acted_on_already_hold_instead_of_lowering_again(found):
    first = decided(found)
    acted_on = {rule.rule: rule.refs for rule in first.fired}
    again = decided(found, settled=acted_on)
    with_refs = [rule for rule in first.fired if rule.refs]
    if first.outcome in (Outcome.REGRESS, Outcome.STOP) and len(with_refs) == len(first.fired):
        assert again.outcome is Outcome.HOLD
    assert again.outcome is not Outcome.PROGRESS or first.outcome is Outcome.PROGRESS


def test_a_new_sore_morning_counts_although_the_old_one_was_acted_on():
    flare = SessionEvidence(2, 2, 5, True, True, 5, False, False, False, "new")
    old = dataclasses.replace(flare, ref="old")
    found = dataclasses.replace(
        decided_base(), pathway="chronic", sessions=(old, flare), days_at_level=30
    )
    decision = decided(found, settled={"R08": frozenset({"old"})})
    assert (decision.outcome, decision.rules) == (Outcome.REGRESS, ("R08",))


def decided_base() -> Evidence:
    return Evidence(
        pathway="chronic",
        phase=1,
        level=1,
        usual_pain_now=2,
        weekly_median_pain=(2.0, 2.0),
        adherence=0.9,
        check_ins_last_7_days=7,
        days_since_last_check_in=0,
        days_at_level=30,
        sessions_at_level=20,
    )
