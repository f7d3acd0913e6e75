"""What the intake suggests, and giving the patient a program."""

import datetime as dt
import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from clinic.models import User
from patients.choosing import remind_at
from patients.models import IntakeScreening, Patient
from patients.red_flagging import describe
from programs.assigning import assign_program
from programs.clinician.fields import PortalForm, date_field, time_field
from programs.clinician.opening import address_of, open_patient, portal
from programs.content_files import cue_sets
from programs.form_errors import put_errors
from programs.models import Pathway, Program, ProgramTemplate, ProgramVersion


class AssignForm(PortalForm):
    template = forms.ModelChoiceField(
        label="Program template",
        queryset=ProgramTemplate.objects.none(),
        to_field_name="slug",
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a template."},
    )
    pathway = forms.ChoiceField(
        label="Pathway", choices=Pathway.choices, help_text="Which thresholds and gates apply."
    )
    cue_set = forms.ChoiceField(
        label="How the core is cued",
        choices=ProgramVersion.CueSet.choices,
        widget=forms.RadioSelect,
        initial=ProgramVersion.CueSet.DRAW_IN,
    )
    started_on = date_field("First day")
    reminder_time = time_field("Reminder at", help_text="In the patient’s own time.")
    reason = forms.CharField(
        label="Note on the choice (optional)",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.fields["template"].queryset = ProgramTemplate.objects.current()

    def templates(self) -> list[tuple[Any, ProgramTemplate]]:
        """Each choice with its row, for the page to say what it is; the suggested one first."""
        rows = {row.slug: row for row in self.fields["template"].queryset}
        found = [(choice, rows[str(choice.data["value"])]) for choice in self["template"]]
        suggested = self.initial.get("template")
        return sorted(found, key=lambda pair: pair[1].slug != suggested)

    def cues(self) -> list[tuple[Any, str]]:
        known = cue_sets()
        return [(choice, known[choice.data["value"]].summary) for choice in self["cue_set"]]


def assign(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The suggestion with its reasons, and the form prefilled from it. With an open red flag the
    emergency text stands here instead, and nothing can be assigned."""
    patient = open_patient(request, pk, "assign")
    flags = list(patient.red_flags.open())
    intake = patient.intake_screenings.select_related("taken_by").first()
    context: dict[str, Any] = {
        "title": "Assign a program",
        "patient": patient,
        "intake": intake,
        "flags": [(flag, describe(flag.answers)) for flag in flags],
        "emergency": any(flag.severity == "emergency" for flag in flags),
        "running": patient.programs.running().first(),
    }
    if flags or context["running"]:
        status = 200 if request.method == "GET" else 400
        return portal.page(request, "admin/portal/assign.html", context, status=status)
    form = AssignForm(request.POST or None, initial=_initial(patient, intake))
    if request.method == "POST" and form.is_valid():
        try:
            program = _assign(patient, request.user, form.cleaned_data)
            messages.success(request, f"Assigned. The first day is {program.started_on:%A %-d %B}.")
            return redirect(address_of(patient))
        except ValidationError as error:
            put_errors(form, error)
    names = dict(ProgramTemplate.objects.current().values_list("slug", "name"))
    context |= {
        "form": form,
        "suggestion": intake.suggestion if intake else None,
        "suggested_template": names.get(intake.suggestion["template"], "") if intake else "",
        "suggested_pathway": dict(Pathway.choices).get(intake.suggestion["pathway"], "")
        if intake
        else "",
    }
    status = 400 if form.errors else 200
    return portal.page(request, "admin/portal/assign.html", context, status=status)


def _initial(patient: Patient, intake: IntakeScreening | None) -> dict[str, Any]:
    suggested = intake.suggestion if intake else {}
    return {
        "template": suggested.get("template"),
        "pathway": suggested.get("pathway", Pathway.CHRONIC),
        "started_on": patient.local_date(timezone.now()),
        "reminder_time": _hour_of(patient),
    }


def _hour_of(patient: Patient) -> dt.time:
    return getattr(patient.contact_points.first(), "reminder_time", dt.time(8))


@transaction.atomic
def _assign(patient: Patient, by: User, said: dict[str, Any]) -> Program:
    at = timezone.now()
    time = said.pop("reminder_time")
    if time != _hour_of(patient):
        # Left as it stood, it takes no hour away that the patient chose for one channel.
        remind_at(patient=patient, time=time, by=by, at=at)
    return assign_program(patient=patient, by=by, at=at, **said)
