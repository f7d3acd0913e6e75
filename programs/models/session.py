"""Sessions: routines done, partly done or skipped."""

import uuid

import pghistory
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class SessionQuerySet(models.QuerySet["Session"]):
    def exercised(self) -> "SessionQuerySet":
        return self.filter(status__in=[Session.Status.DONE, Session.Status.PARTLY])


@pghistory.track()
class Session(models.Model):
    """What became of one day's routine. ``items`` is what was asked for, as it stood then:
    ``[{"exercise": slug, "level": 2, "sets": 2, "reps": 6, "hold_s": 0, "done": true}, …]``,
    with ``did``, ``left_out`` and ``felt`` where ``programs.happened`` adds them.
    """

    class Status(models.TextChoices):
        DONE = "done", "Done"
        PARTLY = "partly", "Partly done"
        SKIPPED = "skipped", "Skipped"

    class Known(models.TextChoices):
        TIMED = "timed", "Timed"
        SELF_REPORTED = "self_reported", "Self-reported"
        BACK_FILLED = "back_filled", "Back-filled"

    class SkipReason(models.TextChoices):
        PAIN = "pain", _("My back hurt")
        TIME = "time", _("No time today")
        TIRED = "tired", _("Too tired")
        UNWELL = "unwell", _("Not well")
        UNSURE = "unsure", _("Not sure how to do it")
        OTHER = "other", _("Something else")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    program = models.ForeignKey(
        "programs.Program", on_delete=models.CASCADE, related_name="sessions"
    )
    version = models.ForeignKey(
        "programs.ProgramVersion", on_delete=models.PROTECT, related_name="sessions"
    )
    day = models.DateField(help_text="The patient's local day.")
    status = models.CharField(max_length=10, choices=Status)
    skip_reason = models.CharField(max_length=10, choices=SkipReason, blank=True)
    known = models.CharField(max_length=15, choices=Known)
    items = models.JSONField(default=list)
    client_id = models.UUIDField(unique=True, help_text="Made by the device; a replay is one row.")
    at = models.DateTimeField()
    after_check_in = models.OneToOneField(
        "patients.CheckIn",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="after_session",
    )
    morning_check_in = models.OneToOneField(
        "patients.CheckIn",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="morning_after",
    )

    objects = SessionQuerySet.as_manager()

    class Meta:
        ordering = ["-day"]
        constraints = [
            models.UniqueConstraint(fields=["program", "day"], name="session_one_per_day"),
            models.CheckConstraint(
                name="session_skipped_says_why",
                condition=(Q(status="skipped") & ~Q(skip_reason=""))
                | (~Q(status="skipped") & Q(skip_reason="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_status_display()}, {self.day}"
