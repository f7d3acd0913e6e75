"""The small lines of the board: what is known is drawn, a gap is a gap."""

import re

from hypothesis import given
from hypothesis import strategies as st

from programs import sparklines

PAIN = st.lists(st.none() | st.integers(0, 10), max_size=14)
DONE = st.lists(st.none() | st.integers(0, 2), max_size=14)


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](\S+?) ([\d.]+)", path)]


@given(PAIN)
def test_every_known_day_is_a_point_inside_of_the_field(values):
    drawn = points(sparklines.pain_path(values))
    assert len(drawn) == sum(value is not None for value in values)
    assert all(0 <= x <= sparklines.WIDTH and 0 <= y <= sparklines.HEIGHT for x, y in drawn)
    assert sorted(x for x, _ in drawn) == [x for x, _ in drawn]


@given(PAIN)
def test_a_line_never_runs_through_a_day_that_is_not_known(values):
    path = sparklines.pain_path(values)
    runs = [run for run in re.split("M", path) if run]
    expected = "".join("-" if value is None else "x" for value in values).replace("-", " ").split()
    assert len(runs) == len(expected)
    # A day by itself is a dot
    assert sum(run.endswith("h0") for run in runs) == sum(len(run) == 1 for run in expected)


@given(DONE)
def test_more_done_stands_higher(values):
    path = sparklines.done_path(values)
    assert path.count("M") == sum(value is not None for value in values)
    assert path.count("h0") == values.count(0)
    assert path.count("v-12") == values.count(2) and path.count("v-6") == values.count(1)


def test_more_pain_is_drawn_higher_and_said_in_words():
    (_, low), (_, high) = points(sparklines.pain_path([2, 7]))
    assert high < low
    assert sparklines.pain_words([2, None, 7]) == (
        "pain from 2 to 7 over 14 days, between 2 and 7, 2 days known"
    )
    assert sparklines.pain_words([None]) == "no pain answers in 14 days"
    assert sparklines.done_words([2, 1, 0, None]) == "routine done on 1 of 3 days, 1 partly"
