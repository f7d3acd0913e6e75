"""Days on which no routine is asked for: no reminder, no silence, and nothing missed."""

import csv
import datetime as dt
import io
import itertools

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from clinic.models import OutboxMessage
from programs import caseload_rows, evidence, reminder_reasons, taper
from programs.adherence import adherence
from programs.asked_for import Held, asked_by, is_asked, silent_days, weekdays_asked
from programs.cadence import Span
from programs.last_look import objections
from programs.models import Program
from programs.reminders import plan_reminders, reconcile, upcoming
from programs.seeing import progress_of
from programs.thresholds import DEFAULT_POLICIES
from programs.upkeep import build_again, keep_up
from tests.conftest import MONDAY
from tests.living import at_day, do_morning, do_session

Kind = OutboxMessage.Kind
DAY = dt.timedelta(days=1)
START = MONDAY.date()


def steps(*days: int, first: dt.date = START, weeks_each: int = 2) -> list[dict]:
    found, wrong = taper.schedule(days, first=first, weeks_each=weeks_each)
    assert not wrong
    return taper.as_json(found)


falling = st.sets(st.integers(1, 6), min_size=1, max_size=4).map(
    lambda days: tuple(sorted(days, reverse=True))
)


# --- the one idea ------------------------------------------------------------------------------


@given(days=falling, begins=st.integers(0, 30), weekday=st.integers(0, 6), on=st.integers(0, 90))
def test_the_weekdays_of_a_taper_are_the_days_it_asks_for(days, begins, weekday, on):
    started = START + weekday * DAY
    stored = steps(*days, first=started + begins * DAY)
    span = Span(started, asked=weekdays_asked(stored, started_on=started))
    day = started + on * DAY
    masked = bool(span.asked_on(day) >> day.weekday() & 1)
    assert masked == is_asked(stored, day, started_on=started)


@given(days=falling, on=st.integers(0, 90))
def test_who_did_all_that_was_asked_for_has_done_everything_and_is_never_silent(days, on):
    asked = asked_by([Held(START, []), Held(START + 10 * DAY, steps(*days))], started_on=START)
    done = [day for day in (START + n * DAY for n in range(on + 1)) if asked(day)]
    today = START + on * DAY
    sessions = dict.fromkeys(done, "done")
    assert adherence(today=today, active_since=START, sessions=sessions, asked=asked) in (1.0, None)
    assert silent_days(since=done[-1], answered=True, today=today, asked=asked) == 0


def test_a_day_of_two_versions_is_asked_for_by_both_and_a_day_before_by_its_own():
    held = [Held(START, []), Held(START + 7 * DAY, steps(1)), Held(START + 9 * DAY, [])]
    asked = asked_by(held, started_on=START)
    assert [asked(START + n * DAY) for n in range(6, 11)] == [True, True, False, False, True]


def test_silence_begins_with_a_day_that_asked_for_a_routine():
    asked = asked_by([Held(START, steps(1))], started_on=START)
    since = {"since": START, "answered": True, "asked": asked}
    assert [silent_days(today=START + n * DAY, **since) for n in (0, 3, 6, 7, 9)] == [0, 0, 0, 1, 3]
    assert silent_days(today=START + 3 * DAY, since=START, answered=True) == 3
    assert silent_days(today=START + 3 * DAY, since=START, answered=False) == 3
    assert silent_days(today=START - DAY, since=START, answered=False) is None


# --- a patient who keeps up what was reached -----------------------------------------------------


@pytest.fixture
def kept_up(make_patient, make_program, physio) -> Program:
    """On one day a week, the Monday, from the first day on; reminded by e-mail every day."""
    program = make_program(patient=make_patient(phone=""))
    keep_up(program=program, by=physio, reason="Reached.", days=(1,), at=MONDAY)
    return Program.objects.whole().get(pk=program.pk)


def live(program: Program, days: int) -> None:
    """Every routine that is asked for is done; the day is planned at its hour."""
    for number in range(days):
        plan_reminders(at=at_day(number, 8))
        if number % 7 == 0:
            do_session(program, number)


def planned() -> list[tuple[int, str]]:
    rows = OutboxMessage.objects.exclude(kind=Kind.ROUTINE_CHANGED).order_by("local_date")
    return [((day - START).days, kind) for day, kind in rows.values_list("local_date", "kind")]


@pytest.mark.django_db
def test_given_a_day_off_then_nothing_reminds_and_nobody_is_called_silent(kept_up):
    live(kept_up, 22)
    assert planned() == [(number, Kind.ROUTINE_REMINDER) for number in (0, 7, 14, 21)]


@pytest.mark.django_db
def test_given_a_missed_routine_then_the_kind_message_comes_with_the_next_one(kept_up):
    live(kept_up, 8)
    for number in range(8, 22):
        plan_reminders(at=at_day(number, 8))
    assert planned()[2:] == [(14, Kind.ROUTINE_REMINDER), (21, Kind.SILENCE)]


@pytest.mark.django_db
def test_given_all_that_was_asked_for_then_the_board_the_rules_and_the_chart_say_so(kept_up):
    live(kept_up, 15)
    at = at_day(19, 20)
    row = caseload_rows.row_of(kept_up.patient, at=at)
    assert (row.need in ("silent", "long_silent"), row.silent_days, row.adherence) == (
        False,
        0,
        100,
    )
    assert row.done_trend == [None, 2, *[None] * 6, 2, *[None] * 5]
    gathered = evidence.gather(kept_up, policy=DEFAULT_POLICIES["desk"], at=at)
    assert gathered.evidence.adherence == 1.0
    rhythm = progress_of(program=kept_up, at=at).rhythm
    assert [(week.planned, week.done) for week in rhythm.weeks] == [(1, 1)] * 3


@pytest.mark.django_db
def test_given_all_that_was_asked_for_then_the_report_says_so(client, physio, kept_up):
    live(kept_up, 43)
    client.force_login(physio)
    with time_machine.travel(MONDAY + dt.timedelta(weeks=10), tick=False):
        text = client.get("/clinic/reports.csv").content.decode("utf-8-sig")
    [desk, _whole] = csv.DictReader(io.StringIO(text))
    assert desk["Adherence, median"] == "1.0"


@pytest.mark.django_db
def test_given_steps_of_a_taper_then_reminders_follow_them_and_are_those_foretold(
    make_patient, make_program, physio
):
    program = make_program(patient=make_patient(phone=""))
    keep_up(program=program, by=physio, reason="Reached.", days=(3, 1), weeks_each=1, at=MONDAY)
    plan_reminders(at=MONDAY - DAY)
    said = upcoming(patient=program.patient, at=MONDAY, count=4)
    for number in range(15):
        # Beat looks at everybody once an hour.
        reconcile(at=at_day(number, 1))
        plan_reminders(at=at_day(number, 8))
        do_morning(program, number)
    assert [day for day, _kind in planned()] == [0, 3, 5, 7, 14]
    assert [(one.day - START).days for one in said] == [0, 3, 5, 7]


@pytest.mark.django_db
def test_given_a_reminder_waits_when_its_day_is_taken_away_then_it_is_held_back(
    make_patient, make_program, physio
):
    program = make_program(patient=make_patient(phone=""))
    plan_reminders(at=MONDAY)
    plan_reminders(at=at_day(1, 8))
    messages = list(OutboxMessage.objects.order_by("local_date"))
    keep_up(program=program, by=physio, reason="Reached.", days=(1,), at=at_day(1, 8))
    said = objections(messages=messages[1:], at=at_day(1, 8))
    assert list(said.values()) == [reminder_reasons.NO_ROUTINE]
    build_again(program=program, by=physio, reason="On again.", at=at_day(1, 9))
    assert objections(messages=messages[1:], at=at_day(1, 9)) == {}


@pytest.mark.django_db
def test_given_no_chosen_day_has_a_routine_then_nothing_is_to_come(kept_up):
    kept_up.patient.contact_points.update(reminder_days=0b0000110)
    for number in range(10):
        plan_reminders(at=at_day(number, 8))
    assert planned() == []
    assert list(itertools.islice(upcoming(patient=kept_up.patient, at=MONDAY), 1)) == []
