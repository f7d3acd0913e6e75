"""Going over to maintenance, with or without a taper, and back to building."""

import datetime as dt
import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from programs import taper
from programs.clinician.fields import REASON_HINT, PortalForm, date_field, reason_field
from programs.clinician.opening import address_of, open_patient, portal
from programs.form_errors import put_errors
from programs.models import Program, ProgramVersion
from programs.positions import standing_of
from programs.today import program_for
from programs.upkeep import build_again, keep_up

# Days a week, step by step; the last one goes on.
PLANS = {
    "": ("No taper, the days stay as they are", ()),
    "5,3,2": ("5, then 3, then 2 days a week", (5, 3, 2)),
    "4,2": ("4, then 2 days a week", (4, 2)),
    "3,2,1": ("3, then 2, then 1 day a week", (3, 2, 1)),
    "3": ("3 days a week from the first day on", (3,)),
    "2": ("2 days a week from the first day on", (2,)),
}


class UpkeepForm(PortalForm):
    plan = forms.ChoiceField(
        label="Taper",
        required=False,
        choices=[(key, words) for key, (words, _days) in PLANS.items()],
        widget=forms.RadioSelect,
    )
    first = date_field("First day of it")
    weeks_each = forms.IntegerField(
        label="Weeks for each step",
        min_value=1,
        max_value=12,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"),
            "Weeks for each step: write a number from 1 to 12.",
        ),
    )
    reason = reason_field("Why", help_text=REASON_HINT)

    def days(self) -> tuple[int, ...]:
        return PLANS[self.cleaned_data["plan"]][1]


class BuildForm(PortalForm):
    reason = reason_field("Why", help_text=REASON_HINT)


def maintenance(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """How far the program has come, then the form; in maintenance also the way back."""
    patient = open_patient(request, pk, "maintenance")
    program = program_for(patient)
    if program is None:
        raise Http404
    version = program.current_version
    back = request.method == "POST" and request.POST.get("step") == "build"
    sent = request.POST if request.method == "POST" else None
    form = UpkeepForm(None if back else sent, initial=_initial(program))
    build = BuildForm(sent if back else None, auto_id="build_%s")
    chosen: UpkeepForm | BuildForm = build if back else form
    if sent is not None:
        if request.POST.get("version") != str(version.number):
            chosen.add_error(None, "The program has changed while this page was open. Look again.")
        elif chosen.is_valid():
            try:
                made = _make(request, program, form, build if back else None)
                messages.success(request, f"Version {made.number} is in force.")
                return redirect(address_of(patient))
            except ValidationError as error:
                put_errors(chosen, error, also={"days": "plan"})
    context = {
        "title": "Maintenance" if version.maintenance_since else "Go over to maintenance",
        "patient": patient,
        "program": program,
        "version": version,
        "form": form,
        "build": build,
        "reached": _reached(program),
        "steps": _steps(form),
        "running": taper.from_json(version.taper),
    }
    status = 400 if chosen.errors else 200
    return portal.page(request, "admin/portal/maintenance.html", context, status=status)


@require_POST
def maintenance_live(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The steps of the taper as the form has them, as a fragment."""
    open_patient(request, pk, "maintenance")
    form = UpkeepForm(request.POST)
    form.is_valid()
    return render(request, "admin/portal/maintenance_live.html", {"steps": _steps(form)})


def _make(
    request: HttpRequest, program: Program, form: UpkeepForm, build: BuildForm | None
) -> ProgramVersion:
    at = timezone.now()
    seen = program.current_version.number
    if build is not None:
        return build_again(program=program, by=request.user, at=at, seen=seen, **build.cleaned_data)
    said = form.cleaned_data
    return keep_up(
        program=program,
        by=request.user,
        reason=said["reason"],
        days=form.days(),
        first=said["first"],
        weeks_each=said["weeks_each"],
        at=at,
        seen=seen,
    )


def _initial(program: Program) -> dict[str, Any]:
    return {
        "plan": "",
        "first": program.patient.local_date(timezone.now()),
        "weeks_each": 2,
    }


def _reached(program: Program) -> tuple[int, int]:
    """How many of the exercises of the routine stand at the top of their ladder, and of how
    many."""
    today = program.patient.local_date(timezone.now())
    standing = standing_of(program.current_version, today=today, calm_fortnight=True)
    found = standing.open_positions()
    return sum(position.level == position.top for position in found), len(found)


def _steps(form: UpkeepForm) -> list[tuple[taper.Step, dt.date | None]]:
    """Each step with its last day; the last of them has none."""
    said = form.cleaned_data if form.is_bound and hasattr(form, "cleaned_data") else {}
    if not said.get("plan") or not said.get("first") or not said.get("weeks_each"):
        return []
    days = PLANS[said["plan"]][1]
    steps, _wrong = taper.schedule(days, first=said["first"], weeks_each=said["weeks_each"])
    ends = [step.first - dt.timedelta(days=1) for step in steps[1:]]
    return list(zip(steps, [*ends, None], strict=True)) if steps else []
