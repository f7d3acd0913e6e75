"""The wake-up: a real worker, woken over Redis, sends over a real SMTP line."""

import subprocess
import sys
import time
import uuid

import pytest
from django.utils import timezone

from clinic import health
from clinic.models import Heartbeat, OutboxMessage
from config.celery import app
from tests.clinic.messages import queued
from tests.faults.carriers import MailServer, environment


@pytest.mark.queue
@pytest.mark.django_db(transaction=True)
def test_given_a_worker_then_a_wake_up_over_redis_sends_the_mail_and_shows_that_it_lives():
    now = timezone.now()
    message = queued("ruth@practice.example", due_at=now, expires_at=now.replace(year=2999))
    # A queue of its own: no other worker on the same Redis takes these.
    queue = f"test-{uuid.uuid4()}"
    with MailServer() as server:
        worker = subprocess.Popen(
            [
                sys.executable, "-m", "celery", "-A", "config", "worker", "-Q", queue,
                "--concurrency", "1", "--loglevel", "INFO", "--without-gossip", "--without-mingle",
            ],
            env=environment(server.port, PYTHONWARNINGS="ignore"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        try:
            # Twice at once, as two beats would.
            for task in ("send_due", "send_due", "heartbeat"):
                app.send_task(f"clinic.tasks.{task}", queue=queue)
            end = time.monotonic() + 60
            while not (server.delivered and Heartbeat.objects.filter(name=health.WORKER).exists()):
                assert worker.poll() is None, worker.stderr.read()
                assert time.monotonic() < end, "no mail in time"
                time.sleep(0.1)
        finally:
            worker.terminate()
            _, log = worker.communicate(timeout=30)
    message.refresh_from_db()
    assert message.status == OutboxMessage.Status.SENT
    assert [address for address, _ in server.delivered] == ["ruth@practice.example"]
    assert "sent 1 of 1 taken" in log
    assert "ruth@" not in log
