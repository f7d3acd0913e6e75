"""The exercise library, habit tasks and program templates."""

import pghistory
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q


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


@pghistory.track()
class Exercise(models.Model):
    class Origin(models.TextChoices):
        SUPPLIED = "supplied", "Supplied"
        IMPORTED = "imported", "Imported"
        PRACTICE = "practice", "Written by the practice"

    class ReviewState(models.TextChoices):
        TO_REVIEW = "to_review", "To be reviewed by a clinician"
        APPROVED = "approved", "Approved"

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


class ProgramTemplate(models.Model):
    """A reusable plan. A new version is a new row; programs keep the one they came from."""

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
    is_current = models.BooleanField(default=True)

    objects = ProgramTemplateQuerySet.as_manager()

    class Meta:
        ordering = ["name", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["slug", "version"], name="template_version_once"),
            models.UniqueConstraint(
                fields=["slug"], condition=Q(is_current=True), name="template_one_current"
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
