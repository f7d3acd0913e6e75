"""What a patient agreed to, and what the patient said no to."""

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinic.models.messaging import Channel
from patients.models.patient import Patient


class Way(models.TextChoices):
    """How somebody said yes or no."""

    IN_PERSON = "in_person", _("In person")
    PAPER = "paper", _("On paper")
    WEB = "web", _("On the web")
    TEXT = "text", _("By text message")
    LINK = "link", _("By a link in a message")
    CARRIER = "carrier", _("Through the carrier")


# What staff write down for a patient; the other ways are the patient's own hand.
RECORDED_WAYS = (Way.IN_PERSON, Way.PAPER)
# These come without a sign-in: the telephone, the message or the carrier says who it is.
UNSIGNED_WAYS = (Way.TEXT, Way.LINK, Way.CARRIER)


class ConsentQuerySet(models.QuerySet["Consent"]):
    def active(self) -> "ConsentQuerySet":
        return self.filter(withdrawn_at__isnull=True)


@pghistory.track()
class Consent(models.Model):
    """A yes to one purpose, with the wording it was given to. A no ends it; a new yes is a row.

    ``recorded_by`` and ``withdrawn_by`` are who was signed in: a member of staff who wrote down
    what the patient said, or the patient. Without either it was the patient, by a text message, a
    link or the carrier, which ``way`` and ``withdrawn_way`` say.
    """

    class Purpose(models.TextChoices):
        RECORD = "record", "Keeping a record of care"
        EMAIL = "email", "Reminders by e-mail"
        SMS = "sms", "Reminders by text message"

    Way = Way

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=10, choices=Purpose)
    wording_version = models.CharField(max_length=20)
    way = models.CharField(max_length=10, choices=Way)
    given_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_way = models.CharField(max_length=10, choices=Way, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = ConsentQuerySet.as_manager()

    class Meta:
        ordering = ["-given_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "purpose"],
                condition=Q(withdrawn_at__isnull=True),
                name="consent_one_active_per_purpose",
            ),
            models.CheckConstraint(
                name="consent_recorded_by_somebody",
                condition=Q(recorded_by__isnull=False) | Q(way__in=UNSIGNED_WAYS),
            ),
            models.CheckConstraint(
                name="consent_withdrawn_by_somebody_in_some_way",
                condition=Q(withdrawn_at__isnull=True, withdrawn_way="", withdrawn_by__isnull=True)
                | (
                    Q(withdrawn_at__isnull=False)
                    & ~Q(withdrawn_way="")
                    & (Q(withdrawn_by__isnull=False) | Q(withdrawn_way__in=UNSIGNED_WAYS))
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} ({self.wording_version})"


class RefusalQuerySet(models.QuerySet["Refusal"]):
    def in_force(self) -> "RefusalQuerySet":
        return self.filter(lifted_at__isnull=True)


@pghistory.track()
class Refusal(models.Model):
    """A patient's own no to messages by one channel. Nobody but the patient lifts it.

    It says more than a withdrawn consent, which staff may have written down, and less than a
    suppressed address, which somebody else may use too.
    """

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="refusals")
    channel = models.CharField(max_length=5, choices=Channel)
    said_at = models.DateTimeField()
    way = models.CharField(max_length=10, choices=Way)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_way = models.CharField(max_length=10, choices=Way, blank=True)

    objects = RefusalQuerySet.as_manager()

    class Meta:
        ordering = ["-said_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "channel"],
                condition=Q(lifted_at__isnull=True),
                name="refusal_one_in_force_per_channel",
            ),
            models.CheckConstraint(
                name="refusal_by_the_patient",
                condition=~Q(way__in=RECORDED_WAYS) & ~Q(lifted_way__in=RECORDED_WAYS),
            ),
            models.CheckConstraint(
                name="refusal_lifted_at_and_way_together",
                condition=Q(lifted_at__isnull=True, lifted_way="")
                | (Q(lifted_at__isnull=False) & ~Q(lifted_way="")),
            ),
        ]

    def __str__(self) -> str:
        return f"No to {self.get_channel_display()}"
