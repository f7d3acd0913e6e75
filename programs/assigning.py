"""Giving a patient a program."""

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction

from clinic.models import User
from patients.access import require_clinician
from patients.models import Patient
from programs.models import Pathway, Prescription, Program, ProgramTemplate, ProgramVersion
from programs.positions import prescriptions_of
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

    ``pathway`` is one of the template's, its first when left out. ``started_on`` is a local day of
    the patient, today when left out. After an injury the program begins in phase 0: the criteria
    of a later one are ticked on the program. Refused while a red flag is open or another program
    is running.
    """
    require_clinician(by, patient)
    patient = Patient.objects.select_for_update().get(pk=patient.pk)
    today = patient.local_date(at)
    pathway = pathway or template.pathways[0]
    started_on = started_on or today
    found: dict[str, str] = {}
    if pathway not in Pathway.values:
        found["pathway"] = f"There is no pathway “{pathway}”."
    elif pathway not in template.pathways:
        known = dict(Pathway.choices)
        meant = " or ".join(str(known[one]) for one in template.pathways)
        found["pathway"] = f"{template.name} is made for the pathway {meant}. Choose that one."
    if started_on < today - dt.timedelta(days=28):
        found["started_on"] = "A program cannot start more than four weeks ago."
    if started_on > today + dt.timedelta(days=90):
        found["started_on"] = "A program cannot start more than three months from now."
    if template.state != ProgramTemplate.State.APPROVED or template.owner_id not in (None, by.pk):
        found["template"] = f"{template.name} is not offered for assigning."
    if patient.red_flags.open().exists():
        found["__all__"] = "A red flag is open. Look into it and close it before assigning."
    elif patient.programs.running().exists():
        found["__all__"] = f"{patient} has a running program. Adjust it, or end it first."
    if found:
        raise ValidationError(found)
    program, version = draft_program(
        patient=patient,
        template=template,
        pathway=pathway,
        started_on=started_on,
        cue_set=cue_set,
        reason=reason,
        by=by,
        at=at,
    )
    version.full_clean(exclude=["program", "policy_approved_by", "clearances"])
    program.current_version = None
    program.save(force_insert=True)
    version.save(force_insert=True)
    prescriptions = prescriptions_of(version)
    for prescription in prescriptions:
        prescription.version = version
    Prescription.objects.bulk_create(prescriptions)
    program.current_version = version
    program.save(update_fields=["current_version"])
    return program


def first_phase(pathway: str, starting_phase: int) -> int:
    """The phase a program begins in; ``starting_phase`` is the template's."""
    # Nobody has ticked a criterion of a program that does not exist yet.
    return 0 if pathway == Pathway.POST_INJURY else starting_phase


def draft_program(
    *,
    patient: Patient,
    template: ProgramTemplate,
    pathway: str,
    started_on: dt.date,
    at: dt.datetime,
    cue_set: str = ProgramVersion.CueSet.DRAW_IN,
    reason: str = "",
    by: User | None = None,
) -> tuple[Program, ProgramVersion]:
    """The program as it would be, with version 1 and its prescriptions (``prescriptions_of``);
    nothing is written."""
    program = Program(patient=patient, template=template, started_on=started_on)
    version = ProgramVersion(
        program=program,
        number=1,
        cause=ProgramVersion.Cause.ASSIGNED,
        reason=reason.strip() or f"Assigned from the template {template.name}.",
        patient_reason=template.patient_summary,
        by=by,
        at=at,
        pathway=pathway,
        phase=first_phase(pathway, template.starting_phase),
        cue_set=cue_set,
        step_since=started_on,
    )
    items = template.items.select_related("exercise").prefetch_related("exercise__levels")
    version._prescriptions = [
        first_prescription(
            item.exercise,
            order=item.order,
            since=started_on,
            level=item.level,
            days_per_week=item.days_per_week,
        )
        for item in items
    ]
    return program, version
