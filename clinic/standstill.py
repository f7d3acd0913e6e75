"""The red banner of the portal: what staff read when messages stop going out.

Asked for by every page, so it is one cheap query, remembered for a few seconds in the process. A
fault in asking must not take the page away: there is then no banner, and a line in the log.
"""

import datetime as dt
import logging
import math
import time
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils import timezone

from clinic import health
from clinic.roles import May, may

log = logging.getLogger(__name__)

REMEMBERED_S = 5.0


@dataclass(frozen=True)
class Standstill:
    """What has stopped, since when, and what to do; each a sentence or two."""

    what: str
    since: str
    do: str


@dataclass
class _Memory:
    asked: float = -math.inf
    signs: health.Signs | None = None


_memory = _Memory()


def forget() -> None:
    """Ask the database again at the next page."""
    _memory.asked = -math.inf


def standstill_for(request: HttpRequest) -> Standstill | None:
    """What this person should be told of; None when all is well, and for everybody but staff."""
    user = getattr(request, "user", None)
    if not getattr(user, "is_staff", False):
        return None
    found = _signs()
    return found and describe(found, at=timezone.now(), to_manager=may(user, May.MANAGE))


def describe(
    signs: health.Signs, *, at: dt.datetime, to_manager: bool = False
) -> Standstill | None:
    """The first of what is wrong, in words. Times are those of the current time zone."""
    do = (
        "Please tell whoever looks after the server. What to do stands in the setup guide under "
        "“When reminders stop”."
        if to_manager
        else "Please tell a manager now."
    )
    if signs.worker_silent(at):
        since = (
            f"The sender was last heard of {_when(signs.worker, at)}."
            if signs.worker
            else "No sender has been heard of yet."
        )
        return Standstill("Reminders are not going out.", since, do)
    if late_since := signs.late_since(at):
        since = f"The oldest message has been waiting since {_when(late_since, at, '')}."
        return Standstill("Messages are going out late.", since, do)
    if signs.planning_silent(at):
        since = (
            f"Planning last ran {_when(signs.planning, at)}."
            if signs.planning
            else "Planning has never run."
        )
        return Standstill("No new reminders are being planned.", since, do)
    return None


def _signs() -> health.Signs | None:
    now = time.monotonic()
    if now - _memory.asked >= REMEMBERED_S:
        _memory.asked = now
        try:
            _memory.signs = health.signs(at=timezone.now())
        except Exception as error:
            log.warning("the signs of life cannot be read (%s)", type(error).__name__)
            _memory.signs = None
    return _memory.signs


def _when(moment: dt.datetime, at: dt.datetime, preposition: str = "at ") -> str:
    local = timezone.localtime(moment)
    if local.date() == timezone.localtime(at).date():
        return f"{preposition}{local:%H:%M}"
    return f"{'on ' if preposition else ''}{local:%-d %B}, {local:%H:%M}"
