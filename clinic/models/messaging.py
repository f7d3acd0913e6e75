"""The outbox: every message the practice sends, with its fate."""

import datetime as dt
import uuid

from django.db import models
from django.db.models import Q


class Channel(models.TextChoices):
    EMAIL = "email", "E-mail"
    SMS = "sms", "Text message"


class OutboxQuerySet(models.QuerySet["OutboxMessage"]):
    def about(self, subject_type: str, subject_id: object) -> "OutboxQuerySet":
        return self.filter(subject_type=subject_type, subject_id=str(subject_id))

    def due(self, at: dt.datetime) -> "OutboxQuerySet":
        return self.filter(status=OutboxMessage.Status.DUE, due_at__lte=at)


class OutboxMessage(models.Model):
    """One e-mail or SMS. ``key`` makes planning repeatable: the same key is never written twice.

    The body may hold ``{link}``; the address it stands for is made at the moment of sending and
    is kept nowhere, so that reading this table opens nobody's routine.
    """

    class Kind(models.TextChoices):
        ROUTINE_REMINDER = "routine_reminder", "Routine reminder"
        STAFF_ALERT = "staff_alert", "Alert to staff"

    class Status(models.TextChoices):
        DUE = "due", "Due"
        CLAIMED = "claimed", "Taken by a sender"
        SENDING = "sending", "On the wire"
        SENT = "sent", "Sent"
        DELIVERED = "delivered", "Delivered"
        BOUNCED = "bounced", "Bounced"
        FAILED = "failed", "Not sent"
        SUPPRESSED = "suppressed", "Held back"
        EXPIRED = "expired", "Too late to send"
        UNKNOWN = "unknown", "Outcome unknown"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=160, unique=True)
    kind = models.CharField(max_length=20, choices=Kind)
    channel = models.CharField(max_length=5, choices=Channel)
    subject_type = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=64)
    local_date = models.DateField(null=True, blank=True)
    language = models.CharField(max_length=10, default="en")
    address = models.CharField(max_length=254)
    subject_line = models.CharField(max_length=200, blank=True)
    body = models.TextField()
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    link_expires_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.DUE)
    reason = models.CharField(max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_by = models.CharField(max_length=80, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    carrier = models.CharField(max_length=40, blank=True)
    carrier_reference = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = OutboxQuerySet.as_manager()

    class Meta:
        ordering = ["-due_at"]
        indexes = [
            models.Index(fields=["due_at"], name="outbox_due", condition=Q(status="due")),
            models.Index(
                fields=["claimed_until"],
                name="outbox_leased",
                condition=Q(status__in=["claimed", "sending"]),
            ),
            models.Index(fields=["subject_type", "subject_id", "-due_at"]),
        ]
        constraints = [
            models.CheckConstraint(
                name="outbox_held_back_says_why",
                condition=~Q(status__in=["suppressed", "failed", "bounced", "unknown"])
                | ~Q(reason=""),
            ),
            models.CheckConstraint(
                name="outbox_lease_while_taken",
                condition=~Q(status__in=["claimed", "sending"]) | Q(claimed_until__isnull=False),
            ),
            models.CheckConstraint(
                name="outbox_settled_has_time",
                condition=Q(status__in=["due", "claimed", "sending"], settled_at__isnull=True)
                | Q(settled_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} by {self.get_channel_display()}: {self.status}"


class Suppression(models.Model):
    """An address that must not be written to, and why. ``by_owner`` is the person's own no."""

    channel = models.CharField(max_length=5, choices=Channel)
    address = models.CharField(max_length=254)
    reason = models.CharField(max_length=200)
    by_owner = models.BooleanField(default=False)
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "address"], name="suppression_once")
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} {self.address}: {self.reason}"


class DemoDelivery(models.Model):
    """A message as it reached the demo carrier; only a demo practice has any."""

    channel = models.CharField(max_length=5, choices=Channel)
    sender = models.CharField(max_length=254)
    address = models.CharField(max_length=254)
    subject_line = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    html = models.TextField(blank=True)
    reference = models.CharField(max_length=200, unique=True)
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["-received_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} to {self.address}"
