"""What is looked at before any program of the practice starts: settings that cannot be meant."""

import io
import sys
from typing import Any

from celery.signals import worker_init
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.utils.module_loading import import_string

_KNOWN = ("", "demo", "http", "twilio")


@register
def the_carriers_can_be_used(**options: Any) -> list[CheckMessage]:
    wrong = []
    if settings.SMS_IN_FLIGHT < 1:
        wrong.append("SMS_IN_FLIGHT must be at least 1.")
    try:
        import_string(settings.EMAIL_BACKEND)
    except (ImportError, ImproperlyConfigured):
        wrong.append(f"EMAIL_BACKEND names a class that is not there: {settings.EMAIL_BACKEND}.")
    if settings.SMS_GATEWAY == "http":
        from clinic.messaging.gateways.description import WrongDescription, read_description

        try:
            read_description()
        except WrongDescription as error:
            wrong += error.sentences
    elif "." in settings.SMS_GATEWAY:
        try:
            import_string(settings.SMS_GATEWAY)
        except ImportError:
            wrong.append(f"SMS_GATEWAY names a class that is not there: {settings.SMS_GATEWAY}.")
    elif settings.SMS_GATEWAY not in _KNOWN:
        wrong.append(
            f"SMS_GATEWAY must be twilio, http, demo, or a class of your own, "
            f"not “{settings.SMS_GATEWAY}”."
        )
    return [
        Error(sentence, hint="docs/carriers.md", id=f"clinic.E{number:03d}")
        for number, sentence in enumerate(wrong, 1)
    ]


@worker_init.connect
def a_worker_with_wrong_settings_does_not_start(**of_celery: Any) -> None:
    """Celery looks at the checks too, but goes on whatever they say."""
    try:
        call_command("check", stdout=io.StringIO())
    except SystemCheckError as error:
        sys.exit(str(error))
