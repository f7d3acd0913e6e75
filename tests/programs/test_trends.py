"""Then and now, the rhythm of a week, and the sentences that say so."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs import progress_words
from programs.trends import rhythm, trend

MONDAY = dt.date(2026, 3, 2)


def day(number: int) -> dt.date:
    return MONDAY + dt.timedelta(days=number)


def weeks_of(*medians: float | None, days: int = 3) -> dict[dt.date, float]:
    """``days`` equal answers in each week; None is a week without any."""
    return {
        day(7 * week + number): value
        for week, value in enumerate(medians)
        if value is not None
        for number in range(days)
    }


# --- trends -----------------------------------------------------------------------------


def test_the_first_known_week_is_compared_with_the_newest():
    found = trend(weeks_of(6, None, 5, 3), started_on=MONDAY, higher_is="worse")
    assert (found.first, found.newest, found.weeks_apart, found.verdict) == (6, 3, 3, "better")
    assert found.band == (4, 8)


def test_two_answers_make_no_week():
    assert trend(weeks_of(6, 3, days=2), started_on=MONDAY, higher_is="worse") is None


def test_answers_from_before_the_program_are_left_out():
    values = {day(-number): 9.0 for number in range(1, 8)} | weeks_of(4, 4)
    assert trend(values, started_on=MONDAY, higher_is="worse").first == 4


@given(st.lists(st.none() | st.integers(0, 10), max_size=8))
def test_a_clear_change_is_never_smaller_than_two_points(medians):
    found = trend(weeks_of(*medians), started_on=MONDAY, higher_is="worse")
    if found and found.verdict != "same":
        assert abs(found.first - found.newest) >= max(2, 0.3 * found.first) - 1e-9


# --- the rhythm ---------------------------------------------


def kept(done, *, today: int, **options):
    return rhythm(since=MONDAY, today=day(today), done={day(n) for n in done}, **options)


def test_what_was_done_counts_on_whatever_day():
    found = kept([1, 3, 6], today=6, weekdays=[0, 2, 4, 5])
    assert (found.this_week.done, found.this_week.planned) == (3, 4)
    assert found.this_week.good


def test_a_missed_day_takes_nothing_away():
    before = kept([0, 1, 2, 3, 4], today=4)
    after = kept([0, 1, 2, 3, 4], today=6)
    assert (before.this_week.done, before.run) == (after.this_week.done, after.run)


def test_this_week_says_how_many_days_are_still_missing():
    assert kept([0, 1, 2], today=3).to_go == 2
    assert kept([0], today=5).to_go is None
    assert kept([0, 1, 2, 3, 4], today=5).to_go == 0


def test_an_unfinished_week_does_not_end_a_run():
    assert kept([*range(5), *range(7, 12)], today=14).run == 2


def test_one_quieter_week_does_not_end_a_run_and_two_do():
    good = [*range(5), *range(14, 19)]
    assert (kept(good, today=20).run, kept(good, today=20).forgiven) == (2, True)
    assert kept([*range(5), *range(21, 26)], today=27).run == 1


def test_the_first_week_plans_only_the_days_from_the_start():
    found = rhythm(since=day(4), today=day(6), done=set())
    assert found.this_week.planned == 3


def test_a_program_of_three_days_a_week_plans_no_more():
    assert kept([], today=3, days_a_week=3).this_week.planned == 3


def test_before_the_first_day_nothing_is_planned_in_the_past():
    found = rhythm(since=day(9), today=day(2), done=set())
    assert len(found.weeks) == 1
    assert found.run == 0


@given(
    done=st.sets(st.integers(0, 40)),
    today=st.integers(0, 40),
    weekdays=st.sets(st.integers(0, 6), min_size=1),
    extra=st.integers(0, 40),
)
def test_one_more_day_never_makes_a_rhythm_worse(done, today, weekdays, extra):
    less = kept(done, today=today, weekdays=weekdays)
    more = kept(done | {extra}, today=today, weekdays=weekdays)
    assert more.run >= less.run
    assert more.this_week.done >= less.this_week.done
    assert 0 <= less.run <= len(less.weeks)


# --- the sentences ---------------------------------------------


@pytest.mark.parametrize(
    ("medians", "said"),
    [
        ((6, 3), "went down: from 6 in your first week to 3"),
        ((3, 6), "went up: from 3 in your first week to 6"),
        ((4, 3), "was 4 in your first week and 3 in your newest week"),
        ((4,), "There are 3 answers so far."),
        ((), "Nothing is known yet."),
    ],
)
def test_the_sentence_under_the_pain_chart_says_what_it_shows(medians, said):
    values = weeks_of(*medians)
    found = trend(values, started_on=MONDAY, higher_is="worse")
    assert said in " ".join(progress_words.pain_words(found, len(values)))


def test_the_threshold_is_named_in_points():
    found = trend(weeks_of(8, 7), started_on=MONDAY, higher_is="worse")
    assert "less than 2.4 points" in " ".join(progress_words.pain_words(found, 6))


def test_stiffness_is_counted_over_two_weeks_and_the_two_before():
    said = progress_words.stiffness_words(recent=(2, 6), earlier=(4, 7))
    assert "stiffer after 2 of 6 routines" in said[0]
    assert "4 of 7 routines" in said[1]
    assert "no answer" in progress_words.stiffness_words(recent=(0, 0), earlier=(1, 2))[0]


def test_a_part_counts_and_what_no_timer_saw_is_said():
    said = " ".join(progress_words.activity_words(done=4, partly=1, reported=2))
    assert "5 routines" in said and "On 1 day you did a part" in said and "striped" in said


def test_a_quiet_week_is_met_kindly():
    said = " ".join(progress_words.rhythm_words(kept([], today=6)))
    assert "is all right" in said


def test_a_run_over_a_quieter_week_says_so():
    said = " ".join(progress_words.rhythm_words(kept([*range(5), *range(14, 19)], today=20)))
    assert "2 good weeks" in said and "changes nothing" in said


def test_other_languages_get_whole_sentences_and_their_own_numbers():
    asked: list[str] = []

    def gettext(words: str) -> str:
        asked.append(words)
        return words

    say = progress_words.Say(gettext=gettext, number=lambda value: f"<{value}>")
    found = trend(weeks_of(6, 3), started_on=MONDAY, higher_is="worse")
    said = progress_words.pain_words(found, 6, say)
    assert "from <6.0> in" in said[0]
    assert all(words.endswith(".") for words in asked)
