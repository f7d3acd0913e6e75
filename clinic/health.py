"""Is it alive, and is it ready? For load balancers and for the person who is called at night."""

import datetime as dt
import logging
from collections.abc import Callable

from django.core.cache import cache
from django.db import connection
from django.db.models import Min
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from clinic.models import OutboxMessage

log = logging.getLogger(__name__)

WORKER_SILENT_AFTER = dt.timedelta(seconds=60)
OUTBOX_STUCK_AFTER = dt.timedelta(minutes=5)
_HEARTBEAT = "worker-heartbeat"


def beat(*, at: dt.datetime) -> None:
    """Note that a worker has just done a task."""
    cache.set(_HEARTBEAT, at.timestamp(), timeout=24 * 60 * 60)


def _database(now: dt.datetime) -> dict[str, object]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return {"ok": True}


def _redis(now: dt.datetime) -> dict[str, object]:
    cache.get(_HEARTBEAT)
    return {"ok": True}


def _worker(now: dt.datetime) -> dict[str, object]:
    last = cache.get(_HEARTBEAT)
    if last is None:
        return {"ok": False, "says": "No worker has been heard of."}
    age = now.timestamp() - last
    return {"ok": age < WORKER_SILENT_AFTER.total_seconds(), "heartbeat_age_s": round(age, 1)}


def _outbox(now: dt.datetime) -> dict[str, object]:
    oldest = OutboxMessage.objects.due(now).order_by().aggregate(oldest=Min("due_at"))["oldest"]
    age = (now - oldest) if oldest else dt.timedelta()
    return {"ok": age < OUTBOX_STUCK_AFTER, "oldest_due_age_s": round(age.total_seconds(), 1)}


_CHECKS: dict[str, Callable[[dt.datetime], dict[str, object]]] = {
    "database": _database,
    "redis": _redis,
    "worker": _worker,
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
    """Everything the practice leans on, each with its state; 503 when one of them is not well."""
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
