"""Who read or took out a record. What changed is kept by database triggers (pghistory); who did
something that no tracked row shows is kept here."""

import pgtrigger
from django.conf import settings
from django.db import models


class AccessRecord(models.Model):
    """One look at somebody's record, or one thing done with it.

    ``actor`` is empty only for what was taken out at the server itself, where nobody signs in.
    Append-only: the database refuses to change a row.
    """

    class Action(models.TextChoices):
        READ = "read", "Read"
        EXPORT = "export", "Taken out"
        PRINT = "print", "Printed"
        CHANGE = "change", "Changed"

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    action = models.CharField(max_length=10, choices=Action)
    subject_type = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=64)
    page = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["subject_type", "subject_id", "-at"])]
        constraints = [
            models.CheckConstraint(
                name="access_by_somebody_or_at_the_server",
                condition=models.Q(actor__isnull=False) | models.Q(action="export"),
            )
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        who = self.actor or "At the server"
        return f"{who} · {self.get_action_display()} · {self.subject_type}"
