"""Writing into the outbox what has come due, and moving each schedule on: one statement a batch.

The statement takes due rows that nobody else holds, judges each by the facts in it, writes its
message and sets the next moment, all or nothing. The key of a message makes it repeatable: run
twice, by two at once or days late, no message is written twice, and what is too late by then is
written as expired. Moments are Python's: PostgreSQL's own table of zones may be another edition.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import connection, transaction

from clinic.messaging import texts
from clinic.models import OutboxMessage
from clinic.models.messaging import Channel
from programs import cadence
from programs import reminder_reasons as why
from programs.models import ReminderPattern, ReminderSchedule

Kind = OutboxMessage.Kind
Standing = ReminderSchedule.Standing

BATCH = 20_000


@dataclasses.dataclass
class PlanReport:
    """Rows written by one planning, by what was decided about them."""

    due: int = 0
    suppressed: int = 0
    expired: int = 0

    @property
    def written(self) -> int:
        return self.due + self.suppressed + self.expired


def plan_due(*, at: dt.datetime) -> PlanReport:
    """Write every message whose moment has come. ``programs.reminders`` brings the schedule up to
    date before."""
    report = PlanReport()
    words: dict[tuple[Any, ...], int] = {}
    while days := _days_due(at, words):
        moved_any = False
        while moved := _plan_batch(days, at, report):
            moved_any = True
            if moved < BATCH:
                break
        if not moved_any:
            # Another planner holds what is left.
            break
    return report


_WHICH_DAYS = """
SELECT pattern_id, next_local_date, bool_or(next_is_nudge),
       bool_or(next_local_date = silent_on AND NOT next_is_nudge),
       bool_or(next_local_date IS DISTINCT FROM silent_on AND NOT next_is_nudge)
FROM programs_reminderschedule
WHERE next_due_at <= %s
GROUP BY pattern_id, next_local_date
"""


def _days_due(at: dt.datetime, words: dict[tuple[Any, ...], int]) -> list[tuple[Any, ...]]:
    """For each pattern and local day with something due, the columns that ``_PLAN`` joins."""
    with connection.cursor() as cursor:
        cursor.execute(_WHICH_DAYS, [at])
        found = cursor.fetchall()
    patterns = ReminderPattern.objects.select_related("site").in_bulk({row[0] for row in found})
    return [
        _columns(patterns[pk], day, _text_ids(patterns[pk], kinds, words))
        for pk, day, *kinds in found
    ]


def _text_ids(
    pattern: ReminderPattern, kinds: Iterable[bool], words: dict[tuple[Any, ...], int]
) -> list[int | None]:
    """The words of the nudge, the kind message and the reminder, where there is one to write."""
    ids: list[int | None] = []
    for kind, needed in zip(
        (Kind.SECOND_NUDGE, Kind.SILENCE, Kind.ROUTINE_REMINDER), kinds, strict=True
    ):
        which = (kind, pattern.channel, pattern.site_id, pattern.language)
        if needed and which not in words:
            words[which] = texts.text_for(
                kind=kind,
                channel=pattern.channel,
                site=pattern.site,
                language=pattern.language,
            ).pk
        ids.append(words.get(which))
    return ids


def _columns(pattern: ReminderPattern, day: dt.date, text_ids: list[int | None]) -> tuple[Any, ...]:
    moments = cadence.moments_of(pattern.rhythm, day)
    ahead = cadence.ahead(pattern.rhythm, day)
    return (
        pattern.pk,
        day,
        f":{day.isoformat()}:{pattern.channel}",
        moments.expires_at,
        moments.link_expires_at,
        moments.outside,
        moments.nudge_at,
        *text_ids,
        ahead.daily,
        ahead.thrice,
        ahead.weekly,
        *ahead.due_at,
    )


# In the order of ``_columns``.
_DAY_COLUMNS = [
    ("pattern_id", "bigint"),
    ("day", "date"),
    ("key_end", "text"),
    ("expires_at", "timestamptz"),
    ("link_expires_at", "timestamptz"),
    ("outside", "boolean"),
    ("nudge_at", "timestamptz"),
    ("nudge_text", "bigint"),
    ("silence_text", "bigint"),
    ("routine_text", "bigint"),
    ("daily", "integer"),
    ("thrice", "integer"),
    ("weekly", "integer"),
    *((f"in_{number}", "timestamptz") for number in range(1, 8)),
]

_PLAN = f"""
WITH due AS MATERIALIZED (
    SELECT ctid AS place, * FROM programs_reminderschedule
    WHERE next_due_at <= %(at)s
    ORDER BY next_due_at LIMIT %(batch)s
    FOR UPDATE SKIP LOCKED
),
days AS MATERIALIZED (
    SELECT *, ARRAY[in_1, in_2, in_3, in_4, in_5, in_6, in_7] AS week
    FROM unnest({", ".join(f"%({name})s::{kind}[]" for name, kind in _DAY_COLUMNS)})
        AS given ({", ".join(name for name, _ in _DAY_COLUMNS)})
),
read AS (
    SELECT due.*, days.day, days.key_end, days.expires_at, days.link_expires_at, days.outside,
        days.week, days.daily, days.thrice, days.weekly,
        CASE WHEN NOT next_is_nudge AND day IS DISTINCT FROM silent_on THEN days.nudge_at END
            AS nudge_at,
        CASE WHEN next_is_nudge THEN %(nudge)s WHEN day = silent_on THEN %(silence)s
            ELSE %(routine)s END AS kind,
        CASE WHEN next_is_nudge THEN nudge_text WHEN day = silent_on THEN silence_text
            ELSE routine_text END AS text_id,
        NOT outside AND (
            %(at)s >= expires_at
            OR next_due_at < %(at)s - CASE WHEN next_is_nudge THEN %(nudge_stale)s
                ELSE %(stale)s END
        ) AS late
    FROM due JOIN days
        ON days.pattern_id = due.pattern_id AND days.day = due.next_local_date
),
judged AS (
    SELECT read.*,
        -- A kind message that came too late is not used up.
        CASE WHEN late AND day = silent_on THEN day + daily ELSE silent_on END AS silent_next,
        CASE WHEN day + daily < started_on + %(thrice_from)s THEN day + daily
            WHEN day + thrice < started_on + %(weekly_from)s THEN day + thrice
            ELSE day + weekly END AS regular_next,
        CASE
            WHEN late THEN %(too_late)s
            WHEN standing = {Standing.ENDED.value} THEN %(ended)s
            WHEN standing = {Standing.SUSPENDED.value} THEN %(suspended)s
            WHEN session_on = day THEN
                CASE WHEN session_skipped THEN %(skipped)s ELSE %(done)s END
            WHEN answered_on = day AND kind <> %(routine)s THEN %(answered)s
            WHEN NOT consented THEN
                CASE read.channel WHEN %(email)s THEN %(no_email)s ELSE %(no_sms)s END
            WHEN (read.channel, read.address) IN (
                SELECT channel, address FROM clinic_suppression WHERE lifted_at IS NULL)
            THEN (SELECT left(%(suppressed_address)s || reason, 200) FROM clinic_suppression closed
                WHERE closed.lifted_at IS NULL AND closed.channel = read.channel
                AND closed.address = read.address)
            WHEN outside THEN %(outside_hours)s
            ELSE '' END AS reason
    FROM read WHERE text_id IS NOT NULL
),
onward AS (
    SELECT judged.*, CASE WHEN silent_next > day AND silent_next < regular_next
        THEN silent_next ELSE regular_next END AS next_day
    FROM judged
),
moved AS (
    UPDATE programs_reminderschedule schedule SET
        next_is_nudge = onward.nudge_at IS NOT NULL,
        next_local_date = CASE WHEN onward.nudge_at IS NOT NULL THEN onward.day
            WHEN next_day > onward.ended_on THEN NULL ELSE next_day END,
        next_due_at = CASE WHEN onward.nudge_at IS NOT NULL THEN onward.nudge_at
            WHEN next_day > onward.ended_on THEN NULL ELSE week[next_day - day] END,
        silent_on = silent_next
    FROM onward WHERE schedule.ctid = onward.place
    RETURNING onward.program_id, onward.channel, onward.patient_id, onward.address, kind, key_end,
        day, text_id, onward.next_due_at AS due_at, expires_at, link_expires_at, reason, late
),
written AS (
    INSERT INTO clinic_outboxmessage (
        id, key, kind, channel, subject_type, subject_id, local_date, address, text_id, priority,
        due_at, wake_at, expires_at, link_expires_at, status, reason, attempts, carrier,
        carrier_reference, created_at, settled_at)
    SELECT gen_random_uuid(), kind || ':' || program_id || key_end, kind, channel, 'patient',
        patient_id, day, address, text_id, {OutboxMessage.Priority.USUAL.value}, due_at,
        CASE WHEN reason = '' THEN due_at END, expires_at, link_expires_at,
        CASE WHEN late THEN 'expired' WHEN reason = '' THEN 'due' ELSE 'suppressed' END,
        reason, 0, '', '', %(at)s, CASE WHEN reason <> '' THEN %(at)s::timestamptz END
    FROM moved
    ON CONFLICT (key) DO NOTHING
    RETURNING status
)
SELECT (SELECT count(*) FROM moved), count(*) FILTER (WHERE status = 'due'),
    count(*) FILTER (WHERE status = 'suppressed'), count(*) FILTER (WHERE status = 'expired')
FROM written
"""

_SAID = {
    "nudge": Kind.SECOND_NUDGE.value,
    "silence": Kind.SILENCE.value,
    "routine": Kind.ROUTINE_REMINDER.value,
    "stale": cadence.STALE_AFTER,
    "nudge_stale": cadence.NUDGE_STALE_AFTER,
    "thrice_from": cadence.THRICE_FROM,
    "weekly_from": cadence.WEEKLY_FROM,
    "too_late": why.TOO_LATE,
    "ended": why.ENDED,
    "suspended": why.SUSPENDED,
    "skipped": why.SESSION_SKIPPED,
    "done": why.SESSION_DONE,
    "answered": why.ANSWERED,
    "email": Channel.EMAIL.value,
    "no_email": why.NO_CONSENT[Channel.EMAIL],
    "no_sms": why.NO_CONSENT[Channel.SMS],
    "suppressed_address": why.SUPPRESSED,
    "outside_hours": why.OUTSIDE_HOURS,
}


@transaction.atomic
def _plan_batch(days: list[tuple[Any, ...]], at: dt.datetime, report: PlanReport) -> int:
    """One batch; returns how many schedules moved on."""
    columns = dict(
        zip((name for name, _ in _DAY_COLUMNS), map(list, zip(*days, strict=True)), strict=True)
    )
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'; SET LOCAL jit = off")
        cursor.execute(_PLAN, {**_SAID, **columns, "at": at, "batch": BATCH})
        moved, due, suppressed, expired = cursor.fetchone()
    report.due += due
    report.suppressed += suppressed
    report.expired += expired
    return moved
