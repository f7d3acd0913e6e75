"""What a clinician said of the criteria of a phase: rows are added, never changed."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q


class CriterionMark(models.Model):
    """One mark on one criterion (``programs.criteria``); the newest of a criterion counts.

    ``note`` is what was seen, or the reason for going without it or for taking it back; ``words``
    are those of a clinician's own criterion, carried along by every mark on it.
    """

    class Deed(models.TextChoices):
        TICKED = "ticked", "Ticked"
        OVERRIDDEN = "overridden", "Gone on without it"
        TAKEN_BACK = "taken_back", "Taken back"
        ASKED = "asked", "Asked for"

    program = models.ForeignKey(
        "programs.Program", on_delete=models.CASCADE, related_name="criterion_marks"
    )
    phase = models.PositiveSmallIntegerField(help_text="The phase that waits for it.")
    criterion = models.SlugField(max_length=40)
    deed = models.CharField(max_length=10, choices=Deed)
    note = models.TextField(blank=True)
    words = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["program", "phase", "criterion", "-id"])]
        constraints = [
            models.CheckConstraint(
                name="criterion_mark_phase_1_to_3", condition=Q(phase__gte=1, phase__lte=3)
            ),
            models.CheckConstraint(
                name="criterion_mark_says_why",
                condition=Q(deed="ticked") | (Q(deed="asked") & ~Q(words="")) | ~Q(note=""),
            ),
        ]
        triggers = [pgtrigger.Protect(name="mark_never_changed", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.get_deed_display()}: {self.criterion}, phase {self.phase}"
