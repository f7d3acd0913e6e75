from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('patients', '0006_outcome_measures'),
    ]

    operations = [
        migrations.AddField(
            model_name='checkin',
            name='place',
            field=models.CharField(blank=True, choices=[('neck', 'Neck'), ('upper_back', 'Upper back'), ('lower_back', 'Lower back'), ('buttock', 'Buttock'), ('thigh', 'Back of the thigh'), ('calf_foot', 'Calf or foot'), ('elsewhere', 'Somewhere else')], default='', max_length=10),
            preserve_default=False,
        ),
    ]
