"""What the board reads: one kept row per patient, and what staff keep beside it."""

import pghistory
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from programs.models.library import Pathway

# The order of the board. A since that is not known comes last.
IN_ORDER = ["rank", "order", "since", "family_name", "patient"]


class CaseloadRow(models.Model):
    """Where one patient stands on the board: a copy of what ``programs.caseload`` derives from
    everything else, so that a page of the board is one index scan.

    Nothing is decided from it, and it may be thrown away and made again. ``need`` and ``rank`` are
    the shown ones (``snoozed`` while put off); the trends hold the last 14 local days, the oldest
    first, None where nothing is known. From ``looks_again_at`` on time alone has changed the row.
    """

    patient = models.OneToOneField(
        "patients.Patient", on_delete=models.CASCADE, related_name="caseload_row"
    )
    physiotherapist = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    site = models.ForeignKey(
        "clinic.Site", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    given_name = models.CharField(max_length=80)
    family_name = models.CharField(max_length=80)
    number = models.CharField(max_length=20)
    need = models.CharField(max_length=12)
    rank = models.PositiveSmallIntegerField()
    order = models.IntegerField()
    since = models.DateTimeField(null=True)
    reason = models.TextField()
    due_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, blank=True)
    step = models.TextField(blank=True)
    proposal_id = models.BigIntegerField(null=True)
    may_bulk = models.BooleanField(default=False)
    pathway = models.CharField(max_length=15, choices=Pathway, blank=True)
    phase = models.PositiveSmallIntegerField(null=True)
    version_number = models.PositiveIntegerField(null=True)
    usual_pain = models.PositiveSmallIntegerField(null=True)
    pain_trend = ArrayField(models.PositiveSmallIntegerField(null=True), default=list)
    adherence = models.PositiveSmallIntegerField(null=True, help_text="Per cent over 14 days.")
    done_trend = ArrayField(models.PositiveSmallIntegerField(null=True), default=list)
    last_answer = models.DateField(null=True)
    silent_days = models.PositiveIntegerField(null=True)
    snoozed_until = models.DateTimeField(null=True)
    snooze_reason = models.TextField(blank=True)
    snoozed_by = models.CharField(max_length=120, blank=True)
    looks_again_at = models.DateTimeField(null=True)

    class Meta:
        ordering = IN_ORDER
        indexes = [
            models.Index(
                fields=["physiotherapist", *IN_ORDER],
                include=["pathway", "site"],
                name="caseload_mine",
            ),
            models.Index(
                fields=["site", *IN_ORDER], include=["pathway"], name="caseload_of_a_site"
            ),
            models.Index(fields=IN_ORDER, include=["pathway", "site"], name="caseload_of_all"),
            models.Index(fields=["physiotherapist", "looks_again_at"], name="caseload_again_mine"),
            models.Index(fields=["looks_again_at"], name="caseload_again"),
            models.Index(
                fields=["physiotherapist", "site"],
                name="caseload_together",
                condition=Q(may_bulk=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.need}"

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


class CaseloadMark(models.Model):
    """A patient whose row has to be made again. Written by triggers of the database on every table
    the row is derived from, in the same transaction, so that none can be forgotten or lost."""

    patient_id = models.UUIDField()

    def __str__(self) -> str:
        return str(self.patient_id)


class SnoozeQuerySet(models.QuerySet["Snooze"]):
    def open(self) -> "SnoozeQuerySet":
        return self.filter(ended_at__isnull=True)


@pghistory.track()
class Snooze(models.Model):
    """A patient put off until a moment, for a reason. ``need`` is what they stood for then: what
    is stronger ends it."""

    patient = models.ForeignKey(
        "patients.Patient", on_delete=models.CASCADE, related_name="snoozes"
    )
    need = models.CharField(max_length=12)
    reason = models.TextField()
    until = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = SnoozeQuerySet.as_manager()

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient"], condition=Q(ended_at__isnull=True), name="snooze_one_open"
            ),
            models.CheckConstraint(name="snooze_has_a_reason", condition=~Q(reason="")),
            models.CheckConstraint(name="snooze_lies_ahead", condition=Q(until__gt=F("at"))),
        ]

    def __str__(self) -> str:
        return f"Until {self.until:%Y-%m-%d}"


class SavedView(models.Model):
    """A question to the board that somebody keeps under a name; ``query`` is its query string."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views"
    )
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="saved_view_name_once")
        ]

    def __str__(self) -> str:
        return self.name
