"""Who may treat a patient, and who may keep the record."""

from django.core.exceptions import PermissionDenied

from clinic.models import User
from patients.models import Patient


def require_clinician(by: User, patient: Patient) -> None:
    """Raise PermissionDenied unless ``by`` is a clinician at the patient's site."""
    if not by.is_clinician:
        raise PermissionDenied("Only a physiotherapist may do this.")
    if not Patient.objects.visible_to(by).filter(pk=patient.pk).exists():
        raise PermissionDenied("This patient belongs to another site.")


def require_staff(by: User, patient: Patient) -> None:
    """Raise PermissionDenied unless ``by`` is staff of the patient's site."""
    if not by.is_staff or not Patient.objects.visible_to(by).filter(pk=patient.pk).exists():
        raise PermissionDenied("Only staff of the patient’s site may do this.")
