"""Is it alive, and is it ready? For load balancers and for the person who is called at night.

What moves by itself leaves a sign in the database each time it runs (``beat``), so that its
silence is known also while the queue is away.
"""

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass

from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from clinic.models import Heartbeat, OutboxMessage
from clinic.models.messaging import Channel

log = logging.getLogger(__name__)

# Longer than the longest send run, for a practice whose one worker does one thing at a time.
WORKER_SILENT_AFTER = dt.timedelta(minutes=2)
PLANNING_SILENT_AFTER = dt.timedelta(minutes=5)
OUTBOX_STUCK_AFTER = dt.timedelta(minutes=5)
# A carrier's "not now" moves a message on. Mail servers that let strangers wait take them by then.
PUT_OFF_AFTER = dt.timedelta(minutes=30)
# Some mailbox is always full. So many at once are no longer theirs, whatever else goes out.
PUT_OFF_MANY = 50

WORKER, SENDING, PLANNING = "worker", "sending", "planning"

# The first waiting message of each way out is the head of the partial index outbox_waiting:
# four looks, however many wait. What was put off has a partial index of its own, which is all but
# empty unless a carrier is away, and then the oldest of it say enough.
_SIGNS = """
SELECT (SELECT max(at) FROM clinic_heartbeat WHERE name IN (%(worker)s, %(sending)s)),
       (SELECT max(at) FROM clinic_heartbeat WHERE name = %(planning)s),
       (SELECT min(head.wake_at)
          FROM unnest(%(channels)s::varchar[]) AS way(channel)
         CROSS JOIN unnest(%(priorities)s::smallint[]) AS rank(priority)
         CROSS JOIN LATERAL (
               SELECT wake_at FROM clinic_outboxmessage
                WHERE channel = way.channel AND priority = rank.priority AND wake_at IS NOT NULL
                ORDER BY wake_at LIMIT 1) AS head),
       (SELECT min(CASE WHEN late.addresses >= %(many)s THEN late.since ELSE late.none_since END)
          FROM unnest(%(channels)s::varchar[]) AS way(channel)
          LEFT JOIN clinic_heartbeat AS taken ON taken.name = %(taken)s || way.channel
         CROSS JOIN LATERAL (
               SELECT count(DISTINCT address) AS addresses, min(due_at) AS since,
                      min(due_at) FILTER (WHERE taken.at IS NULL OR due_at > taken.at) AS none_since
                 FROM (SELECT address, due_at FROM clinic_outboxmessage
                        WHERE channel = way.channel AND wake_at > due_at
                          AND due_at <= %(put_off_before)s
                        ORDER BY due_at LIMIT 1000) AS oldest) AS late)
"""
_TAKEN = "taken:"


@dataclass(frozen=True)
class Signs:
    """When sending and planning were last heard of, since when the oldest message waits past its
    moment, and when the oldest was due that carriers put off for too long (many of them, or one
    since which its carrier has taken nothing); None where there is no such thing."""

    worker: dt.datetime | None
    planning: dt.datetime | None
    waiting_since: dt.datetime | None
    put_off_since: dt.datetime | None = None

    def worker_silent(self, at: dt.datetime) -> bool:
        return self.worker is None or at - self.worker >= WORKER_SILENT_AFTER

    def planning_silent(self, at: dt.datetime) -> bool:
        return self.planning is None or at - self.planning >= PLANNING_SILENT_AFTER

    def outbox_stuck(self, at: dt.datetime) -> bool:
        return self.late_since(at) is not None

    def late_since(self, at: dt.datetime) -> dt.datetime | None:
        """When the oldest message was due of those that make the outbox stuck."""
        limits = ((self.waiting_since, OUTBOX_STUCK_AFTER), (self.put_off_since, PUT_OFF_AFTER))
        late = [since for since, limit in limits if since is not None and at - since >= limit]
        return min(late, default=None)


def beat(*, at: dt.datetime, name: str = WORKER) -> None:
    """Note that a part was at work at ``at``: "worker" (any task), "sending" or "planning" (each
    run). One upsert; call it outside of long transactions, because it locks the part's row."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=name, at=at)],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["at"],
    )


def carrier_took(channel: str, *, at: dt.datetime) -> None:
    """Note that a message went out by this channel."""
    beat(at=at, name=f"{_TAKEN}{channel}")


def last_beat(name: str) -> dt.datetime | None:
    """When this part was last at work."""
    return Heartbeat.objects.filter(name=name).values_list("at", flat=True).first()


def signs(*, at: dt.datetime) -> Signs:
    """What the database knows of the parts that move by themselves, by one query."""
    asked = {
        "worker": WORKER,
        "sending": SENDING,
        "planning": PLANNING,
        "channels": list(Channel.values),
        "priorities": list(OutboxMessage.Priority.values),
        "taken": _TAKEN,
        "many": PUT_OFF_MANY,
        "put_off_before": at - PUT_OFF_AFTER,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SIGNS, asked)
        return Signs(*cursor.fetchone())


def _database(now: dt.datetime) -> dict[str, object]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return {"ok": True}


def _redis(now: dt.datetime) -> dict[str, object]:
    try:
        cache.get("is-it-there")
    except Exception as error:
        log.warning("readyz: redis does not answer (%s)", type(error).__name__)
        return {"ok": False, "says": "It does not answer. Messages go out all the same, later."}
    return {"ok": True}


def _worker(now: dt.datetime) -> dict[str, object]:
    found = signs(at=now)
    if found.worker is None:
        return {"ok": False, "says": "No worker has been heard of."}
    return {"ok": not found.worker_silent(now), "heartbeat_age_s": _seconds(now, found.worker)}


def _planning(now: dt.datetime) -> dict[str, object]:
    found = signs(at=now)
    if found.planning is None:
        return {"ok": False, "says": "Planning has never run."}
    return {"ok": not found.planning_silent(now), "last_run_age_s": _seconds(now, found.planning)}


def _outbox(now: dt.datetime) -> dict[str, object]:
    found = signs(at=now)
    oldest = found.late_since(now) or found.waiting_since or now
    return {"ok": not found.outbox_stuck(now), "oldest_due_age_s": _seconds(now, oldest)}


def _seconds(now: dt.datetime, since: dt.datetime) -> float:
    return max(0.0, round((now - since).total_seconds(), 1))


_CHECKS: dict[str, Callable[[dt.datetime], dict[str, object]]] = {
    "database": _database,
    "redis": _redis,
    "worker": _worker,
    "planning": _planning,
    "outbox": _outbox,
}


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The web process answers."""
    return HttpResponse("ok", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Everything the practice leans on, each with its state; 503 when one of them is not well.

    Without Redis messages still go out, from the database's own sweep; signing in and
    prompt wake-ups need it, so that its absence is a reason to look.
    """
    now = timezone.now()
    checks = {}
    for name, check in _CHECKS.items():
        try:
            checks[name] = check(now)
        except Exception as error:
            # Whatever keeps it from answering is the answer; its text may hold addresses.
            log.warning("readyz: %s does not answer (%s)", name, type(error).__name__)
            checks[name] = {"ok": False, "says": "It does not answer."}
    ready = all(check["ok"] for check in checks.values())
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)
