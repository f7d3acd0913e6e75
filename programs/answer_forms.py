"""The forms of the check-ins and of the safety questions: one touch for each answer.

What a page asks is a part of what its form takes: a form that waited on a device without a line
may bring answers that today's page would not have asked for.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patients.asking_schedule import EVERY_DAY, IN_TURN
from patients.models import CheckIn
from patients.red_flags import REPEATED, complete
from programs.body_map import EVEN_AREAS, SIDED_AREAS, side_and_place
from programs.portal_forms import ChoiceField, OneUseForm, ScaleField, YesNoField

NO_PAIN, WORST_PAIN = gettext_lazy("No pain"), gettext_lazy("The worst you can think of")
# Below this, which exercise hurt is asked only where exercising made it worse.
NOTEWORTHY_PAIN = 3


def _pain(label: str | Promise) -> ScaleField:
    return ScaleField(label=label, low=NO_PAIN, high=WORST_PAIN)


class BodyField(ChoiceField):
    """A place on the body seen from behind. ``sided`` areas are of one side."""

    def __init__(self, *, sided: bool, **kwargs: Any) -> None:
        areas = SIDED_AREAS if sided else EVEN_AREAS
        super().__init__(
            choices=[(area, gettext_lazy(name)) for area, name in areas],
            kind="body",
            required=False,
            **kwargs,
        )
        self.sided = sided


class CheckInForm(OneUseForm):
    """``asked`` are the questions of this page; every other answer may be left out.

    ``when`` maps a question to what makes it worth asking, for the script that shows one
    question at a time: "pain_during>3" or "soreness=even", any of several.
    """

    when: Mapping[str, str] = {
        "sore_at": "soreness=even",
        "pull_at": "soreness=one_sided",
    }

    soreness = ChoiceField(
        label=gettext_lazy("Are you sore now?"),
        choices=[
            ("none", gettext_lazy("No")),
            ("even", gettext_lazy("Yes, about the same on both sides")),
            ("one_sided", gettext_lazy("Yes, a pull on one side")),
        ],
    )
    sore_at = BodyField(label=gettext_lazy("Where are you sore?"), sided=False)
    pull_at = BodyField(label=gettext_lazy("Where is the pull?"), sided=True)
    note = forms.CharField(
        label=gettext_lazy("Anything your physiotherapist should know?"),
        help_text=gettext_lazy("You can leave this empty."),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"max_length": gettext_lazy("Please write no more than 1000 letters.")},
    )

    def __init__(self, *args: Any, asked: Sequence[str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._asked = None if asked is None else {*asked, "sore_at", "pull_at", "note"}

    def shown(self) -> list[dict[str, Any]]:
        """The questions of this page in their order, each with what makes it worth asking."""
        return [
            {"field": self[name], "when": self.when.get(name, "")}
            for name in self.fields
            if name != "client_id" and (self._asked is None or name in self._asked)
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        cleaned["side"] = cleaned["place"] = ""
        if cleaned.get("soreness") == CheckIn.Soreness.EVEN:
            cleaned["place"] = cleaned.get("sore_at") or ""
        elif cleaned.get("soreness") == CheckIn.Soreness.ONE_SIDED:
            self._take_pull(cleaned)
        return cleaned

    def _take_pull(self, cleaned: dict[str, Any]) -> None:
        if cleaned.get("pull_at"):
            cleaned["side"], cleaned["place"] = side_and_place(cleaned["pull_at"])
        elif "pull_at" not in self.errors:
            self.add_error("pull_at", _("Touch the place where you feel the pull."))

    def answers(self) -> dict[str, Any]:
        answers = super().answers()
        for name in ("sore_at", "pull_at"):
            answers.pop(name, None)
        return answers


class AfterSessionForm(CheckInForm):
    pain_before = _pain(gettext_lazy("How much pain did you have before you began?"))
    pain_during = _pain(gettext_lazy("What was the most pain while you exercised?"))
    exercise = ChoiceField(
        label=gettext_lazy("Was there one exercise that hurt?"),
        choices=[("", gettext_lazy("None of them"))],
        required=False,
    )
    effort = ScaleField(
        label=gettext_lazy("How hard was it?"),
        low=gettext_lazy("Very easy"),
        high=gettext_lazy("As hard as can be"),
    )
    form_kept = YesNoField(
        label=gettext_lazy("Could you do the movements the way they are described?")
    )
    stiffer_after = YesNoField(label=gettext_lazy("Is your back stiffer now than before?"))
    neck_tension = YesNoField(label=gettext_lazy("Did your neck get tense or hurt?"))

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
        "sore_at",
        "pull_at",
        "note",
    )

    def __init__(
        self,
        *args: Any,
        exercises: Mapping[str, str | Promise],
        hurts: str = "",
        **kwargs: Any,
    ) -> None:
        """``exercises`` maps the slugs of the session's exercises to their names; ``hurts`` is
        the one the patient said so of."""
        super().__init__(*args, **kwargs)
        none = ("", gettext_lazy("None of them"))
        self.fields["exercise"].choices = [none, *exercises.items()]
        self.initial.setdefault("exercise", hurts)
        if not hurts:
            worse = f"pain_during>{NOTEWORTHY_PAIN} pain_during>pain_before"
            self.when = {**self.when, "exercise": worse}


class MorningForm(CheckInForm):
    pain_this_morning = _pain(gettext_lazy("How much pain do you have this morning?"))
    usual_pain = _pain(
        gettext_lazy("Over the last day, how much pain did you have most of the time?")
    )
    sleep = ScaleField(
        label=gettext_lazy("How well did you sleep?"),
        low=gettext_lazy("Very badly"),
        high=gettext_lazy("Very well"),
        required=False,
    )
    stress = ScaleField(
        label=gettext_lazy("How much stress do you have?"),
        low=gettext_lazy("None"),
        high=gettext_lazy("As much as can be"),
        required=False,
    )
    feels_safe = ScaleField(
        label=gettext_lazy("How safe does moving your back feel?"),
        low=gettext_lazy("Not safe at all"),
        high=gettext_lazy("Very safe"),
        required=False,
    )

    field_order = (
        "client_id",
        *EVERY_DAY,
        "sore_at",
        "pull_at",
        *IN_TURN,
        "note",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["soreness"].label = gettext_lazy("Are you sore this morning?")


class RedFlagForm(OneUseForm):
    """The safety questions. A yes counts even when others are still open: what was left out is
    kept as left out, so that nobody has to answer twelve questions to get help."""

    CHOICES = (
        ("no", gettext_lazy("No")),
        ("yes", gettext_lazy("Yes")),
        ("not_sure", gettext_lazy("Not sure")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for question in REPEATED:
            self.fields[question.id] = ChoiceField(
                label=_(question.text), choices=self.CHOICES, kind="row", required=False
            )

    def questions(self) -> list[dict[str, Any]]:
        """Each question with how urgent a yes to it is."""
        return [{"field": self[q.id], "severity": q.severity} for q in REPEATED]

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
                self.add_error(name, _("Choose no, yes or not sure."))
        return cleaned

    @property
    def open_questions(self) -> list[str]:
        """The ids of the questions without an answer, in their order."""
        return [question.id for question in REPEATED if question.id in self.errors]
