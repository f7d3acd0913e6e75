"""The portal's page of patients who ask for their record to be deleted, and the answers."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from clinic.audit import record_access
from clinic.models import AccessRecord
from patients.erasing import ANSWER_WITHIN, answer
from patients.models import ErasureRequest, Patient
from programs.clinician.fields import PortalForm, reason_field
from programs.clinician.opening import portal
from programs.form_errors import put_errors

_ANSWERED_SHOWN = 20


class AnswerForm(PortalForm):
    outcome = forms.ChoiceField(
        label="What was done",
        choices=[
            ("deleted", "What may be deleted is deleted"),
            ("kept", "Everything is kept"),
        ],
        widget=forms.RadioSelect,
    )
    words = reason_field(
        "What the patient reads",
        required="Write what the patient shall read.",
        help_text="Say what is gone, what stays, for how long and why.",
    )


def deletions(request: HttpRequest) -> HttpResponse:
    """Open wishes, the oldest first, each with a form; a post answers one of them."""
    at = timezone.now()
    found = _visible(request)
    waiting = list(found.open().order_by("asked_at", "pk"))
    forms_ = {wish.pk: AnswerForm(prefix=str(wish.pk)) for wish in waiting}
    if request.method == "POST":
        wish = next((w for w in waiting if str(w.pk) == request.POST.get("wish")), None)
        if wish is None:
            return _gone(request, found)
        form = forms_[wish.pk] = AnswerForm(request.POST, prefix=str(wish.pk))
        if form.is_valid():
            try:
                answer(request=wish, by=request.user, at=at, **form.cleaned_data)
            except ValidationError as error:
                put_errors(form, error)
            else:
                messages.success(request, f"Answered. {wish.patient.name} reads it under My data.")
                return redirect("admin:deletions")
    record_access(
        actor=request.user,
        action=AccessRecord.Action.READ,
        subject_type="caseload",
        subject_id="deletions",
        page="deletions",
        at=at,
    )
    ended = found.exclude(status=ErasureRequest.Status.OPEN).order_by("-ended_at")
    return portal.page(
        request,
        "admin/portal/deletions.html",
        {
            "title": "Deletion requests",
            "waiting": [(w, w.asked_at + ANSWER_WITHIN, forms_[w.pk]) for w in waiting],
            "ended": ended[:_ANSWERED_SHOWN],
            "at": at,
        },
        status=400 if any(form.errors for form in forms_.values()) else 200,
    )


def _visible(request: HttpRequest) -> QuerySet[Any]:
    patients = Patient.objects.visible_to(request.user)
    return ErasureRequest.objects.filter(patient__in=patients).select_related(
        "patient", "answered_by"
    )


def _gone(request: HttpRequest, found: QuerySet[Any]) -> HttpResponse:
    """Somebody was faster, or the patient took it back."""
    number = request.POST.get("wish", "")
    if not (number.isdecimal() and len(number) < 19 and found.filter(pk=number).exists()):
        raise Http404
    messages.info(request, "It is not open any more: answered or taken back meanwhile.")
    return redirect("admin:deletions")
