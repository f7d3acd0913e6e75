"""The API, through HTTP as an app on a patient's device uses it."""

import uuid

import pytest
import time_machine

from patients.models import CheckIn
from patients.red_flags import REPEATED
from tests.living import GOOD_AFTER, GOOD_MORNING, at_day

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(client, program):
    """A browser signed in as the patient of ``program``, on the program's second day."""
    client.force_login(program.patient.user)
    with time_machine.travel(at_day(1), tick=False):
        yield client


def post(client, path, body):
    return client.post(f"/api/v1/{path}/", body, content_type="application/json")


def test_sign_in_state_is_told_to_anybody_and_nothing_else_is(client, patient):
    assert client.get("/api/v1/me/").json()["signed_in"] is False
    for path in ("today", "sessions", "red-flags"):
        assert client.get(f"/api/v1/{path}/").status_code == 403
    assert post(client, "check-ins", {}).status_code == 403


def test_staff_are_told_where_to_go(client, physio):
    client.force_login(physio)
    assert client.get("/api/v1/me/").json()["kind"] == "staff"
    refused = client.get("/api/v1/today/")
    assert refused.status_code == 403
    assert "clinician portal" in refused.json()["detail"]


def test_a_day_by_api_routine_session_and_check_in(api, program):
    today = api.get("/api/v1/today/").json()
    assert today["items"][0]["cues"] and today["items"][0]["dose"]
    assert today["stop"] is None and today["morning_due"] is True
    session = {"client_id": str(uuid.uuid4()), "status": "done", "known": "timed"}
    first = post(api, "sessions", session)
    assert first.status_code == 201
    answers = {**GOOD_AFTER, "client_id": str(uuid.uuid4()), "session": first.json()["id"]}
    answered = post(api, "check-ins", answers)
    assert answered.status_code == 201
    assert answered.json()["decision"]["outcome"] == "HOLD"
    assert api.get("/api/v1/today/").json()["session"]["status"] == "done"
    assert len(api.get("/api/v1/sessions/").json()) == 1


@pytest.mark.parametrize("path", ["sessions", "check-ins"])
def test_sending_again_changes_nothing(api, program, path):
    body = {"client_id": str(uuid.uuid4())}
    body |= {"status": "partly"} if path == "sessions" else GOOD_MORNING
    first, again = post(api, path, body), post(api, path, body | {"note": "twice"})
    assert (first.status_code, again.status_code) == (201, 200)
    if path == "check-ins":
        assert first.json()["client_id"] == again.json()["client_id"]
        assert CheckIn.objects.get().note == ""
    else:
        assert first.json() == again.json()


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("sessions", {"status": "done"}, "client_id"),
        ("sessions", {"client_id": str(uuid.uuid4()), "status": "skipped"}, "skip_reason"),
        (
            "sessions",
            {"client_id": str(uuid.uuid4()), "status": "done", "day": "2031-01-01"},
            "day",
        ),
        (
            "sessions",
            {"client_id": str(uuid.uuid4()), "status": "done", "done": ["sit-ups"]},
            "done",
        ),
        ("check-ins", {"client_id": str(uuid.uuid4())}, "pain_this_morning"),
        (
            "check-ins",
            {**GOOD_MORNING, "client_id": str(uuid.uuid4()), "soreness": "one_sided"},
            "side",
        ),
        ("check-ins", {**GOOD_MORNING, "client_id": str(uuid.uuid4()), "sleep": 11}, "sleep"),
        ("red-flags", {"client_id": str(uuid.uuid4()), "answers": {}}, "answers"),
    ],
)
def test_what_cannot_be_right_is_refused_by_field_and_leaves_nothing(
    api, program, path, body, field
):
    refused = post(api, path, body)
    assert refused.status_code == 400
    assert field in refused.json()
    assert not program.sessions.exists() and not CheckIn.objects.exists()


def test_a_red_flag_answers_with_the_emergency_text_and_takes_the_exercises_away(api, program):
    answers = {question.id: "no" for question in REPEATED} | {"bladder": "not_sure"}
    raised = post(api, "red-flags", {"client_id": str(uuid.uuid4()), "answers": answers})
    assert raised.status_code == 201
    assert raised.json()["severity"] == "emergency"
    assert raised.json()["stop"]["emergency_number"] == "999"
    today = api.get("/api/v1/today/").json()
    assert today["items"] == [] and today["stopped"] is True
    assert (
        post(api, "sessions", {"client_id": str(uuid.uuid4()), "status": "done"}).status_code == 400
    )


def test_somebody_elses_session_cannot_be_answered_or_taken_over(api, make_program):
    other = make_program("desk")
    client_id = uuid.uuid4()
    session = other.sessions.create(
        version=other.current_version,
        day=at_day(0).date(),
        status="done",
        known="timed",
        client_id=client_id,
        at=at_day(0),
    )
    body = {**GOOD_AFTER, "client_id": str(uuid.uuid4()), "session": str(session.pk)}
    assert post(api, "check-ins", body).status_code == 404
    taken = post(api, "sessions", {"client_id": str(client_id), "status": "done"})
    assert taken.status_code == 400


def test_the_schema_is_public_and_names_every_door(client, db):
    schema = client.get("/api/v1/schema/", headers={"accept": "application/json"})
    assert schema.status_code == 200
    for path in ("/today/", "/sessions/", "/check-ins/", "/me/", "/red-flags/"):
        assert f"/api/v1{path}".encode() in schema.content


def test_answers_are_never_kept_by_a_cache(api):
    assert api.get("/api/v1/today/")["Cache-Control"] == "private, no-store"
