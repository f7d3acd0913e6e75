"""Keeping the schedule of reminders true: its rows are worked out anew from the record.

Nobody who changes a record calls this. Triggers of the database note the patient, and every
planning first looks again at the noted ones; ``reconcile`` looks at everybody, for what no trigger
saw. Both may run at any time and as often as wanted: the same record gives the same rows.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from clinic.messaging import outbox
from programs import cadence
from programs.models import (
    Program,
    ReminderChange,
    ReminderPattern,
    ReminderPlace,
    ReminderSchedule,
)
from programs.reminder_facts import Facts, Way, of_interest, read_facts

Standing = ReminderSchedule.Standing

CHUNK = 2_000
# A change that nobody has looked at is caught up with for so long, and no longer.
_CATCH_UP = dt.timedelta(days=14)
_A_DAY = dt.timedelta(days=1)
# One at a time: of two that read a record, the later reader must be the later writer.
_KEEPING = 0x5C4ED
_FIELDS = [
    field.name
    for field in ReminderSchedule._meta.concrete_fields
    if field.name not in ("pattern", "program", "channel")
]


def follow_changes(*, at: dt.datetime) -> int:
    """Look again at every patient whose record has changed. Returns how many."""
    count = 0
    while found := _follow_some(at):
        count += found
    return count


def reconcile(*, at: dt.datetime) -> int:
    """Look at everybody who has, or just had, a program. Returns how many rows were wrong."""
    repaired, last = 0, None
    while True:
        programs = of_interest(Program.objects.all(), at).order_by("patient_id")
        if last is not None:
            programs = programs.filter(patient_id__gt=last)
        some = list(programs.values_list("patient_id", flat=True).distinct()[:CHUNK])
        if not some:
            _mark_all()
            return repaired
        with transaction.atomic(), connection.cursor() as cursor:
            keep_to_oneself(cursor)
            repaired += _follow(dict.fromkeys(some, at), at)
        last = some[-1]


@transaction.atomic
def _follow_some(at: dt.datetime) -> int:
    if not ReminderChange.objects.exists():
        return 0
    with connection.cursor() as cursor:
        keep_to_oneself(cursor)
        cursor.execute(
            "WITH noted AS (DELETE FROM programs_reminderchange WHERE id IN ("
            " SELECT id FROM programs_reminderchange ORDER BY id LIMIT %s)"
            " RETURNING patient_id, at)"
            " SELECT patient_id, greatest(least(min(at), %s), %s) FROM noted GROUP BY 1",
            [CHUNK, at, at - _CATCH_UP],
        )
        noted = dict(cursor.fetchall())
    _follow(noted, at)
    return len(noted)


@transaction.atomic
def _mark_all() -> None:
    with connection.cursor() as cursor:
        keep_to_oneself(cursor)
        mark_patterns(cursor, ReminderPattern.objects.values_list("pk", flat=True))


def mark_patterns(cursor: Any, patterns: Iterable[int]) -> None:
    """Have each pattern say when the first of its rows is due. Whoever calls keeps to oneself."""
    cursor.execute(
        "UPDATE programs_reminderpattern pattern SET next_due_at = ("
        " SELECT min(next_due_at) FROM programs_reminderschedule WHERE pattern_id = pattern.id)"
        " WHERE id = ANY(%s)",
        [list(patterns)],
    )


def keep_to_oneself(cursor: Any) -> None:
    """Inside a transaction: nobody else writes the schedule until it ends."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_KEEPING])


# --- what follows from it ---------------------------------------------------------------------


def _follow(noted: Mapping[uuid.UUID, dt.datetime], at: dt.datetime) -> int:
    """Work out the rows of these patients. ``noted``: since when each record may differ."""
    facts = list(read_facts(list(noted), at))
    kept = {(row.program_id, row.channel): row for row in rows_of([f.program.pk for f in facts])}
    patterns = _patterns(facts, at)
    rows: list[ReminderSchedule] = []
    gone = dict(kept)
    for fact in facts:
        old = {way.channel: kept.get((fact.program.pk, way.channel)) for way in fact.ways}
        known = [row for row in old.values() if row]
        silent_on = silent_day_of(fact, known, at)
        carrier = carrier_of(fact, known, silent_on, at)
        for way in fact.ways:
            since = max(noted[fact.program.patient_id], fact.assigned_at)
            # A day gone by stays with all of them: no second message in one silence.
            carries = way.channel == carrier or silent_on is None or silent_on < at.date() - _A_DAY
            own = silent_on if carries else None
            row = _row(fact, way, old[way.channel], own, since, at)
            if row is None:
                continue
            row.pattern_id = patterns[_pattern_key(fact, way, at)]
            before = old[way.channel]
            if before is None or row.pattern_id == before.pattern_id:
                gone.pop((row.program_id, row.channel), None)
            if _differs(row, before):
                rows.append(row)
    _write(rows, gone.values())
    return len(rows) + len(gone)


def rows_of(programs: Collection[uuid.UUID]) -> list[ReminderSchedule]:
    """The schedule's rows of these programs, found by their places."""
    names = [field.attname for field in ReminderSchedule._meta.concrete_fields]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(names)} FROM programs_reminderplace"
            " JOIN programs_reminderschedule USING (pattern_id, program_id, channel)"
            " WHERE program_id = ANY(%s)",
            [list(programs)],
        )
        return [ReminderSchedule.from_db("default", names, row) for row in cursor.fetchall()]


def _write(rows: list[ReminderSchedule], gone: Collection[ReminderSchedule]) -> None:
    """Write these rows and take those away; a row of another pattern is another row."""
    for row in gone:
        which = {"program": row.program_id, "channel": row.channel}
        ReminderSchedule.objects.filter(pattern=row.pattern_id, **which).delete()
        ReminderPlace.objects.filter(**which).delete()
    # In the order in which they come due: what is planned together stands together.
    rows.sort(key=lambda row: (row.next_due_at, row.pattern_id, row.program_id))
    ReminderPlace.objects.bulk_create(
        [
            ReminderPlace(program_id=r.program_id, channel=r.channel, pattern_id=r.pattern_id)
            for r in rows
        ],
        update_conflicts=True,
        unique_fields=["program", "channel"],
        update_fields=["pattern"],
    )
    ReminderSchedule.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["pattern", "program", "channel"],
        update_fields=_FIELDS,
    )
    first: dict[int, dt.datetime] = {}
    for row in rows:
        first.setdefault(row.pattern_id, row.next_due_at)
    for pattern, due_at in first.items():
        later = Q(next_due_at__gt=due_at) | Q(next_due_at=None)
        ReminderPattern.objects.filter(later, pk=pattern).update(next_due_at=due_at)


def silent_day_of(
    facts: Facts, kept: Collection[ReminderSchedule], at: dt.datetime
) -> dt.date | None:
    """The day of the kind message: the one that has come already while nothing was heard since,
    else the next on which the silence is long enough."""
    rhythms = [way.rhythm for way in facts.ways if way.rhythm]
    if not rhythms:
        return max((row.silent_on for row in kept if row.silent_on), default=None)
    told = [row.silent_on for row in kept if row.heard_on == facts.heard_on and row.silent_on]
    come = [day for day in told if cadence.moments_of(rhythms[0], day).due_at <= at]
    return max(come, default=None) or cadence.silent_day(rhythms, facts.span(), facts.heard, at)


def carrier_of(
    facts: Facts, kept: Collection[ReminderSchedule], silent_on: dt.date | None, at: dt.datetime
) -> str | None:
    """The one channel of the kind message: the one that has it already, else the first that day,
    of those with consent where there are any."""
    if silent_on is None:
        return None
    ways = [way for way in facts.ways if way.rhythm and way.rhythm.days >> silent_on.weekday() & 1]
    ways = [way for way in ways if way.consented] or ways
    holding = {r.channel for r in kept if (r.silent_on, r.heard_on) == (silent_on, facts.heard_on)}
    due = {way.channel: cadence.moments_of(way.rhythm, silent_on).due_at for way in ways}
    return min(
        due, key=lambda one: (one not in holding, due[one] < at, due[one], one), default=None
    )


def _row(
    facts: Facts,
    way: Way,
    old: ReminderSchedule | None,
    silent_on: dt.date | None,
    since: dt.datetime,
    at: dt.datetime,
) -> ReminderSchedule | None:
    """The row of one channel, or None where nothing is to come."""
    if way.rhythm is None:
        return None
    program = facts.program
    row = ReminderSchedule(
        program=program,
        channel=way.channel,
        patient_id=program.patient_id,
        address=outbox.same_address(way.channel, way.point.address),
        standing=facts.standing,
        consented=way.consented,
        started_on=program.started_on,
        ended_on=program.ended_on,
        session_on=facts.session_on,
        session_skipped=facts.session_skipped,
        heard_on=facts.heard_on,
        answered_on=facts.answered_on,
        silent_on=silent_on,
    )
    if silent_on and not way.rhythm.days >> silent_on.weekday() & 1:
        # A day that was not chosen for this address; another one of the patient has it.
        row.silent_on = None
    span = facts.span(row.silent_on)
    if old and old.next_due_at and old.next_due_at <= at and span.holds(old.next_local_date):
        # It should have been planned by now: nothing may move it out of sight.
        row.next_local_date, row.next_due_at = old.next_local_date, old.next_due_at
        row.next_is_nudge = old.next_is_nudge
        return row
    event = next(cadence.events(way.rhythm, span, since), None)
    if event is None:
        return None
    row.next_local_date, row.next_due_at = event.day, event.at
    row.next_is_nudge = event.kind == cadence.NUDGE
    return row


def _differs(row: ReminderSchedule, old: ReminderSchedule | None) -> bool:
    names = [field.attname for field in ReminderSchedule._meta.concrete_fields]
    return old is None or any(getattr(row, name) != getattr(old, name) for name in names)


def _pattern_key(facts: Facts, way: Way, at: dt.datetime) -> tuple[Any, ...]:
    patient, rhythm = facts.program.patient, way.rhythm
    # What moves a planned row on knows the days of the present step of a taper; the hourly look
    # at everybody brings the next one.
    asked = facts.span().asked_on(patient.local_date(at))
    return (
        patient.site_id,
        way.channel,
        patient.language,
        rhythm.zone,
        rhythm.time,
        rhythm.days & asked or rhythm.days,
        rhythm.nudge,
    )


def _patterns(facts: Collection[Facts], at: dt.datetime) -> dict[tuple[Any, ...], int]:
    """The rows that these programs' addresses share, made where they are new."""
    wanted = {_pattern_key(fact, way, at) for fact in facts for way in fact.ways if way.rhythm}
    names = ["site_id", "channel", "language", "zone", "time", "days", "nudge"]
    known = _known_patterns(wanted, names)
    missing = [key for key in wanted if key not in known]
    if missing:
        ReminderPattern.objects.bulk_create(
            [ReminderPattern(**dict(zip(names, key, strict=True))) for key in missing],
            ignore_conflicts=True,
        )
        known = _known_patterns(wanted, names)
    return known


def _known_patterns(
    wanted: Collection[tuple[Any, ...]], names: list[str]
) -> dict[tuple[Any, ...], int]:
    sites = {key[0] for key in wanted}
    zones = {key[3] for key in wanted}
    rows = ReminderPattern.objects.filter(site__in=sites, zone__in=zones)
    return {key: pk for pk, *rest in rows.values_list("pk", *names) if (key := tuple(rest))}
