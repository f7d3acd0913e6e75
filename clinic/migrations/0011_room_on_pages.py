"""Room on the outbox's pages for the changes of each row, which then touch no index: a message
that is taken goes on the wire and comes back within seconds."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("clinic", "0010_appointment_reminders")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE clinic_outboxmessage SET (fillfactor = 40)",
            "ALTER TABLE clinic_outboxmessage SET (fillfactor = 60)",
        ),
    ]
