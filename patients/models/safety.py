"""Red flags: answers that need urgent care, open until a clinician closes them."""

import uuid

import pghistory
import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from clinic.written_once import written_once


class RedFlagScreening(models.Model):
    """One whole set of answers to the red-flag questions, also when every answer was no."""

    class Source(models.TextChoices):
        INTAKE = "intake", "Intake screening"
        CHECK_IN = "check_in", "Check-in"
        WEEKLY = "weekly", "Weekly questions"
        BUTTON = "button", "“Something feels seriously wrong”"

    patient = models.ForeignKey(
        "patients.Patient", on_delete=models.CASCADE, related_name="red_flag_screenings"
    )
    answers = models.JSONField()
    source = models.CharField(max_length=10, choices=Source)
    client_id = models.UUIDField(unique=True, help_text="Made by the device; a replay is one row.")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at"]
        triggers = [pgtrigger.Protect(name="as_given", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"Red-flag questions of {self.at:%Y-%m-%d}"


class RedFlagQuerySet(models.QuerySet["RedFlag"]):
    def open(self) -> "RedFlagQuerySet":
        return self.filter(closed_at__isnull=True)


@pghistory.track()
class RedFlag(models.Model):
    """``answers`` maps question id to "yes" or "not_sure", only the ones that raised it."""

    class Severity(models.TextChoices):
        EMERGENCY = "emergency", "Emergency"
        SAME_DAY = "same_day", "Same day"

    patient = models.ForeignKey(
        "patients.Patient", on_delete=models.CASCADE, related_name="red_flags"
    )
    screening = models.OneToOneField(
        RedFlagScreening, on_delete=models.PROTECT, related_name="red_flag"
    )
    severity = models.CharField(max_length=10, choices=Severity)
    answers = models.JSONField()
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    close_reason = models.TextField(blank=True)

    objects = RedFlagQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            models.CheckConstraint(
                name="red_flag_closed_by_someone_for_a_reason",
                condition=Q(closed_at__isnull=True, closed_by__isnull=True, close_reason="")
                | (Q(closed_at__isnull=False, closed_by__isnull=False) & ~Q(close_reason="")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_severity_display()} flag, {self.opened_at:%Y-%m-%d}"


@written_once
def open_severities(patient: uuid.UUID) -> "models.QuerySet[RedFlag, str]":
    """How serious the open red flags of a patient are."""
    open_ones = RedFlag.objects.open().filter(patient_id=patient).order_by()
    return open_ones.values_list("severity", flat=True)
