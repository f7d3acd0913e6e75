"""Notes that staff write about a patient. They are added to, never edited."""

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q


class ClinicalNote(models.Model):
    """What a member of staff wrote down. A correction is a note of its own that names the one it
    corrects; both stay. Append-only: the database refuses to change a row.
    """

    patient = models.ForeignKey("patients.Patient", on_delete=models.CASCADE, related_name="notes")
    text = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    corrects = models.OneToOneField(
        "self",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="corrected_by",
        help_text="The note that this one stands in for.",
    )
    client_id = models.UUIDField(
        unique=True, default=uuid.uuid4, help_text="Made with the form; a second send is one note."
    )

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["patient", "-at"], name="note_of_patient_newest")]
        constraints = [
            models.CheckConstraint(name="note_says_something", condition=~Q(text="")),
        ]
        triggers = [pgtrigger.Protect(name="as_written", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"Note of {self.at:%Y-%m-%d}"
