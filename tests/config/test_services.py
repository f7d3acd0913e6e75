"""The embedded servers and the supervisor, as ``make demo`` uses them: real processes."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from config import ports, services
from config.supervisor import Died, Stopped, Supervisor

ADDRESSES = "from config import services as s; print(s.database_url()); print(s.redis_url());"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    place = tmp_path / "a folder with spaces"
    monkeypatch.setenv("STEADYBACK_SERVICES_DIR", str(place))
    yield place
    services.stop()


def left_running(folder: Path) -> list[str]:
    """Processes that work in the folder or were told about it."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            words = " ".join(process.cmdline())
            here = str(folder) in f"{process.cwd()} {words}"
            if here and process.status() != psutil.STATUS_ZOMBIE:
                found.append(f"{process.pid} {words}")
    return found


def becomes_true(question, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if question():
            return True
        time.sleep(0.02)
    return False


def python(code: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=services.ROOT,
        env={**os.environ, "STEADYBACK_TESTING": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_given_a_folder_with_spaces_when_started_then_both_answer_and_stop_leaves_nothing(folder):
    database, queue = services.database_url(), services.redis_url()

    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT lower('ÄRGER')").fetchone() == ("ärger",)
    assert redis.from_url(queue).ping()
    assert left_running(folder)

    services.stop()

    assert left_running(folder) == []


def test_given_a_stranger_on_this_machine_when_he_connects_then_he_needs_the_password(folder):
    database, queue = services.database_url(), services.redis_url()

    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(database.replace(":" + database.split(":")[2].split("@")[0], ""))
    with pytest.raises(redis.AuthenticationError):
        redis.from_url("redis://" + queue.split("@")[1]).ping()
    assert [
        path.name
        for path in folder.iterdir()
        if path.name != "postgres" and path.stat().st_mode & 0o077
    ] == []


def test_given_two_processes_when_they_start_at_once_then_they_share_one_server(folder):
    first, second = python(ADDRESSES), python(ADDRESSES)

    said = [process.communicate(timeout=30)[0] for process in (first, second)]

    assert said[0] == said[1]
    assert said[0].startswith("postgresql://")
    assert len([line for line in left_running(folder) if "config.keeper postgres" in line]) == 1


def test_given_a_hard_kill_when_started_again_then_what_was_committed_is_there(folder, monkeypatch):
    # Not a throwaway: the kind of server that the demo keeps its data in.
    monkeypatch.setattr(services, "testing", lambda: False)
    with psycopg.connect(services.database_url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    keeper = int((folder / "postgres.keeper").read_text())
    server = int((folder / "postgres" / "postmaster.pid").read_text().splitlines()[0])

    os.kill(server, signal.SIGKILL)
    os.kill(keeper, signal.SIGKILL)
    assert becomes_true(lambda: not services.running("postgres"))
    # The number of the dead server now belongs to somebody else.
    (folder / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{folder}/postgres\n")

    with psycopg.connect(services.database_url()) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)


def test_given_a_killed_keeper_when_started_again_then_no_second_server_writes(folder):
    services.redis_url()
    keeper = int((folder / "valkey.keeper").read_text())

    os.kill(keeper, signal.SIGKILL)
    assert becomes_true(lambda: not services.running("valkey"))
    again = services.redis_url()

    assert redis.from_url(again).ping()
    assert becomes_true(
        lambda: len([line for line in left_running(folder) if "valkey-server" in line]) == 1
    )


def test_given_no_process_uses_it_when_a_while_has_passed_then_the_server_stops(folder):
    user = python("from config import services as s; print(s.redis_url())")
    user.communicate(timeout=30)
    assert services.running("valkey")

    assert becomes_true(lambda: not services.running("valkey"))

    assert left_running(folder) == []


def test_given_a_folder_that_cannot_be_made_when_started_then_one_sentence_says_so(monkeypatch):
    monkeypatch.setenv("STEADYBACK_SERVICES_DIR", "/proc/steadyback")

    with pytest.raises(services.ServiceError, match="cannot keep its data in /proc/steadyback"):
        services.database_url()


def test_given_a_port_in_use_when_the_demo_starts_then_it_names_the_port_and_a_way_out():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = subprocess.run(
            [sys.executable, "-m", "config.demo"],
            cwd=services.ROOT,
            env={**os.environ, "PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        f"Port {port} is in use by another program: try make demo PORT={port + 1}."
    ]


@pytest.mark.parametrize("text", ["", "0", "65536", "eighty", "-1", "8000.0", "²"])
def test_given_a_port_that_is_none_when_asked_then_the_complaint_is_one_sentence(text):
    words = ports.complaint(text)

    assert words.startswith(f"PORT={text} is not a port")
    assert words.count("\n") == 0


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    before = {
        number: signal.getsignal(number)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    with Supervisor(os.environ) as made:
        yield made
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)


STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("up", flush=True)
time.sleep(60)
"""


def test_given_a_program_that_will_not_stop_when_asked_twice_then_it_and_its_children_are_killed(
    supervisor, capsys
):
    supervisor.start("stubborn", sys.executable, "-c", STUBBORN)
    program = psutil.Process(supervisor.programs["stubborn"].pid)
    assert becomes_true(lambda: len(program.children()) == 1)
    family = [program, *program.children()]

    os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(Stopped):
        supervisor.wait(5)
    os.kill(os.getpid(), signal.SIGINT)
    supervisor.stop()

    assert psutil.wait_procs(family, timeout=5)[1] == []


def test_given_a_program_dies_when_watched_then_the_sentence_names_it(supervisor):
    supervisor.start("worker", sys.executable, "-c", "raise SystemExit(3)")
    supervisor.programs["worker"].wait(10)

    with pytest.raises(Died, match=r"^The worker process stopped by itself \(exit code 3\)\.$"):
        supervisor.look()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux only")
def test_given_the_supervisor_is_killed_when_nobody_can_clean_up_then_its_programs_end():
    code = (
        "import os, sys, time; from config.supervisor import Supervisor;"
        "s = Supervisor(os.environ);"
        "s.start('sleeper', sys.executable, '-c', 'import time; time.sleep(60)');"
        "print(s.programs['sleeper'].pid, flush=True); time.sleep(60)"
    )
    process = python(code)
    assert process.stdout is not None
    sleeper = psutil.Process(int(process.stdout.readline()))

    process.kill()
    process.wait()

    assert psutil.wait_procs([sleeper], timeout=5)[1] == []
