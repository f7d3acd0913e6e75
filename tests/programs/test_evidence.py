"""What the rules get to see: the right answers of the right program on the right days."""

import datetime as dt
import uuid

import pytest
import time_machine

from patients.models import Patient, RedFlag
from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from programs import deciding
from programs.adjusting import (
    Change,
    PrescriptionChange,
    adjust_program,
    end_program,
    reopen_program,
)
from programs.answering import answer_morning, record_session
from programs.deciding import approver_of, consider
from programs.evidence import gather
from programs.models import Decision, Policy, Program, ProgramVersion, Proposal
from programs.policies import thresholds_of
from programs.today import today_for
from tests.living import (
    GOOD_MORNING,
    at_day,
    do_morning,
    do_session,
    live_well,
    report_session,
)

pytestmark = pytest.mark.django_db


def evidence_of(program: Program, at: dt.datetime):
    program = deciding.lock_program(program)
    policy = thresholds_of(Policy.objects.in_force(program.current_version.pathway))
    return gather(program, policy=policy, at=at)


def no_to_all(**other: str) -> dict[str, str]:
    return {question.id: "no" for question in REPEATED} | other


def flag(patient: Patient, at: dt.datetime, **raised: str) -> RedFlag | None:
    return answer_red_flags(
        patient=patient, answers=no_to_all(**raised), source="button", client_id=uuid.uuid4(), at=at
    )


def night(program: Program, number: int, hour: int, minute: int = 0) -> dt.datetime:
    return at_day(number, hour).replace(minute=minute)


# --- days and programs --------------------------------------------------------------------------


def test_given_a_new_program_then_answers_of_the_one_before_are_not_its_own(
    program, make_program, physio
):
    live_well(program, 0, 8)
    stopped = do_morning(program, 9, usual_pain=9)
    assert stopped.decision.rules == ["R03"]
    end_program(program=program, by=physio, reason="Another way.", at=at_day(9, 11))
    gentler = make_program(
        "stability-first",
        patient=program.patient,
        at=at_day(9, 12),
        started_on=at_day(2).date(),
    )
    seen = evidence_of(gentler, at_day(9, 13)).evidence
    assert seen.usual_pain_now is None and seen.weekly_median_pain == ()
    assert seen.check_ins_last_7_days == 0 and seen.sessions == ()
    assert consider(program=gentler, at=at_day(9, 13)).outcome == Decision.Outcome.HOLD


def test_given_a_step_then_the_session_of_that_morning_does_not_count_for_it(program, physio):
    slug = report_session(program, 0).items[-1]["exercise"]
    adjust_program(
        program=program,
        change=Change(prescriptions={slug: PrescriptionChange(reps=12)}),
        by=physio,
        reason="A few more.",
        at=at_day(0, 19),
    )
    assert evidence_of(program, at_day(0, 20)).evidence.sessions_at_level == 0
    kept = report_session(program, 1).items
    asked = slug in [item["exercise"] for item in kept]
    assert evidence_of(program, at_day(1, 20)).evidence.sessions_at_level == int(asked)


def test_given_a_program_changed_before_its_first_day_then_its_sessions_still_count(
    make_program, physio
):
    program = make_program(started_on=at_day(3).date())
    slug = program.current_version.prescriptions.first().exercise.slug
    adjust_program(
        program=program,
        change=Change(prescriptions={slug: PrescriptionChange(sets=3)}),
        by=physio,
        reason="One set more.",
        at=at_day(1),
    )
    report_session(program, 3)
    assert evidence_of(program, at_day(3, 20)).evidence.sessions_at_level == 1


def test_given_a_late_report_then_it_is_of_the_version_of_its_day(program, physio):
    slug = program.current_version.prescriptions.order_by("order").first().exercise.slug
    adjust_program(
        program=program,
        change=Change(prescriptions={slug: PrescriptionChange(sets=3)}),
        by=physio,
        reason="One set more.",
        at=at_day(3),
    )
    session = report_session(program, 5, day=at_day(1).date(), known="back_filled")
    assert session.version.number == 1
    assert {item["sets"] for item in session.items if item["exercise"] == slug} != {3}
    program.refresh_from_db()
    assert today_for(program=program, at=at_day(5, 18)).news is not None


def test_given_many_answers_on_one_day_then_they_are_not_a_week(program):
    for hour in (8, 12, 16, 20):
        answer_morning(
            program=program,
            client_id=uuid.uuid4(),
            at=at_day(1, hour),
            **{**GOOD_MORNING, "usual_pain": 6},
        )
    seen = evidence_of(program, at_day(1, 21)).evidence
    assert seen.weekly_median_pain == () and seen.check_ins_last_7_days == 1


# --- the night ----------------------------------------------------------------------------------


def test_given_ten_past_midnight_then_it_is_not_the_next_morning_yet(program):
    session = report_session(program, 0)
    late = night(program, 1, 0, 10)
    assert today_for(program=program, at=late).morning_due is False
    answered = answer_morning(program=program, client_id=uuid.uuid4(), at=late, **GOOD_MORNING)
    assert answered.check_in.kind == "daily"
    assert today_for(program=program, at=at_day(1, 8)).morning_due is True
    morning = do_morning(program, 1, pain_this_morning=6)
    session.refresh_from_db()
    assert session.morning_check_in == morning.check_in
    assert today_for(program=program, at=at_day(1, 10)).morning_due is False


def test_given_a_session_before_midnight_then_its_answers_are_asked_for_after_it(client, program):
    flag(program.patient, at_day(0))
    at = night(program, 0, 23, 50)
    session = record_session(
        program=program,
        day=at.date(),
        status="done",
        client_id=uuid.uuid4(),
        known="timed",
        at=at,
    )
    with time_machine.travel(night(program, 1, 0, 5), tick=False):
        client.force_login(program.patient.user)
        assert "Say how it went" in client.get("/").content.decode()
        page = client.get("/check-in/after/")
        sent = {"client_id": page.context["form"]["client_id"].value()}
        sent |= {"pain_before": 2, "pain_during": 6, "effort": 5, "soreness": "none"}
        sent |= {"form_kept": "yes", "stiffer_after": "no", "neck_tension": "no"}
        client.post("/check-in/after/", sent)
    session.refresh_from_db()
    assert session.after_check_in.pain_during == 6 and session.after_check_in.day == session.day
    assert today_for(program=program, at=at_day(1, 9)).after_due is False


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/St_Johns", "Asia/Kathmandu"])
def test_given_a_far_zone_then_evening_and_morning_belong_together(
    make_patient, make_program, zone
):
    patient = make_patient(time_zone=zone)
    program = make_program(patient=patient)
    first = dt.datetime.combine(program.started_on, dt.time(22), tzinfo=patient.zone)
    session = record_session(
        program=program,
        day=program.started_on,
        status="done",
        client_id=uuid.uuid4(),
        known="timed",
        at=first,
    )
    answered = answer_morning(
        program=program,
        client_id=uuid.uuid4(),
        at=first + dt.timedelta(hours=10),
        **GOOD_MORNING,
    )
    session.refresh_from_db()
    assert session.morning_check_in == answered.check_in
    Patient.objects.filter(pk=patient.pk).update(time_zone="America/Los_Angeles")
    program = deciding.lock_program(program)
    # Back to a day that is reported already: nothing doubles, nothing breaks.
    assert consider(program=program, at=first + dt.timedelta(hours=11)).outcome == "HOLD"


# --- what was acted on already ------------------------------------------------------------------


def test_given_no_new_answers_then_an_old_bad_week_lowers_the_load_only_once(program, physio):
    higher = Change(prescriptions={"cat-cow": PrescriptionChange(level=3)})
    adjust_program(program=program, change=higher, by=physio, reason="Easy.", at=at_day(0))
    for number in range(1, 14):
        do_morning(program, number, usual_pain=2 if number < 7 else 4)
    lowered = program.decisions.filter(outcome=Decision.Outcome.REGRESS)
    assert [d.rules for d in lowered] == [["R06"]]
    for number in range(14, 60):
        consider(program=program, at=at_day(number))
    assert lowered.count() == 1
    assert program.versions.count() == 3


def test_given_a_stop_in_the_last_fortnight_then_the_program_was_not_calm(make_program, physio):
    program = make_program("stability-first", pathway="chronic")
    live_well(program, 0, 5)
    assert evidence_of(program, at_day(6)).standing.facts.calm_fortnight is True
    flag(program.patient, at_day(6), infection="yes")
    reopen_program(program=program, by=physio, reason="Seen, all is well.", at=at_day(6, 12))
    assert evidence_of(program, at_day(7)).standing.facts.calm_fortnight is False


def test_given_known_hard_effort_then_a_waiting_proposal_is_taken_back(program):
    live_well(program, 0, 8)
    do_morning(program, 9)
    assert program.proposals.get().status == Proposal.Status.OPEN
    do_session(program, 9, effort=9)
    do_morning(program, 10)
    assert program.decisions.first().rules == ["R28"]
    assert program.proposals.get().status == Proposal.Status.SUPERSEDED


def test_given_another_clinicians_later_change_then_the_policy_keeps_its_approver(
    make_program, physio, site
):
    from tests.conftest import make_staff

    program = make_program()
    adjust_program(
        program=program, change=Change(auto_policy=True), by=physio, reason="May.", at=at_day(0)
    )
    other = make_staff(site, "physiotherapist", "Nora Kell")
    change = Change(cue_set=ProgramVersion.CueSet.FILL_OUT)
    adjust_program(program=program, change=change, by=other, reason="Cues.", at=at_day(1))
    assert approver_of(program) == physio


# --- red flags ----------------------------------------------------------------------------------


def test_given_rules_that_cannot_be_read_then_a_red_flag_is_kept_and_stops_all_the_same(
    program, monkeypatch, caplog
):
    def broken(*args, **kwargs):
        raise RuntimeError("pain_during 9, saddle numbness")

    monkeypatch.setattr(deciding, "gather", broken)
    assert flag(program.patient, at_day(1), bladder="yes") is not None
    program.refresh_from_db()
    assert (program.status, program.suspended_for) == ("suspended", "red_flag")
    assert deciding.consider_all(at=at_day(2)) == 0
    assert "numbness" not in caplog.text


def test_given_answers_that_call_for_questions_then_they_wait_on_every_device(program, client):
    flag(program.patient, at_day(0))
    assert today_for(program=program, at=at_day(1)).red_flag_questions_due is False
    assert do_session(program, 1, pain_before=2, pain_during=5).ask_red_flags
    assert today_for(program=program, at=at_day(2)).red_flag_questions_due is True
    flag(program.patient, at_day(2))
    assert today_for(program=program, at=at_day(2, 10)).red_flag_questions_due is False


def test_given_the_same_id_with_a_yes_then_it_is_not_taken_for_a_replay_of_the_no(program):
    same = {"patient": program.patient, "source": "button", "client_id": uuid.uuid4()}
    assert answer_red_flags(answers=no_to_all(), at=at_day(1), **same) is None
    raised = answer_red_flags(answers=no_to_all(bladder="yes"), at=at_day(1), **same)
    assert raised is not None and raised.severity == "emergency"
    again = answer_red_flags(answers=no_to_all(bladder="yes"), at=at_day(2), **same)
    assert again == raised and RedFlag.objects.count() == 1
