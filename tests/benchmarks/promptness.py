"""From the moment a reminder is due until a carrier has it, with everything that is in between.

Nothing is prepared here but the practice: real workers and a real beat plan the day and send it,
on their own clocks.
"""

import datetime as dt
import statistics
import time
import zoneinfo

from tests.benchmarks.stage import FOLDER, NotCounted, Stage, row
from tests.faults.crew import Crew
from tests.sinks import Journal, Sink

_ALLOWED_S = 120.0
_REMINDERS, _WORKERS = 10_000, 2
# Until workers and beat are at work; planning must not find that the moment has passed.
_AHEAD = dt.timedelta(seconds=25)
_PATIENCE_S = 300.0


def due_to_accepted(stage: Stage) -> dict[str, object]:
    """10,000 due at the same moment, half by e-mail and half by text."""
    scale = stage.scale
    count = scale.of(_REMINDERS)
    latest, middles = [], []
    for _ in range(scale.runs):
        waits = sorted(_morning(stage, count))
        latest.append(waits[int(0.99 * (len(waits) - 1))])
        middles.append(waits[len(waits) // 2])
    p99 = statistics.median(latest)
    return row(
        "due_to_accepted_p99_s",
        p99 / _ALLOWED_S,
        1.0,
        runs=scale.runs,
        better="lower",
        detail=(
            f"p99 {p99:.1f} s ({min(latest):.1f} to {max(latest):.1f}) ÷ {_ALLOWED_S:g} s from "
            f"due until accepted, median {statistics.median(middles):.1f} s; {count} reminders "
            f"due at one moment, half e-mail and half text, planned and sent by two Celery "
            f"workers with {_WORKERS} processes in all and one beat, carriers that answer at once."
        ),
    )


def _morning(stage: Stage, count: int) -> list[float]:
    from django.utils import timezone

    from tests import seeding

    seeding.empty_practice()
    now = timezone.now()
    zone = zoneinfo.ZoneInfo(seeding.zone_where_it_is(10, now))
    due_at = (now + _AHEAD).replace(microsecond=0)
    program = seeding.practice(
        at=now, time_zone=zone.key, reminder_time=due_at.astimezone(zone).time()
    )
    seeding.copies(program, count // 2 - 1)
    stage.settle()
    with Sink("mail") as mail, Sink("texts") as texts:
        environment = {
            **stage.environment,
            **stage.mail_to(mail, stage.scale.connections),
            **stage.texts_to(texts, 20),
        }
        with Crew(environment, FOLDER / "crew", workers=_WORKERS, beats=1):
            end = time.monotonic() + _PATIENCE_S
            while mail.count() + texts.count() < count and time.monotonic() < end:
                time.sleep(0.25)
            _until_written_down(count, end)
        return _waits(mail.take(), texts.take(), due_at.timestamp(), count)


def _until_written_down(count: int, end: float) -> None:
    from clinic.models import OutboxMessage

    while time.monotonic() < end:
        if OutboxMessage.objects.filter(status=OutboxMessage.Status.SENT).count() == count:
            return
        time.sleep(0.1)


def _waits(mail: Journal, texts: Journal, due_at: float, count: int) -> list[float]:
    from clinic.models import OutboxMessage

    accepted = [*mail.accepted, *texts.accepted]
    if len(accepted) != count or mail.doubled() or texts.doubled():
        raise NotCounted(f"{len(accepted)} of {count} accepted")
    states = set(OutboxMessage.objects.values_list("status", flat=True))
    if states != {OutboxMessage.Status.SENT}:
        raise NotCounted(f"states at the end: {sorted(states)}")
    return [message.at - due_at for message in accepted]
