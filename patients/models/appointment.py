"""Appointments of patients with physiotherapists, and the private calendar of a physiotherapist."""

import uuid

import pghistory
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import BigIntegerRangeField, DateTimeRangeField
from django.db import models
from django.db.models import F, Func, Q, Value


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def visible_to(self, user) -> "AppointmentQuerySet":
        """Those at the sites this member of staff works at, and those of the patients there: who
        changed to another site takes the appointments along."""
        if not user.is_authenticated or not user.is_staff:
            return self.none()
        if user.is_superuser:
            return self
        sites = user.sites.all()
        return self.filter(Q(site__in=sites) | Q(patient__site__in=sites))

    def standing(self) -> "AppointmentQuerySet":
        return self.exclude(status=Appointment.Status.CANCELLED)


@pghistory.track()
class Appointment(models.Model):
    """When a patient comes. Moving changes the times; earlier times stay in the history.

    It says nothing of why somebody comes, so that a calendar or a message can carry it.
    """

    class Status(models.TextChoices):
        PLANNED = "planned", "Planned"
        ATTENDED = "attended", "Came"
        MISSED = "missed", "Did not come"
        CANCELLED = "cancelled", "Cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(
        "patients.Patient", on_delete=models.CASCADE, related_name="appointments"
    )
    physiotherapist = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="appointments"
    )
    site = models.ForeignKey("clinic.Site", on_delete=models.PROTECT, related_name="appointments")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=Status, default=Status.PLANNED)
    reason = models.CharField(
        max_length=200, blank=True, help_text="Why it was moved or cancelled."
    )
    # How often it was moved: a calendar takes the higher number for the newer word.
    sequence = models.PositiveSmallIntegerField(default=0)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField()
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    changed_at = models.DateTimeField(null=True, blank=True)
    # The start that reminders were written for; another start is reminded of anew.
    reminded_of = models.DateTimeField(null=True, blank=True)

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at", "pk"]
        indexes = [
            models.Index(fields=["patient", "starts_at"]),
            models.Index(
                fields=["starts_at"], name="appointment_planned", condition=Q(status="planned")
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="appointment_ends_after_it_starts", condition=Q(ends_at__gt=F("starts_at"))
            ),
            models.CheckConstraint(
                name="appointment_cancelled_for_a_reason",
                condition=~Q(status="cancelled") | ~Q(reason=""),
            ),
            # A range of one number, so that PostgreSQL needs no extension to compare it.
            ExclusionConstraint(
                name="appointment_one_at_a_time",
                expressions=[
                    (
                        Func(
                            F("physiotherapist"),
                            F("physiotherapist"),
                            Value("[]"),
                            function="int8range",
                            output_field=BigIntegerRangeField(),
                        ),
                        "&&",
                    ),
                    (
                        Func(
                            F("starts_at"),
                            F("ends_at"),
                            function="tstzrange",
                            output_field=DateTimeRangeField(),
                        ),
                        "&&",
                    ),
                ],
                condition=~Q(status="cancelled"),
                violation_error_message="There is another appointment at this time.",
            ),
        ]

    def __str__(self) -> str:
        return f"Appointment of {self.starts_at:%Y-%m-%d %H:%M} UTC"


@pghistory.track()
class CalendarFeed(models.Model):
    """The private address of one physiotherapist's appointments. Only its digest is kept, so that
    nobody reads the address here; a new one ends the one before."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="calendar_feeds"
    )
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-made_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(ended_at__isnull=True), name="calendar_feed_one"
            )
        ]

    def __str__(self) -> str:
        return f"Calendar of {self.user}"
