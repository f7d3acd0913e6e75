"""A peer: the usual first version, one Celery task for each reminder."""

import os

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
QUEUE = "reminders-one-by-one"

app = Celery("one_by_one")
app.config_from_object("django.conf:settings", namespace="CELERY")
# The product's timetable is not theirs. What follows is what such a site would tune.
app.conf.beat_schedule = {}
app.conf.worker_prefetch_multiplier = 4
# Celery looks for this one by its long name, also where the others have short ones.
app.conf.CELERY_DB_REUSE_MAX = 1_000_000


@app.task(ignore_result=True)
def send_reminder(address: str, subject: str, plain: str, html: str) -> None:
    """Send one mail on a connection of its own and write down that it went."""
    from django.core.mail import EmailMultiAlternatives
    from django.db import connection

    mail = EmailMultiAlternatives(subject, plain, settings.DEFAULT_FROM_EMAIL, [address])
    mail.attach_alternative(html, "text/html")
    mail.send()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO reminders_log (address, at, status) VALUES (%s, now(), 'sent')", [address]
        )
