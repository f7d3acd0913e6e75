"""What a named person must see by a due time."""

import datetime as dt

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q


class AlertQuerySet(models.QuerySet["Alert"]):
    def open(self) -> "AlertQuerySet":
        return self.filter(acknowledged_at__isnull=True)

    def about(self, subject_type: str, subject_id: object) -> "AlertQuerySet":
        return self.filter(subject_type=subject_type, subject_id=str(subject_id))

    def overdue(self, at: dt.datetime) -> "AlertQuerySet":
        return self.open().filter(due_at__lt=at)


@pghistory.track()
class Alert(models.Model):
    """Names its subject by type and id, so that this room needs to know no other."""

    class Severity(models.TextChoices):
        EMERGENCY = "emergency", "Emergency"
        SAME_DAY = "same_day", "Same day"
        SOON = "soon", "Within 2 working days"
        ROUTINE = "routine", "Routine"

    severity = models.CharField(max_length=10, choices=Severity)
    subject_type = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=64)
    site = models.ForeignKey("clinic.Site", on_delete=models.PROTECT, related_name="alerts")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="alerts"
    )
    # Clinical words: shown in the portal only, never in a message.
    summary = models.TextField()
    # The thing that raised it, so that the same thing never raises two.
    key = models.CharField(max_length=160, unique=True)
    raised_at = models.DateTimeField()
    due_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    outcome = models.TextField(blank=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["due_at"]
        indexes = [
            models.Index(fields=["subject_type", "subject_id"]),
            models.Index(
                fields=["due_at"], name="alert_open", condition=Q(acknowledged_at__isnull=True)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="alert_acknowledged_at_and_by_together",
                condition=Q(acknowledged_at__isnull=True, acknowledged_by__isnull=True)
                | Q(acknowledged_at__isnull=False, acknowledged_by__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_severity_display()}: {self.summary}"
