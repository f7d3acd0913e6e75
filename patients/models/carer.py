"""Who helps a patient, and the sheet of paper that leads a patient to the sign-in."""

import uuid

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from clinic.models import Role
from clinic.models.messaging import Channel


class CarerQuerySet(models.QuerySet["Carer"]):
    def standing(self) -> "CarerQuerySet":
        """Invited or helping, and not ended."""
        return self.filter(ended_at__isnull=True)

    def helping(self) -> "CarerQuerySet":
        """Those who said yes; only they see anything of the patient."""
        return self.standing().filter(accepted_at__isnull=False)

    def at_own_address(self) -> "CarerQuerySet":
        """Those whose address still is the person's. Somebody who is a patient too is asked at
        the account's own e-mail; once that is another one, the old may be a stranger's."""
        own = Lower("user__email")
        return self.filter(Q(user__role=Role.CARER) | Q(address=own))

    def invited(self) -> "CarerQuerySet":
        return self.standing().filter(accepted_at__isnull=True)


@pghistory.track()
class Carer(models.Model):
    """One person whom a patient lets help. Ended rows stay: they say who could see what when."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey("patients.Patient", on_delete=models.CASCADE, related_name="carers")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="helps"
    )
    name = models.CharField(max_length=80)
    channel = models.CharField(max_length=5, choices=Channel)
    address = models.CharField(max_length=254)
    invited_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = CarerQuerySet.as_manager()

    class Meta:
        ordering = ["invited_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "user"],
                condition=Q(ended_at__isnull=True),
                name="carer_of_a_patient_once",
            ),
            models.CheckConstraint(
                name="carer_ended_at_and_by_together",
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class SignInSheet(models.Model):
    """A printed sheet with a QR code. It leads to the sign-in and opens nothing by itself; a new
    one ends the one before."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(
        "patients.Patient", on_delete=models.CASCADE, related_name="sign_in_sheets"
    )
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-made_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient"],
                condition=Q(revoked_at__isnull=True),
                name="sign_in_sheet_in_force_once",
            )
        ]

    def __str__(self) -> str:
        return f"Sign-in sheet of {self.made_at:%-d %B %Y}"
