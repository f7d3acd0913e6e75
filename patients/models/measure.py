"""Outcome measures: the questionnaires a practice uses, and what came out of them."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class QuestionnaireQuerySet(models.QuerySet["Questionnaire"]):
    def current(self) -> "QuestionnaireQuerySet":
        """The newest row of each name, without those that are no longer asked."""
        newest = self.order_by("name", "-pk").distinct("name").values("pk")
        return self.filter(pk__in=newest, retired_at__isnull=True).order_by("position", "name")


class Questionnaire(models.Model):
    """One version of a questionnaire, whole: its questions, its scoring and when it is asked.

    ``content`` has the shape that ``patients.questionnaires.read_questionnaire`` checks. A version
    is never edited, because results lean on it; a change is a new version and a new row.
    """

    class Origin(models.TextChoices):
        SUPPLIED = "supplied", "Supplied"
        PRACTICE = "practice", "Loaded by the practice"

    name = models.SlugField(max_length=60)
    version = models.CharField(max_length=20)
    title = models.CharField(max_length=200)
    content = models.JSONField()
    origin = models.CharField(max_length=10, choices=Origin)
    position = models.PositiveSmallIntegerField(default=100)
    loaded_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = QuestionnaireQuerySet.as_manager()

    class Meta:
        ordering = ["position", "name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="questionnaire_version_once")
        ]
        triggers = [
            pgtrigger.Protect(
                name="as_loaded",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("name", "version", "content", "origin"),
            )
        ]

    def __str__(self) -> str:
        return f"{self.title}, version {self.version}"


class Point(models.TextChoices):
    """When in a program a measure was taken."""

    START = "start", _("At the start")
    WEEK_6 = "week_6", _("After 6 weeks")
    WEEK_12 = "week_12", _("After 12 weeks")
    BETWEEN = "between", _("In between")


class Measure(models.Model):
    """One result, exactly as given. A correction is a new row.

    ``answers`` maps the questions' ids to what was answered; it is empty for a result that staff
    entered by hand. ``scores`` is a list of ``{"id", "title", "value", "band"}``: ``value`` a
    number or null, ``band`` the words of the range it falls in or an empty string.
    """

    patient = models.ForeignKey(
        "patients.Patient", on_delete=models.CASCADE, related_name="measures"
    )
    questionnaire = models.ForeignKey(
        Questionnaire,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="measures",
        help_text="None for a result of a questionnaire that is kept on paper.",
    )
    title = models.CharField(max_length=200)
    point = models.CharField(max_length=10, choices=Point)
    answers = models.JSONField(default=dict, blank=True)
    scores = models.JSONField()
    client_id = models.UUIDField(unique=True, help_text="Made by the device; a replay is one row.")
    day = models.DateField(help_text="The patient's local day.")
    at = models.DateTimeField()
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The member of staff who entered it; empty when the patient answered.",
    )

    class Meta:
        ordering = ["-day", "-at", "-pk"]
        indexes = [models.Index(fields=["patient", "-day"])]
        constraints = [
            models.CheckConstraint(
                name="measure_answered_or_entered",
                condition=~Q(answers={}) | Q(entered_by__isnull=False),
            ),
            models.UniqueConstraint(
                name="measure_answered_once_a_day",
                fields=["patient", "questionnaire", "day"],
                condition=Q(entered_by__isnull=True),
            ),
        ]
        triggers = [pgtrigger.Protect(name="as_given", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.title}, {self.day}"
