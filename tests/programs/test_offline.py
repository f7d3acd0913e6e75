"""Without a line: what a page tells the device, and answers that arrive later than they were given.

The device's own part is tested in tests/journeys/test_offline.py.
"""

import datetime as dt
import json
import re
import uuid
from pathlib import Path

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import OperationalError
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from clinic.models import Alert
from patients.late import moment_given, too_late
from patients.models import CheckIn, RedFlag, RedFlagScreening
from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from programs.answering import record_session
from programs.models import Decision, Program, Session
from programs.portal_access import PASS
from programs.today import today_for
from tests.conftest import MONDAY
from tests.living import GOOD_MORNING, at_day, do_session, report_session

pytestmark = pytest.mark.django_db

NO = {question.id: "no" for question in REPEATED}
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
TUESDAY_NOON = at_day(1, 12)
STATIC = Path(__file__).resolve().parents[2] / "programs" / "static" / "programs"


@pytest.fixture
def phone(clock, program, client) -> Client:
    """The patient's phone, signed in on Monday, the week's safety questions answered."""
    answer_red_flags(
        patient=program.patient, answers=NO, source="weekly", client_id=uuid.uuid4(), at=MONDAY
    )
    client.force_login(program.patient.user)
    return client


def account_on(client: Client) -> str:
    return client.get("/offline/line/").json()["account"]


def replay(client: Client, path: str, answers: dict, *, ago: dt.timedelta, **options):
    """Send answers as a device does that has a line again."""
    body = {"client_id": str(uuid.uuid4()), **answers}
    return client.post(
        path,
        body,
        headers={
            "X-Answered-Ago": str(ago.total_seconds()),
            "X-Answered-By": options.get("by", account_on(client)),
        },
    )


# The routine's form with the button for all of it.
ALL_DONE = {"all": "1", "timed": "1"}


# --- what a page tells the device --------------------------------------------------------------


def test_each_page_of_a_patient_says_whose_it_is_and_nobody_can_tell_who(phone, program):
    tags = {path: phone.get(path)["X-Account-Tag"] for path in ("/", "/serious/", "/reminders/")}
    assert len(set(tags.values())) == 1
    account, visit = tags["/"].split(".")
    assert account == account_on(phone)
    for told in (str(program.patient.pk), program.patient.given_name):
        assert told not in account + visit
    assert f'data-account="{account}.{visit}"' in phone.get("/").content.decode()
    assert phone.get("/")["Cache-Control"] == "private, no-store"


def test_another_sign_in_is_another_visit_of_the_same_person(phone, program):
    first = phone.get("/")["X-Account-Tag"].split(".")
    again = Client()
    again.force_login(program.patient.user)
    second = again.get("/")["X-Account-Tag"].split(".")
    assert first[0] == second[0]
    assert first[1] != second[1]


def test_two_patients_never_have_the_same_tag(phone, make_patient):
    other = Client()
    other.force_login(make_patient("Boris").user)
    assert not set(phone.get("/")["X-Account-Tag"].split(".")) & set(
        other.get("/")["X-Account-Tag"].split(".")
    )


def test_a_page_for_nobody_says_so(client):
    assert client.get("/")["X-Account-Tag"] == "none"
    assert client.get("/serious/")["X-Account-Tag"] == "none"


def test_pages_for_staff_say_nothing_and_bring_no_worker(client, physio):
    client.force_login(physio)
    page = client.get("/clinic/")
    assert "X-Account-Tag" not in page
    assert "data-offline" not in page.content.decode()


def test_a_links_pages_are_kept_until_the_link_ends_and_for_the_same_person(phone, program):
    own = account_on(phone)
    holder = Client()
    holder.get("/")
    session = holder.session
    session[PASS] = {
        "program": str(program.pk),
        "since": MONDAY.isoformat(),
        "until": (MONDAY + dt.timedelta(hours=2)).isoformat(),
    }
    session.save()
    holder.cookies["sessionid"] = session.session_key
    page = holder.get("/")
    assert page["X-Account-Tag"].split(".")[0] == own
    assert int(page["X-Account-Seconds"]) == 7200
    assert int(phone.get("/")["X-Account-Seconds"]) == 7 * 24 * 3600


def test_signing_out_orders_the_device_to_forget(phone):
    assert "Clear-Site-Data" not in phone.get("/account/logout/")
    left = phone.post("/account/logout/")
    assert left["Clear-Site-Data"] == '"cache", "storage"'
    assert phone.get("/")["X-Account-Tag"] == "none"


def test_signing_out_says_so_when_answers_are_unsent(phone):
    page = phone.get("/account/logout/").content.decode()
    assert "data-sign-out" in page
    assert "Send them first" in page


def test_a_page_of_advice_ends_what_the_device_keeps(phone, program):
    assert "X-Stands-Still" not in phone.get("/")
    answer_red_flags(
        patient=program.patient,
        answers={**NO, "infection": "yes"},
        source="button",
        client_id=uuid.uuid4(),
        at=MONDAY,
    )
    assert phone.get("/")["X-Stands-Still"] == "page"
    for page in ("/read/", "/settings/"):
        assert phone.get(page)["X-Stands-Still"] == "1", page


def test_a_page_is_shown_though_nobody_can_tell_whether_exercises_are_paused(phone, monkeypatch):
    def no_database(patient):
        raise OperationalError

    monkeypatch.setattr("programs.device.stands_still", no_database)
    page = phone.get("/read/")
    assert page.status_code == 200
    assert "X-Stands-Still" not in page


# --- the doors of the device -------------------------------------------------------------------


def test_the_worker_knows_what_to_keep_and_is_asked_for_anew(client):
    worker = client.get("/sw.js")
    assert worker["Content-Type"].startswith("text/javascript")
    assert worker["Cache-Control"] == "no-cache"
    knows = json.loads(re.search(r"self\.STEADYBACK = (\{.*\});", worker.content.decode()).group(1))
    assert knows["pages"][0] == "/"
    assert knows["queues"]["/serious/"] == "red_flags"
    assert knows["standIns"]["/check-in/after/"] == "/offline/after/"
    assert set(knows["severities"].values()) == {"emergency", "same_day"}
    for address in [*knows["pages"], *knows["queues"], knows["alone"], knows["line"]]:
        assert "pain" not in address and "flag" not in address


def test_the_manifest_can_be_installed(client):
    manifest = client.get("/manifest.webmanifest")
    assert manifest["Content-Type"] == "application/manifest+json"
    said = json.loads(manifest.content)
    assert (said["start_url"], said["scope"], said["display"]) == ("/", "/", "standalone")
    assert {(icon["sizes"], icon["purpose"]) for icon in said["icons"]} == {
        ("192x192", "any"),
        ("512x512", "any"),
        ("512x512", "maskable"),
    }
    for icon in said["icons"]:
        assert (STATIC / "icons" / icon["src"].rsplit("/", 1)[1]).stat().st_size < 8_000


def test_the_offline_page_names_the_patients_practice_or_all_of_them(phone, client, other_site):
    own = phone.get("/offline/").content.decode()
    assert "Harbour Street" in own and "Mill Lane" not in own
    everybody = Client().get("/offline/").content.decode()
    assert "Harbour Street" in everybody and "Mill Lane" in everybody


def test_check_ins_are_ready_before_they_are_due(phone):
    assert "How did it go?" in phone.get("/offline/after/").content.decode()
    assert "this morning" in phone.get("/offline/morning/").content.decode()
    assert phone.get("/offline/advice/1/").status_code == 200


def test_doors_of_a_patient_are_closed_to_others(client, physio):
    for path in ("/offline/after/", "/offline/morning/", "/offline/advice/1/"):
        assert client.get(path).status_code == 302
    client.force_login(physio)
    assert client.get("/offline/after/").status_code == 403
    assert client.get("/offline/line/").json() == {"account": "", "token": ""}


def test_scripts_have_no_sentence_of_their_own():
    for script in sorted((STATIC / "offline").glob("*.js")):
        code = re.sub(r"//[^\n]*", "", script.read_text())
        strings = re.findall(r'"([^"\n]*)"|`([^`]*)`', code)
        for found in ("".join(pair) for pair in strings):
            assert not re.search(r"[a-z]+ [a-z]+ [a-z]+", found), (script.name, found)


# --- answers that arrive later -------------------------------------------------------------------


def test_what_was_done_yesterday_without_a_line_is_yesterdays(phone, program, clock):
    clock.move_to(TUESDAY_NOON)
    ago = TUESDAY_NOON - MONDAY.replace(hour=18)
    kept = replay(phone, "/routine/", ALL_DONE, ago=ago)
    assert kept.json() == {"kept": True, "next": "/check-in/after/"}, kept.content
    session = Session.objects.get()
    assert (session.day, session.at) == (MONDAY.date(), MONDAY.replace(hour=18))
    kept = replay(phone, "/check-in/after/", AFTER, ago=ago - dt.timedelta(minutes=5))
    assert kept.json()["kept"] is True
    check_in = CheckIn.objects.get()
    assert check_in.day == MONDAY.date()
    assert check_in.at == MONDAY.replace(hour=18, minute=5)
    # The rules look at it when it arrives.
    assert Decision.objects.order_by("-at").first().at == TUESDAY_NOON
    session.refresh_from_db()
    assert session.after_check_in == check_in


def test_a_morning_is_the_morning_it_was_answered_on(phone, program, clock):
    do_session(program, 0)
    clock.move_to(at_day(2, 12))
    kept = replay(phone, "/check-in/morning/", MORNING, ago=dt.timedelta(days=1, hours=4))
    assert kept.json()["kept"] is True, kept.content
    morning = CheckIn.objects.get(kind="next_morning")
    assert (morning.day, morning.at) == (at_day(1).date(), at_day(1, 8))
    assert program.sessions.get(day=MONDAY.date()).morning_check_in == morning


def test_a_skipped_day_is_skipped_on_its_own_day(phone, program, clock):
    clock.move_to(TUESDAY_NOON)
    kept = replay(phone, "/routine/skip/", {"skip_reason": "time"}, ago=dt.timedelta(hours=20))
    assert kept.json()["kept"] is True
    session = Session.objects.get()
    assert (session.day, session.skip_reason) == (MONDAY.date(), "time")


@pytest.mark.parametrize("path", ["/check-in/morning/", "/routine/", "/serious/"])
def test_sent_twice_is_kept_once(phone, program, clock, path):
    clock.move_to(TUESDAY_NOON)
    answers = {"/check-in/morning/": MORNING, "/routine/": ALL_DONE}.get(path, NO)
    answers = {**answers, "client_id": str(uuid.uuid4())}
    before = RedFlagScreening.objects.count()
    for _attempt in range(2):
        kept = replay(phone, path, answers, ago=dt.timedelta(hours=2))
        assert (kept.status_code, kept.json()["kept"]) == (200, True)
    found = (CheckIn.objects.count(), Session.objects.count(), RedFlagScreening.objects.count())
    assert sum(found) == before + 1


def test_other_answers_under_a_used_id_do_not_pass_for_kept(phone, program, clock):
    kept = report_session(program, 0)
    clock.move_to(at_day(1, 18))
    answers = {**ALL_DONE, "client_id": str(kept.client_id)}
    refused = replay(phone, "/routine/", answers, ago=dt.timedelta(minutes=3))
    assert refused.status_code == 400
    assert refused.json()["kept"] is False and refused.json()["words"]
    assert Session.objects.count() == 1


def test_what_a_page_refuses_comes_back_in_its_words(phone, clock):
    clock.move_to(TUESDAY_NOON)
    refused = replay(phone, "/check-in/morning/", {"usual_pain": "2"}, ago=dt.timedelta(hours=1))
    assert refused.status_code == 400
    assert any("pain do you have this morning" in line for line in refused.json()["words"])
    assert not CheckIn.objects.exists()


def test_what_is_saved_already_is_not_saved_again_and_not_silent(phone, program, clock):
    do_session(program, 0)
    clock.move_to(MONDAY.replace(hour=20))
    refused = replay(phone, "/check-in/after/", AFTER, ago=dt.timedelta(hours=1))
    assert refused.status_code == 400
    assert "saved already" in refused.json()["words"][0]


def test_too_long_ago_is_refused_and_red_flags_never_are(phone, program, clock):
    clock.move_to(at_day(10, 12))
    ago = dt.timedelta(days=9)
    assert replay(phone, "/routine/", ALL_DONE, ago=ago).status_code == 400
    assert replay(phone, "/check-in/morning/", MORNING, ago=ago).status_code == 400
    assert not Session.objects.exists() and not CheckIn.objects.exists()
    kept = replay(phone, "/serious/", {"infection": "yes"}, ago=ago)
    assert kept.json()["kept"] is True
    flag = RedFlag.objects.get()
    assert (flag.opened_at, flag.screening.at) == (at_day(10, 12), at_day(1, 12))
    alert = Alert.objects.get(severity="emergency")
    assert alert.raised_at == at_day(10, 12)


@pytest.mark.parametrize("ago", ["", "soon", "-1", "nan", "inf", "1e300"])
def test_a_moment_that_is_none_is_refused(phone, ago):
    headers = {"X-Answered-Ago": ago, "X-Answered-By": account_on(phone)}
    refused = phone.post("/serious/", {"infection": "yes"}, headers=headers)
    assert refused.status_code == 400
    assert not RedFlag.objects.exists()


def test_somebody_elses_answers_wait(phone, program, make_patient, make_program):
    other = make_patient("Boris")
    make_program(patient=other)
    mine = account_on(phone)
    theirs = Client()
    theirs.force_login(other.user)
    answers = {"infection": "yes"}
    assert replay(theirs, "/serious/", answers, ago=dt.timedelta(), by=mine).status_code == 409
    nobody = Client()
    assert replay(nobody, "/serious/", answers, ago=dt.timedelta(), by=mine).status_code == 401
    assert not RedFlag.objects.exists()


def test_a_replay_needs_the_token_that_every_form_needs(program, clock):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(program.patient.user)
    line = strict.get("/offline/line/").json()
    headers = {"X-Answered-Ago": "5", "X-Answered-By": line["account"]}
    body = {**NO, "client_id": str(uuid.uuid4())}
    before = RedFlagScreening.objects.count()
    refused = strict.post("/serious/", body, headers=headers)
    assert refused.headers.get("Content-Type", "").startswith("text/html")
    assert RedFlagScreening.objects.count() == before
    kept = strict.post("/serious/", body, headers={**headers, "X-CSRFToken": line["token"]})
    assert kept.json()["kept"] is True


def test_what_was_done_before_a_red_flag_is_kept_although_the_flag_went_first(phone, program):
    with time_machine.travel(TUESDAY_NOON, tick=False):
        hour = dt.timedelta(hours=1)
        names = [i.exercise.name for i in today_for(program=program, at=MONDAY).items]
        first = replay(phone, "/serious/", {"infection": "yes"}, ago=hour)
        assert first.json()["kept"] is True
        program.refresh_from_db()
        assert program.status == Program.Status.SUSPENDED
        done = replay(phone, "/routine/", ALL_DONE, ago=2 * hour)
        assert done.json()["kept"] is True, done.content
        answered = replay(phone, "/check-in/after/", AFTER, ago=hour * 1.5)
        assert answered.json()["kept"] is True, answered.content
        later = replay(phone, "/check-in/morning/", MORNING, ago=hour / 2)
        assert later.status_code == 400
        program.refresh_from_db()
        assert program.status == Program.Status.SUSPENDED
        page = phone.get("/").content.decode()
        assert "Call" in page or "help" in page
        assert all(name not in page for name in names)


# --- the same through the API and the verbs ------------------------------------------------------


def post(client, path, body):
    body = {"client_id": str(uuid.uuid4()), **body}
    return client.post(f"/api/v1/{path}/", body, content_type="application/json")


def test_an_app_says_when_it_was(phone, program, clock):
    clock.move_to(TUESDAY_NOON)
    told = post(phone, "sessions", {"status": "done", "at": "2026-03-02T19:30:00+01:00"})
    assert told.status_code == 201, told.content
    session = Session.objects.get()
    assert (session.day, session.at) == (MONDAY.date(), MONDAY.replace(hour=18, minute=30))
    morning = {**GOOD_MORNING, "at": "2026-03-03T07:00:00Z"}
    assert post(phone, "check-ins", morning).status_code == 201
    assert CheckIn.objects.get().at == at_day(1, 7)
    assert (
        post(phone, "red-flags", {"answers": NO, "at": "2026-03-03T07:05:00Z"}).status_code == 201
    )


@pytest.mark.parametrize("path", ["sessions", "check-ins"])
def test_an_app_cannot_speak_of_tomorrow(phone, program, path):
    body = {"status": "done"} if path == "sessions" else GOOD_MORNING
    refused = post(phone, path, {**body, "at": "2026-03-04T08:00:00Z"})
    assert refused.status_code == 400
    assert not Session.objects.exists() and not CheckIn.objects.exists()


def test_a_red_flag_with_a_clock_that_is_ahead_counts_from_now(phone, program):
    body = {"answers": {"infection": "yes"}, "at": "2031-01-01T00:00:00Z"}
    assert post(phone, "red-flags", body).status_code == 201
    assert RedFlag.objects.get().screening.at == MONDAY


def test_nothing_given_after_a_stop_is_taken(program):
    answer_red_flags(
        patient=program.patient,
        answers={**NO, "infection": "yes"},
        source="button",
        client_id=uuid.uuid4(),
        at=at_day(1, 12),
        given_at=at_day(1, 9),
    )
    options = {"status": "done", "known": "timed", "at": at_day(1, 13)}
    for hour, taken in ((10, False), (8, True)):
        try:
            record_session(
                program=program,
                day=at_day(1).date(),
                client_id=uuid.uuid4(),
                given_at=at_day(1, hour),
                **options,
            )
        except ValidationError:
            assert not taken
        else:
            assert taken


@given(minutes=st.integers(-60 * 24 * 400, 60 * 24 * 400))
def test_a_given_moment_is_never_in_the_future(minutes):
    given_at = MONDAY + dt.timedelta(minutes=minutes)
    if minutes > 5:
        with pytest.raises(ValidationError):
            moment_given(given_at, at=MONDAY)
    else:
        assert moment_given(given_at, at=MONDAY) == min(given_at, MONDAY)


@given(days=st.integers(-30, 30))
def test_seven_days_are_remembered(days):
    today = MONDAY.date()
    assert too_late(today - dt.timedelta(days=days), today=today) == (days > 7)
