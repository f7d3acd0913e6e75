"""The door for a WSGI server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Celery must be the practice's own also where the web process wakes a worker.
from config.celery import app as celery_app  # noqa: F401

application = get_wsgi_application()
