"""Real sender processes, killed and cut off: none lost, none doubled, each one's fate known."""

import contextlib
import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from clinic.messaging import sending
from clinic.models import OutboxMessage
from tests.clinic.messages import queued
from tests.faults.carriers import CUT, HOLD, MailServer, closed_port, environment

Status = OutboxMessage.Status
pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
USUAL = ""


@pytest.fixture
def server(settings) -> Iterator[MailServer]:
    with MailServer() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


def send_again() -> int:
    """What a healthy sender sends now, in this process."""
    return sending.send_all_due().sent


def queue(count: int) -> list[str]:
    """That many messages, due one after the other; returns their addresses in that order."""
    now = timezone.now()
    return [
        queued(
            f"{number:03}@practice.example",
            due_at=now - dt.timedelta(seconds=count - number),
            expires_at=now + dt.timedelta(hours=5),
        ).address
        for number in range(count)
    ]


@contextlib.contextmanager
def sender(server_port: int, **more: str) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "send_due"],
        # One line to the server unless a test wants more, so that mails come one by one.
        env=environment(server_port, **{"EMAIL_CONNECTIONS": "1", **more}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def run_sender(server_port: int, **more: str) -> str:
    """Let one sender finish; returns the line it prints."""
    with sender(server_port, **more) as process:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        return out


def after_every_lease() -> dt.datetime:
    return timezone.now() + dt.timedelta(seconds=settings.SENDER_LEASE_S + 1)


def states() -> Counter[str]:
    return Counter(OutboxMessage.objects.values_list("status", flat=True))


def wait_until(true: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@pytest.mark.parametrize(("stage", "arrives"), [("taken", True), ("DATA", False)])
def test_given_a_sender_killed_while_the_server_holds_a_mail_then_only_that_one_is_unknown(
    server, stage, arrives
):
    addresses = queue(6)
    server.will(stage, USUAL, USUAL, HOLD)
    with sender(server.port) as process:
        assert server.holding.wait(30)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=10)
    server.let_go.set()
    assert states() == {Status.SENT: 2, Status.SENDING: 1, Status.CLAIMED: 3}

    # While the leases run, nobody touches what the dead sender had.
    assert send_again() == 0
    swept = sending.sweep(at=after_every_lease())
    assert (swept.released, swept.unknown) == (3, 1)
    assert send_again() == 3
    assert send_again() == 0

    assert states() == {Status.SENT: 5, Status.UNKNOWN: 1}
    held = addresses[2]
    assert OutboxMessage.objects.get(status=Status.UNKNOWN).address == held
    once = Counter(addresses)
    assert server.count() == (once if arrives else once - Counter([held]))


def test_given_a_sender_with_many_lines_killed_then_no_more_are_unknown_than_it_had_lines(server):
    addresses = queue(30)
    server.will("taken", *[USUAL] * 6, HOLD, HOLD, HOLD, HOLD)
    with sender(server.port, EMAIL_CONNECTIONS="4") as process:
        wait_until(lambda: len(server.delivered) == 10)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=10)
    server.let_go.set()
    sending.sweep(at=after_every_lease())
    send_again()
    assert states()[Status.UNKNOWN] <= 4
    assert states()[Status.UNKNOWN] + states()[Status.SENT] == 30
    assert server.count() == Counter(addresses)


def test_given_a_database_that_drops_the_sender_in_the_middle_then_it_comes_back_and_loses_nothing(
    server,
):
    addresses = queue(4)
    server.will("taken", USUAL, HOLD)
    with sender(server.port) as process:
        assert server.holding.wait(30)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        server.let_go.set()
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert states() == {Status.SENT: 4}
    assert server.count() == Counter(addresses)


def test_given_two_senders_at_once_then_each_message_is_delivered_once(server):
    addresses = queue(200)
    # None gets an answer before both are connected, so that both hold a batch.
    server.will("connect", HOLD, HOLD)
    with sender(server.port) as one, sender(server.port) as two:
        wait_until(lambda: server.connections == 2)
        server.let_go.set()
        said = [process.communicate(timeout=60)[0] for process in (one, two)]
    assert all("sent 0" not in line for line in said)
    assert server.count() == Counter(addresses)
    assert states() == {Status.SENT: 200}


def test_given_a_server_that_says_later_then_yes_then_the_mail_arrives_once(server):
    addresses = queue(3)
    server.will("RCPT", "451 4.3.0 later")
    assert "sent 2, failed 0, put back 1" in run_sender(server.port)
    waiting = OutboxMessage.objects.get(status=Status.DUE)
    assert (waiting.address, waiting.attempts) == (addresses[0], 1)
    assert waiting.wake_at > timezone.now()
    assert send_again() == 0
    OutboxMessage.objects.filter(pk=waiting.pk).update(wake_at=timezone.now())
    assert send_again() == 1
    assert server.count() == Counter(addresses)


def test_given_a_server_that_says_never_then_the_mail_has_failed_and_the_others_arrive(server):
    addresses = queue(3)
    server.will("text", USUAL, "554 5.7.1 never")
    assert "sent 2, failed 1" in run_sender(server.port)
    failed = OutboxMessage.objects.get(status=Status.FAILED)
    assert failed.reason == "The mail server refused the message (554)."
    assert server.count() == Counter(addresses) - Counter([failed.address])


@pytest.mark.parametrize(("stage", "arrives"), [("before_dot", False), ("taken", True)])
def test_given_a_line_cut_around_the_final_dot_then_that_mail_is_unknown_and_never_repeated(
    server, stage, arrives
):
    addresses = queue(4)
    server.will(stage, USUAL, CUT)
    assert "sent 3, failed 0, put back 0, unknown 1" in run_sender(server.port)
    sending.sweep(at=after_every_lease())
    assert send_again() == 0
    assert states() == {Status.SENT: 3, Status.UNKNOWN: 1}
    once = Counter(addresses)
    assert server.count() == (once if arrives else once - Counter([addresses[1]]))


def test_given_a_line_cut_before_the_text_then_that_mail_is_sent_again_at_once(server):
    addresses = queue(4)
    server.will("DATA", USUAL, CUT)
    assert "sent 4" in run_sender(server.port)
    assert server.count() == Counter(addresses)


def test_given_no_mail_server_then_all_wait_and_go_out_when_it_is_back(server):
    addresses = queue(3)
    with closed_port() as port:
        assert "sent 0, failed 0, put back 3" in run_sender(port)
    assert states() == {Status.DUE: 3}
    OutboxMessage.objects.update(wake_at=timezone.now())
    assert send_again() == 3
    assert server.count() == Counter(addresses)


@pytest.mark.queue
def test_given_redis_is_away_then_send_due_still_sends(server):
    addresses = queue(3)
    with closed_port() as port:
        said = run_sender(server.port, REDIS_URL=f"redis://127.0.0.1:{port}/0")
    assert "sent 3" in said
    assert server.count() == Counter(addresses)
