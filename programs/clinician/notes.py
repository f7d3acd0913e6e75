"""Notes of staff on the patient's page: the newest few, and writing one."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from patients.models import ClinicalNote, Patient
from patients.noting import LONGEST, write_note
from programs.clinician.fields import PortalForm
from programs.clinician.opening import address_of, open_patient, portal
from programs.form_errors import put_errors

SHOWN = 3


class NoteForm(PortalForm):
    client_id = forms.UUIDField(widget=forms.HiddenInput)
    corrects = forms.IntegerField(widget=forms.HiddenInput, required=False)
    text = forms.CharField(
        label="New note",
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Write the note first."},
    )


def notes_of(patient: Patient) -> list[ClinicalNote]:
    """The newest notes that no newer one stands in for, and one more to know whether there are
    more."""
    return list(
        patient.notes.filter(corrected_by__isnull=True).select_related("by", "corrects")[
            : SHOWN + 1
        ]
    )


def note_form(patient: Patient, corrects: str = "") -> NoteForm:
    """An empty form, or one that holds the note ``corrects`` (its id, as an address has it)."""
    initial: dict[str, Any] = {"client_id": uuid.uuid4()}
    old = _old(patient, corrects)
    if old is not None:
        initial |= {"corrects": old.pk, "text": old.text}
    form = NoteForm(initial=initial, auto_id="note-%s")
    if old is not None:
        said = f"{timezone.localtime(old.at):%-d %B, %H:%M}"
        form.fields["text"].label = f"Correction of the note of {said}"
        form.fields["text"].help_text = "Both stay in the record."
    return form


@require_POST
def write(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Keep a note; the page comes back at its notes."""
    patient = open_patient(request, pk, "note")
    form = NoteForm(request.POST, auto_id="note-%s")
    corrects = None
    if form.is_valid():
        said = form.cleaned_data
        if said["corrects"] is not None:
            corrects = _old(patient, str(said["corrects"]))
            if corrects is None:
                raise Http404
        try:
            write_note(
                patient=patient,
                text=said["text"],
                client_id=said["client_id"],
                corrects=corrects,
                by=request.user,
                at=timezone.now(),
            )
            messages.success(request, "The note is kept.")
            return redirect(address_of(patient) + "#notes")
        except ValidationError as error:
            put_errors(form, error)
    return portal.page(
        request,
        "admin/portal/note.html",
        {"title": "Write a note", "patient": patient, "form": form},
        status=400,
    )


def _old(patient: Patient, pk: str) -> ClinicalNote | None:
    if not (pk.isascii() and pk.isdecimal() and len(pk) < 19):
        return None
    return ClinicalNote.objects.filter(patient=patient, pk=int(pk)).first()
