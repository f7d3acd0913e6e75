from django.db import migrations, models
from django.db.models import OuterRef, Subquery
from django.utils import timezone
import django.db.models.deletion

EXERCISE = (
    "name",
    "movement_class",
    "first_phase",
    "muscles",
    "equipment",
    "alternative",
    "why",
    "words",
    "sources",
)
LEVEL = (
    "level",
    "title",
    "movement_class",
    "loaded",
    "equipment",
    "set_up",
    "cues",
    "cues_draw_in",
    "cues_fill_out",
    "feel",
    "not_feel",
    "figure",
    "words",
    "sets",
    "reps_from",
    "reps_to",
    "reps_step",
    "hold_from",
    "hold_to",
    "hold_step",
    "per_side",
    "alternate",
    "days_per_week",
    "seconds_per_rep",
    "rest_s",
)


def keep(apps, schema_editor):
    """The library as it stands is the first version of every exercise that may be or was
    prescribed; prescriptions point at it."""
    Exercise = apps.get_model("programs", "Exercise")
    Version = apps.get_model("programs", "ExerciseVersion")
    Prescription = apps.get_model("programs", "Prescription")
    prescribed = set(Prescription.objects.values_list("exercise_id", flat=True).distinct())
    rows = Exercise.objects.select_related("regress_to").prefetch_related("levels")
    for row in rows:
        if row.review_state != "approved" and row.pk not in prescribed:
            continue
        content = {name: getattr(row, name) for name in EXERCISE}
        content["slug"] = row.slug
        content["origin"] = row.origin
        content["regress_to"] = row.regress_to.slug if row.regress_to else None
        levels = sorted(row.levels.all(), key=lambda level: level.level)
        content["levels"] = [{name: getattr(level, name) for name in LEVEL} for level in levels]
        at = row.reviewed_at or timezone.now()
        version = Version.objects.create(
            exercise=row,
            number=1,
            state="approved",
            content=content,
            changed_at=at,
            reviewed_by=row.reviewed_by,
            reviewed_at=at,
        )
        Exercise.objects.filter(pk=row.pk).update(current=version)
    newest = Version.objects.filter(exercise=OuterRef("exercise")).values("pk")[:1]
    execute = schema_editor.execute
    # Prescriptions never change: this once they learn what they always meant.
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute("ALTER TABLE programs_prescription DISABLE TRIGGER USER")
    Prescription.objects.update(exercise_version=Subquery(newest))
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute("ALTER TABLE programs_prescription ENABLE TRIGGER USER")


class Migration(migrations.Migration):
    dependencies = [("programs", "0005_exercise_versions")]

    operations = [
        migrations.RunPython(keep, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="prescription",
            name="exercise_version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="programs.exerciseversion",
            ),
        ),
    ]
