"""Charts: everything stands inside of its field, and nothing is drawn where nothing is known."""

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.charts import Week, bar_chart, line_chart, move, runs

START = dt.date(2026, 3, 2)


def day(number: int) -> dt.date:
    return START + dt.timedelta(days=number)


def chart(values: dict[int, float], *, last: int = 20, **options):
    placed = {day(number): value for number, value in values.items()}
    return line_chart(
        placed, **{"first": START, "last": day(last), "low": 0, "high": 10, **options}
    )


def test_higher_values_stand_higher_and_later_days_further_on():
    dots = chart({0: 2, 1: 8}).dots
    assert dots[0].x < dots[1].x
    assert dots[0].y > dots[1].y


def test_a_line_stops_where_a_day_is_missing():
    found = chart({0: 2, 1: 3, 3: 4, 4: 4, 5: 5, 9: 1})
    assert [len(line.split()) for line in found.lines] == [2, 3]
    assert len(found.dots) == 6


def test_a_line_may_bridge_a_few_days_where_it_is_asked_rarely():
    assert len(chart({0: 2, 3: 3, 6: 4, 12: 5}, joins=3).lines) == 1


def test_the_band_lies_around_the_first_value():
    found = chart({0: 5}, band=(3, 7))
    dot = found.dots[0]
    assert found.band.y < dot.y < found.band.y + found.band.height


def test_the_words_of_the_band_keep_away_from_the_dots():
    found = chart(dict.fromkeys(range(8), 6.0), band=(3, 7))
    assert all(abs(found.band.word_y - 4 - dot.y) >= 11 for dot in found.dots)


def test_versions_are_marks_after_the_first_day_and_neighbours_share_one():
    found = chart({0: 5}, versions=[(START, "1"), (day(5), "2"), (day(5), "3"), (day(15), "4")])
    assert [mark.label for mark in found.marks] == ["3", "4"]


def test_one_day_alone_is_a_dot_and_one_label():
    found = chart({0: 5}, last=0)
    assert (found.lines, len(found.dots), len(found.days)) == ((), 1, 1)


def test_an_empty_chart_has_a_scale_and_days_and_no_dot():
    found = chart({})
    assert found.newest is None
    assert found.scale and found.days and not found.lines


@pytest.mark.parametrize("options", [{"low": 10}, {"last": day(-1)}])
def test_a_chart_without_length_is_refused(options):
    with pytest.raises(ValueError, match=r"scale|day"):
        chart({0: 5}, **options) if "low" in options else line_chart(
            {}, first=START, low=0, high=10, **options
        )


values = st.dictionaries(st.integers(-5, 120), st.floats(-2, 12, allow_nan=False), max_size=40)


@given(values=values, last=st.integers(0, 110), joins=st.integers(1, 7))
def test_whatever_was_answered_it_stays_inside_and_in_order(values, last, joins):
    found = chart(values, last=last, joins=joins, band=(3, 7), versions=[(day(9), "2")])
    assert len(found.dots) == sum(0 <= number <= last for number in values)
    assert [dot.x for dot in found.dots] == sorted(dot.x for dot in found.dots)
    for dot in found.dots:
        assert found.left <= dot.x <= found.right
        assert found.top <= dot.y <= found.bottom
    for run in runs(found.dots, joins):
        assert all((b.day - a.day).days <= joins for a, b in itertools.pairwise(run))
    assert found.top <= found.band.y <= found.band.y + found.band.height <= found.bottom + 0.1
    assert all(found.left <= mark.x <= found.right for mark in found.marks)


@given(
    st.lists(st.tuples(st.floats(0, 7), st.floats(0, 7), st.none() | st.floats(0, 9)), max_size=30)
)
def test_bars_stay_inside_and_never_overlap(amounts):
    weeks = [
        Week(day(7 * place), {"timed": timed, "reported": reported}, planned=planned)
        for place, (timed, reported, planned) in enumerate(amounts)
    ]
    found = bar_chart(weeks, high=7)
    assert len(found.bars) == len(weeks)
    for bar in found.bars:
        assert found.left <= bar.x and bar.end <= found.right + 0.1
        assert bar.plan_y is None or found.top <= bar.plan_y <= found.bottom
        assert all(part.y >= found.top - 0.1 for part in bar.parts)
        assert bar.label_y > 0
    for one, other in itertools.pairwise(found.bars):
        assert one.end <= other.x


def test_a_bar_is_as_high_as_its_amounts_together():
    found = bar_chart([Week(START, {"timed": 3, "reported": 2})], high=7)
    high = sum(part.height for part in found.bars[0].parts)
    assert high == pytest.approx((found.bottom - found.top) * 5 / 7, abs=0.2)
    assert found.bars[0].label == "5"


def test_one_week_is_no_wall():
    alone = bar_chart([Week(START, {"timed": 3})], high=7).bars[0].width
    assert alone < 60


@given(then=st.none() | st.floats(0, 10), now=st.floats(0, 10))
def test_then_and_now_stand_on_their_line(then, now):
    found = move(then, now, low=0, high=10)
    assert found.left <= found.now_x <= found.right
    assert (found.then_x is None) == (then is None)
    assert not found.moved or then != now
