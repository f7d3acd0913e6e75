"""A week on paper: entered by staff as back-filled, looked at once, and never raised by when it
is old or has holes."""

import datetime as dt
import uuid

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from clinic.models import AccessRecord
from programs.adjusting import Change, adjust_program
from programs.clinician.timeline import time_line
from programs.models import Program, Proposal, Session
from programs.paper import PaperDay, enter_paper
from tests.conftest import MONDAY
from tests.living import GOOD_AFTER, GOOD_MORNING, at_day, report_session

pytestmark = pytest.mark.django_db
MORNING = {name: GOOD_MORNING[name] for name in ("pain_this_morning", "usual_pain", "soreness")}


def line(number: int, **changes) -> PaperDay:
    """A good day with every answer, on the program's day ``number``."""
    return PaperDay(
        **{
            "day": at_day(number).date(),
            "status": "done",
            "after": dict(GOOD_AFTER),
            "morning": dict(MORNING),
            **changes,
        }
    )


@pytest.fixture
def enter(program, physio):
    def enter_(days, number, **options):
        """Enter ``days`` at nine o'clock of the program's day ``number``."""
        return enter_paper(
            program=Program.objects.whole().get(pk=program.pk),
            days=days,
            **{"client_id": uuid.uuid4(), "by": physio, "at": at_day(number), **options},
        )

    return enter_


def good_week() -> list[PaperDay]:
    return [line(number) for number in range(1, 8)]


# --- what is kept --------------------------------------------------------------------------------


def test_a_week_is_kept_as_back_filled_with_its_answers(enter, program, physio):
    entered = enter(good_week(), 8)
    sessions = list(program.sessions.order_by("day"))
    assert [s.pk for s in entered.sessions] == [s.pk for s in sessions] and len(sessions) == 7
    for session in sessions:
        assert session.known == Session.Known.BACK_FILLED and session.status == "done"
        assert session.after_check_in.pain_during == 2
        assert session.morning_check_in.day == session.day + dt.timedelta(days=1)
    hand = AccessRecord.objects.filter(actor=physio, page="paper", action="change")
    assert hand.count() == 21
    told = [e for e in time_line(patient=program.patient).entries if e.kind == "session"]
    assert told[0].who == "from paper, entered by Ruth Adeyemi"


def test_the_same_form_sent_twice_is_one_week(enter, program):
    client_id = uuid.uuid4()
    first = enter(good_week(), 8, client_id=client_id)
    again = enter(good_week(), 8, client_id=client_id)
    assert [s.pk for s in first.sessions] == [s.pk for s in again.sessions]
    assert program.sessions.count() == 7 and program.patient.check_ins.count() == 14


def test_given_a_kept_week_when_sent_again_with_one_more_day_then_it_is_refused_in_words(
    enter, program
):
    client_id = uuid.uuid4()
    enter(good_week()[:6], 8, client_id=client_id)
    with pytest.raises(ValidationError, match=r"sent before, with other days.*Open the page anew"):
        enter(good_week(), 8, client_id=client_id)
    assert program.sessions.count() == 6
    enter(good_week()[6:], 8)
    assert program.sessions.count() == 7


def test_a_day_that_is_known_keeps_what_it_has_and_the_week_is_not_kept(enter, program):
    report_session(program, 3)
    with pytest.raises(ValidationError, match="Thursday 5 March: This day is recorded already"):
        enter(good_week(), 8)
    assert program.sessions.get().known == "timed"
    assert not program.patient.check_ins.exists()


@pytest.mark.parametrize(
    ("number", "now", "said"),
    [(8, 8, "days that are over"), (0, 8, "too long ago"), (-1, 3, "starts later")],
)
def test_a_day_out_of_reach_is_refused_with_its_name(enter, program, number, now, said):
    with pytest.raises(ValidationError, match=said):
        enter([line(1 if number != 1 else 2, day=at_day(number).date())], now)
    assert not program.sessions.exists()


def test_a_skipped_day_says_why_and_has_no_answers(enter, program):
    enter([line(1, status="skipped", skip_reason="time", after=None, morning=None)], 3)
    assert program.sessions.get().skip_reason == "time"
    with pytest.raises(ValidationError, match="kept you from it"):
        enter([line(2, status="skipped", after=None, morning=None)], 3)


def test_while_exercising_is_paused_no_paper_is_entered(enter, program):
    Program.objects.filter(pk=program.pk).update(status="suspended", suspended_for="rule")
    with pytest.raises(ValidationError, match="Exercising is paused"):
        enter(good_week(), 8)


def test_only_those_who_read_the_record_enter_papers(enter, front_desk, stranger, patient):
    for somebody in (front_desk, stranger, patient.user):
        with pytest.raises(PermissionDenied):
            enter(good_week(), 8, by=somebody)


# --- what the rules make of it -------------------------------------------------------------------


def test_the_rules_look_once_when_all_of_it_is_in(enter, program):
    # given a first day that hurt, long before two good ones
    hurt = line(1, after={**GOOD_AFTER, "pain_during": 7})
    # when the week comes in at once
    enter([hurt, line(2), line(3), line(4)], 5)
    # then nothing is lowered for a day that is not among the last any more
    assert program.decisions.count() == 1
    assert not program.versions.exclude(number=1).exists()


def test_a_fresh_and_whole_week_is_proposed_and_not_applied(enter, program):
    enter(good_week(), 8)
    assert program.decisions.get().rules == ["R26"]
    assert Proposal.objects.open().filter(program=program).exists()
    assert Program.objects.get(pk=program.pk).current_version_id == program.current_version_id


@pytest.mark.parametrize("late", [4, 5, 6])
def test_a_week_that_comes_late_raises_nobody(enter, program, late):
    # the newest answer is of the morning after day 7
    days = [line(number) for number in range(1 + late, 8)]
    enter(days, 8 + late)
    decision = program.decisions.get()
    assert decision.outcome == "HOLD" and "R16" in decision.rules
    assert not Proposal.objects.open().exists()


def test_ticks_without_answers_raise_nobody(enter, program):
    enter([line(n, after=None, morning=None) for n in range(1, 8)], 8)
    assert program.sessions.count() == 7
    assert program.decisions.get().outcome == "HOLD"


@pytest.mark.parametrize(
    ("week", "now"),
    [
        ([line(n, after=None) for n in range(1, 7)] + [line(7)], 8),
        ([line(n) for n in range(5, 8)], 12),
    ],
    ids=["with holes", "late"],
)
def test_even_a_policy_that_raises_by_itself_raises_nothing(program, enter, physio, week, now):
    adjust_program(
        program=program, change=Change(auto_policy=True), by=physio, reason="Steady", at=MONDAY
    )
    enter(week, now)
    assert program.decisions.get().outcome == "HOLD"
    assert not program.versions.filter(cause="policy_raised").exists()


def test_answers_that_call_for_the_safety_questions_are_named(enter):
    pull = {**GOOD_AFTER, "soreness": "one_sided", "side": "left"}
    assert enter([line(1), line(2, after=pull)], 4).ask == [at_day(2).date()]


# --- the form ------------------------------------------------------------------------------------


@pytest.fixture
def at_work(client, physio):
    with time_machine.travel(at_day(8), tick=False):
        client.force_login(physio)
        yield client


def address(program) -> str:
    return reverse("admin:patient_paper", args=[program.patient_id])


def sent(number: int, **changes) -> dict[str, str]:
    """One line of the form, as a browser sends it."""
    said = {
        "status": "done",
        "after_pain_before": "2",
        "after_pain_during": "3",
        "after_effort": "5",
        "after_form_kept": "yes",
        "after_stiffer_after": "no",
        "after_neck_tension": "no",
        "after_soreness": "left",
        "morning_pain_this_morning": "2",
        "morning_usual_pain": "2",
        "morning_soreness": "none",
        **changes,
    }
    day = at_day(number).date()
    return {f"d{day:%Y%m%d}-{name}": value for name, value in said.items()}


def test_the_form_keeps_a_line_and_says_what_to_ask(at_work, program):
    form = at_work.get(address(program)).context["form"]
    data = {"client_id": str(form["client_id"].value()), **sent(6)}
    text = at_work.post(address(program), data, follow=True).content.decode()
    assert "1 day kept as back-filled." in text
    assert "The answers of Sunday 8 March call for the safety questions." in text
    check_in = program.sessions.get().after_check_in
    assert (check_in.soreness, check_in.side, check_in.form_kept) == ("one_sided", "left", True)
    # and the day is shown as recorded, without fields
    days = at_work.get(address(program)).context["days"]
    assert [day.known for day in days if day.known] == ["Done, back-filled"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": ""}, "Sunday 8 March: say what became of the routine."),
        ({"after_effort": ""}, "Sunday 8 March: fill in all answers about the routine, or none."),
        ({"after_effort": "11"}, "Write a number from 0 to 10."),
        ({"morning_usual_pain": ""}, "Sunday 8 March: fill in all answers of the next morning"),
        ({"status": "skipped"}, "Sunday 8 March: "),
    ],
)
def test_what_is_wrong_is_said_with_its_day_and_nothing_is_kept(at_work, program, changes, said):
    data = {"client_id": str(uuid.uuid4()), **sent(5), **sent(6, **changes)}
    response = at_work.post(address(program), data)
    assert response.status_code == 400
    assert said in response.content.decode()
    assert 'value="5"' in response.content.decode()
    assert not program.sessions.exists()


def test_an_empty_form_asks_for_a_day(at_work, program):
    response = at_work.post(address(program), {"client_id": str(uuid.uuid4())})
    assert response.status_code == 400
    assert "Fill in at least one day." in response.content.decode()


def test_the_front_desk_is_shown_no_answers(client, program, front_desk):
    client.force_login(front_desk)
    assert client.get(address(program)).status_code == 403


def test_before_the_first_day_is_over_there_is_nothing_to_enter(client, physio, program):
    with time_machine.travel(MONDAY):
        client.force_login(physio)
        assert "No day of this program is over yet" in client.get(address(program)).content.decode()
