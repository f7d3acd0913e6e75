"""The drill in short, on servers and processes of its own; ``make faults`` runs the long one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
pytestmark = [pytest.mark.fault, pytest.mark.timeout(400)]


def drill(*arguments: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.drill", *arguments],
        cwd=ROOT,
        # The servers of the other tests are not for killing.
        env={
            name: value
            for name, value in os.environ.items()
            if name not in ("DATABASE_URL", "REDIS_URL", "STEADYBACK_SERVICES_DIR")
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip().startswith("{"), done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.mark.database
@pytest.mark.queue
def test_given_killed_senders_a_dead_database_and_a_dead_queue_then_none_is_lost_or_doubled():
    report = drill(
        *("--reminders", "1500", "--workers", "4", "--kills", "3", "--pg-restarts", "1"),
        *("--redis-kills", "1", "--seconds", "10", "--lease", "4", "--troubles"),
    )
    assert report["wrong"] == []
    assert (report["lost"], report["doubled"]) == (0, 0)
    assert report["rows"] == report["owed"] == 1500
    assert report["kills_with_something_on_the_wire"] > 0
    assert report["unknown"] == report["unknown_listed"] <= report["unknown_at_most"]


@pytest.mark.database
@pytest.mark.queue
def test_given_no_queue_from_first_to_last_and_a_killed_sender_then_all_the_same_is_sent():
    report = drill(
        *("--reminders", "300", "--workers", "4", "--kills", "1", "--pg-restarts", "0"),
        *("--redis-off", "--seconds", "4", "--lease", "4"),
    )
    assert report["wrong"] == []
    assert report["states"].get("sent", 0) + report["unknown"] == report["owed"] == 300
    assert report["unknown"] <= report["unknown_at_most"]
