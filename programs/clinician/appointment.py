"""One appointment: making it, moving it, and how it ended."""

import datetime as dt
import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from clinic.models import User
from clinic.quiet_hours import local_moment
from patients.appointing import (
    cancel_appointment,
    make_appointment,
    move_appointment,
    settle_appointment,
)
from patients.models import Appointment, Patient
from programs import caseload
from programs.clinician import agenda
from programs.clinician.fields import PortalForm, date_field, time_field
from programs.clinician.opening import open_patient, portal
from programs.form_errors import put_errors

_MINUTES = [(n, f"{n} minutes") for n in (15, 20, 30, 45, 60, 90)]
# The verb's one moment is two fields of the form.
_ALSO = {"starts_at": "time"}


class WhenForm(PortalForm):
    """Day and time are those of the patient's site."""

    physiotherapist = forms.ModelChoiceField(
        label="With", queryset=User.objects.none(), empty_label=None
    )
    day = date_field("Day")
    time = time_field("Time")
    minutes = forms.TypedChoiceField(label="Takes", choices=_MINUTES, coerce=int, initial=30)

    def __init__(self, data: Any = None, *, user: User, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        people = agenda.physiotherapists_for(user)
        self.fields["physiotherapist"].queryset = User.objects.filter(
            pk__in=[person.pk for person in people]
        ).order_by("name")

    def said(self, patient: Patient) -> dict[str, Any]:
        """What the verbs take."""
        kept = self.cleaned_data
        starts_at = local_moment(kept["day"], kept["time"], patient.site.zone)
        return {
            "physiotherapist": kept["physiotherapist"],
            "starts_at": starts_at,
            "minutes": kept["minutes"],
        }


class NewForm(WhenForm):
    patient = forms.CharField(label="Patient", max_length=80, help_text="Number or name.")
    field_order = ["patient", "physiotherapist", "day", "time", "minutes"]

    def __init__(self, data: Any = None, *, user: User, **kwargs: Any) -> None:
        super().__init__(data, user=user, **kwargs)
        self.user = user

    def clean_patient(self) -> Patient:
        """The one patient meant; names several where it could be several."""
        words = self.cleaned_data["patient"].replace("\0", "").strip()
        visible = Patient.objects.visible_to(self.user).select_related("site")
        exact = visible.filter(number__iexact=words).first()
        if exact is not None:
            return exact
        found = list(
            caseload.patients_on_board(user=self.user, scope="site", search=words).select_related(
                "site"
            )[:6]
        )
        if len(found) == 1:
            return found[0]
        if not found:
            raise ValidationError("Nobody here has this name or number.")
        names = "; ".join(f"{patient.number} {patient.name}" for patient in found[:5])
        more = "; and more" if len(found) > 5 else ""
        raise ValidationError(f"Which one? Write the number: {names}{more}.")


def new(request: HttpRequest) -> HttpResponse:
    """Book one; GET may say ``patient`` (number), ``who``, ``day`` and ``time``."""
    form = NewForm(request.POST or None, user=request.user, initial=_asked(request))
    if request.method == "POST" and form.is_valid():
        patient = form.cleaned_data["patient"]
        try:
            made = make_appointment(
                patient=patient, by=request.user, at=timezone.now(), **form.said(patient)
            )
        except ValidationError as error:
            put_errors(form, error, also=_ALSO)
        else:
            messages.success(request, f"Booked: {patient.name}, {_said(made)}.")
            return redirect(agenda.address_in(_day(made), made.physiotherapist))
    return portal.page(
        request,
        "admin/portal/appointment_new.html",
        {"title": "New appointment", "form": form},
        status=400 if form.errors else 200,
    )


def appointment(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Read it; move it, cancel it, or say whether the patient came."""
    found = agenda.one(pk, request.user)
    if found is None:
        raise Http404
    open_patient(request, found.patient_id, "appointment")
    zone = found.site.zone
    local = timezone.localtime(found.starts_at, zone)
    minutes = (found.ends_at - found.starts_at) // dt.timedelta(minutes=1)
    initial = {
        "physiotherapist": found.physiotherapist_id,
        "day": local.date(),
        "time": local.time(),
        "minutes": minutes,
    }
    does = request.POST.get("does", "") if request.method == "POST" else ""
    form = WhenForm(request.POST if does == "move" else None, user=request.user, initial=initial)
    choices = form.fields["minutes"].choices
    if minutes not in dict(choices):
        form.fields["minutes"].choices = sorted([*choices, (minutes, f"{minutes} minutes")])
    problem = ""
    if does:
        try:
            done = _act(request, found, does, form)
        except ValidationError as error:
            if does == "move":
                put_errors(form, error, also=_ALSO)
            else:
                problem = " ".join(error.messages)
        else:
            if done:
                messages.success(request, done)
                return redirect("admin:appointment", pk=found.pk)
    return portal.page(
        request,
        "admin/portal/appointment.html",
        {
            "title": "Appointment",
            "appointment": found,
            "patient": found.patient,
            "local": local,
            "local_end": timezone.localtime(found.ends_at, zone),
            "form": form,
            "problem": problem,
            "begun": found.starts_at <= timezone.now(),
            "back": agenda.address_in(local.date(), found.physiotherapist),
        },
        status=400 if problem or form.errors else 200,
    )


def _act(request: HttpRequest, found: Appointment, does: str, form: WhenForm) -> str:
    """Do what the button says; returns what was done, or nothing where the form is not filled."""
    who: dict[str, Any] = {"appointment": found, "by": request.user, "at": timezone.now()}
    reason = request.POST.get("reason", "").replace("\0", "")[:200]
    if does == "move":
        if not form.is_valid():
            return ""
        moved = move_appointment(**form.said(found.patient), reason=reason, **who)
        return f"Moved to {_said(moved)}."
    if does == "cancel":
        cancel_appointment(reason=reason, **who)
        return "Cancelled. No reminder goes out for it."
    if does in ("came", "missed"):
        settle_appointment(came=does == "came", **who)
        return "Noted: came." if does == "came" else "Noted: did not come."
    raise Http404


def _asked(request: HttpRequest) -> dict[str, Any]:
    asked = {name: request.GET.get(name, "")[:40] for name in ("patient", "day", "time")}
    who = request.GET.get("who", "")
    clinician = request.user.pk if request.user.is_clinician else None
    asked["physiotherapist"] = who if who.isdecimal() else clinician
    return {name: value for name, value in asked.items() if value}


def _day(made: Appointment) -> dt.date:
    return timezone.localtime(made.starts_at, made.site.zone).date()


def _said(made: Appointment) -> str:
    local = timezone.localtime(made.starts_at, made.site.zone)
    return f"{local:%A} {local.day} {local:%B}, {local:%H:%M}"
