"""The outbox: every message the practice sends, with its fate."""

import datetime as dt
import uuid

import pghistory
from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from clinic.messaging.carrier_words import IN_WORDS


class Channel(models.TextChoices):
    EMAIL = "email", "E-mail"
    SMS = "sms", "Text message"


class MessageText(models.Model):
    """Finished words, kept once however many messages carry them, and never changed.

    The body may hold ``{link}`` (and a mail's ``{stop_link}``) or ``{code}``; what they stand for
    is made at the moment of sending and kept nowhere, so that reading this table opens nobody's
    routine. ``digest`` is the SHA-256 of everything else in the row.
    """

    digest = models.CharField(max_length=64, unique=True)
    channel = models.CharField(max_length=5, choices=Channel)
    language = models.CharField(max_length=10, default="en")
    subject_line = models.CharField(max_length=200, blank=True)
    body = models.TextField()

    def __str__(self) -> str:
        return self.subject_line or self.body[:60]


class Sender(models.Model):
    """One sending process and its lease: what it holds is its own until ``alive_until``."""

    name = models.CharField(max_length=80)
    started_at = models.DateTimeField()
    alive_until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["alive_until"], name="sender_alive", condition=Q(ended_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return self.name


class OutboxQuerySet(models.QuerySet["OutboxMessage"]):
    def about(self, subject_type: str, subject_id: object) -> "OutboxQuerySet":
        return self.filter(subject_type=subject_type, subject_id=str(subject_id))

    def due(self, at: dt.datetime) -> "OutboxQuerySet":
        return self.filter(wake_at__lte=at)


class OutboxMessage(models.Model):
    """One e-mail or SMS. ``key`` makes planning repeatable: the same key is never written twice.

    ``due_at`` is when it was meant to go out; ``wake_at`` when it is to be tried next, and only a
    message that waits has one. No index looks at ``status``: PostgreSQL then changes it within
    the page (a heap-only update), which is most of what sending costs the database.
    """

    class Kind(models.TextChoices):
        ROUTINE_REMINDER = "routine_reminder", "Routine reminder"
        SECOND_NUDGE = "second_nudge", "Second nudge"
        SILENCE = "silence", "Kind message after three quiet days"
        STAFF_ALERT = "staff_alert", "Alert to staff"
        REPLY = "reply", "Reply to a text"
        SIGN_IN_CODE = "sign_in_code", "Sign-in code"
        INVITATION = "invitation", "Invitation of a carer"
        ENQUIRY_CONFIRM = "enquiry_confirm", "Confirmation of an enquiry’s address"
        ENQUIRY_GUIDE = "enquiry_guide", "Guide that an enquiry asked for"
        APPOINTMENT_REMINDER = "appointment_reminder", "Reminder of an appointment"
        ROUTINE_CHANGED = "routine_changed", "Notice of a changed routine"

    # What is planned for a patient by the day.
    PLANNED = (Kind.ROUTINE_REMINDER, Kind.SECOND_NUDGE, Kind.SILENCE)
    # What opens the routine and can be turned off by the patient.
    REMINDERS = (*PLANNED, Kind.ROUTINE_CHANGED)
    # What a patient has agreed to get until they say no: as a mail it carries a link to stop it.
    STOPPABLE = (*REMINDERS, Kind.APPOINTMENT_REMINDER)

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

    class Priority(models.IntegerChoices):
        FIRST = 0, "Before all others"
        USUAL = 1, "Usual"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=160)
    kind = models.CharField(max_length=20, choices=Kind)
    channel = models.CharField(max_length=5, choices=Channel)
    subject_type = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=64)
    local_date = models.DateField(null=True, blank=True)
    address = models.CharField(max_length=254)
    text = models.ForeignKey(
        MessageText, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.USUAL)
    due_at = models.DateTimeField()
    wake_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    link_expires_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.DUE)
    reason = models.CharField(max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sender = models.ForeignKey(
        Sender,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="messages",
        db_index=False,
    )
    carrier = models.CharField(max_length=40, blank=True)
    carrier_reference = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = OutboxQuerySet.as_manager()

    class Meta:
        ordering = ["-due_at"]
        indexes = [
            models.Index(
                fields=["channel", "priority", "wake_at"],
                name="outbox_waiting",
                condition=Q(wake_at__isnull=False),
            ),
            # Only what a carrier has put off: planning and claiming pay nothing for it.
            models.Index(
                fields=["channel", "due_at"],
                name="outbox_put_off",
                condition=Q(wake_at__gt=F("due_at")),
            ),
            models.Index(fields=["sender"], name="outbox_taken", condition=Q(sender__isnull=False)),
            models.Index(fields=["subject_type", "subject_id", "-due_at"]),
            BrinIndex(fields=["due_at"], name="outbox_by_day"),
        ]
        constraints = [
            # Not unique=True, which brings a second index for LIKE that every change would pay for.
            models.UniqueConstraint(fields=["key"], name="outbox_key_once"),
            models.CheckConstraint(
                name="outbox_held_back_says_why",
                condition=~Q(status__in=["suppressed", "failed", "bounced", "unknown"])
                | ~Q(reason=""),
            ),
            models.CheckConstraint(
                name="outbox_waits_while_due",
                condition=Q(status="due", wake_at__isnull=False)
                | (~Q(status="due") & Q(wake_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="outbox_taken_by_a_sender",
                condition=~Q(status__in=["claimed", "sending"]) | Q(sender__isnull=False),
            ),
            models.CheckConstraint(
                name="outbox_settled_has_time",
                condition=Q(status__in=["due", "claimed", "sending"], settled_at__isnull=True)
                | Q(settled_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} by {self.get_channel_display()}: {self.status}"


class Receipt(models.Model):
    """What a carrier said about one message. The same word twice is kept once."""

    message = models.ForeignKey(OutboxMessage, on_delete=models.PROTECT, related_name="receipts")
    event = models.CharField(max_length=60)
    code = models.CharField(max_length=20, blank=True)
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["received_at"]
        constraints = [models.UniqueConstraint(fields=["message", "event"], name="receipt_once")]

    def __str__(self) -> str:
        return IN_WORDS.get(self.event, self.event)


@pghistory.track()
class MessageTemplate(models.Model):
    """A practice's own words for one kind of message. Without a row the supplied words are used;
    a row of a site goes before one for all sites (``site`` empty)."""

    site = models.ForeignKey("clinic.Site", null=True, blank=True, on_delete=models.CASCADE)
    kind = models.CharField(max_length=20, choices=OutboxMessage.Kind)
    channel = models.CharField(max_length=5, choices=Channel)
    language = models.CharField(max_length=10, default="en")
    subject_line = models.CharField(max_length=200, blank=True)
    body = models.TextField()
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    edited_at = models.DateTimeField()

    class Meta:
        ordering = ["kind", "channel", "language"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "kind", "channel", "language"],
                name="message_template_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.get_channel_display()}, {self.language}"


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def in_force(self) -> "SuppressionQuerySet":
        return self.filter(lifted_at__isnull=True)


class Suppression(models.Model):
    """An address that must not be written to, and why. ``by_owner`` is the person's own no.

    A lifted one stays as history; at most one per address is in force.
    """

    channel = models.CharField(max_length=5, choices=Channel)
    address = models.CharField(max_length=254)
    reason = models.CharField(max_length=200)
    by_owner = models.BooleanField(default=False)
    since = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "address"],
                condition=Q(lifted_at__isnull=True),
                name="suppression_in_force_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} {self.address}: {self.reason}"


class IncomingText(models.Model):
    """A text message somebody sent to the practice, and what it was taken to mean.

    ``carrier_reference`` is the carrier's own id: a webhook that comes twice finds the first row.
    """

    class Meaning(models.TextChoices):
        STOP = "stop", "No more messages"
        START = "start", "Messages again"
        HELP = "help", "Asks for help"
        DONE = "done", "Today's routine is done"
        PAIN = "pain", "Usual pain today"
        WHO = "who", "Says which of the family it is"
        WORDS = "words", "A message to read"
        STRANGER = "stranger", "From a number we do not know"

    carrier = models.CharField(max_length=40)
    carrier_reference = models.CharField(max_length=200)
    address = models.CharField(max_length=254)
    words = models.TextField(blank=True)
    meaning = models.CharField(max_length=10, choices=Meaning)
    # Who it was taken for; empty while a family that shares the phone has not said, and the
    # "address" itself where it is for everybody there or nobody ever said.
    subject_type = models.CharField(max_length=40, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    received_at = models.DateTimeField()
    # When a person has dealt with words, and who.
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["-received_at", "-pk"]
        indexes = [
            models.Index(fields=["address", "-received_at"]),
            models.Index(fields=["subject_type", "subject_id", "-received_at"]),
            models.Index(
                fields=["received_at"],
                name="incoming_text_of_nobody",
                condition=Q(subject_type="", meaning="words"),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["carrier", "carrier_reference"], name="incoming_text_once"
            ),
            models.CheckConstraint(
                name="incoming_text_answered_at_and_by_together",
                condition=Q(answered_at__isnull=True, answered_by__isnull=True)
                | Q(answered_at__isnull=False, answered_by__isnull=False),
            ),
            models.CheckConstraint(
                name="incoming_text_of_a_stranger_has_no_words",
                condition=~Q(meaning="stranger") | Q(words=""),
            ),
        ]

    def __str__(self) -> str:
        return self.get_meaning_display()


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
