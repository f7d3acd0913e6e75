"""How messages fared: counts per day, channel, carrier, fate and reason, and the rows behind them.
Reads only.

The day of a message is the local date it was meant for; one without (an alert, a reply) counts on
the day it was due on the clock of ``zone``. The range of ``due_at`` bounds what is read, so that
the block-range index answers for a week of a big outbox without looking at its years.
"""

import datetime as dt
import uuid
import zoneinfo
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection

from clinic.messaging.fates import FATE, OF_STATUS, Fate

# No local day begins or ends further than this from the same day somewhere else.
_FURTHEST = dt.timedelta(hours=26)


@dataclass(frozen=True)
class Question:
    """Which messages are meant: local days ``first`` to ``last``, both included. ``sites`` None is
    the whole practice, with messages about no site; the other fields narrow where they are set.
    ``carrier`` "" stands for messages that no carrier was asked to take."""

    first: dt.date
    last: dt.date
    zone: str
    sites: Collection[int] | None = None
    channel: str | None = None
    carrier: str | None = None
    fate: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Count:
    """``number`` messages of one day with the same fate and reason."""

    day: dt.date
    channel: str
    carrier: str
    fate: Fate
    reason: str
    number: int


def counts(question: Question) -> list[Count]:
    """One row per day, channel, carrier, fate and reason, newest day first, by one query."""
    found, values = _found(question)
    # Grouped by bare columns: of those PostgreSQL keeps statistics, and plans well.
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT COALESCE(m.local_date, {_DAY_WITHOUT}), m.channel, m.carrier, m.status,
                   m.reason, count(*)
            {found} GROUP BY m.local_date, {_DAY_WITHOUT}, m.channel, m.carrier, m.status, m.reason
            """,
            values,
        )
        rows = cursor.fetchall()
    tally: Counter[tuple[dt.date, str, str, str, str]] = Counter()
    for day, channel, carrier, status, reason, number in rows:
        fate = OF_STATUS[status]
        tally[day, channel, carrier, fate.key, "" if fate.group == "out" else reason] += number
    return [
        Count(day, channel, carrier, FATE[fate], reason, number)
        for (day, channel, carrier, fate, reason), number in sorted(
            tally.items(), key=lambda entry: (-entry[0][0].toordinal(), *entry[0][1:])
        )
    ]


def keys(question: Question, *, offset: int, limit: int) -> list[uuid.UUID]:
    """The messages behind a number, newest first, a page of their keys."""
    found, values = _found(question)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT m.id {found} ORDER BY m.due_at DESC, m.id LIMIT %(limit)s OFFSET %(offset)s",
            {**values, "limit": limit, "offset": offset},
        )
        return [row[0] for row in cursor.fetchall()]


def total(question: Question) -> int:
    found, values = _found(question)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) {found}", values)
        return cursor.fetchone()[0]


_DAY_WITHOUT = "CASE WHEN m.local_date IS NULL THEN (m.due_at AT TIME ZONE %(zone)s)::date END"
# A join, not "id IN (...)": it stays a hash join for any number of patients.
_SITES = """
    LEFT JOIN patients_patient AS p ON m.subject_type = 'patient' AND p.id::text = m.subject_id
    LEFT JOIN clinic_alert AS a ON m.subject_type = 'alert' AND a.id::text = m.subject_id
"""


def _midnight(day: dt.date, zone: str) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(0), zoneinfo.ZoneInfo(zone))


def _found(question: Question) -> tuple[str, dict[str, object]]:
    """FROM and WHERE of the question, and its values."""
    begins = _midnight(question.first, question.zone)
    ends = _midnight(question.last + dt.timedelta(days=1), question.zone)
    values: dict[str, object] = {
        "zone": question.zone,
        "first": question.first,
        "last": question.last,
        "begins": begins,
        "ends": ends,
        "from": begins - _FURTHEST,
        "to": ends + _FURTHEST,
    }
    joined = ""
    wanted = [
        "m.due_at >= %(from)s AND m.due_at < %(to)s",
        # Said in columns that have statistics; the day as a formula has none, and a plan made
        # without them sorts a million rows to count them.
        "(m.local_date BETWEEN %(first)s AND %(last)s OR m.local_date IS NULL"
        " AND m.due_at >= %(begins)s AND m.due_at < %(ends)s)",
    ]
    if question.sites is not None:
        joined = _SITES
        wanted.append("COALESCE(p.site_id, a.site_id) = ANY(%(sites)s)")
        values["sites"] = list(question.sites)
    if question.fate is not None:
        wanted.append("m.status = ANY(%(statuses)s)")
        values["statuses"] = [str(status) for status in FATE[question.fate].statuses]
    if question.reason is not None:
        wanted.append("m.reason = %(reason)s")
        values["reason"] = question.reason
    for name in ("channel", "carrier"):
        if getattr(question, name) is not None:
            wanted.append(f"m.{name} = %({name})s")
            values[name] = getattr(question, name)
    where = " AND ".join(wanted)
    return f"FROM clinic_outboxmessage AS m {joined} WHERE {where}", values
