"""Ending a program: how it came out, what the patient reads, and when somebody looks again."""

import uuid

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from programs.adjusting import end_program
from programs.clinician.fields import REASON_HINT, PortalForm, date_field, reason_field
from programs.clinician.opening import address_of, open_patient, portal
from programs.form_errors import put_errors
from programs.models import Program
from programs.reasons import FAREWELL
from programs.summing_up import sum_up
from programs.today import program_for


class EndForm(PortalForm):
    outcome = forms.ChoiceField(
        label="How it came out",
        choices=Program.Outcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how it came out."},
    )
    reason = reason_field(
        "Why it ends", required="Say why the program ends.", help_text=REASON_HINT
    )
    farewell = forms.CharField(
        label="What the patient reads",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Stands on the patient’s page from now on.",
    )
    follow_up_on = date_field(
        "Look again on (optional)",
        required=False,
        help_text="An alert comes up on that day for the physiotherapist.",
    )


def end(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """What the measures say with the missing ones named, then the form that ends the program."""
    patient = open_patient(request, pk, "end")
    program = program_for(patient)
    if program is None:
        raise Http404
    form = EndForm(request.POST or None, initial={"farewell": FAREWELL})
    if request.method == "POST" and form.is_valid():
        try:
            end_program(program=program, by=request.user, at=timezone.now(), **form.cleaned_data)
            messages.success(request, "The program has ended.")
            return redirect(address_of(patient))
        except ValidationError as error:
            put_errors(form, error)
    context = {
        "title": "End the program",
        "patient": patient,
        "program": program,
        "form": form,
        "summary": sum_up(program=program, at=timezone.now()),
    }
    status = 400 if form.errors else 200
    return portal.page(request, "admin/portal/end.html", context, status=status)
