"""How soon alerts were seen: counted in the database, for a period and some sites."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from clinic.models import Alert

SEVERITY, PERSON, SITE = "severity", "person", "site"
_BY = {
    SEVERITY: ("a.severity", "a.severity"),
    PERSON: ("a.owner_id", "owner.name"),
    SITE: ("a.site_id", "site.name"),
}


@dataclass(frozen=True)
class Times:
    """One group of alerts raised in the period. Times are from raised to first seen and of those
    that were seen, ``in_time`` of those whose due time is over or that were seen before it.
    ``open_`` were not seen yet, ``late`` of these are past their due time; ``closed`` have an
    outcome. One that was given on after it was seen counts as not seen until it is once more, and
    as in time if everybody who had it saw it in time."""

    name: str
    raised: int
    seen: int
    median: dt.timedelta | None
    ninth: dt.timedelta | None
    judged: int
    in_time: int
    open_: int
    late: int
    closed: int

    @property
    def share(self) -> int | None:
        """Seen in time, in whole percent; None where nothing can be judged."""
        return round(100 * self.in_time / self.judged) if self.judged else None


def times(
    *,
    by: str,
    sites: Sequence[int],
    since: dt.datetime,
    until: dt.datetime,
    at: dt.datetime,
    owner: int | None = None,
) -> list[Times]:
    """Groups ``by`` severity, person (whose alert it is) or site, of alerts raised from ``since``
    until before ``until``. Routine ones are counted too; nothing is left out."""
    key, name = _BY[by]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {name}, count(*), count(a.acknowledged_at),
                   percentile_cont(0.5) WITHIN GROUP (
                       ORDER BY coalesce(before.seen_at, a.acknowledged_at) - a.raised_at),
                   percentile_cont(0.9) WITHIN GROUP (
                       ORDER BY coalesce(before.seen_at, a.acknowledged_at) - a.raised_at),
                   count(*) FILTER (WHERE a.acknowledged_at IS NOT NULL OR a.due_at < %(at)s
                                       OR NOT before.in_time),
                   count(*) FILTER (WHERE a.acknowledged_at <= a.due_at
                                      AND coalesce(before.in_time, true)),
                   count(*) FILTER (WHERE a.acknowledged_at IS NULL),
                   count(*) FILTER (WHERE a.acknowledged_at IS NULL AND a.due_at < %(at)s),
                   count(a.resolved_at)
              FROM clinic_alert AS a
              JOIN clinic_site AS site ON site.id = a.site_id
              JOIN clinic_user AS owner ON owner.id = a.owner_id
              LEFT JOIN LATERAL (
                  SELECT min(seen.at) AS seen_at, bool_and(seen.at <= seen.due_at) AS in_time
                    FROM clinic_alertseen AS seen
                   WHERE a.given_at IS NOT NULL AND seen.alert_id = a.id
              ) AS before ON true
             WHERE a.site_id = ANY(%(sites)s)
               AND a.raised_at >= %(since)s AND a.raised_at < %(until)s
               AND (%(owner)s::bigint IS NULL OR a.owner_id = %(owner)s)
             GROUP BY {key}, {name}
            """,
            {"sites": list(sites), "since": since, "until": until, "at": at, "owner": owner},
        )
        found = [Times(*row) for row in cursor.fetchall()]
    if by == SEVERITY:
        order = list(Alert.Severity.values)
        return sorted(found, key=lambda group: order.index(group.name))
    return sorted(found, key=lambda group: group.name)
