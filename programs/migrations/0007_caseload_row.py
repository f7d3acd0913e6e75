import django.contrib.postgres.fields
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

# The row of a patient is made again whenever something changes that it is derived from. Triggers,
# as for the schedule of reminders: they also see bulk updates and whatever is changed by hand. No
# column is named in their conditions, so that later migrations may change the tables freely.
_FUNCTIONS = """
CREATE FUNCTION programs_mark_patient() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO programs_caseloadmark (patient_id)
    VALUES (CASE TG_OP WHEN 'DELETE' THEN OLD.patient_id ELSE NEW.patient_id END);
    RETURN NULL;
END $$;

CREATE FUNCTION programs_mark_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO programs_caseloadmark (patient_id) VALUES (NEW.id);
    RETURN NULL;
END $$;

CREATE FUNCTION programs_mark_by_program() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_program uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.program_id ELSE NEW.program_id END;
BEGIN
    INSERT INTO programs_caseloadmark (patient_id)
    SELECT patient_id FROM programs_program WHERE id = of_program;
    RETURN NULL;
END $$;

CREATE FUNCTION programs_mark_by_alert() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kind text := CASE TG_OP WHEN 'DELETE' THEN OLD.subject_type ELSE NEW.subject_type END;
    about text := CASE TG_OP WHEN 'DELETE' THEN OLD.subject_id ELSE NEW.subject_id END;
BEGIN
    IF kind = 'patient' AND length(about) = 36 THEN
        INSERT INTO programs_caseloadmark (patient_id) VALUES (about::uuid);
    END IF;
    RETURN NULL;
END $$;
"""
_WATCHED = [
    ("patients_patient", "INSERT OR UPDATE", "programs_mark_person"),
    ("patients_checkin", "INSERT OR DELETE", "programs_mark_patient"),
    ("patients_redflag", "INSERT OR UPDATE OR DELETE", "programs_mark_patient"),
    ("programs_program", "INSERT OR UPDATE OR DELETE", "programs_mark_patient"),
    ("programs_snooze", "INSERT OR UPDATE OR DELETE", "programs_mark_patient"),
    ("programs_programversion", "INSERT OR DELETE", "programs_mark_by_program"),
    ("programs_decision", "INSERT OR DELETE", "programs_mark_by_program"),
    ("programs_proposal", "INSERT OR UPDATE OR DELETE", "programs_mark_by_program"),
    ("programs_session", "INSERT OR UPDATE OR DELETE", "programs_mark_by_program"),
    ("clinic_alert", "INSERT OR UPDATE OR DELETE", "programs_mark_by_alert"),
]
WATCH = _FUNCTIONS + "".join(
    f"CREATE TRIGGER {function} AFTER {when} ON {table} "
    f"FOR EACH ROW EXECUTE FUNCTION {function}();\n"
    for table, when, function in _WATCHED
)
STOP_WATCHING = "".join(
    f"DROP TRIGGER {function} ON {table};\n" for table, _, function in _WATCHED
) + "".join(
    f"DROP FUNCTION {name}();\n" for name in sorted({function for _, _, function in _WATCHED})
)
# Practices that run already: everybody's row is made with the next rounds of the worker.
EVERYBODY = "INSERT INTO programs_caseloadmark (patient_id) SELECT id FROM patients_patient"


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0007_taken_out_at_the_server'),
        ('patients', '0010_erasure'),
        ('pghistory', '0007_auto_20250421_0444'),
        ('programs', '0006_exercises_kept_as_prescribed'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CaseloadMark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('patient_id', models.UUIDField()),
            ],
        ),
        migrations.CreateModel(
            name='Snooze',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('need', models.CharField(max_length=12)),
                ('reason', models.TextField()),
                ('until', models.DateTimeField()),
                ('at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='snoozes', to='patients.patient')),
            ],
            options={
                'ordering': ['-at'],
            },
        ),
        migrations.CreateModel(
            name='SnoozeEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('need', models.CharField(max_length=12)),
                ('reason', models.TextField()),
                ('until', models.DateTimeField()),
                ('at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('by', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('patient', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='patients.patient')),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='programs.snooze')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='CaseloadRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('given_name', models.CharField(max_length=80)),
                ('family_name', models.CharField(max_length=80)),
                ('number', models.CharField(max_length=20)),
                ('need', models.CharField(max_length=12)),
                ('rank', models.PositiveSmallIntegerField()),
                ('order', models.IntegerField()),
                ('since', models.DateTimeField(null=True)),
                ('reason', models.TextField()),
                ('due_at', models.DateTimeField(null=True)),
                ('outcome', models.CharField(blank=True, max_length=10)),
                ('step', models.TextField(blank=True)),
                ('proposal_id', models.BigIntegerField(null=True)),
                ('may_bulk', models.BooleanField(default=False)),
                ('pathway', models.CharField(blank=True, choices=[('chronic', 'Chronic pain'), ('desk', 'Desk worker'), ('athlete', 'Athlete'), ('post_injury', 'Post-injury')], max_length=15)),
                ('phase', models.PositiveSmallIntegerField(null=True)),
                ('version_number', models.PositiveIntegerField(null=True)),
                ('usual_pain', models.PositiveSmallIntegerField(null=True)),
                ('pain_trend', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(null=True), default=list, size=None)),
                ('adherence', models.PositiveSmallIntegerField(help_text='Per cent over 14 days.', null=True)),
                ('done_trend', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(null=True), default=list, size=None)),
                ('last_answer', models.DateField(null=True)),
                ('silent_days', models.PositiveIntegerField(null=True)),
                ('snoozed_until', models.DateTimeField(null=True)),
                ('snooze_reason', models.TextField(blank=True)),
                ('snoozed_by', models.CharField(blank=True, max_length=120)),
                ('looks_again_at', models.DateTimeField(null=True)),
                ('patient', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='caseload_row', to='patients.patient')),
                ('physiotherapist', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('site', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinic.site')),
            ],
            options={
                'ordering': ['rank', 'order', 'since', 'family_name', 'patient'],
                'indexes': [models.Index(fields=['physiotherapist', 'rank', 'order', 'since', 'family_name', 'patient'], include=('pathway', 'site'), name='caseload_mine'), models.Index(fields=['site', 'rank', 'order', 'since', 'family_name', 'patient'], include=('pathway',), name='caseload_of_a_site'), models.Index(fields=['rank', 'order', 'since', 'family_name', 'patient'], include=('pathway', 'site'), name='caseload_of_all'), models.Index(fields=['physiotherapist', 'looks_again_at'], name='caseload_again_mine'), models.Index(fields=['looks_again_at'], name='caseload_again'), models.Index(condition=models.Q(('may_bulk', True)), fields=['physiotherapist', 'site'], name='caseload_together')],
            },
        ),
        migrations.CreateModel(
            name='SavedView',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=40)),
                ('query', models.CharField(max_length=200)),
                ('at', models.DateTimeField()),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='saved_views', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['name'],
                'constraints': [models.UniqueConstraint(fields=('user', 'name'), name='saved_view_name_once')],
            },
        ),
        migrations.AddConstraint(
            model_name='snooze',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('patient',), name='snooze_one_open'),
        ),
        migrations.AddConstraint(
            model_name='snooze',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='snooze_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='snooze',
            constraint=models.CheckConstraint(condition=models.Q(('until__gt', models.F('at'))), name='snooze_lies_ahead'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='snooze',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "programs_snoozeevent" ("at", "by_id", "ended_at", "id", "need", "patient_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "until") VALUES (NEW."at", NEW."by_id", NEW."ended_at", NEW."id", NEW."need", NEW."patient_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."reason", NEW."until"); RETURN NULL;', hash='acaf83c6c4594136019dcfed8d36cc073e7027d4', operation='INSERT', pgid='pgtrigger_insert_insert_cf7d4', table='programs_snooze', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='snooze',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "programs_snoozeevent" ("at", "by_id", "ended_at", "id", "need", "patient_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "until") VALUES (NEW."at", NEW."by_id", NEW."ended_at", NEW."id", NEW."need", NEW."patient_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."reason", NEW."until"); RETURN NULL;', hash='2c1108d5aa01c531e5a301680093bd640c845dd4', operation='UPDATE', pgid='pgtrigger_update_update_b472c', table='programs_snooze', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='snoozeevent',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='7e3d16d921cb669053b79b870cbd33969c9e2121', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_530c2', table='programs_snoozeevent', when='BEFORE')),
        ),
        migrations.RunSQL(WATCH, STOP_WATCHING),
        migrations.RunSQL(EVERYBODY, migrations.RunSQL.noop),
    ]
