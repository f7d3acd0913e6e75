"""After a program: the look again that was promised, and what the patient still has in hand."""

import datetime as dt
from dataclasses import dataclass

from clinic import alerts
from clinic.models import Alert
from patients.models import Patient
from programs.items import Item, item_of
from programs.models import Program
from programs.positions import prescriptions_of, standing_of
from programs.shapes import in_routine_order
from programs.wording import retold

# Only after these a patient goes on with the exercises alone.
_GOES_ON = (Program.Outcome.REACHED, Program.Outcome.BETTER)
# A follow-up that nobody saw for so long, because nothing ran, is not raised any more.
_STALE = dt.timedelta(days=60)


@dataclass(frozen=True)
class Farewell:
    """What a patient reads after the end: the words, and the exercises to keep up."""

    words: str
    items: list[Item]


def raise_due(*, at: dt.datetime) -> int:
    """Raise an alert for every follow-up whose day has come, once; return how many were due."""
    today = at.date()
    rows = Program.objects.filter(
        status=Program.Status.ENDED,
        follow_up_on__lte=today + dt.timedelta(days=1),
        follow_up_on__gt=today - _STALE,
    ).select_related("patient__site", "patient__physiotherapist")
    count = 0
    for program in rows:
        patient = program.patient
        if patient.local_date(at) < program.follow_up_on or patient.programs.running().exists():
            continue
        alerts.raise_alert(
            severity=Alert.Severity.ROUTINE,
            subject_type="patient",
            subject_id=patient.pk,
            site=patient.site,
            owner=patient.physiotherapist,
            summary=f"Follow-up after the program that ended on {program.ended_on:%-d %B %Y}.",
            key=f"follow-up:{program.pk}",
            at=at,
        )
        count += 1
    return count


def farewell_for(patient: Patient) -> Farewell | None:
    """The words of the newest ended program in the language of the page; None where none were
    written. Its exercises come along only where the clinician saw it come out well."""
    program = (
        patient.programs.filter(status=Program.Status.ENDED)
        .select_related("current_version__program__patient")
        .first()
    )
    if program is None or not program.farewell:
        return None
    items = _items(program) if program.outcome in _GOES_ON else []
    return Farewell(retold(program.farewell), items)


def _items(program: Program) -> list[Item]:
    version = program.current_version
    standing = standing_of(version, today=program.ended_on, calm_fortnight=True)
    open_now = {position.exercise: position for position in standing.open_positions()}
    prescriptions_of(version)
    return [
        item_of(p, standing=standing, position=open_now[p.exercise.slug], cue_set=version.cue_set)
        for p in in_routine_order(version)
        if p.exercise.slug in open_now
    ]
