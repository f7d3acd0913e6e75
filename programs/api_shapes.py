"""The shapes that go over the API; documented at /api/v1/schema/."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from clinic.models import Site
from patients.models import CheckIn, RedFlag
from patients.models.check_in import SCALES
from programs.models import Decision, Session
from programs.today import Today
from programs.wording import retold


class MeShape(serializers.Serializer):
    signed_in = serializers.BooleanField()
    kind = serializers.ChoiceField(["patient", "staff"], allow_null=True)
    name = serializers.CharField(allow_null=True)
    has_program = serializers.BooleanField()


class ItemShape(serializers.Serializer):
    """One exercise of the day; ``seconds`` with rest included."""

    exercise = serializers.SlugField(source="exercise.slug")
    name = serializers.CharField(source="exercise.name")
    why = serializers.CharField(source="exercise.why")
    level = serializers.IntegerField(source="prescription.level")
    title = serializers.CharField(source="level.title")
    dose = serializers.CharField(source="dose_text")
    set_up = serializers.CharField(source="level.set_up")
    cues = serializers.ListField(child=serializers.CharField())
    feel = serializers.CharField(source="level.feel")
    not_feel = serializers.CharField(source="level.not_feel")
    seconds = serializers.IntegerField()


class SessionShape(serializers.ModelSerializer):
    """``items`` is empty while the program stands still."""

    class Meta:
        model = Session
        fields = ["id", "client_id", "day", "status", "skip_reason", "known", "items"]

    def to_representation(self, session: Session) -> dict[str, Any]:
        shown = super().to_representation(session)
        return shown | {"items": []} if self.context.get("stopped") else shown


class StopShape(serializers.Serializer):
    """Shown instead of exercises. ``seen_by`` is empty until somebody has looked."""

    text = serializers.CharField()
    emergency_number = serializers.CharField()
    urgent_number = serializers.CharField()
    practice_phone = serializers.CharField()
    seen_by = serializers.CharField()


class TodayShape(serializers.Serializer):
    day = serializers.DateField()
    version = serializers.IntegerField(source="version.number")
    stopped = serializers.BooleanField()
    stop = serializers.SerializerMethodField()
    minutes = serializers.IntegerField()
    items = ItemShape(many=True)
    session = SessionShape(allow_null=True)
    morning_due = serializers.BooleanField()
    after_due = serializers.BooleanField()
    unanswered = serializers.UUIDField(
        source="unanswered.pk",
        default=None,
        allow_null=True,
        help_text="The session whose after-session answers are due; in the night yesterday's.",
    )
    red_flag_questions_due = serializers.BooleanField()
    news = serializers.SerializerMethodField()
    next_step = serializers.CharField(source="next_step_text")

    @extend_schema_field(StopShape(allow_null=True))
    def get_stop(self, today: Today) -> dict[str, Any] | None:
        if not today.stopped:
            return None
        severity = today.red_flag.severity if today.red_flag else None
        return _stop(today.program.patient.site, severity, today.seen.by.name if today.seen else "")

    def get_news(self, today: Today) -> str:
        return today.news.patient_reason if today.news else ""


def _stop(site: Site, severity: str | None, seen_by: str = "") -> dict[str, Any]:
    emergency = severity == RedFlag.Severity.EMERGENCY
    text = site.emergency_text if emergency else site.same_day_text
    if severity is None:
        text = "Your exercises are paused until your physiotherapist has spoken with you."
    return {
        "text": text,
        "emergency_number": site.emergency_number,
        "urgent_number": site.urgent_number,
        "practice_phone": site.phone,
        "seen_by": seen_by,
    }


def _given_at() -> serializers.DateTimeField:
    return serializers.DateTimeField(
        required=False,
        help_text="When it was answered, with its offset from UTC; now, when left out. At most "
        "seven days ago (red-flag answers are taken however late), never in the future.",
    )


class SessionBody(serializers.Serializer):
    client_id = serializers.UUIDField()
    at = _given_at()
    day = serializers.DateField(required=False, help_text="Local day; today when left out.")
    status = serializers.ChoiceField(Session.Status.choices)
    known = serializers.ChoiceField(Session.Known.choices, default=Session.Known.SELF_REPORTED)
    skip_reason = serializers.ChoiceField(
        Session.SkipReason.choices, required=False, allow_blank=True, default=""
    )
    done = serializers.ListField(child=serializers.SlugField(), required=False)


class CheckInBody(serializers.Serializer):
    """The answers; which are needed is said, field by field, when they are missing."""

    client_id = serializers.UUIDField()
    at = _given_at()
    session = serializers.UUIDField(required=False)
    form_kept = serializers.BooleanField(required=False, allow_null=True)
    stiffer_after = serializers.BooleanField(required=False, allow_null=True)
    neck_tension = serializers.BooleanField(required=False, allow_null=True)
    soreness = serializers.ChoiceField(CheckIn.Soreness.choices, required=False)
    side = serializers.ChoiceField(CheckIn.Side.choices, required=False, allow_blank=True)
    place = serializers.ChoiceField(CheckIn.Place.choices, required=False, allow_blank=True)
    exercise = serializers.SlugField(required=False, allow_blank=True)
    note = serializers.CharField(required=False, allow_blank=True, max_length=1000)

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        for name in SCALES:
            fields[name] = serializers.IntegerField(
                required=False, allow_null=True, min_value=0, max_value=10
            )
        return fields


class DecisionShape(serializers.Serializer):
    outcome = serializers.CharField()
    text = serializers.SerializerMethodField()

    def get_text(self, decision: Decision) -> str:
        return retold(decision.patient_text)


class AnsweredShape(serializers.Serializer):
    client_id = serializers.UUIDField(source="check_in.client_id")
    kind = serializers.CharField(source="check_in.kind")
    day = serializers.DateField(source="check_in.day")
    decision = DecisionShape(allow_null=True)
    ask_red_flags = serializers.BooleanField()


class QuestionShape(serializers.Serializer):
    id = serializers.CharField()
    text = serializers.CharField()


class QuestionsShape(serializers.Serializer):
    questions = QuestionShape(many=True)


class RedFlagBody(serializers.Serializer):
    client_id = serializers.UUIDField()
    at = _given_at()
    answers = serializers.DictField(child=serializers.ChoiceField(["yes", "no", "not_sure"]))


class RedFlagShape(serializers.Serializer):
    """``stop`` holds the text to show at once; null when every answer was no."""

    severity = serializers.SerializerMethodField()
    stop = serializers.SerializerMethodField()

    def get_severity(self, red_flag: RedFlag | None) -> str | None:
        return red_flag.severity if red_flag else None

    @extend_schema_field(StopShape(allow_null=True))
    def get_stop(self, red_flag: RedFlag | None) -> dict[str, Any] | None:
        return _stop(self.context["site"], red_flag.severity) if red_flag else None
