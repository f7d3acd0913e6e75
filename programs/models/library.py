"""The exercise library, habit tasks and program templates."""

from typing import Any

import pghistory
import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q


class MovementClass(models.TextChoices):
    BREATHING = "breathing", "Breathing"
    ISOMETRIC = "isometric", "Isometric"
    MOBILITY = "mobility", "Mobility"
    ANTI_EXTENSION = "anti_extension", "Anti-extension"
    ANTI_ROTATION = "anti_rotation", "Anti-rotation"
    ROTATION = "rotation", "Rotation"
    FLEXION_LOADED = "flexion_loaded", "Loaded flexion"
    HIP_HINGE = "hip_hinge", "Hip hinge"
    HINGE_LOADED = "hinge_loaded", "Loaded hinge"
    HIP_EXTENSION = "hip_extension", "Hip extension"
    EXTENSION = "extension", "Extension"
    FUNCTION = "function", "Function"
    RELEASE = "release", "Release"


class Pathway(models.TextChoices):
    CHRONIC = "chronic", "Chronic pain"
    DESK = "desk", "Desk worker"
    ATHLETE = "athlete", "Athlete"
    POST_INJURY = "post_injury", "Post-injury"


def words() -> models.JSONField:
    """What a patient reads of the row in other languages: {"es": {"name": …}}."""
    return models.JSONField(default=dict, blank=True)


class ExerciseQuerySet(models.QuerySet["Exercise"]):
    def prescribable(self) -> "ExerciseQuerySet":
        """Exercises a clinician has looked at; nothing else may reach a patient."""
        return self.filter(review_state=Exercise.ReviewState.APPROVED)

    def visible_to(self, user: Any) -> "ExerciseQuerySet":
        """The supplied ones, the practice's, and what belongs to ``user`` alone; somebody's own
        exercise is open to colleagues only while it waits for one of them to review it."""
        waiting = ExerciseVersion.objects.filter(
            exercise=OuterRef("pk"), state=ExerciseVersion.State.IN_REVIEW
        )
        return self.filter(Q(owner__isnull=True) | Q(owner=user) | Exists(waiting))

    def offered_to(self, user: Any) -> "ExerciseQuerySet":
        """What ``user`` may prescribe: approved, and the practice's or their own."""
        return self.prescribable().filter(Q(owner__isnull=True) | Q(owner=user))


@pghistory.track()
class Exercise(models.Model):
    class Origin(models.TextChoices):
        SUPPLIED = "supplied", "Supplied"
        IMPORTED = "imported", "Imported"
        PRACTICE = "practice", "Written by the practice"

    class ReviewState(models.TextChoices):
        TO_REVIEW = "to_review", "To be reviewed by a clinician"
        DRAFT = "draft", "Draft"
        IN_REVIEW = "in_review", "In review"
        APPROVED = "approved", "Approved"
        RETIRED = "retired", "Retired"

    slug = models.SlugField(max_length=120, unique=True)
    name = models.CharField(max_length=160)
    movement_class = models.CharField(max_length=20, choices=MovementClass)
    first_phase = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(3)])
    muscles = models.JSONField(default=list)
    equipment = models.JSONField(default=list, blank=True)
    alternative = models.TextField("without the equipment", blank=True)
    why = models.TextField(blank=True)
    words = words()
    regress_to = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    sources = models.JSONField(default=list, blank=True)
    version = models.PositiveIntegerField(default=1)
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.PRACTICE)
    origin_ref = models.CharField(max_length=160, blank=True)
    suggested_from = models.JSONField(default=list, blank=True)
    review_state = models.CharField(
        max_length=10, choices=ReviewState, default=ReviewState.TO_REVIEW
    )
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)
    # Whose it is: nobody's name is the practice, a name is "mine" for that person alone.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    # The newest approved version: what is prescribed from now on. The row itself holds the same.
    current = models.ForeignKey(
        "programs.ExerciseVersion",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    # What it was copied from, so that a newer version of that one can be told.
    copied_from = models.ForeignKey(
        "programs.ExerciseVersion",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="copies",
    )

    objects = ExerciseQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["origin_ref"], condition=~Q(origin_ref=""), name="exercise_imported_once"
            ),
            models.CheckConstraint(name="exercise_phase_0_to_3", condition=Q(first_phase__lte=3)),
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class ExerciseLevel(models.Model):
    """One rung of an exercise's ladder and the range its dose may climb.

    ``hold_*``, ``seconds_per_rep`` and ``rest_s`` are seconds; ``reps_*`` are per side when
    ``per_side`` is set. With ``alternate`` the sides take turns, repetition by repetition; without,
    one side comes after the other.
    """

    exercise = models.ForeignKey(Exercise, on_delete=models.CASCADE, related_name="levels")
    level = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(4)]
    )
    title = models.CharField(max_length=120)
    movement_class = models.CharField(max_length=20, choices=MovementClass)
    loaded = models.BooleanField(default=False)
    equipment = models.JSONField(default=list, blank=True)
    set_up = models.TextField(blank=True)
    cues = models.JSONField(default=list)
    cues_draw_in = models.JSONField(default=list, blank=True)
    cues_fill_out = models.JSONField(default=list, blank=True)
    feel = models.TextField(blank=True)
    not_feel = models.TextField(blank=True)
    # The drawing: "slug:level" of a drawn exercise; empty is the exercise's own, if it has one.
    figure = models.CharField(max_length=60, blank=True)
    words = words()
    sets = models.PositiveSmallIntegerField(default=1)
    reps_from = models.PositiveSmallIntegerField(default=1)
    reps_to = models.PositiveSmallIntegerField(default=1)
    reps_step = models.PositiveSmallIntegerField(default=0)
    hold_from = models.PositiveSmallIntegerField(default=0)
    hold_to = models.PositiveSmallIntegerField(default=0)
    hold_step = models.PositiveSmallIntegerField(default=0)
    per_side = models.BooleanField(default=False)
    alternate = models.BooleanField(default=False)
    days_per_week = models.PositiveSmallIntegerField(default=7)
    seconds_per_rep = models.PositiveSmallIntegerField(default=4)
    rest_s = models.PositiveSmallIntegerField(default=15)

    class Meta:
        ordering = ["exercise", "level"]
        constraints = [
            models.UniqueConstraint(fields=["exercise", "level"], name="level_once"),
            models.CheckConstraint(name="level_1_to_4", condition=Q(level__gte=1, level__lte=4)),
            models.CheckConstraint(
                name="level_ranges_rise",
                condition=Q(reps_to__gte=models.F("reps_from"))
                & Q(hold_to__gte=models.F("hold_from")),
            ),
            models.CheckConstraint(
                name="level_days_1_to_7", condition=Q(days_per_week__gte=1, days_per_week__lte=7)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.exercise}, level {self.level}: {self.title}"


@pghistory.track()
class ExerciseVersion(models.Model):
    """One state of an exercise with its levels, whole. Once approved it is never edited, and
    prescriptions point at it: what the library becomes later does not reach them.

    ``content`` has the shape of ``programs.exercise_versions.content_of``. ``author`` is empty
    for what was supplied or imported. ``review_note`` is what the reviewer said, or why somebody
    approved their own.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        IN_REVIEW = "in_review", "In review"
        APPROVED = "approved", "Approved"

    exercise = models.ForeignKey(Exercise, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    content = models.JSONField()
    note = models.CharField(max_length=300, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    changed_at = models.DateTimeField()
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)
    review_note = models.TextField(blank=True)

    class Meta:
        ordering = ["exercise", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["exercise", "number"], name="exercise_version_number_once"
            ),
            models.UniqueConstraint(
                fields=["exercise"],
                condition=~Q(state="approved"),
                name="exercise_version_one_open",
            ),
            models.CheckConstraint(
                name="exercise_version_approved_when",
                condition=~Q(state="approved") | Q(reviewed_at__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="approved_version_never_changed",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state="approved"),
            )
        ]

    def __str__(self) -> str:
        return f"{self.exercise}, version {self.number}"


class HabitTask(models.Model):
    slug = models.SlugField(unique=True)
    version = models.PositiveIntegerField(default=1)
    title = models.CharField(max_length=120)
    text = models.TextField()
    words = words()
    cadence = models.CharField(max_length=10)
    pathways = models.JSONField(default=list)
    sources = models.JSONField(default=list)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.title


class ProgramTemplateQuerySet(models.QuerySet["ProgramTemplate"]):
    def current(self) -> "ProgramTemplateQuerySet":
        return self.filter(is_current=True)

    def visible_to(self, user: Any) -> "ProgramTemplateQuerySet":
        """As for exercises: the practice's, one's own, and what waits for a review."""
        waiting = Q(state=ProgramTemplate.State.IN_REVIEW)
        return self.filter(Q(owner__isnull=True) | Q(owner=user) | waiting)


@pghistory.track()
class ProgramTemplate(models.Model):
    """A reusable plan. A new version is a new row; programs keep the one they came from.

    ``is_current`` is the version that may be assigned: approved, the newest, not retired.
    """

    class Origin(models.TextChoices):
        SUPPLIED = "supplied", "Supplied"
        PRACTICE = "practice", "Written by the practice"

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        IN_REVIEW = "in_review", "In review"
        APPROVED = "approved", "Approved"
        RETIRED = "retired", "Retired"

    slug = models.SlugField()
    version = models.PositiveIntegerField(default=1)
    name = models.CharField(max_length=120)
    summary = models.TextField()
    patient_summary = models.TextField()
    words = words()
    pathways = models.JSONField(default=list)
    starting_phase = models.PositiveSmallIntegerField(default=0)
    horizon_weeks = models.PositiveSmallIntegerField(default=12)
    habits = models.JSONField(default=list)
    sources = models.JSONField(default=list)
    is_current = models.BooleanField(default=False)
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.PRACTICE)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    changed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)
    review_note = models.TextField(blank=True)
    copied_from = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="copies"
    )

    objects = ProgramTemplateQuerySet.as_manager()

    class Meta:
        ordering = ["name", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["slug", "version"], name="template_version_once"),
            models.UniqueConstraint(
                fields=["slug"], condition=Q(is_current=True), name="template_one_current"
            ),
            models.UniqueConstraint(
                fields=["slug"],
                condition=Q(state__in=["draft", "in_review"]),
                name="template_one_open",
            ),
            models.CheckConstraint(
                name="template_current_is_approved",
                condition=Q(is_current=False) | Q(state="approved"),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TemplateItem(models.Model):
    template = models.ForeignKey(ProgramTemplate, on_delete=models.CASCADE, related_name="items")
    exercise = models.ForeignKey(Exercise, on_delete=models.PROTECT, related_name="+")
    level = models.PositiveSmallIntegerField(default=1)
    days_per_week = models.PositiveSmallIntegerField(default=7)
    order = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["order"]
        constraints = [
            models.UniqueConstraint(fields=["template", "exercise"], name="template_item_once")
        ]

    def __str__(self) -> str:
        return f"{self.exercise} in {self.template}"
