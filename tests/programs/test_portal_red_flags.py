"""A red flag at home: what the page says at once, and what stops."""

import datetime as dt
import uuid

import pytest
from django.db import DatabaseError
from django.utils.html import escape

from clinic.alerts import acknowledge
from clinic.models import Alert
from patients.models import CheckIn, RedFlag
from programs.models import Program, Session
from tests.conftest import MONDAY
from tests.living import at_day, do_morning, do_session, live_well
from tests.programs.at_home import ALL_NO, MORNING, TUESDAY, assert_no_exercise, safe
from tests.reading import client_id_in, words


@pytest.mark.parametrize(
    ("answers", "heading", "number"),
    [
        ({**ALL_NO, "saddle_numbness": "yes"}, "Get medical help now", "tel:999"),
        ({**ALL_NO, "bladder": "not_sure"}, "Get medical help now", "tel:999"),
        ({**ALL_NO, "infection": "yes"}, "Speak to a health professional today", "tel:111"),
        # One yes is enough; nobody has to finish the list to get help.
        ({"saddle_numbness": "yes"}, "Get medical help now", "tel:999"),
    ],
)
def test_the_same_response_says_what_to_do(at_home, program, answers, heading, number):
    page = at_home.get("/serious/")
    page = at_home.post("/serious/", {**answers, "client_id": client_id_in(page)})
    assert page.status_code == 200
    assert heading in words(page)
    assert number in page.content.decode()
    assert "not watched day and night. Do not wait for a reply." in words(page)
    assert "turn out to be harmless" in words(page)
    assert_no_exercise(page)
    program.refresh_from_db()
    assert program.status == Program.Status.SUSPENDED


def test_the_advice_stands_even_when_nothing_can_be_saved(at_home, program, monkeypatch):
    def broken(**_kwargs):
        raise DatabaseError("no connection")

    monkeypatch.setattr("programs.portal_answers.answer_red_flags", broken)
    page = at_home.post("/serious/", {**ALL_NO, "bowel": "yes", "client_id": str(uuid.uuid4())})
    assert page.status_code == 200
    assert "Get medical help now" in words(page)
    assert "could not save your answers" in words(page)
    assert program.patient.site.phone in words(page)
    assert "has been told" not in words(page).replace("nobody has been told", "")


def test_no_answer_is_asked_for_again(at_home):
    page = at_home.post("/serious/", {"client_id": str(uuid.uuid4()), "bladder": "no"})
    assert page.status_code == 400
    assert not RedFlag.objects.exists()


def test_all_no_leads_back_to_the_day(at_home):
    page = at_home.post("/serious/", {**ALL_NO, "client_id": str(uuid.uuid4())})
    assert "Nothing here needs urgent care" in words(page)
    assert not RedFlag.objects.exists()


@pytest.mark.parametrize("address", ["/serious/", "/check-in/questions/"])
def test_no_to_all_after_a_yes_takes_nothing_back_and_does_not_sound_so(at_home, address):
    at_home.post(address, {**ALL_NO, "bladder": "yes", "client_id": str(uuid.uuid4())})
    again = at_home.post(address, {**ALL_NO, "client_id": str(uuid.uuid4())})
    for page in (again, at_home.get("/"), at_home.get("/check-in/questions/")):
        assert "Get medical help now" in words(page)
        assert "tel:999" in page.content.decode()
        assert "Nothing here needs urgent care" not in words(page)


def test_a_changed_mind_after_going_back_still_counts(at_home):
    client_id = str(uuid.uuid4())
    at_home.post("/serious/", {**ALL_NO, "client_id": client_id})
    at_home.post("/serious/", {**ALL_NO, "bladder": "yes", "client_id": client_id})
    at_home.post("/serious/", {**ALL_NO, "bladder": "yes", "client_id": client_id})
    assert RedFlag.objects.count() == 1


def test_strong_pain_brings_the_questions_before_anything_else(at_home, program, clock):
    clock.move_to(TUESDAY)
    page = at_home.get("/check-in/morning/")
    page = at_home.post(
        "/check-in/morning/",
        {
            **MORNING,
            "soreness": "one_sided",
            "pull_at": "left-thigh",
            "client_id": client_id_in(page),
        },
    )
    assert page.url == "/check-in/questions/"
    assert at_home.get("/routine/").url == "/check-in/questions/"
    page = at_home.post("/check-in/questions/", {**ALL_NO, "client_id": str(uuid.uuid4())})
    assert "See what happens next" in words(page)
    assert at_home.get("/routine/").status_code == 200


def test_the_weekly_questions_come_before_the_routine(clock, program, client):
    client.force_login(program.patient.user)
    safe(program.patient)
    clock.move_to(MONDAY + dt.timedelta(days=8))
    assert "Answer the questions" in words(client.get("/"))
    assert client.get("/routine/").url == "/check-in/questions/"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/routine/",
        "/routine/?short=1",
        "/routine/skip/",
        "/check-in/after/",
        "/check-in/morning/",
        "/check-in/questions/",
        "/serious/",
    ],
)
@pytest.mark.parametrize("raised", [{"saddle_numbness": "yes"}, {"weight_loss": "not_sure"}])
def test_while_a_flag_is_open_no_page_shows_an_exercise(at_home, program, path, raised):
    safe(program.patient, **raised)
    page = at_home.get(path, follow=True)
    assert page.status_code == 200
    assert_no_exercise(page)


def test_posts_move_nothing_while_a_flag_is_open(at_home, program):
    safe(program.patient, bowel="yes")
    for path in ("/routine/", "/routine/skip/", "/check-in/morning/"):
        answers = {"all": "1", "client_id": str(uuid.uuid4()), "skip_reason": "time"}
        page = at_home.post(path, {**MORNING, **answers}, follow=True)
        assert_no_exercise(page)
    assert not Session.objects.exists()
    assert not CheckIn.objects.exists()


def test_the_patient_sees_who_has_seen_it(at_home, program, physio):
    safe(program.patient, bowel="yes")
    assert "Nobody has opened it yet" in words(at_home.get("/"))
    alert = Alert.objects.about("patient", program.patient.pk).get()
    acknowledge(alert=alert, by=physio, outcome="Called", at=MONDAY)
    assert "Seen by Ruth Adeyemi on Monday 2 March at 08:00" in words(at_home.get("/"))


def test_a_rule_that_stops_shows_why_and_whom_to_call(clock, make_program, client):
    program = make_program()
    for number in range(2):
        if number:
            do_morning(program, number)
        do_session(program, number, soreness="one_sided", side="left")
        program.refresh_from_db()
    assert program.status == Program.Status.SUSPENDED
    clock.move_to(at_day(2))
    client.force_login(program.patient.user)
    for path in ("/", "/routine/"):
        page = client.get(path)
        assert "Your exercises are paused" in words(page)
        assert escape(program.decisions.first().patient_text) in page.content.decode()
        assert "tel:+442079460100" in page.content.decode()
        assert_no_exercise(page)


def test_a_proposal_is_said_to_wait_for_the_physiotherapist(clock, make_program, client):
    program = make_program("athlete")
    live_well(program, 0, 8)
    program.refresh_from_db()
    clock.move_to(at_day(9))
    answered = do_morning(program, 9)
    safe(program.patient)
    client.force_login(program.patient.user)
    decision = program.decisions.first()
    assert decision.outcome == "PROGRESS"
    page = words(client.get(f"/check-in/result/{answered.check_in.client_id}/"))
    assert "Progress" in page
    assert "Ruth Adeyemi looks at this first" in page


def test_a_flag_without_a_program_stops_too(clock, patient, client):
    client.force_login(patient.user)
    safe(patient, bowel="yes")
    assert "Get medical help now" in words(client.get("/"))


def test_the_way_to_help_is_open_to_everybody(clock, program, client):
    page = client.get("/serious/")
    assert page.status_code == 200
    assert "tel:999" in page.content.decode()
