"""The patient's pages, through the door a browser uses."""

import datetime as dt
import re
import uuid

import pytest
import time_machine
from django.core.cache import cache
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from clinic.alerts import acknowledge
from clinic.messaging import outbox
from clinic.messaging.links import token_for
from clinic.models import Alert, OutboxMessage
from patients.models import CheckIn, RedFlag
from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from programs.models import Exercise, Program, Session
from programs.today import today_for
from tests.conftest import MONDAY
from tests.living import at_day, do_morning, do_session, live_well
from tests.reading import client_id_in, words

TUESDAY = MONDAY + dt.timedelta(days=1)
ALL_NO = {question.id: "no" for question in REPEATED}
AFTER = {
    "pain_before": "2",
    "pain_during": "2",
    "effort": "5",
    "form_kept": "yes",
    "stiffer_after": "no",
    "neck_tension": "no",
    "soreness": "none",
}
MORNING = {"pain_this_morning": "2", "usual_pain": "2", "soreness": "none"}
SIGNED_OUT = "/account/login/code/"


@pytest.fixture
def clock():
    with time_machine.travel(MONDAY, tick=False) as traveller:
        cache.clear()
        yield traveller


@pytest.fixture
def at_home(clock, program, client) -> Client:
    """The patient of ``program``, signed in on Monday, this week's safety questions answered."""
    safe(program.patient)
    client.force_login(program.patient.user)
    return client


def safe(patient, at: dt.datetime = MONDAY, **raised: str) -> RedFlag | None:
    return answer_red_flags(
        patient=patient,
        answers={**ALL_NO, **raised},
        source="weekly",
        client_id=uuid.uuid4(),
        at=at,
    )


def items_of(program: Program, at: dt.datetime = MONDAY):
    return today_for(program=program, at=at).items


def answers(page, *done, **more: str) -> dict[str, str]:
    """The form of the routine, as sent by a patient who did these exercises."""
    hidden = re.findall(r'<input type="hidden" name="(client_id|short)" value="([^"]*)"', page.text)
    return {**dict(hidden), **hows(*((item, "done") for item in done)), **more}


def hows(*pairs) -> dict[str, str]:
    return {f"how-{item.exercise.slug}": said for item, said in pairs}


def reminder(program: Program, **fields) -> str:
    message = OutboxMessage.objects.create(
        **{
            "key": uuid.uuid4().hex,
            "kind": OutboxMessage.Kind.ROUTINE_REMINDER,
            "channel": "email",
            "subject_type": "program",
            "subject_id": program.pk,
            "address": "ana@patients.example",
            "text": outbox.keep_text(channel="email", body="{link}"),
            "due_at": MONDAY,
            "wake_at": MONDAY,
            "expires_at": MONDAY + dt.timedelta(hours=4),
            "link_expires_at": MONDAY + dt.timedelta(hours=12),
            "created_at": MONDAY,
            **fields,
        }
    )
    return f"/r/{token_for(message.pk)}"


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


def do_routine(client: Client, program: Program) -> None:
    client.post("/routine/", answers(client.get("/routine/"), *items_of(program)))


# --- red flags ---------------------------------------------------------------------------------


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


def assert_no_exercise(page) -> None:
    text = page.content.decode().lower()
    for slug, name in Exercise.objects.values_list("slug", "name"):
        assert slug not in text
        assert escape(name).lower() not in text


# --- the reminder's link -----------------------------------------------------------------------


def test_looking_at_the_link_changes_nothing(clock, program, client):
    safe(program.patient)
    link = reminder(program)
    for ask in (client.head, client.get):
        page = ask(link)
        assert page.status_code == 200
        assert_no_exercise(page)
    assert client.get("/routine/").url.startswith(SIGNED_OUT)


def test_a_click_opens_the_routine_and_the_check_in(clock, program, client):
    safe(program.patient)
    assert client.post(reminder(program)).url == "/"
    assert "Start today’s routine" in words(client.get("/"))
    do_routine(client, program)
    page = client.get("/check-in/after/")
    page = client.post("/check-in/after/", {**AFTER, "client_id": client_id_in(page)}, follow=True)
    assert "Your answers are saved" in words(page)
    assert client.get("/serious/").status_code == 200


def test_the_pass_is_not_a_sign_in(clock, program, client):
    client.post(reminder(program))
    for name in ("account_change_password", "mfa_index", "account_email"):
        assert client.get(reverse(name)).status_code == 302
    assert client.get("/clinic/").status_code == 302
    assert "_auth_user_id" not in client.session


def test_the_pass_shows_no_earlier_answers(clock, program, client):
    safe(program.patient)
    earlier = CheckIn.objects.create(
        patient=program.patient,
        kind="daily",
        client_id=uuid.uuid4(),
        day=MONDAY.date(),
        at=MONDAY - dt.timedelta(hours=1),
    )
    client.post(reminder(program))
    assert client.get(f"/check-in/result/{earlier.client_id}/").status_code == 404


def test_the_pass_ends_with_the_link(clock, program, client):
    safe(program.patient)
    client.post(reminder(program))
    clock.move_to(MONDAY + dt.timedelta(hours=11, minutes=59))
    assert client.get("/routine/").status_code == 200
    clock.move_to(MONDAY + dt.timedelta(hours=12))
    assert client.get("/routine/").url.startswith(SIGNED_OUT)


def test_the_pass_ends_with_the_program(clock, program, client):
    client.post(reminder(program))
    Program.objects.update(status="ended", ended_on=MONDAY.date())
    assert client.get("/routine/").url.startswith(SIGNED_OUT)


def test_wrong_and_expired_links_look_the_same(clock, program, client):
    expired = reminder(program, link_expires_at=MONDAY - dt.timedelta(minutes=1))
    pages = [client.get(path) for path in (expired, "/r/" + "A" * 35, "/r/x")]
    pages += [client.post(path) for path in (expired, "/r/" + "A" * 35)]
    assert {page.status_code for page in pages} == {404}
    assert len({page.content for page in pages}) == 1
    assert "Get a sign-in code" in words(pages[0])


def test_a_link_for_somebody_else_does_not_replace_who_is_signed_in(
    at_home, program, make_program, make_patient
):
    other = make_program(patient=make_patient("Bjorn"))
    page = at_home.post(reminder(other))
    assert page.status_code == 409
    assert "sign out first" in words(page)
    assert "Bjorn" not in words(page)
    assert "Ana" in words(at_home.get("/"))


def test_ones_own_link_while_signed_in_leads_to_today(at_home, program):
    assert at_home.get(reminder(program)).url == "/"


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
