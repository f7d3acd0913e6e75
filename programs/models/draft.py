"""Changed thresholds on their way to a policy, and what they would have decided."""

import pghistory
import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from programs.models.decision import Policy
from programs.models.library import Pathway


class PolicyDraftQuerySet(models.QuerySet["PolicyDraft"]):
    def open(self) -> "PolicyDraftQuerySet":
        return self.filter(state=PolicyDraft.State.OPEN)


@pghistory.track()
class PolicyDraft(models.Model):
    """What somebody would change of a policy. ``thresholds`` holds only what differs from
    ``based_on``, by name; an author has at most one open draft per pathway."""

    class State(models.TextChoices):
        OPEN = "open", "Draft"
        PUBLISHED = "published", "Published"
        DISCARDED = "discarded", "Put away"

    pathway = models.CharField(max_length=15, choices=Pathway)
    based_on = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="+")
    thresholds = models.JSONField(default=dict)
    reason = models.TextField(blank=True)
    looser_because = models.TextField(blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    begun_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    published_as = models.OneToOneField(
        Policy, null=True, blank=True, on_delete=models.PROTECT, related_name="draft"
    )

    objects = PolicyDraftQuerySet.as_manager()

    class Meta:
        ordering = ["-changed_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["pathway", "author"],
                condition=Q(state="open"),
                name="policy_draft_one_open_each",
            ),
            models.CheckConstraint(
                name="policy_draft_published_as_a_policy",
                condition=Q(state="published", published_as__isnull=False)
                | (~Q(state="published") & Q(published_as__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_pathway_display()}, draft"

    @property
    def whole(self) -> dict[str, object]:
        """All thresholds as they would be in force."""
        return {**self.based_on.thresholds, **self.thresholds}


class Rehearsal(models.Model):
    """What a draft would have decided over the practice's own past, and in made-up courses.

    ``thresholds`` are the whole set that was rehearsed, against the policy ``against``; ``found``
    are the counts and the decisions that would have been others (``programs.comparing.Tally``),
    by their numbers: names are looked up when somebody reads it. Never edited.
    """

    draft = models.ForeignKey(PolicyDraft, on_delete=models.CASCADE, related_name="rehearsals")
    against = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="+")
    thresholds = models.JSONField()
    since = models.DateField()
    found = models.JSONField()
    courses = models.JSONField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-pk"]
        triggers = [pgtrigger.Protect(name="rehearsed_whole", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"Rehearsal of {self.draft}"

    def is_of(self, draft: PolicyDraft) -> bool:
        """Whether exactly this draft was rehearsed, as it stands now."""
        return self.against_id == draft.based_on_id and self.thresholds == draft.whole
