"""Making a patient's record, and keeping its addresses and consents current."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from clinic.models import Role, Site, User
from clinic.roles import May, may
from patients import weekdays
from patients.choosing import choose_reminders, want_reminders
from patients.consent_wordings import wording
from patients.consenting import OwnNo, give_consent, own_no_at, withdraw_consent
from patients.contacting import change_record, remove_contact_point
from patients.models import Consent, ContactPoint, Patient
from patients.models.consent import RECORDED_WAYS, Way
from patients.registering import add_contact_point, register_patient
from programs.clinician.consents import PURPOSES, lines_of
from programs.clinician.fields import PortalForm, date_field, time_field, whole_number
from programs.clinician.opening import address_of, open_patient, portal
from programs.form_errors import put_errors

_WAYS = [(way.value, way.label) for way in RECORDED_WAYS]


class PersonForm(PortalForm):
    """Who somebody is; both forms of this page begin with it."""

    given_name = forms.CharField(label="Given name", max_length=80)
    family_name = forms.CharField(label="Family name", max_length=80)
    date_of_birth = date_field("Date of birth", required=False)
    physiotherapist = forms.ModelChoiceField(
        label="Physiotherapist", queryset=User.objects.none(), empty_label=None
    )
    language = forms.ChoiceField(
        label="Messages in", choices=settings.LANGUAGES, initial=settings.LANGUAGE_CODE
    )

    def __init__(self, data: Any = None, *, sites: Any, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.fields["physiotherapist"].queryset = User.objects.filter(
            role=Role.PHYSIOTHERAPIST, is_active=True, sites__in=sites
        ).distinct()


class RegisterForm(PersonForm):
    email = forms.EmailField(
        label="E-mail", required=False, help_text="The patient signs in with it."
    )
    phone = forms.CharField(
        label="Mobile",
        required=False,
        max_length=32,
        help_text="With country code, such as +44 7700 900123.",
    )
    reminder_time = time_field(
        "Reminder at", initial=dt.time(8), help_text="In the patient’s own time."
    )
    site = forms.ModelChoiceField(label="Site", queryset=Site.objects.none(), empty_label=None)
    consents = forms.MultipleChoiceField(
        label="The patient has agreed to",
        choices=PURPOSES,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    way = forms.ChoiceField(label="How they agreed", choices=_WAYS, initial=Way.IN_PERSON)
    # Asked only where somebody of that name is there.
    somebody_else = forms.BooleanField(
        label="This is somebody else of the same name", required=False
    )

    field_order = [
        "given_name",
        "family_name",
        "date_of_birth",
        "email",
        "phone",
        "physiotherapist",
        "site",
        "reminder_time",
        "language",
        "consents",
        "way",
    ]

    def __init__(self, data: Any = None, *, sites: Any, **kwargs: Any) -> None:
        super().__init__(data, sites=sites, **kwargs)
        self.fields["site"].queryset = sites

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        agreed = said.get("consents", [])
        if Consent.Purpose.RECORD not in agreed and "consents" not in self.errors:
            self.add_error("consents", "Without a yes to a record of care there is no record.")
        if Consent.Purpose.EMAIL in agreed and not (said.get("email") or self.errors.get("email")):
            self.add_error("email", "Reminders by e-mail need an address.")
        if Consent.Purpose.SMS in agreed and not said.get("phone"):
            self.add_error("phone", "Reminders by text message need a mobile number.")
        return said


def _sites_of(user: User) -> Any:
    return Site.objects.all() if user.is_superuser else user.sites.all()


def register(request: HttpRequest) -> HttpResponse:
    """A new patient: the record, the addresses and what was agreed, in one go."""
    sites = _sites_of(request.user)
    initial = {"site": sites.first()}
    if request.user.is_clinician:
        initial["physiotherapist"] = request.user
    form = RegisterForm(request.POST or None, sites=sites, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            patient = _register(request.user, form.cleaned_data)
            messages.success(request, f"{patient.name} is registered as {patient.number}.")
            onward = "patient_intake" if may(request.user, May.ASSESS) else "patient"
            return redirect(address_of(patient, onward))
        except ValidationError as error:
            put_errors(form, error)
    return portal.page(
        request,
        "admin/portal/register.html",
        {
            "title": "New patient",
            "form": form,
            "wordings": [wording(purpose) for purpose, _ in PURPOSES],
        },
        status=400 if form.errors else 200,
    )


@transaction.atomic
def _register(by: User, said: dict[str, Any]) -> Patient:
    at = timezone.now()
    others = ("consents", "way", "somebody_else")
    fields = {name: value for name, value in said.items() if name not in others}
    patient = register_patient(by=by, at=at, refuse_namesake=not said["somebody_else"], **fields)
    for purpose in said["consents"]:
        give_consent(patient=patient, purpose=purpose, way=said["way"], by=by, at=at)
    return patient


class AddressForm(PortalForm):
    channel = forms.ChoiceField(label="Kind", choices=[("email", "E-mail"), ("sms", "Mobile")])
    address = forms.CharField(label="Address or number", max_length=254)


class HoursForm(PortalForm):
    """When reminders go to one address."""

    reminder_time = time_field("Reminder at", help_text="In the patient’s own time.")
    reminder_days = forms.TypedMultipleChoiceField(
        label="On",
        choices=list(enumerate(weekdays.NAMES)),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one day."},
    )
    second_nudge = forms.BooleanField(
        label="Once more later in the day if nothing was recorded", required=False
    )


@dataclass
class AddressLine:
    """One address as the page shows it, with the form for its hours."""

    point: ContactPoint
    form: HoursForm
    no: OwnNo | None
    days: str


def _address_lines(patient: Patient, does: str, data: Any) -> list[AddressLine]:
    points = patient.contact_points.select_related("patient__site", "patient__user")
    return [
        AddressLine(
            point=point,
            form=HoursForm(
                data if does == "hours" and data.get("point") == str(point.pk) else None,
                prefix=f"p{point.pk}",
                initial={
                    "reminder_time": point.reminder_time,
                    "reminder_days": weekdays.weekdays_of(point.reminder_days),
                    "second_nudge": point.second_nudge,
                },
            ),
            no=own_no_at(point),
            days=weekdays.in_words(point.reminder_days),
        )
        for point in points
    ]


def record(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Who the patient is and how to reach them; each form on the page says what it ``does``."""
    patient = open_patient(request, pk, "record")
    sites = _sites_of(request.user)
    does = request.POST.get("does", "")
    initial = {name: getattr(patient, name) for name in PersonForm.base_fields}
    person = PersonForm(request.POST if does == "person" else None, sites=sites, initial=initial)
    address = AddressForm(request.POST if does == "address" else None)
    lines = _address_lines(patient, does, request.POST)
    hours = next((line for line in lines if line.form.is_bound), None)
    problem = ""
    if request.method == "POST":
        try:
            problem = _keep(request, patient, does, person, address, hours)
        except ValidationError as error:
            target = {"person": person, "address": address}.get(does)
            target = hours.form if hours else target
            if target is None:
                problem = " ".join(error.messages)
            else:
                put_errors(target, error, also={"email": "address", "phone": "address"})
        if not (problem or person.errors or address.errors or (hours and hours.form.errors)):
            messages.success(request, "Kept.")
            return redirect(address_of(patient, "patient_record"))
    return portal.page(
        request,
        "admin/portal/record.html",
        {
            "title": "Record and contact",
            "patient": patient,
            "person": person,
            "address": address,
            "problem": problem,
            "lines": lines,
            "consents": lines_of(patient),
            "ways": _WAYS,
        },
        status=200 if request.method != "POST" else 400,
    )


def _keep(
    request: HttpRequest,
    patient: Patient,
    does: str,
    person: PersonForm,
    address: AddressForm,
    hours: AddressLine | None,
) -> str:
    """Do one change; returns what is wrong in words, or nothing."""
    by, at = request.user, timezone.now()
    if does == "person":
        if person.is_valid():
            change_record(patient=patient, by=by, at=at, **person.cleaned_data)
        return ""
    if does == "address":
        if address.is_valid():
            add_contact_point(patient=patient, by=by, **address.cleaned_data)
        return ""
    if hours is not None:
        if hours.form.is_valid():
            said = hours.form.cleaned_data
            choose_reminders(
                point=hours.point,
                time=said["reminder_time"],
                days=weekdays.mask_of(said["reminder_days"]),
                second_nudge=said["second_nudge"],
                by=by,
                at=at,
            )
        return ""
    if does in ("remind", "quiet", "remove", "hours"):
        point = _point(patient, request.POST.get("point", ""))
        if point is None:
            return "This address is not there any more."
        if does == "remove":
            remove_contact_point(point=point, by=by, at=at)
        else:
            want_reminders(point=point, wanted=does == "remind", by=by, at=at)
        return ""
    purpose = request.POST.get("purpose", "")
    if does == "agree" and purpose in Consent.Purpose.values:
        way = request.POST.get("way", Way.IN_PERSON)
        give_consent(patient=patient, purpose=purpose, way=way, by=by, at=at)
        return ""
    if does == "withdraw" and purpose in Consent.Purpose.values:
        withdraw_consent(patient=patient, purpose=purpose, by=by, at=at)
        return ""
    return "That was not one of the choices on this page."


def _point(patient: Patient, text: str) -> ContactPoint | None:
    # None finds nothing.
    number = whole_number(text)
    return patient.contact_points.select_related("patient__user").filter(pk=number).first()
