"""The record: who the patient is, and how to reach them."""

import datetime as dt
import uuid
import zoneinfo

import pghistory
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from phonenumber_field.phonenumber import to_python
from phonenumbers import is_possible_number

from clinic.models.messaging import Channel
from clinic.validators import validate_time_zone


class PatientQuerySet(models.QuerySet["Patient"]):
    def visible_to(self, user) -> "PatientQuerySet":
        """Patients of the sites this member of staff works at; nobody for anybody else."""
        if not user.is_authenticated or not user.is_staff:
            return self.none()
        if user.is_superuser:
            return self
        return self.filter(site__in=user.sites.all())


@pghistory.track()
class Patient(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField("patient number", max_length=20, unique=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="patient",
    )
    site = models.ForeignKey("clinic.Site", on_delete=models.PROTECT, related_name="patients")
    physiotherapist = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="caseload"
    )
    given_name = models.CharField(max_length=80)
    family_name = models.CharField(max_length=80)
    date_of_birth = models.DateField(null=True, blank=True)
    time_zone = models.CharField(max_length=64, validators=[validate_time_zone])
    language = models.CharField(max_length=10, default="en")
    created_at = models.DateTimeField()
    # What injuries limit (``patients.injuring``), kept here so that the gates read it with the
    # patient and no page pays for it.
    limits = models.JSONField(default=list, blank=True, editable=False)

    objects = PatientQuerySet.as_manager()

    class Meta:
        ordering = ["family_name", "given_name"]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)

    def local_date(self, at: dt.datetime) -> dt.date:
        """The calendar day it is for the patient at the moment ``at`` (aware)."""
        return at.astimezone(self.zone).date()


class ContactPointQuerySet(models.QuerySet["ContactPoint"]):
    def at(self, channel: str, address: str) -> "ContactPointQuerySet":
        """Everybody's who gave this address, in whatever case it is written.

        Never by ``iexact``: PostgreSQL takes “ı” for “i” then, and a mail server does not.
        """
        points = self.annotate(plain=Lower("address"))
        return points.filter(channel=channel, plain=address.lower())


@pghistory.track()
class ContactPoint(models.Model):
    """One address of a patient, and whether and when routine reminders are wanted there."""

    EVERY_DAY = 127

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="contact_points")
    channel = models.CharField(max_length=5, choices=Channel)
    address = models.CharField(max_length=254)
    reminders = models.BooleanField("send reminders here", default=True)
    reminder_time = models.TimeField(default=dt.time(8), help_text="In the patient's own time.")
    reminder_days = models.PositiveSmallIntegerField(
        default=EVERY_DAY, help_text="A bit for each day: Monday 1, Tuesday 2 … Sunday 64."
    )
    second_nudge = models.BooleanField(
        "once more if nothing was recorded", default=False, help_text="Later on the same day."
    )

    objects = ContactPointQuerySet.as_manager()

    class Meta:
        ordering = ["channel", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "channel", "address"], name="contact_point_once"
            ),
            models.CheckConstraint(
                name="contact_point_some_days",
                condition=Q(reminder_days__gte=1, reminder_days__lte=127),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.address}"

    def clean(self) -> None:
        """Refuse an address that cannot be one, and keep a telephone number as E.164."""
        if self.channel == Channel.EMAIL:
            validate_email(self.address)
            self.address = self.address.strip().lower()
            return
        # Possible, not "valid": numbering plans change faster than the tables of any library.
        number = to_python(self.address)
        if not number or number.country_code is None or not is_possible_number(number):
            raise ValidationError(
                {"address": "Write the number with its country code, such as +44 7700 900123."}
            )
        self.address = number.as_e164
