"""The patient's pages, through the door a browser uses."""

import datetime as dt
import re
import uuid

import pytest
from django.test import Client
from django.utils.html import escape

from patients.models import CheckIn
from programs.models import Session
from programs.today import today_for
from tests.conftest import MONDAY
from tests.programs.at_home import (
    AFTER,
    MORNING,
    TUESDAY,
    answers,
    do_routine,
    hows,
    items_of,
    safe,
)
from tests.reading import client_id_in, words

# --- a day -------------------------------------------------------------------------------------


def test_a_whole_day_signed_in(at_home, program):
    items = items_of(program)
    page = at_home.get("/")
    assert "Start today’s routine" in words(page)
    assert page["Cache-Control"] == "private, no-store"
    page = at_home.get("/routine/")
    for item in items:
        assert escape(item.exercise.name) in page.content.decode()
        assert all(escape(cue) in page.content.decode() for cue in item.cues)
    page = at_home.post("/routine/", answers(page, *items, timed="1"))
    session = Session.objects.get()
    assert (session.status, session.known) == ("done", "timed")
    assert page.url == "/check-in/after/"

    page = at_home.get("/check-in/after/")
    page = at_home.post("/check-in/after/", {**AFTER, "client_id": client_id_in(page)})
    check_in = CheckIn.objects.get()
    assert page.url == f"/check-in/result/{check_in.client_id}/"
    result = words(at_home.get(page.url))
    assert "Your answers are saved" in result
    assert "Ruth Adeyemi" in result
    assert "not watched day and night" in result
    assert "Done for today" in words(at_home.get("/"))


def test_the_next_morning_is_asked_about_before_the_routine(at_home, program, clock):
    clock.move_to(TUESDAY)
    assert "Answer this morning’s questions" in words(at_home.get("/"))
    page = at_home.get("/check-in/morning/")
    page = at_home.post("/check-in/morning/", {**MORNING, "client_id": client_id_in(page)})
    assert CheckIn.objects.get().kind == "daily"
    assert "Start today’s routine" in words(at_home.get(page.url))


def test_what_was_said_but_not_counted_through_is_self_reported(at_home, program):
    page = at_home.post("/routine/", answers(at_home.get("/routine/"), items_of(program)[0]))
    assert page.url == "/check-in/after/"
    session = Session.objects.get()
    assert (session.status, session.known) == ("partly", "self_reported")


def test_one_button_says_that_all_of_it_was_done(at_home, program):
    at_home.post("/routine/", answers(at_home.get("/routine/"), all="1"))
    session = Session.objects.get()
    assert (session.status, len(session.items)) == ("done", len(items_of(program)))
    assert all(item["done"] for item in session.items)


def test_this_hurts_is_kept_with_the_exercise_and_the_check_in_names_it(at_home, program):
    first, second, *_ = items_of(program)
    page = at_home.get("/routine/")
    at_home.post("/routine/", answers(page, first, **hows((second, "hurt_lot"))))
    session = Session.objects.get()
    assert session.status == "partly"
    hurt = next(i for i in session.items if i["exercise"] == second.exercise.slug)
    assert (hurt["done"], hurt["left_out"], hurt["felt"]) == (False, "pain", "lot")
    page = at_home.get("/check-in/after/")
    assert "hurt" not in page.request["PATH_INFO"]
    assert re.search(rf'value="{second.exercise.slug}"[^>]*checked', page.content.decode())


def test_given_nothing_done_when_saved_then_the_page_asks_for_the_others_and_keeps_nothing(
    at_home, program
):
    first, *_ = items_of(program)
    page = at_home.get("/routine/")
    page = at_home.post("/routine/", answers(page, **hows((first, "hurt_little"))))
    assert page.status_code == 400
    assert "Nothing is marked as done yet." in words(page)
    assert page.context["form"][f"how-{first.exercise.slug}"].value() == "hurt_little"
    assert not Session.objects.exists()


def test_given_everything_left_out_then_the_day_is_skipped_and_may_be_done_after_all(
    at_home, program
):
    first, *others = items_of(program)
    page = at_home.get("/routine/")
    left_out = hows((first, "hurt_little"), *((item, "time") for item in others))
    sent = at_home.post("/routine/", answers(page, **left_out))
    assert sent.url == "/"
    session = Session.objects.get()
    assert (session.status, session.skip_reason) == ("skipped", "pain")
    assert session.items[0]["felt"] == "little"
    assert "Not today, and that is all right" in words(at_home.get("/"))
    # The id of a day is the same on every device and every time.
    at_home.post("/routine/", answers(at_home.get("/routine/"), first))
    session.refresh_from_db()
    assert (session.status, session.skip_reason) == ("partly", "")
    at_home.post("/routine/", answers(page, **left_out))
    assert Session.objects.get().status == "partly"


def test_given_a_strong_pain_at_the_first_exercise_then_how_it_felt_is_asked(at_home, program):
    first, *_ = items_of(program)
    page = at_home.get("/routine/")
    sent = at_home.post("/routine/", answers(page, **hows((first, "hurt_lot"))))
    assert sent.url == "/check-in/after/"
    assert Session.objects.get().status == "partly"


def test_a_pull_leads_to_the_safety_questions_on_every_device(at_home, program, clock):
    first, *_ = items_of(program)
    clock.move_to(MONDAY + dt.timedelta(minutes=10))
    page = at_home.get("/routine/")
    page = at_home.post("/routine/", answers(page, **hows((first, "pull"))))
    assert page.url == "/check-in/questions/"
    other_device = Client()
    other_device.force_login(program.patient.user)
    assert "Answer the questions" in words(other_device.get("/"))
    safe(program.patient, at=MONDAY + dt.timedelta(minutes=11))
    assert "Say how it went" in words(other_device.get("/"))


def test_the_easier_form_is_kept_with_what_was_done_of_it(at_home, program):
    items = items_of(program)
    eased = next(item for item in items if item.easier)
    others = [item for item in items if item is not eased]
    page = at_home.get("/routine/")
    at_home.post("/routine/", answers(page, *others, **hows((eased, "easier"))))
    session = Session.objects.get()
    assert session.status == "done"
    kept = next(i for i in session.items if i["exercise"] == eased.exercise.slug)
    assert kept["done"]
    assert kept["level"] == eased.prescription.level
    assert kept["did"] == eased.easier.as_done() != eased.as_done()


def test_the_five_minute_version_says_what_it_leaves_out(at_home, program):
    today = today_for(program=program, at=MONDAY)
    assert 0 < len(today.short) < len(today.items)
    assert sum(item.seconds for item in today.short) <= 300
    assert "I have only five minutes" in words(at_home.get("/"))
    page = at_home.get("/routine/?short=1")
    left_out = [item for item in today.items if item not in today.short]
    said = words(page).partition("leaves these out for today:")[2].partition("whole routine")[0]
    assert all(item.exercise.name in said for item in left_out)
    assert not [i for i in left_out if f"how-{i.exercise.slug}" in page.content.decode()]
    at_home.post("/routine/", answers(page, *today.short))
    session = Session.objects.get()
    assert session.status == "partly"
    assert {i["exercise"] for i in session.items if i.get("left_out") == "short"} == {
        item.exercise.slug for item in left_out
    }
    assert "You did the five-minute version. That counts." in words(at_home.get("/"))


def test_not_today_keeps_the_reason(at_home):
    page = at_home.get("/routine/skip/")
    page = at_home.post(
        "/routine/skip/", {"client_id": client_id_in(page), "skip_reason": "tired"}, follow=True
    )
    session = Session.objects.get()
    assert (session.status, session.skip_reason) == ("skipped", "tired")
    assert "that is all right" in words(page)


def test_a_changed_program_says_what_and_why(at_home, program):
    version = program.current_version
    assert version.patient_reason
    assert escape(version.patient_reason) in at_home.get("/").content.decode()


def test_a_patient_without_a_program_sees_whom_to_call(clock, patient, client):
    client.force_login(patient.user)
    page = words(client.get("/"))
    assert "is preparing your program" in page
    assert patient.site.phone in page
    assert client.get("/routine/").url == "/"


# --- bad input ---------------------------------------------------------------------------------


def test_missing_answers_are_named_and_the_given_ones_kept(at_home, program):
    do_routine(at_home, program)
    page = at_home.get("/check-in/after/")
    page = at_home.post(
        "/check-in/after/",
        {"client_id": client_id_in(page), "pain_before": "4", "note": "since the garden"},
    )
    assert page.status_code == 400
    assert "Choose a number: “What was the most pain while you exercised?”" in words(page)
    assert re.search(r'name="pain_before" value="4"[^>]*checked', page.content.decode())
    assert "since the garden" in page.content.decode()
    assert not CheckIn.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"pain_during": "11"}, "Choose a number from 0 to 10."),
        ({"pain_during": "much"}, "Choose a number from 0 to 10."),
        ({"soreness": "one_sided"}, "Touch the place where you feel the pull."),
        ({"form_kept": "perhaps"}, "Choose one of the answers"),
        ({"exercise": "handstand"}, "Choose one of the answers"),
        ({"note": "x" * 1001}, "no more than 1000 letters"),
        ({"client_id": "not-a-uuid"}, "Please send your answers again"),
    ],
)
def test_an_impossible_answer_is_refused_in_words(at_home, program, wrong, said):
    do_routine(at_home, program)
    page = at_home.get("/check-in/after/")
    answers = {**AFTER, "client_id": client_id_in(page), **wrong}
    page = at_home.post("/check-in/after/", answers)
    assert page.status_code == 400
    assert said.lower() in words(page).lower()
    assert not CheckIn.objects.exists()


def test_nothing_said_is_asked_again(at_home):
    page = at_home.post("/routine/", answers(at_home.get("/routine/")))
    assert page.status_code == 400
    assert "Say what you did" in words(page)
    assert not Session.objects.exists()


def test_an_answer_that_nobody_offered_is_refused_and_the_others_stay(at_home, program):
    first, second, *_ = items_of(program)
    page = at_home.get("/routine/")
    wrong = answers(page, first, **hows((second, "upside down")))
    page = at_home.post("/routine/", wrong)
    assert page.status_code == 400
    assert "Choose one of the answers" in words(page)
    name = f"how-{first.exercise.slug}"
    assert re.search(rf'name="{name}".*?value="done" selected', page.content.decode(), flags=re.S)
    assert not Session.objects.exists()


def test_an_easier_form_that_does_not_exist_is_refused(at_home, program):
    hard = [item for item in items_of(program) if not item.easier]
    for item in hard:
        page = at_home.get("/routine/")
        page = at_home.post("/routine/", answers(page, **hows((item, "easier"))))
        assert page.status_code == 400
    assert not Session.objects.exists()


def test_a_routine_that_is_sent_twice_is_one_and_stays_as_it_was(at_home, program):
    first, second, *_ = items_of(program)
    page = at_home.get("/routine/")
    assert at_home.post("/routine/", answers(page, first)).url == "/check-in/after/"
    again = at_home.post("/routine/", answers(page, first, second))
    assert again.url == "/check-in/after/"
    (session,) = Session.objects.all()
    assert [i["exercise"] for i in session.items if i["done"]] == [first.exercise.slug]


def test_a_routine_begun_before_the_weekly_questions_is_kept(at_home, program, clock):
    clock.move_to(MONDAY + dt.timedelta(days=6, hours=23))
    page = at_home.get("/routine/")
    sent = answers(page, all="1")
    clock.move_to(MONDAY + dt.timedelta(days=7, minutes=1))
    assert at_home.get("/routine/").url == "/check-in/questions/"
    at_home.post("/routine/", sent)
    assert Session.objects.count() == 1


def test_sending_the_same_answers_twice_keeps_one(at_home, program):
    do_routine(at_home, program)
    answers = {**AFTER, "client_id": client_id_in(at_home.get("/check-in/after/"))}
    first = at_home.post("/check-in/after/", answers)
    again = at_home.post("/check-in/after/", {**answers, "pain_during": "9"})
    assert again.url == first.url
    assert CheckIn.objects.get().pain_during == 2


# --- other people's pages ------------------------------------------------------------------------


def test_another_patients_result_is_not_there(at_home, make_patient):
    theirs = CheckIn.objects.create(
        patient=make_patient("Bjorn"),
        kind="daily",
        client_id=uuid.uuid4(),
        day=MONDAY.date(),
        at=MONDAY,
    )
    assert at_home.get(f"/check-in/result/{theirs.client_id}/").status_code == 404
    page = at_home.post("/check-in/after/", {**AFTER, "client_id": str(theirs.client_id)})
    assert page.url == "/"


@pytest.mark.parametrize("path", ["/routine/", "/check-in/after/", "/check-in/questions/"])
def test_staff_are_shown_to_their_own_door(clock, program, physio, client, path):
    client.force_login(physio)
    page = client.get(path)
    assert page.status_code == 403
    assert 'href="/clinic/"' in page.content.decode()
    assert client.get("/").url == "/clinic/"
