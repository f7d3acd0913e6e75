"""Giving a patient a program."""

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction

from clinic.models import User
from patients.access import require_clinician
from patients.models import Patient
from programs.models import Pathway, Prescription, Program, ProgramTemplate, ProgramVersion
from programs.versioning import first_prescription


@transaction.atomic
def assign_program(
    *,
    patient: Patient,
    template: ProgramTemplate,
    by: User,
    at: dt.datetime,
    pathway: str | None = None,
    started_on: dt.date | None = None,
    cue_set: str = ProgramVersion.CueSet.DRAW_IN,
    reason: str = "",
) -> Program:
    """Make a program from a template, as version 1. Clinicians only.

    ``pathway`` defaults to the template's first. ``started_on`` is a local day of the patient,
    today when left out. Refused while a red flag is open or another program is running.
    """
    require_clinician(by, patient)
    patient = Patient.objects.select_for_update().get(pk=patient.pk)
    today = patient.local_date(at)
    pathway = pathway or template.pathways[0]
    started_on = started_on or today
    found: dict[str, str] = {}
    if pathway not in Pathway.values:
        found["pathway"] = f"There is no pathway “{pathway}”."
    if started_on < today - dt.timedelta(days=28):
        found["started_on"] = "A program cannot start more than four weeks ago."
    if started_on > today + dt.timedelta(days=90):
        found["started_on"] = "A program cannot start more than three months from now."
    if patient.red_flags.open().exists():
        found["__all__"] = "A red flag is open. Look into it and close it before assigning."
    elif patient.programs.running().exists():
        found["__all__"] = f"{patient} has a running program. Adjust it, or end it first."
    if found:
        raise ValidationError(found)
    program = Program.objects.create(patient=patient, template=template, started_on=started_on)
    version = ProgramVersion(
        program=program,
        number=1,
        cause=ProgramVersion.Cause.ASSIGNED,
        reason=reason.strip() or f"Assigned from the template {template.name}.",
        patient_reason=template.patient_summary,
        by=by,
        at=at,
        pathway=pathway,
        phase=template.starting_phase,
        cue_set=cue_set,
        step_since=started_on,
    )
    version.full_clean(exclude=["policy_approved_by", "clearances"])
    version.save(force_insert=True)
    items = template.items.select_related("exercise")
    prescriptions = [
        first_prescription(
            item.exercise,
            order=item.order,
            since=started_on,
            level=item.level,
            days_per_week=item.days_per_week,
        )
        for item in items
    ]
    for prescription in prescriptions:
        prescription.version = version
    Prescription.objects.bulk_create(prescriptions)
    program.current_version = version
    program.save(update_fields=["current_version"])
    return program
