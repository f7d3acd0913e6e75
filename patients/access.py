"""Who may treat a patient."""

from django.core.exceptions import PermissionDenied

from clinic.models import User
from patients.models import Patient


def require_clinician(by: User, patient: Patient) -> None:
    """Raise PermissionDenied unless ``by`` is a clinician at the patient's site."""
    if not by.is_clinician:
        raise PermissionDenied("Only a physiotherapist may do this.")
    if not Patient.objects.visible_to(by).filter(pk=patient.pk).exists():
        raise PermissionDenied("This patient belongs to another site.")
