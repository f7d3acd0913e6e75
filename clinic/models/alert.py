"""What a named person must see by a due time."""

import datetime as dt
from typing import NamedTuple

import pghistory
import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from clinic.models.messaging import Channel
from clinic.models.people import Site, User


class Seen(NamedTuple):
    """Who saw an alert, and when; ``outcome`` in words of one that is closed, for staff."""

    by: User
    at: dt.datetime
    outcome: str = ""


class AlertQuerySet(models.QuerySet["Alert"]):
    def open(self) -> "AlertQuerySet":
        """Those that nobody has seen, or not since they were given on."""
        return self.filter(acknowledged_at__isnull=True)

    def unresolved(self) -> "AlertQuerySet":
        """Those without an outcome, seen or not."""
        return self.filter(resolved_at__isnull=True)

    def at_sites(self, sites: "models.QuerySet[Site]") -> "AlertQuerySet":
        return self.filter(site__in=sites)

    def about(self, subject_type: str, subject_id: object) -> "AlertQuerySet":
        return self.filter(subject_type=subject_type, subject_id=str(subject_id))

    def overdue(self, at: dt.datetime) -> "AlertQuerySet":
        return self.open().filter(due_at__lt=at)


# How far its telling has come stands in its steps; the history keeps what people did.
@pghistory.track(exclude=["round", "last_stage", "next_stage_at"])
class Alert(models.Model):
    """Names its subject by type and id, so that this room needs to know no other.

    ``owner`` is whose alert it is, ``on_duty`` who answers for it now (``clinic.duty``); nobody
    where no one of the site can sign in. It is seen first (``acknowledged``) and has an outcome
    later (``resolved``), or both at once. One that was seen and is given to somebody else is to be
    seen once more: ``AlertSeen`` keeps who had seen it.
    """

    class Severity(models.TextChoices):
        EMERGENCY = "emergency", "Emergency"
        SAME_DAY = "same_day", "Same day"
        SOON = "soon", "Within 2 working days"
        ROUTINE = "routine", "Routine"

    class Outcome(models.TextChoices):
        CONTACTED = "contacted", "Contacted the patient"
        REFERRED = "referred", "Referred"
        EMERGENCY = "emergency", "Emergency services called"
        REOPENED = "reopened", "Program reopened"
        NO_ACTION = "no_action", "No action needed"
        OTHER = "other", "Something else"

    # An outcome that says nothing without words.
    NEEDS_WORDS = (Outcome.NO_ACTION, Outcome.OTHER)

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
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    outcome_kind = models.CharField(
        "outcome", max_length=10, choices=Outcome, blank=True, default=""
    )
    # What was done, in words.
    outcome = models.TextField("outcome in words", blank=True)
    on_duty = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="alerts_on_duty",
    )
    # When it was given to somebody who had not seen it, after somebody else had; its due time and
    # its stages count from then. ``round`` counts how often that was.
    given_at = models.DateTimeField(null=True, blank=True)
    round = models.PositiveSmallIntegerField(default=0, editable=False)
    # The stage of ``clinic.escalation`` that was told last, -1 before the first, and when the
    # next one is due; none when there is no next one.
    last_stage = models.SmallIntegerField(default=-1, editable=False)
    next_stage_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["due_at"]
        indexes = [
            models.Index(fields=["subject_type", "subject_id"]),
            models.Index(
                fields=["due_at"], name="alert_open", condition=Q(acknowledged_at__isnull=True)
            ),
            models.Index(
                fields=["on_duty"],
                name="alert_open_on_duty",
                condition=Q(acknowledged_at__isnull=True),
            ),
            models.Index(
                fields=["next_stage_at"],
                name="alert_to_tell",
                condition=Q(acknowledged_at__isnull=True, next_stage_at__isnull=False),
            ),
            models.Index(
                fields=["site", "due_at"],
                name="alert_unresolved",
                condition=Q(resolved_at__isnull=True),
            ),
            models.Index(fields=["site", "raised_at"], name="alert_of_period"),
        ]
        constraints = [
            models.CheckConstraint(
                name="alert_acknowledged_at_and_by_together",
                condition=Q(acknowledged_at__isnull=True, acknowledged_by__isnull=True)
                | Q(acknowledged_at__isnull=False, acknowledged_by__isnull=False),
            ),
            models.CheckConstraint(
                name="alert_resolved_by_somebody_who_saw_it",
                condition=Q(resolved_at__isnull=True, resolved_by__isnull=True, outcome_kind="")
                | Q(
                    resolved_at__isnull=False,
                    resolved_by__isnull=False,
                    acknowledged_at__isnull=False,
                )
                & ~Q(outcome_kind=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_severity_display()}: {self.summary}"

    @property
    def is_seen(self) -> bool:
        return self.acknowledged_at is not None

    @property
    def is_closed(self) -> bool:
        return self.resolved_at is not None

    @property
    def last_seen(self) -> Seen | None:
        """Who saw it last, also before it was given to somebody else who has not seen it yet.
        Asks the database only for such a one."""
        if self.acknowledged_at is not None and self.acknowledged_by is not None:
            return Seen(self.acknowledged_by, self.acknowledged_at, self.outcome)
        if self.given_at is None:
            return None
        before = self.seen_before.select_related("by").order_by("-round").first()
        return Seen(before.by, before.at) if before else None


class AlertSeen(models.Model):
    """That somebody had seen an alert, written as it was given to somebody else who had not; kept,
    never changed. ``due_at`` is by when it was to be seen in that ``round``."""

    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="seen_before")
    round = models.PositiveSmallIntegerField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    due_at = models.DateTimeField()

    class Meta:
        ordering = ["round"]
        constraints = [
            models.UniqueConstraint(fields=["alert", "round"], name="alert_seen_once_a_round")
        ]
        triggers = [
            pgtrigger.Protect(name="never_changed", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"Seen by {self.by}"


class AlertStep(models.Model):
    """One telling of an alert: to whom, why, by which way. Written with its message, never changed.

    ``number`` counts the tellings of an alert, in whatever round; one may go to several people by
    several ways. ``person`` is empty, and there is no message, where nobody of the site could be
    told.
    """

    class Why(models.TextChoices):
        RAISED = "raised", "It was raised"
        HALF_TIME = "half_time", "Half of the time had passed"
        DUE = "due", "It was due"
        AGAIN = "again", "Still not seen"
        OPENING = "opening", "Still not seen as the site opened"
        HANDED_OVER = "handed_over", "Handed over"
        REASSIGNED = "reassigned", "Reassigned"

    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="steps")
    number = models.PositiveSmallIntegerField()
    round = models.PositiveSmallIntegerField(default=0)
    stage = models.SmallIntegerField(null=True, blank=True)
    why = models.CharField(max_length=12, choices=Why)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    # The place this person was told in: "owner", "cover", "manager" or "away" (clinic.duty).
    place = models.CharField(max_length=10, blank=True)
    channel = models.CharField(max_length=5, choices=Channel, blank=True)
    message_key = models.CharField(max_length=160, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["number", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["alert", "number", "person", "channel"],
                name="alert_step_once",
                nulls_distinct=False,
            ),
            models.UniqueConstraint(
                fields=["alert", "round", "stage", "person", "channel"],
                name="alert_stage_once",
                condition=Q(stage__isnull=False),
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_why_display()}: {self.person or 'nobody'}"


class Reassignment(models.Model):
    """Why an alert was given to somebody else; kept, never changed."""

    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="reassignments")
    from_owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    to_owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at"]

    def __str__(self) -> str:
        return f"{self.from_owner} to {self.to_owner}"
