"""The figures of the reports: what they count, how sure they are, and what they leave open."""

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.outcomes import FEWEST, Course, by, mean_of, summarise, wilson

TODAY = dt.date(2026, 3, 2)
pains = st.none() | st.integers(0, 10).map(float)


def course(weeks_ago: int = 10, **known) -> Course:
    facts = {
        "pathway": "Desk worker",
        "template": "Desk",
        "physiotherapist": "Ruth Adeyemi",
        "site": "Harbour Street",
        "started_on": TODAY - dt.timedelta(weeks=weeks_ago),
        "adherence": None,
        "pain_start": None,
        "pain_end": None,
        "activities_start": None,
        "activities_end": None,
    }
    return Course(**(facts | known))


courses = st.lists(
    st.builds(
        course,
        weeks_ago=st.integers(0, 30),
        pain_start=pains,
        pain_end=pains,
        activities_start=pains,
        activities_end=pains,
        adherence=st.none() | st.floats(0, 1),
        pathway=st.sampled_from(["Athlete", "Desk worker"]),
    ),
    max_size=30,
)


def of(*found: Course):
    return summarise("All", found, weeks=6, today=TODAY)


def test_less_pain_counts_as_better_from_two_points_and_thirty_percent():
    small = of(course(pain_start=4.0, pain_end=2.5)).pain
    clear = of(course(pain_start=4.0, pain_end=2.0)).pain
    large_pain = of(course(pain_start=9.0, pain_end=7.0)).pain
    assert (small.improved.count, clear.improved.count) == (0, 1)
    assert large_pain.improved.count == 0, "two points of nine are less than 30 %"


def test_more_activity_is_better_and_less_is_worse():
    found = of(
        course(activities_start=4.0, activities_end=6.0),
        course(activities_start=6.0, activities_end=4.0),
    ).activities
    assert (found.improved.count, found.worse.count, found.mean.value) == (1, 1, 0.0)


def test_a_program_that_has_not_come_so_far_is_not_missing():
    found = of(course(weeks_ago=5, pain_start=5.0))
    assert (found.ahead, found.pain.due, found.pain.missing) == (1, 0, 0)


def test_who_is_missing_is_counted_and_lowers_the_least_share():
    found = of(
        course(pain_start=6.0, pain_end=2.0),
        course(pain_start=6.0),
        course(pain_end=2.0),
        course(),
    ).pain
    assert (found.pairs, found.no_start, found.no_end) == (1, 2, 1)
    assert (found.improved.value, found.at_least) == (1.0, 0.25)


def test_with_few_patients_there_is_no_interval():
    few = of(*[course(pain_start=6.0, pain_end=2.0)] * (FEWEST - 1)).pain
    enough = of(*[course(pain_start=6.0, pain_end=2.0)] * FEWEST).pain
    assert few.improved.low is None
    assert few.mean.low is None
    assert enough.improved.low == pytest.approx(0.5655, abs=1e-3)
    assert enough.improved.high == 1.0


def test_intervals_are_those_of_the_books():
    # Wilson, 81 of 263: Newcombe, Stat Med 1998;17:857, table I.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    found = mean_of([1.0, 2.0, 3.0, 4.0, 5.0])
    assert (found.low, found.high) == pytest.approx((1.0368, 4.9632), abs=1e-3)


@given(courses)
def test_everybody_is_counted_once(found):
    whole = of(*found)
    for change in (whole.pain, whole.activities):
        assert change.pairs + change.no_start + change.no_end == change.due
        assert change.due + whole.ahead == whole.programs == len(found)
        assert change.improved.count + change.worse.count <= change.pairs
    groups = by(found, lambda one: one.pathway, weeks=6, today=TODAY)
    assert sum(group.programs for group in groups) == len(found)
    assert sum(group.pain.improved.count for group in groups) == whole.pain.improved.count


@given(st.integers(0, 500).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_an_interval_holds_its_share_and_stays_between_0_and_1(counted):
    count, number = counted
    low, high = wilson(count, number)
    assert 0 <= low <= high <= 1
    if number:
        assert low <= count / number <= high


@given(st.lists(st.floats(-10, 10), min_size=FEWEST, max_size=60))
def test_an_interval_of_a_mean_is_even_about_it(values):
    found = mean_of(values)
    assert math.isclose(found.value - found.low, found.high - found.value, abs_tol=1e-9)
