"""The language a patient is written and spoken to in."""

import datetime as dt

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from clinic.models import User
from patients.models import Patient


@transaction.atomic
def choose_language(*, patient: Patient, language: str, by: User, at: dt.datetime) -> bool:
    """The patient chooses the language of pages and messages; says whether that was news.

    Raises ValidationError on ``language`` for one that the practice does not write in.
    """
    if by.pk != patient.user_id:
        raise PermissionDenied("Only the patient says this.")
    if language not in dict(settings.LANGUAGES):
        raise ValidationError({"language": _("Choose one of the languages.")})
    held = Patient.objects.select_for_update(of=["self"]).get(pk=patient.pk)
    if held.language == language:
        return False
    held.language = language
    held.save(update_fields=["language"])
    patient.language = language
    return True
