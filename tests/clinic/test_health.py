"""Alive and ready, as a load balancer asks."""

import datetime as dt

import pytest
from django.core.cache import cache
from django.utils import timezone

from clinic import health, tasks
from tests.clinic.messages import queued
from tests.faults.carriers import closed_port


@pytest.fixture(autouse=True)
def no_worker_yet():
    cache.delete(health._HEARTBEAT)
    yield
    cache.delete(health._HEARTBEAT)


def test_given_a_web_process_then_healthz_answers_without_asking_anybody(client):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok")
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_given_everything_runs_then_readyz_says_so_part_by_part(client):
    tasks.heartbeat()
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["ready"] is True
    assert set(answer.json()["checks"]) == {"database", "redis", "worker", "outbox"}
    assert all(check["ok"] for check in answer.json()["checks"].values())


@pytest.mark.django_db
@pytest.mark.parametrize("age", [None, 61])
def test_given_a_worker_nobody_hears_of_then_readyz_says_no(client, age):
    if age:
        health.beat(at=timezone.now() - dt.timedelta(seconds=age))
    answer = client.get("/readyz")
    checks = answer.json()["checks"]
    assert answer.status_code == 503
    assert [name for name, check in checks.items() if not check["ok"]] == ["worker"]


@pytest.mark.django_db
@pytest.mark.parametrize(("waits", "ok"), [(4, True), (6, False)])
def test_given_a_message_that_waits_for_minutes_then_the_outbox_is_not_well(client, waits, ok):
    tasks.heartbeat()
    now = timezone.now()
    queued(due_at=now - dt.timedelta(minutes=waits), expires_at=now + dt.timedelta(hours=1))
    answer = client.get("/readyz")
    assert answer.status_code == (200 if ok else 503)
    assert answer.json()["checks"]["outbox"]["ok"] is ok
    assert "ruth" not in answer.content.decode()


@pytest.mark.django_db
def test_given_redis_is_away_then_readyz_still_answers(client, settings):
    with closed_port() as port:
        settings.CACHES = {
            "default": {**settings.CACHES["default"], "LOCATION": f"redis://127.0.0.1:{port}/0"}
        }
        answer = client.get("/readyz")
    checks = answer.json()["checks"]
    assert answer.status_code == 503
    assert (checks["database"]["ok"], checks["outbox"]["ok"]) == (True, True)
    assert (checks["redis"]["ok"], checks["worker"]["ok"]) == (False, False)


def test_given_the_database_is_away_then_readyz_still_answers(client):
    # A test without the database mark is refused by it, as a dead server would refuse.
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"]["ok"] is False


@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
def test_given_another_method_then_it_is_refused(client, address):
    assert client.post(address).status_code == 405
