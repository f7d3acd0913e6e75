"""What was injured, and the limits that hold until somebody lifts them."""

import datetime as dt

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q

# The movement classes a limit can close; breathing and easing are never taken away.
CLOSABLE = {
    "flexion_loaded": "Loaded flexion",
    "rotation": "Rotation",
    "extension": "Extension",
    "hip_hinge": "Hip hinge",
    "hinge_loaded": "Loaded hinge",
    "hip_extension": "Hip extension",
    "anti_extension": "Anti-extension",
    "anti_rotation": "Anti-rotation",
    "function": "Function",
}


@pghistory.track()
class Injury(models.Model):
    """One injury in the patient's own words. The newest of a patient is the one worked with."""

    class Kind(models.TextChoices):
        DISC = "disc", "Disc"
        FRACTURE = "fracture", "Fracture"
        SURGERY = "surgery", "Surgery"
        SPRAIN = "sprain", "Sprain or strain"
        FALL = "fall", "Fall or blow"
        OTHER = "other", "Other"

    patient = models.ForeignKey(
        "patients.Patient", on_delete=models.CASCADE, related_name="injuries"
    )
    kind = models.CharField(max_length=10, choices=Kind)
    words = models.TextField(help_text="What happened, in the patient's own words.")
    happened_on = models.DateField()
    precautions = models.TextField(blank=True)
    surgeon_words = models.TextField(
        blank=True, help_text="What the surgeon or physician asked for, as it was written."
    )
    cleared_by = models.CharField(max_length=120, blank=True)
    cleared_on = models.DateField(null=True, blank=True)
    review_on = models.DateField(null=True, blank=True)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    entered_at = models.DateTimeField()
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-happened_on", "-pk"]
        verbose_name_plural = "injuries"
        constraints = [
            models.CheckConstraint(
                name="injury_cleared_by_and_on_together",
                condition=Q(cleared_by="", cleared_on__isnull=True)
                | (~Q(cleared_by="") & Q(cleared_on__isnull=False)),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.happened_on}"

    def weeks_on(self, day: dt.date) -> int:
        """Whole weeks from the injury to ``day``."""
        return max(0, (day - self.happened_on).days // 7)


class LimitQuerySet(models.QuerySet["Limit"]):
    def in_force(self, day: dt.date) -> "LimitQuerySet":
        """Not lifted and not over on this local day of the patient; ``until`` is the last day."""
        return self.filter(Q(until__isnull=True) | Q(until__gte=day), lifted_at__isnull=True)


@pghistory.track()
class Limit(models.Model):
    """One limit: a class kept closed, no load above so many kilograms, or a pain ceiling.

    A limit is set and lifted, never edited. What is in force also stands on the patient
    (``Patient.limits``), where the gates read it.
    """

    class Kind(models.TextChoices):
        CLOSED = "closed", "No movement of a class"
        LOAD = "load", "No load above"
        PAIN = "pain", "Pain during at most"

    injury = models.ForeignKey(Injury, on_delete=models.CASCADE, related_name="limits")
    kind = models.CharField(max_length=6, choices=Kind)
    movement_class = models.CharField(max_length=15, blank=True)
    amount = models.DecimalField(max_digits=5, decimal_places=1, null=True, blank=True)
    until = models.DateField(null=True, blank=True, help_text="The last day it holds.")
    said_by = models.CharField(max_length=120, blank=True)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    entered_at = models.DateTimeField()
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    lifted_at = models.DateTimeField(null=True, blank=True)
    lift_reason = models.TextField(blank=True)

    objects = LimitQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="limit_says_what_it_limits",
                condition=(Q(kind="closed", amount__isnull=True) & ~Q(movement_class=""))
                | Q(kind="load", movement_class="", amount__gte=0)
                | Q(kind="pain", movement_class="", amount__gte=2, amount__lte=6),
            ),
            models.CheckConstraint(
                name="limit_lifted_by_someone_for_a_reason",
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True, lift_reason="")
                | (Q(lifted_at__isnull=False, lifted_by__isnull=False) & ~Q(lift_reason="")),
            ),
        ]

    def __str__(self) -> str:
        if self.kind == self.Kind.CLOSED:
            return f"No {CLOSABLE.get(self.movement_class, self.movement_class).lower()}"
        if self.kind == self.Kind.LOAD:
            return f"No load above {self.amount.normalize():f} kg" if self.amount else "No load"
        return f"Pain during at most {self.amount:.0f}"
