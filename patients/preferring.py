"""What a patient likes on the pages, as the patient chooses it."""

import datetime as dt

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from clinic.models import User
from patients.models import Patient, Preferences

CHOICES = ("sound", "vibration", "voice", "text_size", "theme", "hand", "units")


@transaction.atomic
def choose_preferences(
    *, patient: Patient, by: User | None, at: dt.datetime, **chosen: bool | str
) -> Preferences:
    """Keep what was chosen, by the names of ``CHOICES``; what is not named stays as it is.

    ``by`` is the patient, None somebody who holds a link from one of the patient's reminders.
    Raises ValidationError on a name with a value it does not have, and then nothing is changed.
    """
    if by is not None and by.pk != patient.user_id:
        raise PermissionDenied("Only the patient says this.")
    Patient.objects.select_for_update(of=["self"]).get(pk=patient.pk)
    kept = Preferences.objects.filter(patient=patient).first() or Preferences(patient=patient)
    for name, value in chosen.items():
        if name not in CHOICES:
            raise ValidationError(f"{name} is nothing to choose.")
        options = kept._meta.get_field(name).choices
        if options and value not in dict(options):
            raise ValidationError({name: _("Choose one of the answers.")})
        setattr(kept, name, value if options else bool(value))
    kept.save()
    patient.preferences = kept
    return kept
