"""Adherence: the share of asked-for routines that were done, over 14 days.

Pure: no Django, no clock. A partly done routine counts half. Today counts only once something is
recorded, so that nobody's figure falls at breakfast. A day off counts for nothing.
"""

import datetime as dt
from collections.abc import Mapping

from programs.asked_for import Asked, every_day

WINDOW_DAYS = 14
WORTH = {"done": 1.0, "partly": 0.5, "skipped": 0.0}


def adherence(
    *,
    today: dt.date,
    active_since: dt.date,
    sessions: Mapping[dt.date, str],
    asked: Asked = every_day,
) -> float | None:
    """Return done ÷ asked for (0–1) over the last 14 days, or None before the first such day.

    ``active_since`` is the day the program began or was reopened; ``sessions`` maps local days to
    done, partly or skipped; ``asked`` says of a day whether a routine was asked for.
    """
    first = max(active_since, today - dt.timedelta(days=WINDOW_DAYS - 1))
    days = [first + dt.timedelta(days=offset) for offset in range((today - first).days + 1)]
    asked_for = [day for day in days if asked(day) and (day != today or day in sessions)]
    if not asked_for:
        return None
    worth = sum(WORTH[sessions[day]] for day in asked_for if day in sessions)
    return round(worth / len(asked_for), 4)
