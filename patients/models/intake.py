"""Intake screening: what the patient told us at the start, and what it suggested."""

import pgtrigger
from django.conf import settings
from django.db import models


class IntakeScreening(models.Model):
    """One screening, whole and never changed; a second talk is a second row.

    ``answers`` and ``suggestion`` have the shapes of ``patients.screening.IntakeAnswers`` and
    ``patients.screening.Suggestion``.
    """

    patient = models.ForeignKey(
        "patients.Patient", on_delete=models.CASCADE, related_name="intake_screenings"
    )
    answers = models.JSONField()
    red_flag_answers = models.JSONField()
    suggestion = models.JSONField()
    taken_at = models.DateTimeField()
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["-taken_at", "-pk"]
        triggers = [pgtrigger.Protect(name="never_changed", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"Intake of {self.patient} on {self.taken_at:%Y-%m-%d}"
