"""What belongs to the patient alone: taking the whole record out, and asking for its deletion."""

import contextlib
import tempfile
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.sign_in_pages import signed_in_lately
from patients.erasing import ANSWER_WITHIN, ask_for_deletion, withdraw
from patients.models import ErasureRequest, Patient
from programs.exporting import export_patient, file_name
from programs.portal_access import patient_required
from programs.portal_forms import OneUseForm

_IN_MEMORY = 2 * 1024 * 1024


class ErasureForm(OneUseForm):
    reason = forms.CharField(
        label=_("Would you like to say why?"),
        help_text=_("You can leave this empty."),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"max_length": _("Please write no more than 1000 letters.")},
    )


@require_safe
@patient_required
def data(request: HttpRequest) -> HttpResponse:
    """What may be done with one's own record, and how the last wish stands."""
    return _page(request)


@require_POST
@patient_required
def download(request: HttpRequest) -> HttpResponse:
    """The whole record as a file, for somebody who signed in a moment ago."""
    at = timezone.now()
    if not signed_in_lately(request, at):
        return _page(request, too_long=True, status=403)
    # Handed to the answer, which closes it.
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
    export_patient(patient=request.patient, by=request.user, at=at, out=file, page="my_data")
    file.seek(0)
    return FileResponse(
        file,
        as_attachment=True,
        filename=file_name(request.patient, at),
        content_type="application/zip",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@patient_required
def erasure(request: HttpRequest) -> HttpResponse:
    """Ask for deletion, having read what can go and what cannot."""
    if _open(request.patient) is not None and request.method != "POST":
        return redirect("portal_data")
    form = ErasureForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        ask_for_deletion(
            patient=request.patient, by=request.user, at=timezone.now(), **form.cleaned_data
        )
        return redirect("portal_data")
    return render(
        request,
        "portal/erasure.html",
        {"form": form, "days": ANSWER_WITHIN.days},
        status=400 if form.errors else 200,
    )


@require_POST
@patient_required
def keep(request: HttpRequest) -> HttpResponse:
    """Take the wish back."""
    found = _open(request.patient)
    if found is not None:
        # Answered in this very moment: the page shows the answer.
        with contextlib.suppress(ValidationError):
            withdraw(request=found, by=request.user, at=timezone.now())
    return redirect("portal_data")


def _sign_in_again() -> str:
    """By way of the page for signing out: what waits on the device is not lost unsaid."""
    code = f"{reverse('account_request_login_code')}?{urlencode({'next': reverse('portal_data')})}"
    return f"{reverse('account_logout')}?{urlencode({'next': code})}"


def _page(request: HttpRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    return render(
        request,
        "portal/data.html",
        {
            "lately": signed_in_lately(request, timezone.now()),
            "sign_in_again": _sign_in_again(),
            "wish": request.patient.erasure_requests.select_related("answered_by").first(),
            **more,
        },
        status=status,
    )


def _open(patient: Patient) -> ErasureRequest | None:
    return patient.erasure_requests.open().first()
