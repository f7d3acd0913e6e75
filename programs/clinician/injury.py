"""One patient's injury: what happened, what limits it sets, and what the next phase waits for."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from clinic.roles import May, may
from patients.injuring import FIELDS, change_injury, lift_limit, record_injury, set_limits
from patients.models import Injury, Limit, Patient
from patients.models.injury import CLOSABLE
from programs.clinician.fields import PortalForm, date_field
from programs.clinician.opening import address_of, open_patient, portal
from programs.form_errors import put_errors
from programs.post_injury import is_post_injury
from programs.post_injury_queue import lines_for
from programs.today import program_for

_EARLIER = 10


class InjuryForm(PortalForm):
    kind = forms.ChoiceField(label="Kind", choices=Injury.Kind.choices)
    happened_on = date_field("When")
    review_on = date_field("Next review on", required=False)
    words = forms.CharField(
        label="What happened, in the patient’s own words",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2000,
    )
    precautions = forms.CharField(
        label="Precautions",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2000,
        required=False,
    )
    surgeon_words = forms.CharField(
        label="What the surgeon asked for, as it was written",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2000,
        required=False,
        help_text="What rules can hold to is set as a limit, above.",
    )
    cleared_by = forms.CharField(
        label="Cleared for exercise by",
        max_length=120,
        required=False,
        help_text="Name and profession.",
    )
    cleared_on = date_field("Cleared on", required=False)


class LimitForm(PortalForm):
    classes = forms.MultipleChoiceField(
        label="Nothing of these classes",
        choices=list(CLOSABLE.items()),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    max_load_kg = forms.DecimalField(
        label="No load above, kg",
        min_value=0,
        max_value=500,
        max_digits=5,
        decimal_places=1,
        required=False,
        help_text="0 means no load at all.",
    )
    pain_ceiling = forms.TypedChoiceField(
        label="Pain during at most",
        choices=[("", "As the program says"), *((n, str(n)) for n in range(2, 7))],
        coerce=int,
        empty_value=None,
        required=False,
    )
    until = date_field(
        "Until", required=False, help_text="The last day it holds; empty: until lifted."
    )
    said_by = forms.CharField(label="Who set it", max_length=120, required=False)


def injury(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Read it; clinicians also record, change, set limits and lift them."""
    patient = open_patient(request, pk, "injury")
    if request.method != "POST":
        return page_of(request, patient)
    if not may(request.user, May.DECIDE):
        raise PermissionDenied
    does = request.POST.get("does", "")
    if does == "injury":
        return _keep_injury(request, patient)
    if does == "limits":
        return _set_limits(request, patient)
    if does == "lift":
        return _lift(request, patient)
    raise Http404


def page_of(
    request: HttpRequest,
    patient: Patient,
    *,
    status: int = 200,
    problem: str = "",
    injury_form: InjuryForm | None = None,
    limit_form: LimitForm | None = None,
) -> HttpResponse:
    """The page, also for what another door refused (``problem``)."""
    at = timezone.now()
    found = patient.injuries.select_related("entered_by", "changed_by").first()
    today = patient.local_date(at)
    limits = list(
        Limit.objects.filter(injury__patient=patient)
        .select_related("entered_by", "lifted_by")
        .order_by("-pk")
    )
    holding = [row for row in limits if not row.lifted_at and not (row.until and row.until < today)]
    program = program_for(patient)
    with_criteria = program is not None and is_post_injury(program.current_version)
    decide = may(request.user, May.DECIDE)
    return portal.page(
        request,
        "admin/portal/injury.html",
        {
            "title": "Injury and limits",
            "patient": patient,
            "injury": found,
            "weeks": found.weeks_on(today) if found else None,
            "today": today,
            "earlier": list(found.events.order_by("-pgh_id")[1:_EARLIER]) if found else [],
            "holding": holding,
            "over": [row for row in limits if row not in holding],
            "program": program,
            "line": lines_for([program], at=at)[0] if with_criteria else None,
            "marks": list(program.criterion_marks.select_related("by")[:40])
            if with_criteria
            else [],
            "problem": problem,
            "form": (injury_form or InjuryForm(initial=_initial(found))) if decide else None,
            "limit_form": (limit_form or LimitForm()) if decide and found else None,
            "back": "injury",
        },
        status=status,
    )


def _initial(found: Injury | None) -> dict[str, Any]:
    return {name: getattr(found, name) for name in FIELDS} if found else {}


def _keep_injury(request: HttpRequest, patient: Patient) -> HttpResponse:
    form = InjuryForm(request.POST)
    known = patient.injuries.first()
    another = request.POST.get("another") == "1"
    if form.is_valid():
        said = {"by": request.user, "at": timezone.now(), **form.cleaned_data}
        try:
            if known is None or another:
                record_injury(patient=patient, **said)
            else:
                change_injury(injury=known, **said)
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(request, "The injury is on the record.")
            return redirect(address_of(patient, "patient_injury"))
    return page_of(request, patient, status=400, injury_form=form)


def _set_limits(request: HttpRequest, patient: Patient) -> HttpResponse:
    form = LimitForm(request.POST)
    found = patient.injuries.first()
    if found is None:
        raise Http404
    if form.is_valid():
        try:
            made = set_limits(injury=found, by=request.user, at=timezone.now(), **form.cleaned_data)
        except ValidationError as error:
            put_errors(form, error)
        else:
            words = "; ".join(str(limit) for limit in made) or "It was set already"
            messages.success(request, f"{words}. The routine keeps to it from now on.")
            return redirect(address_of(patient, "patient_injury"))
    return page_of(request, patient, status=400, limit_form=form)


def _lift(request: HttpRequest, patient: Patient) -> HttpResponse:
    pk = request.POST.get("limit", "")
    limits = Limit.objects.filter(injury__patient=patient)
    found = limits.filter(pk=pk).first() if pk.isdecimal() and len(pk) < 19 else None
    if found is None:
        raise Http404
    reason = request.POST.get("reason", "").replace("\0", "")[:2000]
    try:
        lift_limit(limit=found, reason=reason, by=request.user, at=timezone.now())
    except ValidationError as error:
        return page_of(request, patient, status=400, problem=" ".join(error.messages))
    messages.success(request, f"Lifted: {found}.")
    return redirect(address_of(patient, "patient_injury"))
