"""Days of the week as a mask."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients import weekdays
from patients.weekdays import falls_on, in_words, mask_of, weekdays_of

days = st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1))


@given(st.sets(st.integers(0, 6)))
def test_given_any_days_then_the_mask_gives_them_back_in_order(chosen):
    assert weekdays_of(mask_of(chosen)) == sorted(chosen)


@given(st.integers(1, 127), days)
def test_given_any_mask_then_a_date_falls_on_it_by_its_weekday_alone(mask, day):
    assert falls_on(mask, day) == (day.weekday() in weekdays_of(mask))
    assert falls_on(mask, day) == falls_on(mask, day + dt.timedelta(days=7))


@given(st.integers(1, 127))
def test_given_any_mask_then_no_other_is_said_with_the_same_words(mask):
    assert [other for other in range(1, 128) if in_words(other) == in_words(mask)] == [mask]


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (1, "Monday"),
        (64, "Sunday"),
        (1 + 4, "Monday and Wednesday"),
        (1 + 4 + 16, "Monday, Wednesday and Friday"),
        (31, "Monday to Friday"),
        (96, "at the weekend"),
        (weekdays.EVERY_DAY, "every day"),
    ],
)
def test_given_a_mask_then_it_is_said_as_people_say_it(mask, words):
    assert in_words(mask) == words


@pytest.mark.parametrize("wrong", [-1, 7])
def test_given_a_number_that_is_no_weekday_then_there_is_no_mask(wrong):
    with pytest.raises(ValueError, match="No weekday"):
        mask_of([wrong])
