"""Patients who gave a telephone number only get their way to sign in."""

from django.contrib.auth.hashers import make_password
from django.db import migrations


def give_accounts(apps, schema_editor):
    Patient = apps.get_model("patients", "Patient")
    User = apps.get_model("clinic", "User")
    reached = Patient.objects.filter(user__isnull=True, contact_points__isnull=False).distinct()
    for patient in reached.iterator(chunk_size=500):
        user = User.objects.create(
            email=None,
            name=f"{patient.given_name} {patient.family_name}".strip(),
            role="patient",
            password=make_password(None),
        )
        Patient.objects.filter(pk=patient.pk).update(user=user)


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0008_carers"),
        ("clinic", "0006_carers_and_telephones"),
    ]

    operations = [migrations.RunPython(give_accounts, migrations.RunPython.noop)]
