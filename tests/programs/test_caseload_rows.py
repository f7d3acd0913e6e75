"""The kept rows of the board are at every moment what would be derived afresh."""

import datetime as dt
import random
import uuid

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from clinic import alerts
from clinic.models import Alert, Role
from patients import red_flagging
from patients.models import Patient
from patients.red_flags import REPEATED
from programs import caseload_rows
from programs.adjusting import end_program, reopen_program
from programs.models import CaseloadMark, CaseloadRow, Program, Proposal, Snooze
from programs.proposals import accept_proposal, decline_proposal
from programs.snoozing import snooze_patient, wake_patient
from programs.undoing import undo_answer
from tests.conftest import MONDAY, make_staff
from tests.living import at_day, do_morning, do_session, live_well, report_session

pytestmark = pytest.mark.django_db

COLUMNS = [f.attname for f in CaseloadRow._meta.concrete_fields if f.attname != "id"]


def as_kept() -> dict[uuid.UUID, dict]:
    rows = CaseloadRow.objects.values(*COLUMNS)
    return {row["patient_id"]: row for row in rows}


def as_derived(at: dt.datetime) -> dict[uuid.UUID, dict]:
    rows = caseload_rows.fresh(Patient.objects.all(), at=at)
    return {row.patient_id: {name: getattr(row, name) for name in COLUMNS} for row in rows}


def row_of(patient, at) -> CaseloadRow:
    return caseload_rows.row_of(patient, at=at)


class Life:
    """Whatever may happen to a patient, by the verbs that the doors call."""

    def __init__(self, chance: random.Random, physio, colleague):
        self.chance, self.physio, self.colleague = chance, physio, colleague

    def happen(self, program: Program, day: int, at: dt.datetime) -> None:
        events = [self.answer, self.text, self.hurt, self.flag, self.reopen, self.propose]
        events += [self.alert, self.see, self.snooze, self.wake, self.move, self.end, self.rename]
        program = Program.objects.whole().get(pk=program.pk)
        self.chance.choice(events)(program, day, at)

    def answer(self, program, day, at):
        if not program.stands_still() and not program.sessions.filter(day=at.date()).exists():
            do_morning(program, day)
            do_session(program, day)

    def text(self, program, day, at):
        if not program.stands_still() and not program.sessions.filter(day=at.date()).exists():
            report_session(program, day, known="self_reported")

    def hurt(self, program, day, at):
        if not program.stands_still() and not program.sessions.filter(day=at.date()).exists():
            do_session(program, day, pain_during=8)

    def flag(self, program, day, at):
        red_flagging.answer_red_flags(
            patient=program.patient,
            answers={question.id: "no" for question in REPEATED} | {"infection": "yes"},
            source="check_in",
            client_id=uuid.uuid4(),
            at=at,
        )

    def reopen(self, program, day, at):
        if program.status == Program.Status.SUSPENDED:
            seen = {flag.pk for flag in program.patient.red_flags.open()}
            reopen_program(program=program, by=self.physio, reason="Looked at.", at=at, seen=seen)

    def propose(self, program, day, at):
        proposal = Proposal.objects.open().filter(program=program).first()
        if proposal and program.status == Program.Status.ACTIVE:
            if self.chance.random() < 0.5:
                accept_proposal(proposal=proposal, by=self.physio, at=at)
                undo_answer(proposal=proposal, by=self.physio, at=at)
            else:
                decline_proposal(proposal=proposal, by=self.physio, reason="Not yet.", at=at)
                if self.chance.random() < 0.3:
                    undo_answer(proposal=proposal, by=self.physio, at=at)

    def alert(self, program, day, at):
        alerts.raise_alert(
            severity=self.chance.choice(Alert.Severity.values),
            subject_type="patient",
            subject_id=program.patient_id,
            site=program.patient.site,
            owner=self.physio,
            summary="Call back",
            key=uuid.uuid4().hex,
            at=at,
        )

    def see(self, program, day, at):
        for alert in Alert.objects.open().about("patient", program.patient_id):
            alerts.acknowledge(alert=alert, by=self.physio, at=at)

    def snooze(self, program, day, at):
        row = row_of(program.patient, at)
        if row.need in ("silent", "long_silent", "waiting", "stalled", "regressed"):
            until = program.patient.local_date(at) + dt.timedelta(days=2)
            snooze_patient(
                patient=program.patient, until=until, reason="On leave", by=self.physio, at=at
            )

    def wake(self, program, day, at):
        wake_patient(patient=program.patient, by=self.physio, at=at)

    def move(self, program, day, at):
        # Past every verb: a bulk change that no signal of Django sees.
        Patient.objects.filter(pk=program.patient_id).update(
            physiotherapist=self.chance.choice([self.physio, self.colleague])
        )

    def end(self, program, day, at):
        if self.chance.random() < 0.1 and program.status != Program.Status.ENDED:
            end_program(program=program, by=self.physio, reason="Done.", at=at)

    def rename(self, program, day, at):
        Patient.objects.filter(pk=program.patient_id).update(family_name=f"Named {day}")


@pytest.mark.parametrize("seed", [3, 11])
def test_after_any_events_and_any_time_the_kept_rows_are_the_derived_ones(
    make_program, make_patient, physio, site, seed
):
    # Given patients in three zones, one of whom lived well up to a proposal
    colleague = make_staff(site, Role.PHYSIOTHERAPIST, "Ida Colleague")
    zones = ["Europe/London", "Pacific/Auckland", "America/Los_Angeles"]
    programs = [make_program(patient=make_patient(zone[:3], time_zone=zone)) for zone in zones]
    live_well(programs[0], 0, 9)
    life, chance = Life(random.Random(seed), physio, colleague), random.Random(-seed)
    at = at_day(10, 18)
    caseload_rows.settle_all(at=at)
    for _ in range(14):
        # When something happens, or nothing does, and some time passes
        if chance.random() < 0.75:
            life.happen(chance.choice(programs), (at - MONDAY).days, at)
            caseload_rows.settle_all(at=at)
            assert as_kept() == as_derived(at)
        at += dt.timedelta(minutes=chance.choice([1, 50, 200, 700, 1500, 5000]))
        caseload_rows.settle_all(at=at)
        # Then the kept rows are those that would be derived now
        assert as_kept() == as_derived(at)
    assert not CaseloadMark.objects.exists()


def test_what_is_committed_is_on_the_board_at_the_next_look(program, physio):
    report_session(program, 0)
    assert row_of(program.patient, at_day(0, 20)).done_trend[-1] == 2
    do_morning(program, 1, usual_pain=6)
    row = row_of(program.patient, at_day(1, 20))
    assert (row.usual_pain, row.pain_trend[-2:], row.silent_days) == (6, [None, 6], 0)
    report_session(program, 4)
    row = row_of(program.patient, at_day(7, 9))
    assert (row.need, row.silent_days, row.last_answer) == ("silent", 3, at_day(4).date())


def test_time_alone_makes_a_row_another_one_at_the_patients_own_midnight(make_program, physio):
    # Given somebody in Auckland, who last answered on a day that there ends at 11:00 in London
    program = make_program()
    Patient.objects.update(time_zone="Pacific/Auckland")
    program = Program.objects.whole().get()
    do_morning(program, 3)
    before = row_of(program.patient, at_day(5, 10))
    assert before.need == "fine"
    after = row_of(program.patient, at_day(5, 11) + dt.timedelta(minutes=1))
    assert (after.need, after.silent_days) == ("silent", 3)


def test_a_look_with_nothing_to_make_is_one_query(program, django_assert_num_queries):
    at = at_day(0, 20)
    caseload_rows.settle_all(at=at)
    with django_assert_num_queries(1):
        caseload_rows.settle_for("site_id = %s", [1], at=at)


def test_a_thing_that_was_undone_leaves_no_mark(program):
    caseload_rows.settle_all(at=at_day(0))
    with pytest.raises(RuntimeError), transaction.atomic():
        report_session(program, 0)
        raise RuntimeError
    assert not CaseloadMark.objects.exists()


# --- snoozing ------------------------------------------------------------------------------------


@pytest.fixture
def silent(program):
    live_well(program, 0, 5)
    return program


def snoozed(program, physio, *, day=9, days=7, reason="Away until Monday"):
    at = at_day(day, 10)
    until = program.patient.local_date(at) + dt.timedelta(days=days)
    return snooze_patient(patient=program.patient, until=until, reason=reason, by=physio, at=at)


def test_a_snooze_ends_on_its_day(silent, physio):
    snoozed(silent, physio, day=13, days=2)
    row = row_of(silent.patient, at_day(13, 11))
    assert (row.need, row.snooze_reason, row.snoozed_by) == (
        "snoozed",
        "Away until Monday",
        physio.name,
    )
    assert row_of(silent.patient, at_day(14, 23)).need == "snoozed"
    assert row_of(silent.patient, at_day(15, 1)).need == "long_silent"


def test_something_stronger_ends_a_snooze_for_good(silent, physio):
    snoozed(silent, physio, days=20)
    assert row_of(silent.patient, at_day(9, 11)).need == "snoozed"
    # When silence becomes a need of its own, and later the patient is back at the weaker one
    assert row_of(silent.patient, at_day(12, 10)).need == "long_silent"
    do_morning(silent, 12)
    assert row_of(silent.patient, at_day(16, 10)).need == "silent"
    assert Snooze.objects.get().ended_at == at_day(12, 10)


def test_a_red_flag_is_never_hidden_by_a_snooze(silent, physio):
    snoozed(silent, physio)
    Life(random.Random(1), physio, physio).flag(silent, 9, at_day(9, 12))
    assert row_of(silent.patient, at_day(9, 12)).need == "stopped"


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"reason": " "}, "reason"), ({"days": 0}, "until"), ({"days": 61}, "until")],
)
def test_a_snooze_wants_a_reason_and_a_day_ahead(silent, physio, changes, field):
    with pytest.raises(ValidationError) as refused:
        snoozed(silent, physio, **changes)
    assert field in refused.value.message_dict
    assert not Snooze.objects.exists()


def test_a_stop_cannot_be_snoozed(silent, physio):
    Life(random.Random(1), physio, physio).flag(silent, 9, at_day(9, 9))
    with pytest.raises(ValidationError, match="cannot be snoozed"):
        snoozed(silent, physio)
