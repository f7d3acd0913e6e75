"""The sheet of paper that a patient takes home: a QR code that leads to the sign-in.

The paper opens nothing by itself. Making a new one ends the one before.
"""

import io
import uuid

import segno
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST, require_safe

from clinic.addresses import masked
from clinic.audit import record_access
from clinic.messaging.links import door_for
from clinic.models import AccessRecord
from clinic.models.messaging import Channel
from clinic.sign_in_codes import ways_to
from patients.sign_in_sheets import make_sheet, sheet_in_force
from programs.clinician.opening import address_of, open_patient


@require_POST
def new_sheet(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Make a new sheet and show it for printing."""
    patient = open_patient(request, pk, "sign_in_sheet")
    make_sheet(patient=patient, by=request.user, at=timezone.now())
    return redirect(address_of(patient, "patient_sheet"))


@require_safe
def sheet(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The sheet in force, black on white."""
    patient = open_patient(request, pk, "sign_in_sheet")
    found = sheet_in_force(patient)
    if found is None:
        return redirect(address_of(patient))
    record_access(
        actor=request.user,
        action=AccessRecord.Action.PRINT,
        subject_type="patient",
        subject_id=patient.pk,
        page="sign_in_sheet",
        at=timezone.now(),
    )
    address = door_for("sheet", found.pk)
    context = {
        "patient": patient,
        "sheet": found,
        "address": address,
        "qr": _drawn(address),
        "ways": [
            {"by_text": channel == Channel.SMS, "shown": masked(channel, where)}
            for channel, where in (ways_to(patient.user) if patient.user else [])
        ],
    }
    response = render(request, "print/sign_in_sheet.html", context)
    response["Cache-Control"] = "private, no-store"
    return response


def _drawn(address: str) -> str:
    """The QR code as SVG. Level M reads through a fold or a coffee stain."""
    drawing = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        drawing, kind="svg", xmldecl=False, svgns=False, omitsize=True, svgclass="sheet__qr"
    )
    return mark_safe(drawing.getvalue().decode())
