"""STOP against senders that are at it: after a STOP is committed nothing starts to that address."""

import datetime as dt
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest
from django.db import connection, transaction
from django.utils import timezone

from clinic.messaging import outbox
from clinic.models import OutboxMessage
from clinic.models.messaging import Channel
from tests import seeding
from tests.faults.carriers import environment
from tests.sinks import Sink

pytestmark = [
    pytest.mark.fault,
    pytest.mark.database,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(600),
]
Status = OutboxMessage.Status

RACES = int(os.environ.get("STEADYBACK_STOP_RACES", "200"))
_STOPPERS, _SENDERS = 4, 2
# Near the place in the queue where the senders are.
_NEXT_IN_LINE = """
SELECT address FROM clinic_outboxmessage
WHERE status IN ('due', 'claimed', 'sending') AND NOT address = ANY(%s)
ORDER BY status = 'due', status = 'claimed', due_at LIMIT 24
"""


class Stoppers:
    """People who text STOP, each about somebody whose message is about to go out."""

    def __init__(self, races: int) -> None:
        self.left = races
        # What had become of the message when STOP was committed, by address.
        self.standing: dict[str, str] = {}
        self._lock = threading.Lock()
        self._taken: list[str] = []
        self.errors: list[BaseException] = []

    def run(self) -> None:
        chance = random.Random()
        try:
            while (address := self._next(chance)) is not None:
                self._stop(address)
                if chance.random() < 0.5:
                    _queue_once_more(address)
        except BaseException as error:
            self.errors.append(error)
        finally:
            connection.close()

    def _next(self, chance: random.Random) -> str | None:
        with self._lock:
            if self.left <= 0:
                return None
            with connection.cursor() as cursor:
                cursor.execute(_NEXT_IN_LINE, [self._taken])
                found = [address for (address,) in cursor.fetchall()]
            if not found:
                self.left = 0
                return None
            self.left -= 1
            self._taken.append(chance.choice(found))
            return self._taken[-1]

    def _stop(self, address: str) -> None:
        with transaction.atomic():
            outbox.suppress_address(
                channel=Channel.SMS,
                address=address,
                reason="The person texted STOP.",
                at=timezone.now(),
                by_owner=True,
            )
            # Seen by the STOP itself: whatever is not on the wire by now started too late.
            standing = OutboxMessage.objects.get(address=address).status
        self.standing[address] = standing


def _queue_once_more(address: str) -> None:
    """As a planning would that had read the record before the STOP."""
    first = OutboxMessage.objects.filter(address=address).first()
    now = timezone.now()
    outbox.write(
        [
            outbox.draft(
                key=f"{first.key}:late",
                kind=first.kind,
                channel=first.channel,
                subject_type=first.subject_type,
                subject_id=first.subject_id,
                address=address,
                text=first.text,
                due_at=now,
                expires_at=now + dt.timedelta(hours=5),
                local_date=first.local_date,
                at=now,
            )
        ]
    )


def _practice(patients: int) -> None:
    now = timezone.now()
    program = seeding.practice(at=now, time_zone=seeding.zone_where_it_is(11, now))
    seeding.copies(program, patients - 1)
    text = seeding.long_text(Channel.SMS)
    assert seeding.queue_reminders(Channel.SMS, text=text, at=now) == patients


def test_given_a_stop_at_any_moment_then_nothing_starts_after_it_is_committed(library):
    _practice(5 * RACES)
    stoppers = Stoppers(RACES)
    with Sink("texts", delay=0.05) as carrier:
        senders = [_sender(carrier.port) for _ in range(_SENDERS)]
        try:
            _until_something_was_sent(carrier)
            threads = [threading.Thread(target=stoppers.run) for _ in range(_STOPPERS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            # The rest need not wait for slow ones.
            senders.append(_sender(carrier.port, in_flight=50))
            _until_nothing_is_open(senders, carrier.port)
        finally:
            for sender in senders:
                sender.kill()
                sender.wait()
        arrived = carrier.take().count()

    assert not stoppers.errors, stoppers.errors[0]
    standing = Counter(stoppers.standing.values())
    assert sum(standing.values()) == RACES
    started_too_late = [
        address
        for address, status in stoppers.standing.items()
        if arrived[address] > (0 if status == Status.SUPPRESSED else 1)
    ]
    assert started_too_late == []
    # It was a race: some were in time, and some were not.
    assert standing[Status.SUPPRESSED] > RACES / 10
    assert standing[Status.SENDING] + standing[Status.SENT] > 0
    rows = OutboxMessage.objects.filter(address__in=stoppers.standing)
    assert not rows.filter(key__endswith=":late").exclude(status=Status.SUPPRESSED).exists()
    # And nobody else was held back.
    others = OutboxMessage.objects.exclude(address__in=stoppers.standing)
    assert set(others.values_list("status", flat=True)) == {Status.SENT}


def _sender(port: int, in_flight: int = 2) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "manage.py", "send_due"],
        env=environment(
            1,
            SMS_GATEWAY="twilio",
            TWILIO_ACCOUNT_SID="AC00000000000000000000000000000000",
            TWILIO_AUTH_TOKEN="stub",
            TWILIO_FROM="+442079460100",
            TWILIO_API_BASE=f"http://127.0.0.1:{port}",
            # As slow as the stoppers are, so that they meet.
            SMS_IN_FLIGHT=str(in_flight),
        ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _until_something_was_sent(carrier: Sink) -> None:
    end = time.monotonic() + 60
    while not carrier.count():
        assert time.monotonic() < end, "nothing was sent"
        time.sleep(0.02)


def _until_nothing_is_open(senders: list[subprocess.Popen], port: int) -> None:
    end = time.monotonic() + 240
    while OutboxMessage.objects.filter(status__in=["due", "claimed", "sending"]).exists():
        assert time.monotonic() < end, "not everything was sent or held back"
        for place, sender in enumerate(senders):
            if sender.poll() is not None:
                # What was queued since it had finished.
                senders[place] = _sender(port, in_flight=50)
        time.sleep(0.2)
