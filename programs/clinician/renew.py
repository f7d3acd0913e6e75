"""Moving a patient to the newest version of an exercise, with what differs before one's eyes."""

import datetime as dt
import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from clinic.models import User
from clinic.roles import May, may
from patients.models import Patient
from programs.adjusting import adjust_program
from programs.authoring_rules import differences
from programs.clinician.fields import REASON_HINT, PortalForm, reason_field
from programs.clinician.opening import address_of, open_patient, portal
from programs.form_errors import put_errors
from programs.models import Exercise, Prescription, Program
from programs.today import program_for
from programs.versioning import Change


class RenewForm(PortalForm):
    reason = reason_field("Why", required="Say why you change it.", help_text=REASON_HINT)


def older_of(program: Program) -> QuerySet[Prescription]:
    """The prescriptions of the program whose exercise has a newer version in the library."""
    return (
        Prescription.objects.filter(
            version=program.current_version_id,
            exercise__review_state=Exercise.ReviewState.APPROVED,
            exercise__current__isnull=False,
        )
        .exclude(exercise_version=F("exercise__current"))
        .select_related("exercise__current", "exercise_version")
        .order_by("order")
    )


def panel(
    patient: Patient, program: Program | None, *, user: User, at: dt.datetime
) -> dict[str, Any] | None:
    """Which exercises have a newer version; one query."""
    if program is None or not may(user, May.DECIDE):
        return None
    names = [one.exercise.name for one in older_of(program)]
    return {"patient": patient, "names": names} if names else None


def renew(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """What differs, exercise by exercise; those that are ticked are moved with a new version."""
    patient = open_patient(request, pk, "renew")
    program = program_for(patient)
    if program is None:
        raise Http404
    rows = list(older_of(program))
    form = RenewForm(request.POST or None)
    slugs = [row.exercise.slug for row in rows]
    chosen = [slug for slug in request.POST.getlist("exercise") if slug in slugs]
    if request.method == "POST" and form.is_valid():
        if not chosen:
            form.add_error(None, "Tick at least one exercise.")
        elif request.POST.get("version") != str(program.current_version.number):
            form.add_error(None, "The program has changed while this page was open. Look again.")
        else:
            try:
                made = adjust_program(
                    program=program,
                    change=Change(renew=chosen),
                    by=request.user,
                    reason=form.cleaned_data["reason"],
                    at=timezone.now(),
                    seen=program.current_version.number,
                )
                messages.success(request, f"Version {made.number} is in force.")
                return redirect(address_of(patient))
            except ValidationError as error:
                put_errors(form, error)
    context = {
        "title": "Newer versions of the exercises",
        "patient": patient,
        "version": program.current_version,
        "rows": [
            (row, differences(row.exercise_version.content, row.exercise.current.content))
            for row in rows
        ],
        "chosen": chosen if request.method == "POST" else slugs,
        "form": form,
    }
    status = 400 if form.errors else 200
    return portal.page(request, "admin/portal/renew.html", context, status=status)
