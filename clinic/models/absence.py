"""When a member of staff is not there, and who stands in."""

import datetime as dt

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q


class AbsenceQuerySet(models.QuerySet["Absence"]):
    def kept(self) -> "AbsenceQuerySet":
        """Those that were not taken back."""
        return self.filter(taken_back_at__isnull=True)

    def around(self, at: dt.datetime) -> "AbsenceQuerySet":
        """Those that are running at ``at``."""
        return self.kept().filter(begins_at__lte=at, ends_at__gt=at)

    def between(self, begins: dt.datetime, ends: dt.datetime) -> "AbsenceQuerySet":
        """Those of which some falls between the two moments."""
        return self.kept().filter(begins_at__lt=ends, ends_at__gt=begins)

    def to_come(self, at: dt.datetime) -> "AbsenceQuerySet":
        """Those that are running or begin later."""
        return self.kept().filter(ends_at__gt=at)


@pghistory.track()
class Absence(models.Model):
    """From ``begins_at`` until before ``ends_at`` (UTC) this person answers no alerts."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="absences"
    )
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    cover = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="absences_covered",
    )
    reason = models.CharField(max_length=200, blank=True)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    entered_at = models.DateTimeField()
    taken_back_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    taken_back_at = models.DateTimeField(null=True, blank=True)

    objects = AbsenceQuerySet.as_manager()

    class Meta:
        ordering = ["begins_at", "pk"]
        indexes = [
            models.Index(
                fields=["ends_at"], name="absence_kept", condition=Q(taken_back_at__isnull=True)
            )
        ]
        constraints = [
            models.CheckConstraint(
                name="absence_ends_after_it_begins", condition=Q(ends_at__gt=F("begins_at"))
            ),
            models.CheckConstraint(
                name="absence_covered_by_another",
                condition=Q(cover__isnull=True) | ~Q(cover=F("user")),
            ),
            models.CheckConstraint(
                name="absence_taken_back_at_and_by_together",
                condition=Q(taken_back_at__isnull=True, taken_back_by__isnull=True)
                | Q(taken_back_at__isnull=False, taken_back_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.begins_at:%Y-%m-%d} to {self.ends_at:%Y-%m-%d}"
