"""Writing notes about a patient. A note is never changed: a correction is the next note."""

import datetime as dt
import uuid

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from clinic.models import User
from clinic.roles import May, may
from patients.access import require_staff
from patients.models import ClinicalNote, Patient

LONGEST = 4000


@transaction.atomic
def write_note(
    *,
    patient: Patient,
    text: str,
    client_id: uuid.UUID,
    by: User,
    at: dt.datetime,
    corrects: ClinicalNote | None = None,
) -> ClinicalNote:
    """Keep a note and return it; the same ``client_id`` again returns the one that is kept.

    ``corrects`` is the note this one stands in for; both stay in the record. Raises
    PermissionDenied for whoever may not read clinical records, ValidationError for an empty or
    too long text and for a note that was corrected already.
    """
    if not may(by, May.SEE_CLINICAL):
        raise PermissionDenied("Notes are written by physiotherapists and managers.")
    require_staff(by, patient)
    # One at a time for each patient, so that a note is not corrected twice at once.
    Patient.objects.select_for_update(of=["self"]).get(pk=patient.pk)
    kept = ClinicalNote.objects.filter(client_id=client_id).first()
    if kept is not None:
        if (kept.patient_id, kept.by_id) != (patient.pk, by.pk):
            raise ValidationError("This id stands for another note already: open the page again.")
        return kept
    said = text.replace("\0", "").strip()
    if not said:
        raise ValidationError({"text": "Write the note first."})
    if len(said) > LONGEST:
        raise ValidationError({"text": f"At most {LONGEST} characters: write two notes."})
    if corrects is not None:
        if corrects.patient_id != patient.pk:
            raise ValidationError("The note to correct is another patient’s.")
        if ClinicalNote.objects.filter(corrects=corrects).exists():
            raise ValidationError("This note was corrected already: correct the newer one.")
    return ClinicalNote.objects.create(
        patient=patient, text=said, by=by, at=at, corrects=corrects, client_id=client_id
    )
