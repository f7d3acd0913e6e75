"""What one patient has: a program, its immutable versions, and the prescriptions in them."""

import uuid
from collections.abc import Collection

import pghistory
import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from patients.models import Patient
from patients.models.safety import open_severities
from programs.models.library import Pathway


class ProgramQuerySet(models.QuerySet["Program"]):
    def visible_to(self, user) -> "ProgramQuerySet":
        return self.filter(patient__in=Patient.objects.visible_to(user))

    def active(self) -> "ProgramQuerySet":
        return self.filter(status=Program.Status.ACTIVE)

    def running(self) -> "ProgramQuerySet":
        """Not ended: active or suspended."""
        return self.exclude(status=Program.Status.ENDED)

    def whole(self) -> "ProgramQuerySet":
        """With the patient, site, physiotherapist and current version that every verb needs."""
        return self.select_related(
            "patient__site",
            "patient__physiotherapist",
            # The limits of an injury stand on the patient, and the gates ask from the version.
            "current_version__program__patient",
            "template",
        )


@pghistory.track()
class Program(models.Model):
    """A patient has at most one running program. Its content is in its newest version."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"
        ENDED = "ended", "Ended"

    class SuspendedFor(models.TextChoices):
        RED_FLAG = "red_flag", "Red flag"
        RULE = "rule", "A rule said stop"

    class Outcome(models.TextChoices):
        """How a program came out, as the clinician sees it; no measure decides it."""

        REACHED = "reached", "Goals reached"
        BETTER = "better", "Better, goals partly reached"
        SAME = "same", "Much the same"
        WORSE = "worse", "Worse"
        ELSEWHERE = "elsewhere", "Goes on elsewhere"
        STOPPED = "stopped", "Patient stopped"
        OTHER = "other", "Other"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(
        "patients.Patient", on_delete=models.CASCADE, related_name="programs"
    )
    template = models.ForeignKey(
        "programs.ProgramTemplate",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="programs",
    )
    current_version = models.ForeignKey(
        "programs.ProgramVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    suspended_for = models.CharField(max_length=10, choices=SuspendedFor, blank=True)
    started_on = models.DateField()
    ended_on = models.DateField(null=True, blank=True)
    end_reason = models.TextField(blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    # What the patient reads once the program has ended, and the day somebody looks again.
    farewell = models.TextField(blank=True)
    follow_up_on = models.DateField(null=True, blank=True)

    objects = ProgramQuerySet.as_manager()

    class Meta:
        ordering = ["-started_on"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient"],
                condition=~Q(status="ended"),
                name="program_one_running_per_patient",
            ),
            models.CheckConstraint(
                name="program_suspended_says_for_what",
                condition=Q(status="suspended") & ~Q(suspended_for="")
                | ~Q(status="suspended") & Q(suspended_for=""),
            ),
            models.CheckConstraint(
                name="program_ended_has_a_day",
                condition=Q(status="ended", ended_on__isnull=False)
                | (~Q(status="ended") & Q(ended_on__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"Program of {self.patient}"

    def stands_still(self, open_flags: Collection[str] | None = None) -> bool:
        """Whether no exercise may be shown or reported: not active, or a red flag is open.

        ``open_flags`` are the severities of the open ones where the caller has just looked.
        """
        if self.status != self.Status.ACTIVE:
            return True
        return bool(open_severities(self.patient_id) if open_flags is None else open_flags)


def _immutable(name: str) -> list[pgtrigger.Trigger]:
    return [pgtrigger.Protect(name=name, operation=pgtrigger.Update)]


class ProgramVersion(models.Model):
    """One state of a program, never edited: every change is the next number.

    ``by`` is the clinician; it is empty only where a rule lowered the load or a policy that
    ``policy_approved_by`` stands for raised it.
    """

    class Cause(models.TextChoices):
        ASSIGNED = "assigned", "Assigned"
        ACCEPTED = "accepted", "Proposal accepted"
        CHANGED = "changed", "Changed by the clinician"
        DECLINED = "declined", "Proposal declined"
        RULE_LOWERED = "rule_lowered", "Lowered by a rule"
        POLICY_RAISED = "policy_raised", "Raised under the approved policy"
        REOPENED = "reopened", "Reopened"

    class Lock(models.TextChoices):
        NONE = "none", "None"
        NO_PROGRESS = "no_progress", "No progress"
        FROZEN = "frozen", "Frozen"

    class CueSet(models.TextChoices):
        DRAW_IN = "draw_in", "Draw in"
        FILL_OUT = "fill_out", "Fill outward"

    program = models.ForeignKey(Program, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    cause = models.CharField(max_length=15, choices=Cause)
    reason = models.TextField()
    patient_reason = models.TextField(help_text="What changed and why, in the patient's words.")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    policy_approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField()
    pathway = models.CharField(max_length=15, choices=Pathway)
    phase = models.PositiveSmallIntegerField()
    lock = models.CharField(max_length=12, choices=Lock, default=Lock.NONE)
    auto_policy = models.BooleanField(default=False)
    pain_ceiling = models.PositiveSmallIntegerField(null=True, blank=True)
    clearances = models.JSONField(default=list)
    cue_set = models.CharField(max_length=10, choices=CueSet, default=CueSet.DRAW_IN)
    # The day the newest step (up, down or a phase) took effect: the rules count from it.
    step_since = models.DateField()
    # Gates that a clinician opened for one exercise, each with its reason: see programs.overrides.
    overrides = models.JSONField(default=list, blank=True)
    # Whether the order of the prescriptions is a clinician's own, kept on every day.
    own_order = models.BooleanField(default=False)
    # From when the program only keeps up what was reached, and on how many days a week from when:
    # see programs.taper.
    maintenance_since = models.DateField(null=True, blank=True)
    taper = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["program", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["program", "number"], name="version_number_once"),
            models.CheckConstraint(name="version_phase_0_to_3", condition=Q(phase__lte=3)),
            models.CheckConstraint(
                name="version_pain_ceiling_2_to_6",
                condition=Q(pain_ceiling__isnull=True)
                | Q(pain_ceiling__gte=2, pain_ceiling__lte=6),
            ),
            models.CheckConstraint(name="version_has_a_reason", condition=~Q(reason="")),
            models.CheckConstraint(
                name="version_made_by_clinician_or_named_rule",
                condition=Q(by__isnull=False)
                | Q(cause="rule_lowered")
                | Q(cause="policy_raised", policy_approved_by__isnull=False),
            ),
            models.CheckConstraint(
                name="version_post_injury_never_raised_by_policy",
                condition=~Q(pathway="post_injury", cause="policy_raised"),
            ),
        ]
        triggers = _immutable("version_never_changed")

    def __str__(self) -> str:
        return f"Version {self.number}"


class Prescription(models.Model):
    """One exercise in a version, at a level and dose. ``since`` is when this step began."""

    version = models.ForeignKey(
        ProgramVersion, on_delete=models.CASCADE, related_name="prescriptions"
    )
    exercise = models.ForeignKey(
        "programs.Exercise", on_delete=models.PROTECT, related_name="prescriptions"
    )
    # The state of the exercise that was prescribed; later versions of it do not reach the patient.
    exercise_version = models.ForeignKey(
        "programs.ExerciseVersion", on_delete=models.PROTECT, related_name="+"
    )
    level = models.PositiveSmallIntegerField()
    sets = models.PositiveSmallIntegerField()
    reps = models.PositiveSmallIntegerField()
    hold_s = models.PositiveSmallIntegerField(default=0)
    per_side = models.BooleanField(default=False)
    days_per_week = models.PositiveSmallIntegerField(default=7)
    load_kg = models.DecimalField(max_digits=5, decimal_places=1, null=True, blank=True)
    order = models.PositiveSmallIntegerField()
    paused = models.BooleanField(default=False)
    pause_reason = models.CharField(max_length=200, blank=True)
    since = models.DateField()
    # The last day this exercise went up; the rules watch the newest rise.
    raised_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["order"]
        constraints = [
            models.UniqueConstraint(fields=["version", "exercise"], name="prescription_once"),
            models.CheckConstraint(
                name="prescription_level_1_to_4", condition=Q(level__gte=1, level__lte=4)
            ),
            models.CheckConstraint(
                name="prescription_dose_sane",
                condition=Q(sets__gte=1, sets__lte=10, reps__gte=1, reps__lte=60, hold_s__lte=600),
            ),
            models.CheckConstraint(
                name="prescription_days_1_to_7",
                condition=Q(days_per_week__gte=1, days_per_week__lte=7),
            ),
        ]
        triggers = _immutable("prescription_never_changed")

    def __str__(self) -> str:
        return f"{self.exercise}, level {self.level}"
