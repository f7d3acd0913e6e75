"""A practice of any size in seconds: one patient made by the verbs, copied by the database.

The copies are rows of every table that says something about the first patient, whatever tables
those are, so that a new table of the product is filled without a change here.
"""

import datetime as dt

from django.apps import apps
from django.core.management import call_command
from django.db import connection, models, transaction

from clinic.messaging import outbox
from clinic.models import MessageText, OutboxMessage, Role, Site, User
from clinic.models.messaging import Channel
from patients.consenting import give_consent
from patients.models import Consent, ContactPoint, Patient
from patients.registering import register_patient
from programs import scheduling
from programs.assigning import assign_program
from programs.models import (
    Exercise,
    Prescription,
    Program,
    ProgramTemplate,
    ReminderSchedule,
)

# Nobody reads them here, and they are most of a program.
_LEFT_OUT = (Prescription,)
_ADDRESS = (
    "CASE {row}.channel WHEN 'email' THEN 'p' || lpad(m.n::text, 7, '0') || '@patients.example'"
    " ELSE '+4477' || lpad(m.n::text, 8, '0') END"
)
# What a fresh copy has that is its own.
_OWN = {
    (Patient, "number"): "'C-' || lpad(m.n::text, 7, '0')",
    (Patient, "user_id"): "NULL",
    (ContactPoint, "address"): _ADDRESS.format(row="p"),
    (ReminderSchedule, "address"): _ADDRESS.format(row="p"),
}
# Names a patient without a foreign key.
_NAMED = {(ReminderSchedule, "patient_id"): Patient}


def zone_where_it_is(hour: int, at: dt.datetime) -> str:
    """A time zone without summer time in which ``at`` lies in that hour of the day."""
    offset = (at.astimezone(dt.UTC).hour - hour + 12) % 24 - 12
    return f"Etc/GMT{offset:+d}" if offset else "Etc/GMT"


def practice(*, at: dt.datetime, time_zone: str, reminder_time: dt.time = dt.time(8)) -> Program:
    """A site with a physiotherapist and one patient, whose program began an hour ago."""
    if not Exercise.objects.exists():
        call_command("load_content", verbosity=0)
    site, _ = Site.objects.get_or_create(
        name="Harbour Street",
        defaults={
            "time_zone": time_zone,
            "phone": "+44 20 7946 0100",
            "emergency_number": "999",
            "urgent_number": "111",
        },
    )
    Site.objects.filter(pk=site.pk).update(time_zone=time_zone)
    site.refresh_from_db()
    physio = User.objects.filter(email="ruth@practice.example").first()
    if physio is None:
        physio = User.objects.create_user(
            "ruth@practice.example",
            "a long pass phrase",
            name="Ruth Adeyemi",
            role=Role.PHYSIOTHERAPIST,
        )
        physio.sites.add(site)
    before = at - dt.timedelta(hours=1)
    patient = register_patient(
        site=site,
        physiotherapist=physio,
        given_name="Ana",
        family_name="Morales",
        email="p0000000@patients.example",
        phone="+447700900123",
        reminder_time=reminder_time,
        by=physio,
        at=before,
    )
    for purpose in Consent.Purpose.values:
        give_consent(patient=patient, purpose=purpose, way="in_person", by=physio, at=before)
    program = assign_program(
        patient=patient,
        template=ProgramTemplate.objects.current().get(slug="desk"),
        by=physio,
        at=before,
    )
    scheduling.follow_changes(at=before)
    return program


@transaction.atomic
def copies(program: Program, count: int) -> None:
    """``count`` patients like this program's, numbered from 1, each with addresses of their own.

    Their history is not written, and foreign keys are not looked at: the copies have those of
    the first.
    """
    found = _rows_about(program.patient)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        tables: dict[type[models.Model], str] = {}
        for model, keys in found.items():
            if not _key_is_of_others(model):
                tables[model] = f"copied_{len(tables)}"
                _map(cursor, tables[model], model, keys, count)
        for model in found:
            _copy(cursor, model, tables)
        for table in tables.values():
            cursor.execute(f"DROP TABLE {table}")
        for model in found:
            cursor.execute(f"ANALYZE {model._meta.db_table}")


def queue_reminders(
    channel: str, *, text: MessageText, at: dt.datetime, limit: int | None = None
) -> int:
    """A routine reminder for each patient as planning writes it, due at ``at``."""
    draft = outbox.draft(
        key="",
        kind=OutboxMessage.Kind.ROUTINE_REMINDER,
        channel=channel,
        subject_type="patient",
        subject_id="",
        address="",
        text=text,
        due_at=at,
        expires_at=at + dt.timedelta(hours=6),
        link_expires_at=at + dt.timedelta(days=2),
        at=at,
    )
    own = {
        "id": "gen_random_uuid()",
        "key": "'routine_reminder:' || g.id || ':' || day || ':' || c.channel",
        "subject_id": "p.id::text",
        "address": "c.address",
        "local_date": "day",
    }
    names, values, given = [], [], []
    for field in OutboxMessage._meta.local_concrete_fields:
        names.append(field.column)
        if field.column in own:
            values.append(own[field.column])
        else:
            values.append("%s")
            given.append(field.get_db_prep_save(getattr(draft, field.attname), connection))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {OutboxMessage._meta.db_table} ({', '.join(names)})"
            f" SELECT {', '.join(values)}"
            f" FROM programs_program g JOIN patients_patient p ON p.id = g.patient_id"
            f" JOIN patients_contactpoint c ON c.patient_id = p.id AND c.channel = %s"
            f" CROSS JOIN LATERAL (SELECT (%s AT TIME ZONE p.time_zone)::date AS day) d"
            f" LIMIT %s",
            [*given, channel, at, limit],
        )
        return cursor.rowcount


def empty_outbox() -> None:
    """As on the first day: no message, no receipt, no sender."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE clinic_outboxmessage, clinic_sender CASCADE")


def empty_practice() -> None:
    """No patient and nothing about one."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE clinic_outboxmessage, clinic_sender, patients_patient CASCADE")
    User.objects.filter(role=Role.PATIENT).delete()


def long_text(channel: str = Channel.EMAIL) -> MessageText:
    """Words of a reminder; an e-mail of them has six kilobytes with both its parts."""
    if channel == Channel.SMS:
        return outbox.keep_text(
            channel=channel, body="Harbour Street: Your ten minutes for today {link}"
        )
    middle = "\n\n".join(
        f"{which} thing worth knowing: a routine you can do is better than one you cannot. Take "
        f"the time that suits you, go slowly, and stop where it stops being comfortable. You can "
        f"tell us how it went on the same page, and ask us anything you like while you are there."
        for which in ("One", "A second", "A third", "A fourth", "A last")
    )
    return outbox.keep_text(
        channel=channel,
        subject_line="Your ten minutes for today",
        body=(
            "Hello,\n\nYour ten minutes for today are ready.\n\nStart today's routine:\n{link}\n\n"
            f"{middle}\n\nThis link is only for you, so please do not pass it on. It works until "
            "the end of tomorrow.\n\nQuestions? Call Harbour Street on +44 20 7946 0100."
        ),
    )


def _rows_about(patient: Patient) -> dict[type[models.Model], list[object]]:
    """The patient and every row that names them or a row found before, table by table."""
    found: dict[type[models.Model], list[object]] = {Patient: [patient.pk]}
    tables = [
        model
        for label in ("patients", "programs")
        for model in apps.get_app_config(label).get_models()
        if not hasattr(model, "pgh_tracked_model") and model not in _LEFT_OUT
    ]
    growing = True
    while growing:
        growing = False
        for model in tables:
            if model in found:
                continue
            for field in model._meta.local_concrete_fields:
                if field.is_relation and isinstance(found.get(field.related_model), list):
                    keys = model._base_manager.filter(
                        **{f"{field.name}__in": found[field.related_model]}
                    ).values_list("pk", flat=True)
                    if keys:
                        found[model], growing = list(keys), True
                        break
    return found


def _key_is_of_others(model: type[models.Model]) -> bool:
    return isinstance(model._meta.pk, models.CompositePrimaryKey)


def _map(cursor, table: str, model: type[models.Model], keys: list[object], count: int) -> None:
    """A table that says which key the n-th copy of each row has."""
    key, name = model._meta.pk, model._meta.db_table
    kind = key.rel_db_type(connection)
    fresh = (
        "gen_random_uuid()"
        if isinstance(key, models.UUIDField)
        else f"nextval(pg_get_serial_sequence('{name}', '{key.column}'))"
    )
    cursor.execute(
        f"CREATE TEMPORARY TABLE {table} AS SELECT old, n, {fresh} AS new"
        f" FROM unnest(%s::{kind}[]) old, generate_series(1, %s) n",
        [list(keys), count],
    )
    cursor.execute(f"CREATE INDEX ON {table} (old, n)")
    cursor.execute(f"ANALYZE {table}")


def _copy(cursor, model: type[models.Model], tables: dict[type[models.Model], str]) -> None:
    """Insert the copies. ``m`` says which copy of ``p`` a row is: by the table's own map, or for
    one whose key is made of others' by the map of the first of those."""
    names, values, joins, lead = [], [], [], ""
    if not _key_is_of_others(model):
        lead = f'JOIN {tables[model]} m ON m.old = p."{model._meta.pk.column}"'
    for field in model._meta.local_concrete_fields:
        column = field.column
        about = _NAMED.get((model, column)) or (field.related_model if field.is_relation else None)
        names.append(f'"{column}"')
        if (model, column) in _OWN:
            values.append(_OWN[model, column])
        elif field.primary_key:
            values.append("m.new")
        elif about not in tables:
            values.append(f'p."{column}"')
        elif not lead:
            lead = f'JOIN {tables[about]} m ON m.old = p."{column}"'
            values.append("m.new")
        else:
            alias = f"j{len(joins)}"
            joins.append(
                f" LEFT JOIN {tables[about]} {alias}"
                f' ON {alias}.old = p."{column}" AND {alias}.n = m.n'
            )
            values.append(f"{alias}.new")
    cursor.execute(
        f"INSERT INTO {model._meta.db_table} ({', '.join(names)})"
        f" SELECT {', '.join(values)} FROM {model._meta.db_table} p {lead}{''.join(joins)}"
    )
