"""Alive and ready, as a load balancer asks."""

import datetime as dt

import pytest
from django.utils import timezone

from clinic import health, tasks
from clinic.messaging import outbox
from clinic.models import Heartbeat, OutboxMessage
from tests.clinic.messages import queued
from tests.faults.carriers import closed_port


def everything_at_work() -> None:
    tasks.heartbeat()
    health.beat(name="planning", at=timezone.now())


def test_given_a_web_process_then_healthz_answers_without_asking_anybody(client):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok")
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_given_everything_runs_then_readyz_says_so_part_by_part(client):
    everything_at_work()
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["ready"] is True
    assert set(answer.json()["checks"]) == {"database", "redis", "worker", "planning", "outbox"}
    assert all(check["ok"] for check in answer.json()["checks"].values())


@pytest.mark.django_db
@pytest.mark.parametrize("age", [None, 121])
def test_given_a_worker_nobody_hears_of_then_readyz_says_no(client, age):
    health.beat(name="planning", at=timezone.now())
    if age:
        health.beat(at=timezone.now() - dt.timedelta(seconds=age))
    answer = client.get("/readyz")
    checks = answer.json()["checks"]
    assert answer.status_code == 503
    assert [name for name, check in checks.items() if not check["ok"]] == ["worker"]


@pytest.mark.django_db
def test_given_no_task_but_a_send_run_from_the_database_then_the_worker_is_well(client):
    health.beat(at=timezone.now() - dt.timedelta(hours=1))
    health.beat(name="sending", at=timezone.now())
    assert client.get("/readyz").json()["checks"]["worker"]["ok"] is True


@pytest.mark.django_db
@pytest.mark.parametrize("age", [None, 301])
def test_given_planning_that_does_not_run_then_readyz_says_no(client, age):
    tasks.heartbeat()
    if age:
        health.beat(name="planning", at=timezone.now() - dt.timedelta(seconds=age))
    answer = client.get("/readyz")
    checks = answer.json()["checks"]
    assert answer.status_code == 503
    assert [name for name, check in checks.items() if not check["ok"]] == ["planning"]


@pytest.mark.django_db
def test_given_many_beats_then_each_part_keeps_one_row_with_its_last():
    last = timezone.now()
    for seconds in (30, 15, 0):
        health.beat(name="sending", at=last - dt.timedelta(seconds=seconds))
        health.beat(at=last - dt.timedelta(seconds=seconds))
    assert dict(Heartbeat.objects.values_list("name", "at")) == {"sending": last, "worker": last}


@pytest.mark.django_db
@pytest.mark.parametrize(("waits", "ok"), [(4, True), (6, False)])
def test_given_a_message_that_waits_for_minutes_then_the_outbox_is_not_well(client, waits, ok):
    everything_at_work()
    now = timezone.now()
    queued(due_at=now - dt.timedelta(minutes=waits), expires_at=now + dt.timedelta(hours=1))
    answer = client.get("/readyz")
    assert answer.status_code == (200 if ok else 503)
    assert answer.json()["checks"]["outbox"]["ok"] is ok
    assert "ruth" not in answer.content.decode()


def put_off(*, minutes: int, address: str = "ruth@practice.example", **fields) -> None:
    """A message that was due so long ago, refused for now again and again, and soon tried again."""
    now = timezone.now()
    message = queued(
        address,
        due_at=now - dt.timedelta(minutes=minutes),
        expires_at=now + dt.timedelta(hours=1),
        **fields,
    )
    message.wake_at, message.attempts = now + dt.timedelta(seconds=20), 9
    message.save()


def outbox_says(client) -> dict:
    return client.get("/readyz").json()["checks"]["outbox"]


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "ok"), [(29, True), (31, False), (180, False)])
def test_given_a_carrier_that_takes_nothing_then_a_message_put_off_for_too_long_is_seen(
    client, minutes, ok
):
    everything_at_work()
    health.carrier_took("email", at=timezone.now() - dt.timedelta(minutes=minutes + 1))
    # The other carrier is well.
    health.carrier_took("sms", at=timezone.now())
    put_off(minutes=minutes)
    said = outbox_says(client)
    assert said["ok"] is ok
    assert said["oldest_due_age_s"] == (0 if ok else pytest.approx(60 * minutes, abs=30))


@pytest.mark.django_db
def test_given_others_go_out_then_a_full_mailbox_makes_no_alarm_and_many_of_them_do(client):
    everything_at_work()
    health.carrier_took("email", at=timezone.now() - dt.timedelta(minutes=100))
    for number in range(health.PUT_OFF_MANY - 1):
        put_off(minutes=180, address=f"p{number}@patients.example")
    put_off(minutes=170, address="p0@patients.example")
    assert outbox_says(client)["ok"] is True
    put_off(minutes=160, address="one.more@patients.example")
    assert outbox_says(client)["ok"] is False


@pytest.mark.django_db
def test_given_a_morning_full_of_reminders_two_minutes_on_then_the_outbox_is_well(client):
    everything_at_work()
    now = timezone.now()
    first = queued(due_at=now - dt.timedelta(minutes=2), expires_at=now + dt.timedelta(hours=9))
    OutboxMessage.objects.bulk_create(
        outbox.draft(
            key=f"rush:{number}",
            kind=first.kind,
            channel=first.channel,
            subject_type="alert",
            subject_id=number,
            address=f"p{number}@patients.example",
            text=first.text,
            due_at=first.due_at,
            expires_at=first.expires_at,
            at=first.due_at,
        )
        for number in range(10_000)
    )
    assert outbox_says(client)["ok"] is True


@pytest.mark.django_db
def test_given_redis_is_away_then_readyz_says_so_and_tells_the_truth_of_the_rest(client, settings):
    everything_at_work()
    with closed_port() as port:
        settings.CACHES = {
            "default": {**settings.CACHES["default"], "LOCATION": f"redis://127.0.0.1:{port}/0"}
        }
        answer = client.get("/readyz")
    checks = answer.json()["checks"]
    assert answer.status_code == 503
    assert [name for name, check in checks.items() if not check["ok"]] == ["redis"]
    assert "go out all the same" in checks["redis"]["says"]


def test_given_the_database_is_away_then_readyz_still_answers(client):
    # A test without the database mark is refused by it, as a dead server would refuse.
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"]["ok"] is False


@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
def test_given_another_method_then_it_is_refused(client, address):
    assert client.post(address).status_code == 405
