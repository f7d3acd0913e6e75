"""The intake screening: red flags first, then the rest; it ends on the page that suggests."""

import uuid
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from patients import screening
from patients.red_flags import QUESTIONS, Question
from patients.registering import record_intake
from programs.clinician.fields import PortalForm, Scale
from programs.clinician.opening import address_of, open_patient, portal
from programs.form_errors import put_errors

_ANSWERS = [("no", "No"), ("yes", "Yes"), ("not_sure", "Not sure")]
_SEVERITY = [("", "No"), *[(n, f"Yes, {n} of 10") for n in range(1, 11)]]


def _many(label: str, choices: dict[str, str]) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label,
        choices=list(choices.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class IntakeForm(PortalForm):
    """The fields of ``screening.IntakeAnswers``, and one question per red flag."""

    pain_now = Scale(label="Pain now, 0–10", low="none", high="the worst imaginable")
    usual_pain = Scale(label="Usual pain, last week, 0–10", low="none", high="the worst imaginable")
    pain_weeks = forms.IntegerField(label="Pain for, weeks", min_value=0, max_value=5200)
    sleep = Scale(label="Sleep, 0–10", low="very poor", high="very good")
    stress = Scale(label="Stress, 0–10", low="none", high="very high")
    feels_safe = Scale(label="Moving feels safe, 0–10", low="not at all", high="very safe")
    sitting_hours = forms.IntegerField(label="Sitting, hours a day", min_value=0, max_value=24)
    comes_back_yearly = forms.BooleanField(label="Comes back year after year", required=False)
    recent_injury = forms.BooleanField(
        label="Recent injury or operation",
        required=False,
        help_text="Leads to the post-injury pathway.",
    )
    injury_notes = forms.CharField(
        label="Which, when, what the surgeon allows",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    plays_sport = forms.BooleanField(label="Plays sport", required=False)
    imbalances = _many("Imbalances found", screening.IMBALANCES)
    goals = _many("Goals", screening.GOALS)
    preferences = _many("Preferences", screening.PREFERENCES)
    equipment = _many("Equipment at home", screening.EQUIPMENT)
    history = forms.CharField(
        label="History, earlier treatment, medicines",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    PAIN = ("pain_now", "usual_pain", "pain_weeks", "sitting_hours")
    LIFE = ("sleep", "stress", "feels_safe")
    INJURY = ("recent_injury", "comes_back_yearly", "plays_sport")

    flag_rest_no = forms.BooleanField(
        label="I have asked every question; those without a mark were answered with no",
        required=False,
    )

    def __init__(self, data: Any = None) -> None:
        if data and data.get("flag_rest_no"):
            data = data.copy()
            for question in QUESTIONS:
                data.setdefault(f"flag_{question.id}", "no")
        super().__init__(data)
        for question in QUESTIONS:
            self.fields[f"flag_{question.id}"] = forms.ChoiceField(
                label=question.short,
                help_text=question.text,
                choices=_ANSWERS,
                widget=forms.RadioSelect,
                error_messages={"required": f"{question.short}: ask, and choose an answer."},
            )
        # Asked first, so what is missing there is said first too.
        self.order_fields([name for name in self.fields if name.startswith("flag_")])
        for sign, label in screening.SIGNS.items():
            self.fields[f"sign_{sign}"] = forms.TypedChoiceField(
                label=label, choices=_SEVERITY, coerce=int, empty_value=None, required=False
            )

    def flags(self) -> list[tuple[Question, forms.BoundField]]:
        return [(question, self[f"flag_{question.id}"]) for question in QUESTIONS]

    def signs(self) -> list[forms.BoundField]:
        return [self[f"sign_{sign}"] for sign in screening.SIGNS]

    def pain(self) -> list[forms.BoundField]:
        return [self[name] for name in self.PAIN]

    def life(self) -> list[forms.BoundField]:
        return [self[name] for name in self.LIFE]

    def injury(self) -> list[forms.BoundField]:
        return [self[name] for name in self.INJURY]

    def answers(self) -> screening.IntakeAnswers:
        said = self.cleaned_data
        plain = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in said.items()
            if not name.startswith(("flag_", "sign_"))
        }
        signs = {
            sign: said[f"sign_{sign}"]
            for sign in screening.SIGNS
            if said[f"sign_{sign}"] is not None
        }
        return screening.IntakeAnswers(signs=signs, **plain)

    def red_flag_answers(self) -> dict[str, str]:
        return {question.id: self.cleaned_data[f"flag_{question.id}"] for question in QUESTIONS}


def intake(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    patient = open_patient(request, pk, "intake")
    form = IntakeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            record_intake(
                patient=patient,
                answers=form.answers(),
                red_flag_answers=form.red_flag_answers(),
                by=request.user,
                at=timezone.now(),
            )
            return redirect(address_of(patient, "patient_assign"))
        except ValidationError as error:
            put_errors(form, error)
    return portal.page(
        request,
        "admin/portal/intake.html",
        {"title": "Intake screening", "patient": patient, "form": form},
        status=400 if form.errors else 200,
    )
