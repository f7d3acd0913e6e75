"""The board: who stands where, why, and at what cost in queries."""

import datetime as dt
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic import alerts
from clinic.models import Alert
from patients import red_flagging
from patients.red_flags import REPEATED
from programs import caseload
from programs.adjusting import Change, PrescriptionChange, adjust_program, end_program
from programs.models import Proposal
from tests.conftest import MONDAY
from tests.living import at_day, do_morning, do_session, live_well, report_session

NO_TO_ALL = {question.id: "no" for question in REPEATED}


def raise_flag(patient, at, **answers):
    return red_flagging.answer_red_flags(
        patient=patient,
        answers={**NO_TO_ALL, **answers},
        source="check_in",
        client_id=uuid.uuid4(),
        at=at,
    )


def board(user, at, **options):
    return caseload.rows_for(caseload.patients_on_board(user=user, **options), at=at)


def only(user, at):
    [row] = board(user, at)
    return row


def test_a_red_flag_stands_first_with_its_answers_in_words(make_program, make_patient, physio):
    # Given a patient who does well and one who answered yes
    live_well(make_program(patient=make_patient("Well")), 0, 9)
    stopped = make_program(patient=make_patient("Zed"))
    raise_flag(stopped.patient, at_day(9), saddle_numbness="yes", bladder="not_sure")
    # When the board is read
    rows = board(physio, at_day(9, 20))
    # Then the flag is first, in a clinician's words
    assert rows[0].need.key == "stopped"
    assert rows[0].patient == stopped.patient
    assert "Saddle numbness" in rows[0].reason and "Bladder change (not sure)" in rows[0].reason
    assert rows[0].since == at_day(9)
    assert rows[0].adherence is None


def test_an_emergency_stands_before_a_flag_of_the_same_day(make_program, make_patient, physio):
    raise_flag(make_program(patient=make_patient("A")).patient, at_day(1), infection="yes")
    raise_flag(make_program(patient=make_patient("B")).patient, at_day(2), bowel="yes")
    rows = board(physio, at_day(2, 10))
    assert [row.patient.given_name for row in rows] == ["B", "A"]


def test_an_alert_past_its_time_comes_before_a_waiting_step(make_program, make_patient, physio):
    waiting = make_program(patient=make_patient("Wanda"))
    live_well(waiting, 0, 12)
    assert Proposal.objects.open().filter(program=waiting).exists()
    late = make_program(patient=make_patient("Lars"))
    live_well(late, 0, 12)
    alerts.raise_alert(
        severity=Alert.Severity.SAME_DAY,
        subject_type="patient",
        subject_id=late.patient_id,
        site=late.patient.site,
        owner=physio,
        summary="Call back",
        key="by-hand:1",
        at=at_day(12),
    )
    early = board(physio, at_day(12, 10))
    assert "overdue" not in {row.need.key for row in early}
    rows = board(physio, at_day(12, 14))
    assert [row.need.key for row in rows] == ["overdue", "waiting"]
    assert rows[0].reason == "Call back"


def test_a_step_a_rule_took_back_stays_until_somebody_has_seen_it(program, physio):
    adjust_program(
        program=program,
        change=Change(prescriptions={"deep-core-hold": PrescriptionChange(level=2)}),
        by=physio,
        reason="Seen in the practice",
        at=at_day(0),
    )
    live_well(program, 0, 8)
    do_morning(program, 9)
    do_session(program, 9, pain_during=7)
    row = only(physio, at_day(9, 20))
    assert row.need.key == "regressed"
    assert "R07" in row.reason and row.step.startswith("Applied: ")
    alerts.acknowledge(alert=Alert.objects.open().get(), by=physio, at=at_day(9, 21))
    assert only(physio, at_day(9, 22)).need.key != "regressed"


def test_post_injury_waits_before_the_others(make_program, make_patient, physio):
    desk = make_program(patient=make_patient("Desk"))
    hurt = make_program("post-injury", patient=make_patient("Hurt"), pathway="post_injury")
    live_well(desk, 0, 18)
    live_well(hurt, 0, 18)
    rows = board(physio, at_day(18, 20))
    assert [row.need.key for row in rows] == ["waiting", "waiting"]
    assert [row.patient.given_name for row in rows] == ["Hurt", "Desk"]
    assert rows[0].step and "R26" in rows[0].reason


@pytest.mark.parametrize(
    ("days", "need"),
    [(2, "fine"), (3, "silent"), (6, "silent"), (7, "long_silent"), (30, "long_silent")],
)
def test_three_days_without_an_answer_are_silence_and_seven_are_a_need_of_their_own(
    program, physio, days, need
):
    live_well(program, 0, 5)
    row = only(physio, at_day(5 + days, 20))
    assert row.need.key == need
    assert row.silent_days == days


@pytest.mark.parametrize("status", ["done", "partly", "skipped"])
def test_a_session_is_an_answer_as_it_is_for_reminders(program, physio, status):
    # Given somebody who only reports the session, as a text message DONE does
    for number in range(9):
        reason = {"skip_reason": "time"} if status == "skipped" else {}
        report_session(program, number, status=status, known="self_reported", **reason)
    row = only(physio, at_day(9, 20))
    assert row.need.key == "fine"
    assert (row.silent_days, row.last_answer) == (1, at_day(8).date())


def test_a_session_filled_in_late_is_an_answer_of_its_own_day(program, physio):
    report_session(program, 0, at=at_day(5, 20), known="back_filled", day=MONDAY.date())
    row = only(physio, at_day(6, 20))
    assert (row.need.key, row.silent_days) == ("fine", 1)


def test_the_longest_silence_stands_first(make_program, make_patient, physio):
    live_well(make_program(patient=make_patient("Short")), 0, 6)
    live_well(make_program(patient=make_patient("Long")), 0, 2)
    rows = board(physio, at_day(10))
    assert [(row.patient.given_name, row.silent_days) for row in rows] == [
        ("Long", 8),
        ("Short", 4),
    ]


def test_figures_of_a_good_fortnight(program, physio):
    live_well(program, 0, 6)
    row = only(physio, at_day(6, 20))
    assert (row.usual_pain, row.adherence_percent, row.silent_days) == (2, 100, 0)


def test_a_start_that_lies_ahead_is_not_silence(make_program, patient, physio):
    make_program(patient=patient, started_on=MONDAY.date() + dt.timedelta(days=10))
    row = only(physio, at_day(0, 20))
    assert (row.need.key, row.silent_days, row.adherence) == ("fine", None, None)


def test_without_a_program_and_after_its_end(make_program, make_patient, physio):
    make_patient("New")
    program = make_program(patient=make_patient("Old"))
    end_program(program=program, by=physio, reason="Done.", at=at_day(1))
    rows = board(physio, at_day(1, 10))
    assert [row.need.key for row in rows] == ["new", "ended"]


def test_nobody_sees_the_patients_of_another_site(patient, stranger, physio):
    assert board(stranger, at_day(0), scope="site") == []
    assert board(stranger, at_day(0), scope="mine") == []
    assert len(board(physio, at_day(0), scope="site")) == 1


@pytest.mark.parametrize("search", ["morales", "Ana Mor", "P-00", "07700 900123", "+44 7700"])
def test_a_patient_is_found_by_name_number_and_telephone(patient, make_patient, physio, search):
    make_patient("Bo", family_name="Quist", phone="+33612345678", number="X-1")
    found = caseload.patients_on_board(user=physio, search=search)
    assert [p.pk for p in found] == [patient.pk]


def test_one_patient_costs_as_many_queries_as_thirty(make_program, make_patient, physio):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            board(physio, at_day(3, 20))
        return len(captured)

    program = make_program(patient=make_patient("P"))
    live_well(program, 0, 3)
    raise_flag(make_program(patient=make_patient("F")).patient, at_day(3), bladder="yes")
    one = queries()
    for number in range(30):
        program = make_program(patient=make_patient(f"N{number}"))
        if number % 3 == 0:
            do_session(program, 0)
    assert queries() == one


def test_a_hold_names_the_rule_that_asks_for_a_look(program, physio):
    # Given answers that hold the step for several reasons, one of which asks for the clinician
    live_well(program, 0, 3)
    do_morning(program, 4, feels_safe=1)
    row = only(physio, at_day(4, 20))
    # Then the row names that one, and the page of the patient the others
    assert row.need.key == "stalled"
    assert row.reason == "High fear of movement (R19)"
    assert len(row.decision.rules) > 1
