"""The practice's settings with django-post_office installed, to measure against."""

import json
import os

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS as _OURS

INSTALLED_APPS = [*_OURS, "post_office"]
POST_OFFICE = {
    "BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"},
    **json.loads(os.environ.get("POST_OFFICE_OPTIONS", "{}")),
}
