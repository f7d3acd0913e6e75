"""A short form that the rules can still live with."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from patients.asking_schedule import EVERY_DAY, IN_TURN, Asked, morning_questions

SCALE = st.integers(0, 10)
# A life of six weeks: how each day was, and whether the patient answered that morning.
DAYS = st.lists(
    st.fixed_dictionaries({"sleep": SCALE, "stress": SCALE, "feels_safe": SCALE}),
    min_size=42,
    max_size=42,
)
COMES = st.lists(st.booleans(), min_size=42, max_size=42)


def live(days: list[dict[str, int]], comes: list[bool]) -> list[tuple[str, ...]]:
    """What is asked on each day; () on a day without a visit. Everything asked is answered."""
    answered: dict[str, dict[int, int]] = {name: {} for name in IN_TURN}
    asked = []
    for today, day in enumerate(days):
        if not comes[today]:
            asked.append(())
            continue
        before = {
            name: {today - when: value for when, value in answers.items()}
            for name, answers in answered.items()
        }
        names = morning_questions(Asked(**before), days_in_program=today)
        asked.append(names)
        for name in set(names) & set(IN_TURN):
            answered[name][today] = day[name]
    return asked


def poor(day: dict[str, int]) -> bool:
    return day["sleep"] <= 3 or day["stress"] >= 8


EVERY_VISIT = [True] * 42


@given(DAYS, COMES)
def test_pain_and_soreness_are_asked_every_morning(days, comes):
    for came, names in zip(comes, live(days, comes), strict=True):
        assert names[:3] == (EVERY_DAY if came else ())
        assert len(names) == len(set(names))


@given(DAYS, COMES)
def test_sleep_and_stress_are_never_left_out_on_two_visits_running(days, comes):
    visits = [names for names in live(days, comes) if names]
    for one, other in itertools.pairwise(visits):
        assert {"sleep", "stress"} <= set(one) | set(other)


@given(DAYS)
def test_three_poor_days_running_are_known_one_day_later_at_the_latest(days):
    asked = live(days, EVERY_VISIT)
    for last in range(2, 41):
        if all(poor(day) for day in days[last - 2 : last + 2]):
            seen = [d for d in range(last - 2, last + 2) if "sleep" in asked[d] and poor(days[d])]
            assert len(seen) >= 3


@given(DAYS)
def test_after_a_poor_answer_every_morning_of_the_week_is_asked(days):
    asked = live(days, EVERY_VISIT)
    for number, day in enumerate(days):
        if "sleep" in asked[number] and poor(day):
            assert all("sleep" in names for names in asked[number + 1 : number + 7])


@given(DAYS, COMES)
def test_how_safe_moving_feels_is_known_of_every_week(days, comes):
    asked = live(days, comes)
    visits = [number for number, names in enumerate(asked) if names]
    answered = [number for number in visits if "feels_safe" in asked[number]]
    for visit in visits:
        if visit >= 7:
            assert any(visit - 7 < number <= visit for number in answered)


@given(DAYS, COMES)
def test_a_low_answer_is_asked_again_soon_so_that_nobody_stays_held(days, comes):
    asked = live(days, comes)
    visits = [number for number, names in enumerate(asked) if names]
    for place, visit in enumerate(visits):
        if "feels_safe" in asked[visit] and days[visit]["feels_safe"] <= 3:
            later = [other for other in visits[place + 1 :] if other >= visit + 2]
            assert not later or "feels_safe" in asked[later[0]]


def test_a_calm_fortnight_asks_little():
    calm = [{"sleep": 7, "stress": 3, "feels_safe": 8}] * 14
    asked = live(calm, [True] * 14)
    extra = [len(names) - 3 for names in asked]
    assert max(extra) == 2
    assert sum(extra) / 14 < 1.4


def test_somebody_who_comes_every_other_day_is_asked_each_time():
    calm = [{"sleep": 7, "stress": 3, "feels_safe": 8}] * 14
    asked = live(calm, [number % 2 == 0 for number in range(14)])
    assert all({"sleep", "stress"} <= set(names) for names in asked if names)
