"""Planning against one bare INSERT … SELECT of the same rows.

A million patients, every tenth with a reminder due now. The yardstick copies the 100,000 finished
rows into the outbox by one statement. The product looks for changed records, finds who is due,
judges each, writes the same rows and sets every schedule's next moment, in its own batches and
commits. Both begin each time from the same state: an empty outbox, the same schedule, both tables
vacuumed and analysed, a checkpoint done.
"""

import datetime as dt
import statistics
import time
from collections.abc import Mapping

from django.db import connection, models, transaction

from clinic.models import OutboxMessage
from clinic.models.messaging import Channel
from patients.models import Consent, ContactPoint, Patient
from programs import planning, reminders
from programs.models import Program, ReminderSchedule
from tests import seeding

GOAL = 0.7
PATIENTS = 1_000_000
# The Saturday before the clocks go back in Europe: 8 in London, 9 in Paris, 10 in Athens.
AT = dt.datetime(2026, 10, 24, 7, 0, tzinfo=dt.UTC)
_YESTERDAY = AT - dt.timedelta(days=1)
_JUST_BEFORE = AT - dt.timedelta(minutes=1)
# Patient n: every tenth is due at AT, the others on each half hour of the rest of the day.
_IS_DUE = "n % 10 = 0"
_ZONE = """(ARRAY['Europe/London', 'Europe/Paris', 'Europe/Athens', 'Europe/Istanbul',
    'Atlantic/Canary', 'Africa/Lagos'])[1 + n / 10 % 6]"""
_HOUR = """(ARRAY['8:00', '9:00', '10:00', '10:00', '8:00', '8:00'])[1 + n / 10 % 6]::time"""
_LATER = "time '11:00' + (n % 19) * interval '30 minutes'"
# After so many patients everything repeats, but for consent and standing.
_ALIKE = 5_700
_MARK = """UPDATE programs_reminderpattern pattern SET next_due_at = (
    SELECT min(next_due_at) FROM programs_reminderschedule WHERE pattern_id = pattern.id)"""
_NOTE = """INSERT INTO programs_reminderchange (patient_id, at)
    SELECT md5('patient ' || n)::uuid, %s FROM generate_series(%s, %s) n"""
_FINGERPRINT = """SELECT sum(hashtextextended(schedule::text, 0)::numeric)
    FROM programs_reminderschedule schedule"""
# One in five began long ago and is reminded once a week, on Saturdays.
_LONG_AGO = "n / 10 % 5 = 0"


def run(runs: int) -> dict[str, object]:
    """The row of var/bench.json. Fills the database it is given; nothing else may use it."""
    began = time.monotonic()
    _fill()
    filled = time.monotonic() - began
    expected = _plan_once_to_know()
    bare: list[float] = []
    product: list[float] = []
    for number in range(runs):
        sides = [(bare, _bare), (product, _product)]
        for figures, side in sides if number % 2 == 0 else reversed(sides):
            _same_state()
            began = time.monotonic()
            side()
            figures.append(time.monotonic() - began)
            _check(expected)
    _nothing_twice()
    ratio = statistics.median(bare) / statistics.median(product)
    return {
        "name": "planning_vs_insert_select",
        "ratio": round(ratio, 3),
        "goal": GOAL,
        "better": "higher",
        "runs": runs,
        "detail": (
            f"{expected['rows']:,} due among {PATIENTS:,} patients in six zones, the clocks of "
            f"five change before the next: {_rate(product)} planned in batches of "
            f"{planning.BATCH:,} (consent, standing and suppressions judged: "
            f"{expected['due']:,} due, {expected['suppressed']:,} held back) ÷ {_rate(bare)} by "
            f"one INSERT … SELECT of the finished rows; a second run wrote none. Filled in "
            f"{filled:.0f} s."
        ),
    }


def _rate(figures: list[float]) -> str:
    rows = PATIENTS / 10
    low, high = rows / max(figures), rows / min(figures)
    return f"{rows / statistics.median(figures):,.0f} rows/s ({low:,.0f} to {high:,.0f})"


# --- the two sides ---------------------------------------------------------------------------


def _bare() -> None:
    """The finished rows; only their ids are made, as every new row's must be."""
    others = _columns().replace("id, ", "", 1)
    _run(
        f"INSERT INTO clinic_outboxmessage (id, {others})"
        f" SELECT gen_random_uuid(), {others} FROM bench_finished"
    )


def _product() -> None:
    reminders.plan_reminders(at=AT)


def _columns() -> str:
    return ", ".join(field.column for field in OutboxMessage._meta.local_concrete_fields)


# --- the state both begin from ---------------------------------------------------------------


def _same_state() -> None:
    _run(
        "TRUNCATE clinic_outboxmessage CASCADE",
        """UPDATE programs_reminderschedule schedule SET next_local_date = kept.next_local_date,
           next_due_at = kept.next_due_at, silent_on = kept.silent_on
           FROM bench_schedule kept WHERE kept.pattern_id = schedule.pattern_id
           AND kept.program_id = schedule.program_id AND kept.channel = schedule.channel
           AND kept.next_due_at <> schedule.next_due_at""",
        _MARK,
        "VACUUM ANALYZE programs_reminderschedule",
        "VACUUM ANALYZE clinic_outboxmessage",
        "CHECKPOINT",
    )


def _plan_once_to_know() -> dict[str, int]:
    """Plan, keep the finished rows for the yardstick, and say how many there are."""
    _run("CREATE TABLE bench_schedule AS SELECT * FROM programs_reminderschedule")
    _run("CREATE INDEX ON bench_schedule (program_id)", "ANALYZE bench_schedule")
    report = reminders.plan_reminders(at=AT)
    assert report.written == PATIENTS / 10, report
    # In the order of the patients, as a bare statement would come upon them.
    _run("CREATE TABLE bench_finished AS SELECT * FROM clinic_outboxmessage ORDER BY address")
    _run("VACUUM ANALYZE bench_finished")
    an_hour_more = ReminderSchedule.objects.filter(next_due_at=AT + dt.timedelta(hours=25))
    assert an_hour_more.count() > PATIENTS / 20, "The clocks were not looked at."
    return {"rows": report.written, "due": report.due, "suppressed": report.suppressed}


def _check(expected: Mapping[str, int]) -> None:
    """The rows of this run are those of the first, each once."""
    columns = _columns().replace("id, ", "", 1)
    differing = _ask(
        f"SELECT count(*) FROM (SELECT {columns} FROM clinic_outboxmessage"
        f" EXCEPT SELECT {columns} FROM bench_finished) differing"
    )
    assert OutboxMessage.objects.count() == expected["rows"]
    assert differing == 0, f"{differing} rows differ"


def _nothing_twice() -> None:
    """After the product's run: planning again writes nothing, also when everything is due anew."""
    _same_state()
    first = reminders.plan_reminders(at=AT)
    assert first.written == PATIENTS / 10
    assert reminders.plan_reminders(at=AT).written == 0
    # Even with the schedule put back the keys keep out a second row.
    _run(
        """UPDATE programs_reminderschedule schedule SET next_local_date = kept.next_local_date,
           next_due_at = kept.next_due_at FROM bench_schedule kept
           WHERE kept.pattern_id = schedule.pattern_id
           AND kept.program_id = schedule.program_id AND kept.channel = schedule.channel""",
        _MARK,
    )
    assert reminders.plan_reminders(at=AT).written == 0


# --- a million patients ----------------------------------------------------------------------


def _fill() -> None:
    _run("DROP TABLE IF EXISTS bench_schedule, bench_finished")
    seeding.empty_practice()
    _run("TRUNCATE programs_reminderchange, clinic_suppression")
    program = seeding.practice(at=_YESTERDAY, time_zone="Europe/London")
    patient = program.patient
    began = f"CASE WHEN {_IS_DUE} AND {_LONG_AGO} THEN date '2026-08-01' ELSE date '2026-10-20' END"
    with transaction.atomic(), connection.cursor() as cursor:
        # No history, no looking at foreign keys: the copies have those of the first.
        cursor.execute("SET LOCAL session_replication_role = replica")
        _copy(
            cursor,
            patient,
            id=_id("patient"),
            number="'N-' || n",
            user_id="NULL",
            time_zone=f"CASE WHEN {_IS_DUE} THEN {_ZONE} ELSE 'Europe/London' END",
        )
        _copy(
            cursor,
            ContactPoint.objects.get(patient=patient, channel=Channel.EMAIL),
            id=_serial(ContactPoint),
            patient_id=_id("patient"),
            address="'p' || lpad(n::text, 7, '0') || '@patients.example'",
            reminder_time=f"CASE WHEN {_IS_DUE} THEN {_HOUR} ELSE {_LATER} END",
            reminder_days=f"CASE WHEN {_IS_DUE} AND {_LONG_AGO} THEN 96 ELSE 127 END",
        )
        _copy(
            cursor,
            Consent.objects.get(patient=patient, purpose=Channel.EMAIL),
            where="n % 33 <> 0",
            id=_serial(Consent),
            patient_id=_id("patient"),
        )
        _copy(
            cursor,
            program,
            id=_id("program"),
            patient_id=_id("patient"),
            current_version_id="NULL",
            started_on=began,
            status="CASE WHEN n % 170 = 0 THEN 'suspended' ELSE 'active' END",
            suspended_for="CASE WHEN n % 170 = 0 THEN 'rule' ELSE '' END",
        )
        cursor.execute(
            "INSERT INTO clinic_suppression (channel, address, reason, by_owner, since)"
            " SELECT 'email', address, 'It bounced.', false, %s FROM patients_contactpoint"
            " WHERE id %% 700 = 0",
            [_YESTERDAY],
        )
    patient.contact_points.update(reminders=False)
    for model in (Patient, ContactPoint, Consent, Program):
        _run(f"VACUUM ANALYZE {model._meta.db_table}")
    _schedule()


def _schedule() -> None:
    """The schedule as the product makes it for the first patients; the others' rows are like
    those, and the product, asked about some of them, finds nothing to change."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE programs_reminderchange, programs_reminderschedule, programs_reminderplace"
        )
        cursor.execute(_NOTE, [_JUST_BEFORE, 1, _ALIKE])
    reminders.follow_changes(at=_JUST_BEFORE)
    own = {
        "program_id": _id("program"),
        "patient_id": _id("patient"),
        "address": "'p' || lpad(n::text, 7, '0') || '@patients.example'",
        "standing": "CASE WHEN n % 170 = 0 THEN 1 ELSE 0 END",
        "consented": "n % 33 <> 0",
    }
    fields = [field.column for field in ReminderSchedule._meta.local_concrete_fields]
    values = ", ".join(own.get(column, f"one.{column}") for column in fields)
    _run(
        "ANALYZE programs_reminderschedule",
        f"INSERT INTO programs_reminderschedule ({', '.join(fields)}) SELECT {values}"
        f" FROM generate_series({_ALIKE} + 1, {PATIENTS}) n JOIN programs_reminderschedule one"
        f" ON one.program_id = md5('program ' || (1 + (n - 1) % {_ALIKE}))::uuid"
        # As it stands after a day at work: what was planned together was written together.
        " ORDER BY one.next_due_at, n",
        "INSERT INTO programs_reminderplace (program_id, channel, pattern_id)"
        " SELECT program_id, channel, pattern_id FROM programs_reminderschedule"
        " ON CONFLICT DO NOTHING",
        "VACUUM ANALYZE programs_reminderschedule",
        "VACUUM ANALYZE programs_reminderplace",
        _MARK,
    )
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [_JUST_BEFORE, PATIENTS - 3_000, PATIENTS])
    before = _ask(_FINGERPRINT)
    reminders.follow_changes(at=_JUST_BEFORE)
    assert _ask(_FINGERPRINT) == before, "The schedule is not as the product would have it."


def _copy(cursor, one: models.Model, where: str = "true", **own: str) -> None:
    """A million rows like this one, with these columns of their own (SQL of ``n``)."""
    fields = one._meta.local_concrete_fields
    names = ", ".join(field.column for field in fields)
    values = ", ".join(own.get(field.column, f"one.{field.column}") for field in fields)
    table, key = one._meta.db_table, one._meta.pk.column
    cursor.execute(
        f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} one,"
        f" generate_series(1, {PATIENTS}) n WHERE one.{key} = %s AND {where}".replace(
            " % ", " %% "
        ),
        [one.pk],
    )


def _id(what: str) -> str:
    return f"md5('{what} ' || n)::uuid"


def _serial(model: type[models.Model]) -> str:
    return f"nextval(pg_get_serial_sequence('{model._meta.db_table}', 'id'))"


def _run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _ask(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]
