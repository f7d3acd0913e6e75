"""A peer's race: tasks wait in the broker, and a worker of two processes is told to begin.

Arguments: file of the mail, how many.
"""

import email
import email.policy
import subprocess
import sys
import time
from pathlib import Path

import django

from tests.benchmarks.mails import Mail
from tests.benchmarks.team import ROOT, done, wait_for_go

_PATIENCE_S = 120


def main() -> None:
    django.setup()
    from django.db import connection

    from tests.benchmarks.task_per_reminder import QUEUE, app, send_reminder

    file, count = sys.argv[1], int(sys.argv[2])
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS reminders_log"
            " (id bigserial PRIMARY KEY, address text, at timestamptz, status text)"
        )
        cursor.execute("TRUNCATE reminders_log")
    with app.connection_for_write() as broker:
        broker.default_channel.queue_purge(QUEUE) if _known(broker, QUEUE) else None
    mail = Mail.read(Path(file))
    parsed = email.message_from_bytes(mail.content, policy=email.policy.default)
    plain = parsed.get_body(("plain",)).get_content()
    html = parsed.get_body(("html",)).get_content()
    for number in range(count):
        send_reminder.apply_async(
            (mail.numbered(number)[0], parsed["Subject"], plain, html), queue=QUEUE
        )
    worker = subprocess.Popen(
        [
            *(sys.executable, "-m", "celery", "-A", "tests.benchmarks.task_per_reminder", "worker"),
            *("--pool", "prefork", "--concurrency", "2", "--queues", "nothing-yet"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
            *("--loglevel", "WARNING", "--hostname", "one-by-one@%h"),
        ],
        cwd=ROOT,
        stdout=sys.stderr,
    )
    try:
        _until(lambda: bool(app.control.inspect(timeout=1).ping()))
        wait_for_go()
        app.control.add_consumer(QUEUE)
        _until(lambda: _logged(connection) == count)
        done()
    finally:
        worker.terminate()
        worker.wait(30)


def _known(broker, queue: str) -> bool:
    return bool(broker.default_channel.client.exists(queue))


def _logged(connection) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM reminders_log")
        return int(cursor.fetchone()[0])


def _until(true) -> None:
    end = time.monotonic() + _PATIENCE_S
    while not true():
        if time.monotonic() > end:
            sys.exit("It did not happen in time.")
        time.sleep(0.02)


if __name__ == "__main__":
    main()
