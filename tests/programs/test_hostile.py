"""Doors under attack: whatever is sent, the answer is words with a 4xx, and nothing half done."""

import json
import uuid

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic.models import Alert
from patients.models import CheckIn, RedFlag
from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from programs.models import Program, Session
from tests.living import GOOD_AFTER, GOOD_MORNING, at_day, report_session

pytestmark = pytest.mark.django_db

API_POSTS = ("sessions", "check-ins", "red-flags")
PAGES = (
    "/routine/",
    "/routine/skip/",
    "/check-in/after/",
    "/check-in/morning/",
    "/check-in/questions/",
    "/serious/",
)


def new_id() -> str:
    return str(uuid.uuid4())


def post(client: Client, path: str, body: object):
    raw = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return client.post(f"/api/v1/{path}/", raw, content_type="application/json")


@pytest.fixture
def at_home(client, program):
    """A browser of the patient on the program's second day; a fault is a 500, as outside."""
    client.force_login(program.patient.user)
    client.raise_request_exception = False
    with time_machine.travel(at_day(1), tick=False):
        yield client


@pytest.fixture(autouse=True)
def unthrottled(monkeypatch):
    from rest_framework.throttling import SimpleRateThrottle

    monkeypatch.setattr(SimpleRateThrottle, "allow_request", lambda *args: True)


# --- what is sent -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("check-ins", "[" * 100_000),
        ("check-ins", '{"a":' * 50_000),
        ("check-ins", b"\xff\xfe"),
        ("check-ins", f'{{"client_id": "{new_id()}", "usual_pain": {"9" * 5000}}}'),
        ("check-ins", {**GOOD_MORNING, "client_id": new_id(), "note": "half \ud800"}),
        ("check-ins", {**GOOD_MORNING, "client_id": new_id(), "note": "nul \0"}),
        ("check-ins", {**GOOD_MORNING, "client_id": new_id(), "note": "n" * 1_000_000}),
        ("check-ins", {**GOOD_MORNING, "client_id": new_id(), "usual_pain": -1}),
        ("check-ins", {**GOOD_MORNING, "client_id": new_id(), "usual_pain": [3]}),
        ("red-flags", {"client_id": new_id(), "answers": {"\ud800": "yes"}}),
        ("red-flags", {"client_id": new_id(), "answers": {"bladder": "\ud800"}}),
        ("sessions", {"client_id": "\ud800", "status": "done"}),
        ("sessions", {"client_id": new_id(), "status": "done", "done": ["\ud800"]}),
        ("sessions", {"client_id": new_id(), "status": "done", "day": "0001-01-01"}),
    ],
)
def test_given_what_no_record_can_hold_then_words_and_nothing_kept(at_home, program, path, body):
    refused = post(at_home, path, body)
    assert refused.status_code == 400
    assert refused.json()
    assert not (CheckIn.objects.exists() or Session.objects.exists() or RedFlag.objects.exists())


def test_given_a_character_set_nobody_knows_then_words(at_home):
    kind = "application/json; charset=x-no"
    sent = at_home.generic("POST", "/api/v1/check-ins/", b"{}", content_type=kind)
    assert sent.status_code == 400


def test_given_more_than_anybody_has_to_say_then_it_is_not_even_read(at_home):
    assert post(at_home, "check-ins", {"note": "n" * 3_000_000}).status_code == 400


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False)
    | st.sampled_from(["done", "partly", "skipped", "yes", "no", "one_sided", "left", "time"])
    | st.text(st.characters(exclude_categories=()), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=5,
)
OTHERS = "client_id session day status known done skip_reason side note exercise answers what"
fields = st.sampled_from([*GOOD_AFTER, *GOOD_MORNING, *OTHERS.split()])
bodies = st.dictionaries(fields, values, max_size=8)
fuzz = settings(
    max_examples=40,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@fuzz
@given(path=st.sampled_from(API_POSTS), body=bodies | values, good=st.booleans())
def test_given_any_json_then_the_api_never_breaks(at_home, path, body, good):
    if good and isinstance(body, dict):
        whole = {"sessions": {"status": "done"}, "check-ins": GOOD_MORNING}.get(path, {})
        body = {"client_id": new_id(), **whole, **body}
    assert post(at_home, path, body).status_code < 500


@fuzz
@given(path=st.sampled_from(PAGES), body=bodies, answers=st.booleans())
def test_given_any_form_then_the_pages_never_break(at_home, program, path, body, answers):
    if answers:
        body = {question.id: "no" for question in REPEATED} | body
    fill = {key: str(value).encode("utf-8", "replace").decode() for key, value in body.items()}
    assert at_home.post(path, fill).status_code < 500


def test_given_a_very_long_note_then_the_page_says_so(at_home):
    answer_red_flags(
        patient=Program.objects.get().patient,
        answers={question.id: "no" for question in REPEATED},
        source="weekly",
        client_id=uuid.uuid4(),
        at=at_day(0),
    )
    sent = {**GOOD_MORNING, "client_id": new_id(), "note": "n" * 1_000_000}
    refused = at_home.post("/check-in/morning/", sent)
    assert refused.status_code == 400
    assert "no more than 1000 letters" in refused.content.decode()


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_given_another_method_then_405_everywhere(at_home, method):
    for path in (*PAGES, "/", "/r/abc/", "/api/v1/sessions/", "/api/v1/check-ins/"):
        assert getattr(at_home, method)(path).status_code == 405, path


def test_given_no_token_of_the_page_then_no_post_goes_through(program):
    outside = Client(enforce_csrf_checks=True)
    outside.force_login(program.patient.user)
    with time_machine.travel(at_day(1), tick=False):
        for path in (*PAGES, "/r/abc/", "/account/logout/", "/account/login/code/"):
            assert outside.post(path, {}).status_code == 403, path
        for path in API_POSTS:
            assert post(outside, path, {"client_id": new_id()}).status_code == 403, path


def test_given_an_account_that_was_closed_then_its_open_session_is_over(at_home, program):
    user = program.patient.user
    user.is_active = False
    user.save()
    assert at_home.get("/api/v1/today/").status_code == 403
    assert at_home.get("/routine/").status_code == 302


def test_given_a_character_no_database_keeps_then_words_in_the_portal_too(
    client, program, physio, manager
):
    client.raise_request_exception = False
    client.force_login(manager)
    for path in ("?q=", "clinic/outboxmessage/?kind__exact=", "clinic/accessrecord/?page="):
        refused = client.get(f"/clinic/{path}%00")
        assert refused.status_code == 400, path
        assert b"<h1" in refused.content
    answer_red_flags(
        patient=program.patient,
        answers={question.id: "yes" for question in REPEATED},
        source="button",
        client_id=uuid.uuid4(),
        at=at_day(0),
    )
    alert = Alert.objects.get(key__startswith="red_flag")
    client.force_login(physio)
    path = reverse("admin:patient_seen", args=[program.patient_id, alert.pk])
    assert client.post(path, {"outcome": "Rang\0 her."}).status_code == 302
    alert.refresh_from_db()
    assert alert.outcome == "Rang her."


# --- what is sent twice -------------------------------------------------------------------------


def test_given_an_id_that_stands_for_other_answers_then_it_is_refused(at_home, program):
    first, second = report_session(program, 0), report_session(program, 1)
    used = new_id()
    assert post(at_home, "check-ins", {**GOOD_MORNING, "client_id": used}).status_code == 201
    for session in (first, second):
        body = {**GOOD_AFTER, "client_id": used, "session": str(session.pk)}
        assert "client_id" in post(at_home, "check-ins", body).json()
    used = new_id()
    body = {**GOOD_AFTER, "client_id": used, "session": str(first.pk)}
    assert post(at_home, "check-ins", body).status_code == 201
    assert post(at_home, "check-ins", body).status_code == 200
    assert post(at_home, "check-ins", body | {"session": str(second.pk)}).status_code == 400
    assert post(at_home, "check-ins", {**GOOD_MORNING, "client_id": used}).status_code == 400
    other = {**body, "client_id": new_id(), "pain_during": 9}
    said = post(at_home, "check-ins", other)
    assert said.status_code == 400 and "already" in said.json()["detail"][0]


# --- sessions that are not what they say --------------------------------------------------------


def test_given_less_than_everything_then_it_is_not_a_done_session(at_home, program):
    items = at_home.get("/api/v1/today/").json()["items"]
    some = [items[0]["exercise"]]
    refused = post(at_home, "sessions", {"client_id": new_id(), "status": "done", "done": some})
    assert "status" in refused.json()
    partly = post(at_home, "sessions", {"client_id": new_id(), "status": "partly"}).json()
    assert not any(item["done"] for item in partly["items"])


def test_given_a_session_of_last_month_then_nobody_asks_how_it_felt(at_home, program):
    old = report_session(program, 1)
    with time_machine.travel(at_day(12), tick=False):
        body = {**GOOD_AFTER, "client_id": new_id(), "session": str(old.pk)}
        assert post(at_home, "check-ins", body).status_code == 400


def test_given_a_program_that_starts_later_then_its_first_day_is_said(client, make_program):
    program = make_program(started_on=at_day(5).date())
    client.force_login(program.patient.user)
    with time_machine.travel(at_day(1), tick=False):
        said = post(client, "sessions", {"client_id": new_id(), "status": "done"})
        assert said.status_code == 400 and "starts later" in said.json()["day"][0]
        assert client.get("/api/v1/today/").json()["items"] == []


# --- while a red flag is open -------------------------------------------------------------------


def test_given_one_yes_and_nothing_else_then_the_api_stops_too(at_home, program):
    done = post(at_home, "sessions", {"client_id": new_id(), "status": "done"}).json()
    assert done["items"]
    raised = post(at_home, "red-flags", {"client_id": new_id(), "answers": {"bladder": "yes"}})
    assert raised.status_code == 201 and raised.json()["stop"]["emergency_number"] == "999"
    body = {"client_id": done["client_id"], "status": "done"}
    assert post(at_home, "sessions", body).json()["items"] == []
    assert [row["items"] for row in at_home.get("/api/v1/sessions/").json()] == [[]]


def test_given_a_routine_begun_before_the_flag_then_no_page_goes_on_with_it(at_home, program):
    answer_red_flags(
        patient=program.patient,
        answers={question.id: "no" for question in REPEATED},
        source="weekly",
        client_id=uuid.uuid4(),
        at=at_day(0),
    )
    name = program.current_version.prescriptions.order_by("order").first().exercise.name
    slug = at_home.get("/routine/").context["today"].items[0].exercise.slug
    post(at_home, "red-flags", {"client_id": new_id(), "answers": {"bladder": "yes"}})
    for path in ("/", *PAGES):
        shown = at_home.get(path, follow=True).content.decode()
        assert name not in shown and slug not in shown, path
    at_home.post("/routine/", {"client_id": new_id(), f"how-{slug}": "done"})
    assert not program.sessions.exists()
