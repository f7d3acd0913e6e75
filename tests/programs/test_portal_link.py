"""The link of a reminder: what it opens, for whom, and for how long."""

import datetime as dt
import uuid

from django.urls import reverse

from clinic.messaging import outbox
from clinic.messaging.links import token_for
from clinic.models import OutboxMessage
from patients.models import CheckIn
from programs.models import Program
from tests.conftest import MONDAY
from tests.programs.at_home import AFTER, assert_no_exercise, do_routine, safe
from tests.reading import client_id_in, words

SIGNED_OUT = "/account/login/code/"


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
