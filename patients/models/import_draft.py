"""A file of patients on its way into the practice: kept between the steps, then emptied."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class ImportDraft(models.Model):
    """One uploaded file and how it is to be read; nobody but ``owner`` ever sees it.

    ``content`` is emptied as soon as it was imported or thrown away, and when its time is over.
    ``heads`` (names of columns), ``columns`` (head number by field) and ``choices`` stay, so that
    the next file of the same kind is read the same way.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="import_drafts"
    )
    file_name = models.CharField(max_length=200)
    content = models.BinaryField(blank=True)
    heads = models.JSONField(default=list)
    columns = models.JSONField(default=dict)
    choices = models.JSONField(default=dict)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    imported_at = models.DateTimeField(null=True, blank=True)
    imported = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-made_at"]
        constraints = [
            models.CheckConstraint(
                name="import_draft_is_emptied",
                condition=Q(imported_at__isnull=True) | Q(content=b""),
            )
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_open(self) -> bool:
        """Whether there still is a file to import."""
        return self.imported_at is None and bool(self.content)
