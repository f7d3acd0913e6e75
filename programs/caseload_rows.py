"""Keeping one row per patient for the board, true at every moment it is read.

Triggers of the database mark a patient in the transaction that changed something about them; a
row also says from when on time alone makes it another one. Whoever reads the board first has what
is marked or due in their scope made again, and the worker has the rest made every few seconds.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence

from django.db import connection, transaction

from patients.models import Patient
from programs import caseload
from programs.models import CaseloadMark, CaseloadRow, Snooze

BATCH = 300
# What one look at the board waits for; the worker does the rest.
_AT_ONCE = 150
# One at a time makes rows: two who read at different moments could write in the other order.
_LOCK = 7_302
_COLUMNS = [
    field.name
    for field in CaseloadRow._meta.local_concrete_fields
    if field.name not in ("id", "patient")
]


def touch(patient_ids: Iterable[uuid.UUID]) -> None:
    """Have the rows of these patients made again, after a change that no trigger can see."""
    CaseloadMark.objects.bulk_create([CaseloadMark(patient_id=pk) for pk in patient_ids])


def fresh(patients: Iterable[Patient], *, at: dt.datetime) -> list[CaseloadRow]:
    """The rows of these patients as they are at this moment, not kept."""
    return [_kept(row) for row in caseload.rows_for(patients, at=at)]


def settle(*, at: dt.datetime, limit: int = BATCH) -> int:
    """Make up to about ``limit`` rows again that are marked or due; returns how many were. To be
    repeated until there are none."""
    return _make(_wanted("true", (), at, limit), at, limit)


def settle_all(*, at: dt.datetime) -> int:
    """Make every row again that is marked or due."""
    total = 0
    while made := settle(at=at):
        total += made
    return total


def settle_for(where: str, given: Sequence[object], *, at: dt.datetime) -> None:
    """Before the rows of a condition in SQL are read: make again what is marked, and what of them
    is due. One query when there is nothing to do."""
    wanted = _wanted(where, given, at, _AT_ONCE)
    if wanted:
        _make(wanted, at, _AT_ONCE)


def row_of(patient: Patient, *, at: dt.datetime) -> CaseloadRow:
    """The kept row of one patient, as it is at this moment."""
    settle_for("patient_id = %s", [patient.pk], at=at)
    return CaseloadRow.objects.get(patient=patient)


def _wanted(where: str, given: Sequence[object], at: dt.datetime, limit: int) -> set[uuid.UUID]:
    """Patients marked anywhere, or due among the rows of the condition."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT patient_id FROM (SELECT patient_id FROM programs_caseloadmark"
            " ORDER BY id LIMIT %s) marked UNION ALL SELECT patient_id FROM"
            " (SELECT patient_id FROM programs_caseloadrow"
            f" WHERE looks_again_at <= %s AND {where} LIMIT %s) due",
            [limit, at, *given, limit],
        )
        return {pk for (pk,) in cursor.fetchall()}


@transaction.atomic
def _make(wanted: Collection[uuid.UUID], at: dt.datetime, limit: int) -> int:
    if not wanted:
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        # Marks are taken before anything is read: what is committed later marks again.
        cursor.execute(
            "DELETE FROM programs_caseloadmark WHERE id IN"
            " (SELECT id FROM programs_caseloadmark ORDER BY id LIMIT %s) RETURNING patient_id",
            [limit],
        )
        ids = {*wanted, *(pk for (pk,) in cursor.fetchall())}
    patients = Patient.objects.filter(pk__in=ids).select_related("physiotherapist", "site")
    rows = caseload.rows_for(patients, at=at)
    _end_overtaken(rows, at)
    CaseloadRow.objects.bulk_create(
        [_kept(row) for row in rows],
        update_conflicts=True,
        unique_fields=["patient"],
        update_fields=_COLUMNS,
        batch_size=BATCH,
    )
    return len(ids)


def _end_overtaken(rows: list[caseload.Row], at: dt.datetime) -> None:
    """A snooze is over, for good, once something stronger has come."""
    over = [
        row.snooze.pk
        for row in rows
        if row.snooze and row.need.rank < caseload.NEED[row.snooze.need].rank
    ]
    if over:
        Snooze.objects.filter(pk__in=over).update(ended_at=at)
        for row in rows:
            if row.snooze and row.snooze.pk in over:
                object.__setattr__(row, "snooze", None)


def _kept(row: caseload.Row) -> CaseloadRow:
    patient, version, proposal = row.patient, row.version, row.proposal
    said = proposal.decision if proposal else row.decision
    snooze = row.snooze if row.is_snoozed else None
    return CaseloadRow(
        patient=patient,
        physiotherapist_id=patient.physiotherapist_id,
        site_id=patient.site_id,
        given_name=patient.given_name,
        family_name=patient.family_name,
        number=patient.number,
        need=row.shown.key,
        rank=row.shown.rank,
        order=row.order,
        since=row.since,
        reason=row.reason,
        due_at=row.due_at,
        outcome=said.outcome if said else "",
        step=row.step,
        proposal_id=proposal.pk if proposal else None,
        may_bulk=row.may_bulk,
        pathway=version.pathway if version else "",
        phase=version.phase if version else None,
        version_number=version.number if version else None,
        usual_pain=row.usual_pain,
        pain_trend=list(row.pain_trend),
        adherence=row.adherence_percent,
        done_trend=list(row.done_trend),
        last_answer=row.last_answer,
        silent_days=row.silent_days,
        snoozed_until=snooze.until if snooze else None,
        snooze_reason=snooze.reason if snooze else "",
        snoozed_by=snooze.by.name if snooze else "",
        looks_again_at=row.looks_again_at,
    )
