"""The red banner: staff read at once when messages stop going out."""

import datetime as dt

import pytest
import time_machine
from django.db import DatabaseError

from clinic import health, standstill
from clinic.models import OutboxMessage
from tests.clinic.messages import queued

pytestmark = pytest.mark.django_db

# A quarter past nine in London.
NOW = dt.datetime(2026, 3, 2, 9, 15, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def at_nine():
    standstill.forget()
    with time_machine.travel(NOW, tick=False):
        yield
    standstill.forget()


def heard(name: str, *, ago_s: int) -> None:
    health.beat(name=name, at=NOW - dt.timedelta(seconds=ago_s))


def all_well() -> None:
    heard("worker", ago_s=5)
    heard("planning", ago_s=20)


def page_for(client, person, address="/clinic/") -> str:
    client.force_login(person)
    return client.get(address).content.decode()


@pytest.mark.parametrize("role", ["physio", "front_desk", "manager"])
def test_given_a_silent_sender_then_every_member_of_staff_reads_since_when(client, request, role):
    heard("worker", ago_s=180)
    heard("planning", ago_s=20)
    person = request.getfixturevalue(role)
    for address in ("/clinic/", "/clinic/patients/new/", "/clinic/clinic/outboxmessage/"):
        shown = page_for(client, person, address)
        assert 'role="alert"' in shown
        assert "Reminders are not going out." in shown
        assert "The sender was last heard of at 09:12." in shown


def test_given_a_manager_then_the_banner_says_where_to_look_and_others_tell_a_manager(
    client, manager, physio
):
    assert "setup guide" in page_for(client, manager)
    shown = page_for(client, physio)
    assert "Please tell a manager now." in shown
    assert "setup guide" not in shown


def test_given_a_practice_in_which_no_worker_ever_ran_then_that_is_said(client, physio):
    assert "No sender has been heard of yet." in page_for(client, physio)


def test_given_all_is_well_then_there_is_no_banner(client, physio):
    all_well()
    assert "po-halt" not in page_for(client, physio)


def test_given_another_day_then_the_banner_names_it(client, physio):
    heard("worker", ago_s=3 * 24 * 3600)
    assert "last heard of on 27 February, 09:15" in page_for(client, physio)


def test_given_a_message_that_waits_too_long_then_the_banner_says_since_when(client, physio):
    all_well()
    queued(due_at=NOW - dt.timedelta(minutes=15), expires_at=NOW + dt.timedelta(hours=9))
    shown = page_for(client, physio)
    assert "Messages are going out late." in shown
    assert "waiting since 09:00" in shown


def test_given_a_message_put_off_again_and_again_then_the_banner_says_since_when(client, physio):
    all_well()
    message = queued(due_at=NOW - dt.timedelta(hours=3), expires_at=NOW + dt.timedelta(hours=9))
    OutboxMessage.objects.filter(pk=message.pk).update(
        wake_at=NOW + dt.timedelta(seconds=20), attempts=9
    )
    shown = page_for(client, physio)
    assert "Messages are going out late." in shown
    assert "waiting since 06:15" in shown


def test_given_planning_that_stopped_then_the_banner_says_so(client, physio):
    heard("worker", ago_s=5)
    heard("planning", ago_s=900)
    shown = page_for(client, physio)
    assert "No new reminders are being planned." in shown
    assert "Planning last ran at 09:00." in shown


def test_given_a_send_run_while_no_task_comes_through_then_there_is_no_banner(client, physio):
    heard("worker", ago_s=3600)
    heard("sending", ago_s=30)
    heard("planning", ago_s=20)
    assert "po-halt" not in page_for(client, physio)


def test_given_a_patient_then_their_pages_never_show_it(client, program):
    for address in ("/", "/clinic/"):
        assert "Reminders are not going out" not in page_for(client, program.patient.user, address)


def test_given_the_signs_cannot_be_read_then_the_page_comes_without_a_banner(
    client, physio, monkeypatch, caplog
):
    def broken(**_):
        raise DatabaseError("no such thing")

    monkeypatch.setattr(health, "signs", broken)
    shown = page_for(client, physio)
    assert "Caseload" in shown
    assert "po-halt" not in shown
    assert "cannot be read (DatabaseError)" in caplog.text


def test_given_many_pages_within_seconds_then_the_database_is_asked_once(
    rf, physio, django_assert_num_queries, monkeypatch
):
    monkeypatch.setattr(standstill, "REMEMBERED_S", 60.0)
    standstill.forget()
    request = rf.get("/clinic/")
    request.user = physio
    with django_assert_num_queries(1):
        assert [standstill.standstill_for(request) is not None for _ in range(5)] == [True] * 5
