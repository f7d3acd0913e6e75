"""Check-ins: how the back answered."""

import pgtrigger
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q


def scale(**options) -> models.PositiveSmallIntegerField:
    """An answer from 0 to 10, or none given."""
    return models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(10)], **options
    )


SCALES = [
    "usual_pain",
    "pain_before",
    "pain_during",
    "pain_this_morning",
    "effort",
    "sleep",
    "stress",
    "feels_safe",
]


class CheckInQuerySet(models.QuerySet["CheckIn"]):
    def between(self, first, last) -> "CheckInQuerySet":
        """Answers of the local days ``first`` to ``last``, both included, oldest first."""
        return self.filter(day__gte=first, day__lte=last).order_by("day", "at", "pk")


class CheckIn(models.Model):
    """One set of answers, exactly as given. A correction is a new check-in.

    Scales run 0–10. ``feels_safe`` is how safe moving the back feels (10 very safe); fear of
    movement, as the rules read it, is 10 minus that.
    """

    class Kind(models.TextChoices):
        AFTER_SESSION = "after_session", "After the session"
        NEXT_MORNING = "next_morning", "Next morning"
        DAILY = "daily", "Daily"
        TEXT = "text", "By text message"

    class Soreness(models.TextChoices):
        NONE = "none", "None"
        EVEN = "even", "Even, on both sides"
        ONE_SIDED = "one_sided", "A pull on one side"

    class Side(models.TextChoices):
        LEFT = "left", "Left"
        RIGHT = "right", "Right"

    class Place(models.TextChoices):
        """Where soreness or a pull is felt, from the top down."""

        NECK = "neck", "Neck"
        UPPER_BACK = "upper_back", "Upper back"
        LOWER_BACK = "lower_back", "Lower back"
        BUTTOCK = "buttock", "Buttock"
        THIGH = "thigh", "Back of the thigh"
        CALF_FOOT = "calf_foot", "Calf or foot"
        ELSEWHERE = "elsewhere", "Somewhere else"

    patient = models.ForeignKey(
        "patients.Patient", on_delete=models.CASCADE, related_name="check_ins"
    )
    kind = models.CharField(max_length=15, choices=Kind)
    client_id = models.UUIDField(unique=True, help_text="Made by the device; a replay is one row.")
    day = models.DateField(help_text="The patient's local day.")
    at = models.DateTimeField()
    usual_pain = scale()
    pain_before = scale()
    pain_during = scale()
    pain_this_morning = scale()
    effort = scale()
    sleep = scale()
    stress = scale()
    feels_safe = scale()
    stiffer_after = models.BooleanField(null=True, blank=True)
    neck_tension = models.BooleanField(null=True, blank=True)
    form_kept = models.BooleanField(null=True, blank=True)
    soreness = models.CharField(max_length=10, choices=Soreness, blank=True)
    side = models.CharField(max_length=5, choices=Side, blank=True)
    place = models.CharField(max_length=10, choices=Place, blank=True)
    # The exercise the patient pointed at, by its slug in the library of the programs room.
    exercise = models.SlugField(blank=True)
    note = models.TextField(blank=True, max_length=1000)

    objects = CheckInQuerySet.as_manager()

    class Meta:
        ordering = ["-day", "-at", "-pk"]
        indexes = [models.Index(fields=["patient", "-day"])]
        constraints = [
            models.CheckConstraint(
                name="check_in_scales_0_to_10",
                condition=Q(
                    *[Q(**{f"{name}__isnull": True}) | Q(**{f"{name}__lte": 10}) for name in SCALES]
                ),
            )
        ]
        triggers = [pgtrigger.Protect(name="as_given", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} check-in of {self.day}"
