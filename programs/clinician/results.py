"""Outcome measures of one patient: what came out, and entering a result by hand."""

import datetime as dt
import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from clinic.roles import May, may
from patients.measures import ScoreRule, open_point
from patients.measuring import enter_result, shape_of
from patients.models import Patient, Point, Questionnaire
from programs.clinician.fields import PortalForm, date_field
from programs.clinician.opening import address_of, open_patient, portal
from programs.form_errors import put_errors
from programs.today import program_for

OTHER = "other"


class ResultForm(PortalForm):
    """``choices`` are the scores of the questionnaires in use, and one for any other."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    what = forms.ChoiceField(label="Result of")
    title = forms.CharField(
        label="Name, if it is another questionnaire",
        max_length=200,
        required=False,
        help_text="Such as the questionnaire’s short name and version.",
    )
    day = date_field("Taken on")
    point = forms.ChoiceField(label="When", choices=Point.choices)
    value = forms.FloatField(label="Score", required=False, min_value=-1000, max_value=1000)
    band = forms.CharField(
        label="In words (optional)",
        max_length=100,
        required=False,
        help_text="Such as low, medium or high, where the questionnaire says so.",
    )

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.rules: dict[str, tuple[Questionnaire, ScoreRule]] = {}
        for row in Questionnaire.objects.current():
            for rule in shape_of(row).scores:
                self.rules[f"{row.pk}:{rule.id}"] = (row, rule)
        self.fields["what"].choices = [
            *[(key, _words(row, rule)) for key, (row, rule) in self.rules.items()],
            (OTHER, "Another questionnaire"),
        ]

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        if said.get("what") == OTHER and not said.get("title"):
            self.add_error("title", "Say which questionnaire it is.")
        if said.get("value") is None and not said.get("band") and "value" not in self.errors:
            self.add_error("value", "Write the score, or what it means in words.")
        return said

    def result(self) -> dict[str, Any]:
        """What ``enter_result`` takes."""
        said = self.cleaned_data
        row, rule = self.rules.get(said["what"], (None, None))
        band = said["band"]
        if rule is not None and not band and said["value"] is not None:
            band = next((b.title.own for b in rule.bands if b.low <= said["value"] <= b.high), "")
        return {
            "client_id": said["client_id"],
            "questionnaire": row,
            "title": row.title if row else said["title"],
            "day": said["day"],
            "point": said["point"],
            "scores": [
                {
                    "id": rule.id if rule else "result",
                    "title": rule.title.own if rule else said["title"],
                    "value": said["value"],
                    "band": band,
                }
            ],
        }


def _words(row: Questionnaire, rule: ScoreRule) -> str:
    same = row.title.casefold() in rule.title.own.casefold()
    return rule.title.own if same else f"{row.title}: {rule.title.own}"


def results(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Every result, newest first, with the form below for those who may assess."""
    patient = open_patient(request, pk, "results")
    allowed = may(request.user, May.ASSESS)
    if request.method == "POST" and not allowed:
        raise PermissionDenied
    today = patient.local_date(timezone.now())
    form = ResultForm(
        request.POST or None,
        initial={"client_id": uuid.uuid4(), "day": today, "point": _point(patient, today)},
    )
    if request.method == "POST" and form.is_valid():
        try:
            enter_result(patient=patient, by=request.user, at=timezone.now(), **form.result())
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(request, "The result is kept.")
            return redirect(address_of(patient, "patient_results"))
    context = {
        "title": "Outcome measures",
        "patient": patient,
        "form": form if allowed else None,
        "results": list(patient.measures.select_related("questionnaire", "entered_by")),
    }
    status = 400 if form.errors else 200
    return portal.page(request, "admin/portal/results.html", context, status=status)


def _point(patient: Patient, today: dt.date) -> str:
    program = program_for(patient)
    point = open_point(started_on=program.started_on, today=today) if program else None
    return point or Point.BETWEEN
