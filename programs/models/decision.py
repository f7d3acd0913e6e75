"""Policies, what the rules decided under them, and what a clinician answered."""

import pghistory
import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from clinic.written_once import written_once
from programs.models.library import Pathway


class PolicyQuerySet(models.QuerySet["Policy"]):
    def in_force(self, pathway: str) -> "Policy":
        """The newest published policy of a pathway; raises Policy.DoesNotExist without one."""
        found = policy_in_force.first(pathway)
        if found is None:
            raise Policy.DoesNotExist(f"No policy is published for the pathway {pathway}.")
        return found


@written_once
def policy_in_force(pathway: str) -> "models.QuerySet[Policy]":
    """The newest published policy of a pathway."""
    return Policy.objects.filter(pathway=pathway).order_by("-version")[:1]


class Policy(models.Model):
    """One published set of thresholds for a pathway; ``thresholds`` has the fields of
    ``programs.progression.Policy``. Never edited: a change is the next version."""

    pathway = models.CharField(max_length=15, choices=Pathway)
    version = models.PositiveIntegerField()
    thresholds = models.JSONField()
    reason = models.TextField()
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = PolicyQuerySet.as_manager()

    class Meta:
        ordering = ["pathway", "-version"]
        verbose_name_plural = "policies"
        constraints = [
            models.UniqueConstraint(fields=["pathway", "version"], name="policy_version_once")
        ]
        triggers = [
            pgtrigger.Protect(name="never_changed", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.get_pathway_display()}, version {self.version}"


class Decision(models.Model):
    """What the rules said, stored whole: evidence, fired rules with the answers that fired them,
    and the policy version. ``step`` is the change it speaks of (``programs.ladder.Step``)."""

    class Outcome(models.TextChoices):
        PROGRESS = "PROGRESS", "Progress"
        HOLD = "HOLD", "Hold"
        REGRESS = "REGRESS", "Regress"
        STOP = "STOP", "Stop"

    class Handling(models.TextChoices):
        NOTED = "noted", "Noted"
        APPLIED = "applied", "Applied"
        PROPOSED = "proposed", "Proposed"
        SUSPENDED = "suspended", "Program suspended"

    program = models.ForeignKey(
        "programs.Program", on_delete=models.CASCADE, related_name="decisions"
    )
    version = models.ForeignKey(
        "programs.ProgramVersion", on_delete=models.PROTECT, related_name="decisions"
    )
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    day = models.DateField()
    outcome = models.CharField(max_length=10, choices=Outcome)
    rules = models.JSONField()
    fired = models.JSONField(help_text="Every fired rule with the answers that fired it.")
    contact = models.CharField(max_length=10)
    approval = models.CharField(max_length=25)
    handling = models.CharField(max_length=10, choices=Handling)
    exercise = models.SlugField(blank=True)
    step = models.JSONField(null=True, blank=True)
    evidence = models.JSONField()
    patient_text = models.TextField()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["program", "-at"])]
        triggers = [pgtrigger.Protect(name="stored_whole", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()} ({', '.join(self.rules)})"


class ProposalQuerySet(models.QuerySet["Proposal"]):
    def open(self) -> "ProposalQuerySet":
        return self.filter(status=Proposal.Status.OPEN)


@pghistory.track()
class Proposal(models.Model):
    """A decision waiting for a clinician; at most one open per program."""

    class Status(models.TextChoices):
        OPEN = "open", "Waiting"
        ACCEPTED = "accepted", "Accepted"
        CHANGED = "changed", "Changed"
        DECLINED = "declined", "Declined"
        SUPERSEDED = "superseded", "Overtaken by newer answers"

    program = models.ForeignKey(
        "programs.Program", on_delete=models.CASCADE, related_name="proposals"
    )
    decision = models.OneToOneField(Decision, on_delete=models.CASCADE, related_name="proposal")
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    answer_reason = models.TextField(blank=True)
    resulting_version = models.ForeignKey(
        "programs.ProgramVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = ProposalQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["program"], condition=Q(status="open"), name="proposal_one_open"
            ),
            models.CheckConstraint(
                name="proposal_answered_by_a_clinician",
                condition=Q(status__in=["open", "superseded"], answered_by__isnull=True)
                | Q(
                    status__in=["accepted", "changed", "declined"],
                    answered_by__isnull=False,
                    answered_at__isnull=False,
                    resulting_version__isnull=False,
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"Proposal: {self.decision}"
