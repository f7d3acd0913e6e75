"""The forms of the patient's pages: large targets, plain words, nothing typed is lost."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from patients.models import CheckIn
from patients.red_flags import REPEATED, complete
from programs.models import Session
from programs.today import Item

CHOICE = {"class": "sb-choice__input"}
ANSWER_WORDS = (("no", "No"), ("yes", "Yes"), ("not_sure", "Not sure"))


class ScaleField(forms.TypedChoiceField):
    """A number from 0 to 10; ``low`` and ``high`` are the words at the two ends."""

    kind = "scale"

    def __init__(self, *, low: str, high: str, required: bool = True, **kwargs: Any) -> None:
        self.low, self.high = low, high
        super().__init__(
            choices=[(str(n), str(n)) for n in range(11)],
            coerce=int,
            empty_value=None,
            required=required,
            widget=forms.RadioSelect(attrs={"class": "sb-scale__input"}),
            error_messages={
                "required": f"Choose a number: {_question(kwargs['label'])}",
                "invalid_choice": "Choose a number from 0 to 10.",
            },
            **kwargs,
        )


class ChoiceField(forms.TypedChoiceField):
    """A few answers to choose from; ``kind`` "row" puts short ones side by side."""

    def __init__(
        self,
        *,
        choices: Sequence[tuple[str, str]],
        kind: str = "column",
        required: bool = True,
        **kwargs: Any,
    ) -> None:
        self.kind = kind
        super().__init__(
            choices=choices,
            required=required,
            widget=forms.RadioSelect(attrs=dict(CHOICE)),
            error_messages={
                "required": f"Choose an answer: {_question(kwargs['label'])}",
                "invalid_choice": f"Choose one of the answers: {_question(kwargs['label'])}",
            },
            **kwargs,
        )


class YesNoField(ChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            choices=[("yes", "Yes"), ("no", "No")],
            kind="row",
            coerce=lambda value: value == "yes",
            empty_value=None,
            **kwargs,
        )


def _question(label: str) -> str:
    return label[0].lower() + label[1:] if not label.startswith("I ") else label


def _soreness(label: str) -> ChoiceField:
    return ChoiceField(
        label=label,
        choices=[
            ("none", "No"),
            ("even", "Yes, about the same on both sides"),
            ("one_sided", "Yes, a pull on one side"),
        ],
    )


class OneUseForm(forms.Form):
    """``client_id`` is made with the empty form; sending it twice is the same as once."""

    use_required_attribute = False
    client_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("client_id", uuid.uuid4())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "client_id" in self.errors:
            # Not the patient's doing: the page goes back with a good one.
            del self.errors["client_id"]
            self.data = self.data.copy()
            self.data["client_id"] = str(uuid.uuid4())
            self.add_error(None, "The page did not load fully. Please send your answers again.")
        return cleaned

    def answers(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "client_id"}

    def take(self, error: ValidationError) -> None:
        """Show what a verb refused, at its field where it has one."""
        named: Mapping[str, Any] = getattr(error, "error_dict", {None: error})
        for name, messages in named.items():
            self.add_error(name if name in self.fields else None, messages)


class CheckInForm(OneUseForm):
    side = ChoiceField(
        label="Which side?", choices=CheckIn.Side.choices, kind="row", required=False
    )
    note = forms.CharField(
        label="Anything your physiotherapist should know?",
        help_text="You can leave this empty.",
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"max_length": "Please write no more than 1000 letters."},
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("soreness") == "one_sided":
            if not cleaned.get("side") and "side" not in self.errors:
                self.add_error("side", "Choose the side you feel it on: left or right.")
        else:
            cleaned["side"] = ""
        return cleaned


class AfterSessionForm(CheckInForm):
    pain_before = ScaleField(
        label="How much pain did you have before you began?",
        low="No pain",
        high="The worst you can think of",
    )
    pain_during = ScaleField(
        label="What was the most pain while you exercised?",
        low="No pain",
        high="The worst you can think of",
    )
    effort = ScaleField(label="How hard was it?", low="Very easy", high="As hard as can be")
    form_kept = YesNoField(label="Could you do the movements the way they are described?")
    stiffer_after = YesNoField(label="Is your back stiffer now than before?")
    neck_tension = YesNoField(label="Did your neck get tense or hurt?")
    soreness = _soreness("Are you sore now?")
    exercise = ChoiceField(
        label="Was there one exercise that hurt?", choices=[("", "None of them")], required=False
    )

    field_order = (
        "client_id",
        "pain_before",
        "pain_during",
        "exercise",
        "effort",
        "form_kept",
        "stiffer_after",
        "neck_tension",
        "soreness",
        "side",
        "note",
    )

    def __init__(
        self, *args: Any, exercises: Mapping[str, str], hurts: str = "", **kwargs: Any
    ) -> None:
        """``exercises`` maps the slugs of the session's exercises to their names."""
        super().__init__(*args, **kwargs)
        self.fields["exercise"].choices = [("", "None of them"), *exercises.items()]
        self.initial.setdefault("exercise", hurts)


class MorningForm(CheckInForm):
    pain_this_morning = ScaleField(
        label="How much pain do you have this morning?",
        low="No pain",
        high="The worst you can think of",
    )
    usual_pain = ScaleField(
        label="Over the last day, how much pain did you have most of the time?",
        low="No pain",
        high="The worst you can think of",
    )
    soreness = _soreness("Are you sore this morning?")
    sleep = ScaleField(
        label="How well did you sleep?", low="Very badly", high="Very well", required=False
    )
    stress = ScaleField(
        label="How much stress do you have?",
        low="None",
        high="As much as can be",
        required=False,
    )
    feels_safe = ScaleField(
        label="How safe does moving your back feel?",
        low="Not safe at all",
        high="Very safe",
        required=False,
    )

    field_order = (
        "client_id",
        "pain_this_morning",
        "usual_pain",
        "soreness",
        "side",
        "sleep",
        "stress",
        "feels_safe",
        "note",
    )


class FinishForm(OneUseForm):
    """Which exercises were done."""

    done = forms.MultipleChoiceField(
        label="Which ones did you do?",
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "sb-check__input"}),
        error_messages={"invalid_choice": "Tick only exercises of today’s routine."},
    )

    def __init__(self, *args: Any, items: Sequence[Item], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["done"].choices = [(i.exercise.slug, i.exercise.name) for i in items]


class SkipForm(OneUseForm):
    skip_reason = ChoiceField(label="What keeps you from it?", choices=Session.SkipReason.choices)


class RedFlagForm(OneUseForm):
    """The safety questions. A yes counts even when others are still open: what was left out is
    kept as left out, so that nobody has to answer twelve questions to get help."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for question in REPEATED:
            self.fields[question.id] = ChoiceField(
                label=question.text, choices=ANSWER_WORDS, kind="row", required=False
            )
            self.fields[question.id].error_messages["required"] = "Please answer this question."

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        ids = [question.id for question in REPEATED]
        given = {name: cleaned[name] for name in ids if cleaned.get(name)}
        if any(answer != "no" for answer in given.values()):
            cleaned.update(complete(given))
            cleaned.setdefault("client_id", uuid.uuid4())
            self.errors.clear()
            return cleaned
        for name in ids:
            if not cleaned.get(name):
                self.errors.pop(name, None)
                self.add_error(name, "Choose no, yes or not sure.")
        return cleaned

    @property
    def open_questions(self) -> list[str]:
        """The ids of the questions without an answer, in their order."""
        return [question.id for question in REPEATED if question.id in self.errors]
