"""One appointment: making it, moving it, and how it ended."""

import datetime as dt
import uuid
from typing import Any
from zoneinfo import ZoneInfo

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
    require_planned,
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
    """Day and time are those of the zone that ``said`` is given."""

    physiotherapist = forms.ModelChoiceField(
        label="With", queryset=User.objects.none(), empty_label=None
    )
    day = date_field("Day")
    time = time_field("Time")
    minutes = forms.TypedChoiceField(label="Takes", choices=_MINUTES, coerce=int, initial=30)
    # Asked only where they are away then.
    although_away = forms.BooleanField(label="Book it all the same", required=False)

    def __init__(self, data: Any = None, *, user: User, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        people = agenda.physiotherapists_for(user)
        self.fields["physiotherapist"].queryset = User.objects.filter(
            pk__in=[person.pk for person in people]
        ).order_by("name")

    def said(self, zone: ZoneInfo) -> dict[str, Any]:
        """What the verbs take."""
        kept = self.cleaned_data
        starts_at = local_moment(kept["day"], kept["time"], zone)
        return {
            "physiotherapist": kept["physiotherapist"],
            "starts_at": starts_at,
            "minutes": kept["minutes"],
            "refuse_away": not kept["although_away"],
        }


class NewForm(WhenForm):
    patient = forms.CharField(label="Patient", max_length=80, help_text="Number or name.")
    zone = forms.ChoiceField(
        label="Day and time are those of",
        error_messages={"invalid_choice": "Choose the clocks that day and time are meant on."},
    )
    field_order = ["patient", "physiotherapist", "day", "time", "zone"]

    def __init__(self, data: Any = None, *, user: User, **kwargs: Any) -> None:
        super().__init__(data, user=user, **kwargs)
        self.user = user
        zones = agenda.zones_of(user)
        if len(zones) > 1:
            self.fields["zone"].choices = [(zone, zone) for zone in zones]
        else:
            del self.fields["zone"]

    def zone_meant(self) -> ZoneInfo:
        """The zone that was chosen; without a choice that of the patient's site."""
        zone = self.cleaned_data.get("zone")
        return ZoneInfo(zone) if zone else self.cleaned_data["patient"].site.zone

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
    """Book one; GET may say ``patient`` (number), ``who``, ``day``, ``time`` and ``zone``, on
    whose clocks they are meant."""
    form = NewForm(request.POST or None, user=request.user, initial=_asked(request))
    if request.method == "POST" and form.is_valid():
        patient = form.cleaned_data["patient"]
        try:
            made = make_appointment(
                patient=patient,
                by=request.user,
                at=timezone.now(),
                **form.said(form.zone_meant()),
            )
        except ValidationError as error:
            put_errors(form, error, also=_ALSO)
        else:
            said = _said(made, request.user)
            messages.success(request, f"Booked: {patient.name}, {said}.")
            return redirect(agenda.address_of_week(made, request.user))
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
            # A colleague, or another tab of the same desk, may have ended it meanwhile.
            found.refresh_from_db(fields=["status", "reason"])
            if does == "move" and found.status == Appointment.Status.PLANNED:
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
            "several_zones": len(agenda.zones_of(request.user)) > 1,
            "back": agenda.address_of_week(found, request.user),
        },
        status=400 if problem or form.errors else 200,
    )


def _act(request: HttpRequest, found: Appointment, does: str, form: WhenForm) -> str:
    """Do what the button says; returns what was done, or nothing where the form is not filled."""
    who: dict[str, Any] = {"appointment": found, "by": request.user, "at": timezone.now()}
    reason = request.POST.get("reason", "").replace("\0", "")[:200]
    if does == "move":
        require_planned(found)
        if not form.is_valid():
            return ""
        moved = move_appointment(**form.said(found.site.zone), reason=reason, **who)
        return f"Moved to {_said(moved, request.user)}."
    if does == "cancel":
        cancel_appointment(reason=reason, **who)
        return "Cancelled. No reminder goes out for it."
    if does in ("came", "missed"):
        settle_appointment(came=does == "came", **who)
        return "Noted: came." if does == "came" else "Noted: did not come."
    raise Http404


def _asked(request: HttpRequest) -> dict[str, Any]:
    asked = {name: request.GET.get(name, "")[:64] for name in ("patient", "day", "time", "zone")}
    who = request.GET.get("who", "")
    asked["physiotherapist"] = who if who.isdecimal() else _usual(request.user, asked["patient"])
    if asked["patient"] and not asked["zone"]:
        patient = _numbered(request.user, asked["patient"])
        asked["zone"] = patient.site.time_zone if patient else ""
    return {name: value for name, value in asked.items() if value}


def _usual(user: User, number: str) -> int | None:
    """Whom somebody books with most often: the patient's own physiotherapist, else themselves."""
    patient = _numbered(user, number) if number else None
    own = patient.physiotherapist_id if patient else None
    if own in {person.pk for person in agenda.physiotherapists_for(user)}:
        return own
    return user.pk if user.is_clinician else None


def _numbered(user: User, number: str) -> Patient | None:
    visible = Patient.objects.visible_to(user).select_related("site")
    return visible.filter(number__iexact=number.replace("\0", "")).first()


def _said(made: Appointment, user: User) -> str:
    """Day and time on the clocks of its site, which are named where there could be others."""
    local = timezone.localtime(made.starts_at, made.site.zone)
    named = f" ({made.site.time_zone})" if len(agenda.zones_of(user)) > 1 else ""
    return f"{local:%A} {local.day} {local:%B}, {local:%H:%M}{named}"
