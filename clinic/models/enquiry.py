"""Somebody who is not a patient yet and asks to hear from the practice."""

import uuid

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class EnquiryQuerySet(models.QuerySet["Enquiry"]):
    def visible_to(self, user) -> "EnquiryQuerySet":
        """Enquiries to the sites this member of staff works at; nobody's for anybody else."""
        if not user.is_authenticated or not user.is_staff:
            return self.none()
        if user.is_superuser:
            return self
        return self.filter(site__in=user.sites.all())

    def open(self) -> "EnquiryQuerySet":
        return self.filter(state=Enquiry.State.NEW)

    def waiting(self) -> "EnquiryQuerySet":
        """Open ones that a person can answer: a mail address that was never confirmed may be
        anybody's."""
        return self.open().filter(~Q(phone="") | Q(confirmed_at__isnull=False))


# Who handled what and when is kept for good; who asked, and in which words, goes with the row.
@pghistory.track(
    fields=["id", "site", "state", "reason", "handled_by", "handled_at", "patient_id"],
    model_name="EnquiryEvent",
)
class Enquiry(models.Model):
    """One filled form of the public page. ``form_token`` is the form it came from: sent twice,
    it is kept once. ``patient_id`` is the record it became, in the room above."""

    class Wish(models.TextChoices):
        CALL_BACK = "call_back", _("A call back")
        DISCOVERY = "discovery", _("A first meeting, to see whether this is for me")
        GUIDE = "guide", _("The guide “Set your core”, by e-mail")

    class State(models.TextChoices):
        NEW = "new", "New"
        ANSWERED = "answered", "Answered"
        REGISTERED = "registered", "Now a patient"
        CLOSED = "closed", "Closed"
        SPAM = "spam", "Spam"

    class Reason(models.TextChoices):
        NOT_REACHED = "not_reached", "Could not be reached"
        NO_LONGER = "no_longer", "No longer wants it"
        ELSEWHERE = "elsewhere", "Better helped elsewhere"
        PATIENT_ALREADY = "patient_already", "Is a patient already"
        TWICE = "twice", "Asked twice"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    site = models.ForeignKey("clinic.Site", on_delete=models.PROTECT, related_name="enquiries")
    wish = models.CharField(max_length=10, choices=Wish)
    given_name = models.CharField(max_length=80)
    family_name = models.CharField(max_length=80)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=20, blank=True)
    words = models.CharField(max_length=600, blank=True)
    language = models.CharField(max_length=10, default="en")
    form_token = models.CharField(max_length=40, unique=True)
    # When they agreed to be contacted about this; without it nothing is kept.
    agreed_at = models.DateTimeField()
    made_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.NEW)
    reason = models.CharField(max_length=20, choices=Reason, blank=True)
    handled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    handled_at = models.DateTimeField(null=True, blank=True)
    patient_id = models.UUIDField(null=True, blank=True, unique=True)

    objects = EnquiryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "enquiries"
        ordering = ["-made_at"]
        indexes = [
            models.Index(fields=["site", "-made_at"], name="enquiry_open", condition=Q(state="new"))
        ]
        constraints = [
            models.CheckConstraint(
                name="enquiry_can_be_answered", condition=~Q(email="") | ~Q(phone="")
            ),
            models.CheckConstraint(
                name="enquiry_handled_by_somebody",
                condition=Q(state="new", handled_by__isnull=True, handled_at__isnull=True)
                | (~Q(state="new") & Q(handled_by__isnull=False, handled_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="enquiry_closed_says_why",
                condition=(Q(state="closed") & ~Q(reason="")) | (~Q(state="closed") & Q(reason="")),
            ),
            models.CheckConstraint(
                name="enquiry_became_a_patient",
                condition=Q(state="registered", patient_id__isnull=False)
                | (~Q(state="registered") & Q(patient_id__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_wish_display()} ({self.get_state_display()})"

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def is_confirmed(self) -> bool:
        return self.confirmed_at is not None
