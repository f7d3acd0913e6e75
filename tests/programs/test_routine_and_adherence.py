"""The routine of a day and the share that was done, for any program and any fortnight."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.adherence import adherence
from programs.routine import BUDGET_S, TOLERANCE_S, Candidate, dose_seconds, is_on, routine_of

CLASSES = ["breathing", "mobility", "isometric", "anti_extension", "hinge_loaded", "release"]
candidates = st.lists(
    st.builds(
        Candidate,
        exercise=st.uuids().map(str),
        movement_class=st.sampled_from(CLASSES),
        loaded=st.booleans(),
        days_per_week=st.integers(1, 7),
        seconds=st.integers(30, 500),
        order=st.integers(1, 20),
    ),
    min_size=1,
    max_size=9,
)


@given(candidates, st.integers(0, 400))
def test_a_routine_fits_about_ten_minutes_warms_up_first_and_releases_last(found, day):
    routine = routine_of(found, day_index=day)
    if len(routine) > 1:
        assert sum(c.seconds for c in routine) <= BUDGET_S + TOLERANCE_S
    rank = {"breathing": 0, "mobility": 1, "isometric": 2, "release": 4}
    places = [rank.get(c.movement_class, 3) for c in routine]
    assert places == sorted(places)
    assert len({c.exercise for c in routine}) == len(routine)


@given(candidates, st.integers(0, 400))
def test_every_day_has_something_unless_only_loaded_exercises_rest(found, day):
    if any(not c.loaded for c in found):
        assert routine_of(found, day_index=day)


@given(candidates, st.integers(0, 400))
def test_loaded_exercises_are_never_on_two_days_running(found, day):
    def loaded(index: int, yesterday: bool = False) -> bool:
        today = routine_of(found, day_index=index, loaded_yesterday=yesterday, budget_s=100_000)
        return any(c.loaded for c in today)

    if all(c.days_per_week == found[0].days_per_week for c in found if c.loaded):
        assert not (loaded(day) and loaded(day + 1))
    # Whatever was prescribed, what was really done yesterday decides.
    assert not loaded(day, yesterday=True)


@given(st.lists(st.integers(60, 300), min_size=2, max_size=8))
def test_when_not_everything_fits_every_exercise_still_gets_its_turn(seconds):
    found = [Candidate(f"e{n}", "anti_extension", False, 7, s, n) for n, s in enumerate(seconds, 1)]
    seen = {c.exercise for day in range(len(found)) for c in routine_of(found, day_index=day)}
    assert seen == {c.exercise for c in found}


@given(st.integers(1, 7), st.integers(0, 300), st.integers(0, 20))
def test_days_per_week_is_what_any_seven_days_hold(days, start, offset):
    assert sum(is_on(days, start + n, offset) for n in range(7)) == days


def test_the_time_of_a_dose_counts_both_sides_holds_and_rest():
    assert dose_seconds(
        sets=2, reps=6, hold_s=3, per_side=True, seconds_per_rep=5, rest_s=20
    ) == 2 * (6 * 8 * 2 + 20)


TODAY = dt.date(2026, 3, 20)


def days_ago(*offsets: int, status: str = "done") -> dict[dt.date, str]:
    return {TODAY - dt.timedelta(days=offset): status for offset in offsets}


def test_today_counts_only_once_something_is_recorded():
    since = TODAY - dt.timedelta(days=3)
    assert adherence(today=TODAY, active_since=since, sessions=days_ago(1, 2, 3)) == 1.0
    assert adherence(today=TODAY, active_since=since, sessions=days_ago(0, 1)) == 0.5
    assert adherence(today=TODAY, active_since=TODAY, sessions={}) is None


@pytest.mark.parametrize(("status", "worth"), [("done", 1.0), ("partly", 0.5), ("skipped", 0.0)])
def test_partly_counts_half_and_skipped_nothing(status, worth):
    since = TODAY - dt.timedelta(days=1)
    assert adherence(today=TODAY, active_since=since, sessions=days_ago(1, status=status)) == worth


@given(
    st.integers(0, 60),
    st.dictionaries(st.integers(0, 60), st.sampled_from(["done", "partly", "skipped"])),
)
def test_adherence_is_a_share_and_looks_back_fourteen_days_only(begun, told):
    sessions = {TODAY - dt.timedelta(days=n): s for n, s in told.items() if n <= begun}
    since = TODAY - dt.timedelta(days=begun)
    share = adherence(today=TODAY, active_since=since, sessions=sessions)
    recent = {day: s for day, s in sessions.items() if (TODAY - day).days < 14}
    assert share is None or 0 <= share <= 1
    assert share == adherence(today=TODAY, active_since=since, sessions=recent)
