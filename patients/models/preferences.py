"""How a patient likes the pages: sound, letters, colours, hand and units."""

import pghistory
from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models.patient import Patient


@pghistory.track()
class Preferences(models.Model):
    """One row of a patient who ever changed something; ``of`` answers for everybody."""

    class TextSize(models.TextChoices):
        NORMAL = "normal", _("Normal")
        LARGE = "large", _("Large")
        LARGEST = "largest", _("Largest")

    class Theme(models.TextChoices):
        SYSTEM = "system", _("Like my device")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    class Hand(models.TextChoices):
        RIGHT = "right", _("Right hand")
        LEFT = "left", _("Left hand")

    class Units(models.TextChoices):
        KG = "kg", _("Kilograms (kg)")
        LB = "lb", _("Pounds (lb)")

    patient = models.OneToOneField(Patient, on_delete=models.CASCADE, related_name="preferences")
    sound = models.BooleanField(default=True)
    vibration = models.BooleanField(default=True)
    # Off until asked for: a telephone that speaks by itself surprises people on a train.
    voice = models.BooleanField("spoken voice", default=False)
    text_size = models.CharField(max_length=10, choices=TextSize, default=TextSize.NORMAL)
    theme = models.CharField(max_length=10, choices=Theme, default=Theme.SYSTEM)
    hand = models.CharField(max_length=10, choices=Hand, default=Hand.RIGHT)
    units = models.CharField(max_length=10, choices=Units, default=Units.KG)

    class Meta:
        verbose_name_plural = "preferences"
        constraints = [
            models.CheckConstraint(
                name="preferences_known",
                condition=models.Q(
                    text_size__in=["normal", "large", "largest"],
                    theme__in=["system", "light", "dark"],
                    hand__in=["right", "left"],
                    units__in=["kg", "lb"],
                ),
            )
        ]

    def __str__(self) -> str:
        return "Preferences"

    @classmethod
    def of(cls, patient: Patient) -> "Preferences":
        """What this patient chose; for somebody who never chose, the usual (not saved)."""
        try:
            return patient.preferences
        except cls.DoesNotExist:
            return cls(patient_id=patient.pk)
