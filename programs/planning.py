"""Writing into the outbox what has come due, and moving each schedule on: one statement a batch.

The statement sets the next moment of every due row, judges it by the facts in it, and writes its
message, all or nothing. Two planners take turns, batch by batch, and find no row twice; the key
of a message keeps out a second one even if they did. What is days late is written as expired.
Moments are Python's: PostgreSQL's own table of zones may be another edition.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection, transaction

from clinic.messaging import texts
from clinic.models import OutboxMessage
from clinic.models.messaging import Channel
from programs import cadence, scheduling
from programs import reminder_reasons as why
from programs.models import ReminderPattern, ReminderSchedule

Kind = OutboxMessage.Kind
Standing = ReminderSchedule.Standing

# Messages in one statement and one commit, or as many as one pattern has on one day.
BATCH = 100_000
_ROUTINE = Kind.ROUTINE_REMINDER


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
    words: dict[Any, int] = {}
    waiting = ReminderPattern.objects.filter(next_due_at__lte=at).select_related("site")
    # Again, until nothing is due: a nudge may follow a reminder, and one missed day another.
    while patterns := {pattern.pk: pattern for pattern in waiting.all()}:
        for batch in _what_is_due(patterns, at, words):
            _plan_batch(batch, at, report)
        _look_again_when_due(patterns)
    return report


_WHICH_KINDS = """
SELECT pattern_id, next_local_date, next_is_nudge,
       NOT next_is_nudge AND coalesce(next_local_date = silent_on, false), count(*)
FROM programs_reminderschedule
WHERE pattern_id = ANY(%s) AND next_due_at <= %s
GROUP BY 1, 2, 3, 4 ORDER BY 2, 1, 3, 4
"""


def _what_is_due(
    patterns: Mapping[int, ReminderPattern], at: dt.datetime, words: dict[Any, int]
) -> list[list[tuple[Any, ...]]]:
    """Batches of what ``_PLAN`` joins: a row of ``_COLUMNS`` for each pattern, day and kind."""
    with connection.cursor() as cursor:
        cursor.execute(_WHICH_KINDS, [list(patterns), at])
        found = cursor.fetchall()
    batches: list[list[tuple[Any, ...]]] = []
    room = 0
    for pk, day, is_nudge, is_silence, count in found:
        if count > room:
            batches.append([])
            room = BATCH
        room -= count
        kind = Kind.SECOND_NUDGE if is_nudge else Kind.SILENCE if is_silence else _ROUTINE
        batches[-1].append(_columns(patterns[pk], day, kind, at, words))
    return batches


def _columns(
    pattern: ReminderPattern, day: dt.date, kind: str, at: dt.datetime, words: dict[Any, int]
) -> tuple[Any, ...]:
    rhythm = pattern.rhythm
    moments, ahead = cadence.moments_of(rhythm, day), cadence.ahead(rhythm, day)
    is_nudge = kind == Kind.SECOND_NUDGE
    # Not None for a nudge that is no longer wanted: the last look says so.
    due_at = (is_nudge and moments.nudge_at) or moments.due_at
    stale_after = cadence.NUDGE_STALE_AFTER if is_nudge else cadence.STALE_AFTER
    late = at >= moments.expires_at or at - due_at > stale_after
    return (
        pattern.pk,
        day,
        is_nudge,
        kind == Kind.SILENCE,
        kind,
        f":{day.isoformat()}:{pattern.channel}",
        _text_id(pattern, kind, words),
        due_at,
        moments.expires_at,
        moments.link_expires_at,
        moments.outside,
        late and not moments.outside,
        moments.nudge_at if kind == _ROUTINE else None,
        *(day + dt.timedelta(days=step) for step in (ahead.daily, ahead.thrice, ahead.weekly)),
        *ahead.due_at,
    )


def _text_id(pattern: ReminderPattern, kind: str, words: dict[Any, int]) -> int:
    """The words of this kind; looked up once for all patterns that share them."""
    which = (kind, pattern.channel, pattern.site_id, pattern.language)
    if which not in words:
        words[which] = texts.text_for(
            kind=kind, channel=pattern.channel, site=pattern.site, language=pattern.language
        ).pk
    return words[which]


# In the order of ``_columns``.
_COLUMNS = [
    ("pattern_id", "bigint"),
    ("day", "date"),
    ("is_nudge", "boolean"),
    ("is_silence", "boolean"),
    ("kind", "text"),
    ("key_end", "text"),
    ("text_id", "bigint"),
    ("due_at", "timestamptz"),
    ("expires_at", "timestamptz"),
    ("link_expires_at", "timestamptz"),
    ("outside", "boolean"),
    ("late", "boolean"),
    ("nudge_at", "timestamptz"),
    ("daily", "date"),
    ("thrice", "date"),
    ("weekly", "date"),
    *((f"in_{number}", "timestamptz") for number in range(1, 8)),
]

# The next day of the part the program is then in; see ``cadence.Ahead``.
_REGULAR = f"""CASE WHEN given.daily < schedule.started_on + {cadence.THRICE_FROM} THEN given.daily
    WHEN given.thrice < schedule.started_on + {cadence.WEEKLY_FROM} THEN given.thrice
    ELSE given.weekly END"""
# A kind message that came too late is not used up.
_SILENT = """CASE WHEN given.is_silence AND given.late THEN given.daily
    ELSE schedule.silent_on END"""
_NEXT = f"""CASE WHEN {_SILENT} > given.day AND {_SILENT} < {_REGULAR} THEN {_SILENT}
    ELSE {_REGULAR} END"""
_REASON = f"""CASE
    WHEN given.late THEN %(too_late)s
    WHEN schedule.standing = {Standing.ENDED.value} THEN %(ended)s
    WHEN schedule.standing = {Standing.SUSPENDED.value} THEN %(suspended)s
    WHEN schedule.session_on = given.day THEN
        CASE WHEN schedule.session_skipped THEN %(skipped)s ELSE %(done)s END
    WHEN schedule.answered_on = given.day AND given.kind <> %(routine)s THEN %(answered)s
    WHEN NOT schedule.consented THEN
        CASE schedule.channel WHEN %(email)s THEN %(no_email)s ELSE %(no_sms)s END
    WHEN (schedule.channel, schedule.address) IN (
        SELECT channel, address FROM clinic_suppression WHERE lifted_at IS NULL)
    THEN (SELECT left(%(closed)s || reason, 200) FROM clinic_suppression suppression
        WHERE lifted_at IS NULL AND suppression.channel = schedule.channel
        AND suppression.address = schedule.address)
    WHEN given.outside THEN %(outside_hours)s
    ELSE '' END"""

_PLAN = f"""
WITH given AS MATERIALIZED (
    SELECT *, ARRAY[in_1, in_2, in_3, in_4, in_5, in_6, in_7] AS week
    FROM unnest({", ".join(f"%({name})s::{kind}[]" for name, kind in _COLUMNS)})
        AS given ({", ".join(name for name, _ in _COLUMNS)})
),
moved AS (
    UPDATE programs_reminderschedule schedule SET
        next_is_nudge = given.nudge_at IS NOT NULL,
        next_local_date = CASE WHEN given.nudge_at IS NOT NULL THEN given.day
            WHEN {_NEXT} > schedule.ended_on THEN NULL ELSE {_NEXT} END,
        next_due_at = CASE WHEN given.nudge_at IS NOT NULL THEN given.nudge_at
            WHEN {_NEXT} > schedule.ended_on THEN NULL
            ELSE given.week[{_NEXT} - given.day] END,
        silent_on = {_SILENT}
    FROM given
    WHERE schedule.pattern_id = ANY(%(pattern_id)s) AND schedule.next_due_at <= %(at)s
        AND schedule.pattern_id = given.pattern_id AND schedule.next_local_date = given.day
        AND schedule.next_is_nudge = given.is_nudge
        AND (NOT schedule.next_is_nudge
            AND coalesce(schedule.next_local_date = schedule.silent_on, false)) = given.is_silence
    RETURNING schedule.program_id, schedule.channel, schedule.patient_id, schedule.address,
        given.kind, given.key_end, given.day, given.text_id, given.due_at, given.expires_at,
        given.link_expires_at, given.late, {_REASON} AS reason
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
    -- In the order of the keys: neighbours in the index are written one after the other.
    FROM moved ORDER BY program_id
    ON CONFLICT (key) DO NOTHING
    RETURNING status
)
SELECT count(*) FILTER (WHERE status = 'due'),
    count(*) FILTER (WHERE status = 'suppressed'), count(*) FILTER (WHERE status = 'expired')
FROM written
"""

_SAID = {
    "routine": Kind.ROUTINE_REMINDER.value,
    "too_late": why.TOO_LATE,
    "ended": why.ENDED,
    "suspended": why.SUSPENDED,
    "skipped": why.SESSION_SKIPPED,
    "done": why.SESSION_DONE,
    "answered": why.ANSWERED,
    "email": Channel.EMAIL.value,
    "no_email": why.NO_CONSENT[Channel.EMAIL],
    "no_sms": why.NO_CONSENT[Channel.SMS],
    "closed": why.SUPPRESSED,
    "outside_hours": why.OUTSIDE_HOURS,
}


@transaction.atomic
def _plan_batch(batch: list[tuple[Any, ...]], at: dt.datetime, report: PlanReport) -> None:
    names = [name for name, _ in _COLUMNS]
    columns = dict(zip(names, map(list, zip(*batch, strict=True)), strict=True))
    with connection.cursor() as cursor:
        scheduling.keep_to_oneself(cursor)
        cursor.execute("SET LOCAL work_mem = '64MB'; SET LOCAL jit = off")
        cursor.execute(_PLAN, {**_SAID, **columns, "at": at})
        due, suppressed, expired = cursor.fetchone()
    report.due += due
    report.suppressed += suppressed
    report.expired += expired


@transaction.atomic
def _look_again_when_due(patterns: Iterable[int]) -> None:
    with connection.cursor() as cursor:
        scheduling.keep_to_oneself(cursor)
        scheduling.mark_patterns(cursor, patterns)
