"""What the intake suggests, and giving the patient a program."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from clinic.models import User
from patients.choosing import remind_at, want_reminders
from patients.models import IntakeScreening, Patient
from patients.red_flagging import describe
from programs.assigning import assign_program, draft_program
from programs.clinician.fields import PortalForm, date_field, time_field
from programs.clinician.opening import address_of, open_patient, portal
from programs.content_files import cue_sets
from programs.form_errors import put_errors
from programs.models import Pathway, Prescription, Program, ProgramTemplate, ProgramVersion
from programs.positions import prescriptions_of, standing_of
from programs.week import WeekDay, week_of


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
    channels = forms.MultipleChoiceField(
        label="Reminder by", required=False, widget=forms.CheckboxSelectMultiple
    )
    reason = forms.CharField(
        label="Note on the choice (optional)",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, data: Any = None, *, patient: Patient, by: User, **kwargs: Any) -> None:
        points = list(patient.contact_points.all())
        kwargs["initial"] = {
            **kwargs.get("initial", {}),
            "channels": [str(point.pk) for point in points if point.reminders],
        }
        super().__init__(data, **kwargs)
        templates = ProgramTemplate.objects.current().visible_to(by)
        self.fields["template"].queryset = templates.prefetch_related("items__exercise")
        self.fields["channels"].choices = [
            (str(point.pk), f"{point.get_channel_display()}, {point.address}") for point in points
        ]
        if not points:
            del self.fields["channels"]

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
    form = AssignForm(
        request.POST or None, patient=patient, by=request.user, initial=_initial(patient, intake)
    )
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
        "preview": _preview(patient, _wanted(form, request.method == "POST")),
        "suggestion": intake.suggestion if intake else None,
        "suggested_template": names.get(intake.suggestion["template"], "") if intake else "",
        "suggested_pathway": dict(Pathway.choices).get(intake.suggestion["pathway"], "")
        if intake
        else "",
    }
    status = 400 if form.errors else 200
    return portal.page(request, "admin/portal/assign.html", context, status=status)


@require_POST
def assign_live(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The first week of the chosen template, as a fragment."""
    patient = open_patient(request, pk, "assign")
    form = AssignForm(request.POST, patient=patient, by=request.user)
    preview = _preview(patient, _wanted(form, True))
    return render(request, "admin/portal/assign_live.html", {"preview": preview})


@dataclass(frozen=True)
class Preview:
    """The first routine of a program that is not assigned yet, and what waits in it."""

    template: ProgramTemplate
    first: WeekDay
    days: list[WeekDay]
    waiting: list[tuple[Prescription, str]]


def _wanted(form: AssignForm, sent: bool) -> dict[str, Any]:
    """What the form holds of the choices the preview needs, whether it is whole or not."""
    if sent:
        form.is_valid()
        said = form.cleaned_data
    else:
        slug = form.initial.get("template")
        rows = form.fields["template"].queryset
        said = {**form.initial, "template": rows.filter(slug=slug).first()}
    return {name: said.get(name) for name in ("template", "pathway", "started_on")}


def _preview(patient: Patient, wanted: dict[str, Any]) -> Preview | None:
    template = wanted["template"]
    if template is None:
        return None
    at = timezone.now()
    today = patient.local_date(at)
    pathway = wanted["pathway"] or template.pathways[0]
    try:
        program, version = draft_program(
            patient=patient,
            template=template,
            pathway=pathway,
            started_on=wanted["started_on"] or today,
            at=at,
        )
    except ValidationError:
        # The template holds what may not be prescribed now; the button says so in words.
        return None
    days = week_of(program=program, version=version, first=today)
    standing = standing_of(version, today=days[0].day, calm_fortnight=True)
    rows = {p.exercise.slug: p for p in prescriptions_of(version)}
    waits = ((one.exercise, standing.waits_for(one)) for one in standing.positions)
    waiting = [(rows[exercise], needs) for exercise, needs in waits if needs]
    return Preview(template, days[0], days, waiting)


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
    channels = said.pop("channels", None)
    if channels is not None:
        for point in patient.contact_points.all():
            wanted = str(point.pk) in channels
            if wanted != point.reminders:
                want_reminders(point=point, wanted=wanted, by=by, at=at)
    return assign_program(patient=patient, by=by, at=at, **said)
