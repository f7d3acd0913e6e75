"""A patient's wish to have the record deleted, and what the practice answered."""

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from patients.models.patient import Patient


class ErasureRequestQuerySet(models.QuerySet["ErasureRequest"]):
    def open(self) -> "ErasureRequestQuerySet":
        return self.filter(status=ErasureRequest.Status.OPEN)


@pghistory.track()
class ErasureRequest(models.Model):
    """Nothing is deleted by it: a person of the practice looks, does what the law allows, and
    writes the answer that the patient reads."""

    class Status(models.TextChoices):
        OPEN = "open", _("Waiting for an answer")
        WITHDRAWN = "withdrawn", _("Taken back")
        DELETED = "deleted", _("Deleted what may be deleted")
        KEPT = "kept", _("Everything is kept")

    ANSWERS = (Status.DELETED, Status.KEPT)

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="erasure_requests")
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    reason = models.TextField(blank=True)
    client_id = models.UUIDField(unique=True, help_text="Made by the device; a replay is one row.")
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    answer = models.TextField(blank=True, help_text="The patient reads this.")

    objects = ErasureRequestQuerySet.as_manager()

    class Meta:
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient"], condition=Q(status="open"), name="erasure_one_open"
            ),
            models.CheckConstraint(
                name="erasure_open_or_ended",
                condition=Q(status="open", ended_at__isnull=True)
                | (~Q(status="open") & Q(ended_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="erasure_answered_by_a_person_in_words",
                condition=Q(status__in=["open", "withdrawn"], answered_by__isnull=True, answer="")
                | (Q(status__in=["deleted", "kept"], answered_by__isnull=False) & ~Q(answer="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_status_display()}, {self.asked_at:%Y-%m-%d}"
