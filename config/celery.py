"""The Celery application; its tasks live in the rooms they belong to."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("steadyback")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
