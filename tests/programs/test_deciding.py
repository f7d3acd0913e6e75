"""From answers to decisions, through the database: what is applied, proposed, and stopped."""

import uuid

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, transaction

from clinic.models import Alert
from patients.models import RedFlagScreening
from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from programs.adjusting import Change, PrescriptionChange, adjust_program, reopen_program
from programs.answering import record_session
from programs.deciding import consider, consider_all
from programs.models import Decision, Prescription, Program, ProgramVersion, Proposal
from programs.proposals import accept_proposal, change_proposal, decline_proposal
from programs.today import today_for
from tests.living import at_day, do_morning, do_session, live_well, report_session
from tests.publishing import publish

pytestmark = pytest.mark.django_db


def no_to_all() -> dict[str, str]:
    return {question.id: "no" for question in REPEATED}


def raise_flag(program: Program, number: int, question: str = "saddle_numbness", answer="yes"):
    return answer_red_flags(
        patient=program.patient,
        answers=no_to_all() | {question: answer},
        source=RedFlagScreening.Source.BUTTON,
        client_id=uuid.uuid4(),
        at=at_day(number),
    )


def newest(program: Program) -> Decision:
    return program.decisions.order_by("-pk").first()


def load_of(version: ProgramVersion) -> dict[str, tuple[int, int, int]]:
    return {
        p.exercise.slug: (p.level, p.reps, p.hold_s)
        for p in version.prescriptions.select_related("exercise")
        if not p.paused
    }


def test_a_good_week_becomes_a_proposal_with_the_answers_that_fired_it(program, physio):
    live_well(program, 0, 8)
    proposal = program.proposals.open().get()
    decision = proposal.decision
    assert (decision.outcome, decision.rules, decision.approval) == (
        "PROGRESS",
        ["R26"],
        "clinician",
    )
    fired = decision.fired[0]["answers"]
    assert {answer["field"] for answer in fired} == {
        "pain_during",
        "effort_rpe",
        "pain_next_morning",
    }
    assert all(answer["ref"].startswith("session:") for answer in fired)
    assert decision.policy.pathway == "desk"
    program.refresh_from_db()
    assert program.current_version.number == 1, "nothing moved without the clinician"


def test_accepting_makes_a_new_version_and_the_next_routine_says_why(program, physio):
    live_well(program, 0, 8)
    proposal = program.proposals.open().get()
    before = load_of(program.versions.get(number=1))
    version = accept_proposal(proposal=proposal, by=physio, at=at_day(8, 12))
    assert (version.number, version.by, version.cause) == (2, physio, "accepted")
    changed = {slug for slug, dose in load_of(version).items() if before.get(slug) != dose}
    assert changed == {proposal.decision.step["exercise"]}
    program.refresh_from_db()
    news = today_for(program=program, at=at_day(9)).news
    assert news == version
    assert "ready for the next step" in news.patient_reason
    assert "looks at this before" not in news.patient_reason


def test_one_step_at_a_time_then_the_new_level_has_to_last(program, physio):
    live_well(program, 0, 8)
    accept_proposal(proposal=program.proposals.open().get(), by=physio, at=at_day(8, 12))
    live_well(program, 9, 12)
    assert not program.proposals.open().exists()
    assert newest(program).outcome == "HOLD"
    assert any(rule["rule"] == "R24" for rule in newest(program).fired) or newest(
        program
    ).rules == ["R28"]


def test_declining_keeps_the_routine_says_why_and_waits_before_asking_again(program, physio):
    live_well(program, 0, 8)
    proposal = program.proposals.open().get()
    with pytest.raises(ValidationError, match="Say why"):
        decline_proposal(proposal=proposal, by=physio, reason=" ", at=at_day(8, 12))
    version = decline_proposal(
        proposal=proposal, by=physio, reason="Travels next week", at=at_day(8, 12)
    )
    assert load_of(version) == load_of(program.versions.get(number=1))
    proposal.refresh_from_db()
    assert (proposal.status, proposal.answered_by) == ("declined", physio)
    live_well(program, 9, 11)
    assert not program.proposals.open().exists()


def test_changing_a_proposal_takes_the_clinicians_step_instead(program, physio):
    live_well(program, 0, 8)
    proposal = program.proposals.open().get()
    version = change_proposal(
        proposal=proposal,
        change=Change(
            lock="no_progress",
            pain_ceiling=4,
            prescriptions={"cat-cow": PrescriptionChange(level=2)},
        ),
        by=physio,
        reason="Rather more range first",
        at=at_day(8, 12),
    )
    proposal.refresh_from_db()
    assert (proposal.status, proposal.resulting_version) == ("changed", version)
    assert (version.lock, version.pain_ceiling, load_of(version)["cat-cow"][0]) == (
        "no_progress",
        4,
        2,
    )


def test_a_proposal_can_be_answered_once_and_only_by_a_clinician_of_the_site(
    program, physio, manager, stranger
):
    live_well(program, 0, 8)
    proposal = program.proposals.open().get()
    for somebody in (manager, stranger, program.patient.user):
        with pytest.raises(PermissionDenied):
            accept_proposal(proposal=proposal, by=somebody, at=at_day(8, 12))
    accept_proposal(proposal=proposal, by=physio, at=at_day(8, 12))
    with pytest.raises(ValidationError, match="answered already"):
        decline_proposal(proposal=proposal, by=physio, reason="Late", at=at_day(8, 13))
    assert program.versions.count() == 2


def test_pain_above_the_ceiling_lowers_the_exercise_the_patient_pointed_at(make_program, physio):
    program = make_program("stability-first", pathway="chronic")
    at_two = {slug: PrescriptionChange(level=2) for slug in ("dead-bug", "bird-dog")}
    adjust_program(
        program=program,
        change=Change(phase=1, prescriptions=at_two),
        by=physio,
        reason="Seen in the practice",
        at=at_day(0),
    )
    program.refresh_from_db()
    do_session(program, 1)
    asked_for = {item["exercise"] for item in report_session(program, 2).items}
    sore = next(slug for slug in at_two if slug in asked_for)
    answered = do_session(program, 2, pain_during=7, exercise=sore)
    decision = answered.decision
    assert (decision.outcome, decision.rules) == ("REGRESS", ["R07"])
    assert decision.handling == Decision.Handling.APPLIED
    program.refresh_from_db()
    levels = {slug: load_of(program.current_version)[slug][0] for slug in at_two}
    assert levels == {**dict.fromkeys(at_two, 2), sore: 1}
    assert program.current_version.cause == ProgramVersion.Cause.RULE_LOWERED
    assert program.current_version.by is None
    assert Alert.objects.about("patient", program.patient_id).filter(severity="routine").exists()
    assert answered.ask_red_flags, "pain that rose by 2 or more asks the questions"


def test_the_same_sore_evening_lowers_the_load_once_not_every_day(program, physio):
    adjust_program(
        program=program,
        change=Change(prescriptions={"deep-core-hold": PrescriptionChange(level=3)}),
        by=physio,
        reason="Seen in the practice",
        at=at_day(0),
    )
    live_well(program, 0, 3)
    do_session(program, 4, pain_during=7)
    lowered = program.versions.filter(cause="rule_lowered").count()
    assert lowered == 1
    do_morning(program, 5)
    consider(program=program, at=at_day(5, 12))
    do_morning(program, 6)
    assert program.versions.filter(cause="rule_lowered").count() == 1
    do_session(program, 6, pain_during=7)
    assert program.versions.filter(cause="rule_lowered").count() == 2, "new answers, new step"


def test_a_routine_is_never_emptied_however_often_it_hurts(program):
    for number in range(12):
        program.refresh_from_db()
        if number:
            do_morning(program, number)
        do_session(program, number, pain_during=7)
    program.refresh_from_db()
    assert today_for(program=program, at=at_day(12)).items
    assert "Nothing easier" in Alert.objects.about("patient", program.patient_id).last().summary


def test_a_frozen_program_is_lowered_only_by_the_clinician(make_program, physio):
    program = make_program("post-injury")
    adjust_program(
        program=program,
        change=Change(lock="frozen", prescriptions={"deep-core-hold": PrescriptionChange(level=2)}),
        by=physio,
        reason="Review",
        at=at_day(0),
    )
    for number in range(3):
        program.refresh_from_db()
        if number:
            do_morning(program, number, pain_this_morning=2 if number == 1 else 4)
        if number < 2:
            do_session(program, number)
    decision = newest(program)
    assert (decision.outcome, decision.rules, decision.approval) == (
        "REGRESS",
        ["R08"],
        "clinician",
    )
    assert program.proposals.open().get().decision == decision
    program.refresh_from_db()
    assert program.current_version.number == 2


def test_a_one_sided_pull_pauses_what_went_up_last_and_twice_stops(make_program, physio):
    program = make_program("desk")
    live_well(program, 0, 8)
    raised = program.proposals.open().get().decision.step["exercise"]
    accept_proposal(proposal=program.proposals.open().get(), by=physio, at=at_day(8, 20))
    program.refresh_from_db()
    do_morning(program, 9)
    answered = do_session(program, 9, soreness="one_sided", side="left")
    assert answered.ask_red_flags
    assert answered.decision.rules[0] == "R10"
    program.refresh_from_db()
    assert program.current_version.prescriptions.get(exercise__slug=raised).paused
    do_morning(program, 10)
    answered = do_session(program, 10, soreness="one_sided", side="left")
    assert (answered.decision.outcome, answered.decision.rules) == ("STOP", ["R04"])
    program.refresh_from_db()
    assert (program.status, program.suspended_for) == ("suspended", "rule")


def test_a_pull_with_too_much_pain_rests_what_a_pull_alone_would(make_program, physio):
    program = make_program("desk")
    live_well(program, 0, 8)
    proposal = program.proposals.open().get()
    accept_proposal(proposal=proposal, by=physio, at=at_day(8, 20))
    program.refresh_from_db()
    raised = proposal.decision.step["exercise"]
    other = program.current_version.prescriptions.exclude(exercise__slug=raised).first()
    do_morning(program, 9)
    answered = do_session(
        program,
        9,
        soreness="one_sided",
        side="left",
        pain_during=7,
        exercise=other.exercise.slug,
    )
    assert answered.decision.outcome == "REGRESS"
    assert "R07" in answered.decision.rules
    program.refresh_from_db()
    version = program.current_version
    assert version.prescriptions.get(exercise__slug=raised).paused
    eased = version.prescriptions.get(exercise=other.exercise)
    assert eased.paused or (eased.level, eased.reps, eased.hold_s) < (
        other.level,
        other.reps,
        other.hold_s,
    )
    assert "rests for now" in version.patient_reason


@pytest.mark.parametrize("answer", ["yes", "not_sure"])
def test_a_red_flag_suspends_alerts_and_hides_every_exercise(program, answer):
    live_well(program, 0, 2)
    flag = raise_flag(program, 3, answer=answer)
    program.refresh_from_db()
    assert (program.status, program.suspended_for) == ("suspended", "red_flag")
    assert newest(program).rules == ["R01"]
    today = today_for(program=program, at=at_day(3))
    assert today.items == [] and today.red_flag == flag and today.stopped
    alert = Alert.objects.get(severity="emergency")
    assert alert.owner == program.patient.physiotherapist
    assert (alert.due_at - alert.raised_at).total_seconds() == 3600
    with pytest.raises(ValidationError, match="paused"):
        report_session(program, 3)


def test_the_patient_cannot_undo_a_red_flag_by_answering_again(program, physio):
    raise_flag(program, 1)
    answer_red_flags(
        patient=program.patient,
        answers=no_to_all(),
        source=RedFlagScreening.Source.BUTTON,
        client_id=uuid.uuid4(),
        at=at_day(1, 12),
    )
    program.refresh_from_db()
    assert program.status == Program.Status.SUSPENDED
    assert program.patient.red_flags.open().count() == 1


def test_only_a_clinician_of_the_site_reopens_and_only_with_a_reason(
    program, physio, manager, front_desk, stranger
):
    raise_flag(program, 1)
    for somebody in (manager, front_desk, stranger, program.patient.user):
        with pytest.raises(PermissionDenied):
            reopen_program(program=program, by=somebody, reason="Fine", at=at_day(2))
    with pytest.raises(ValidationError, match="Say what was found"):
        reopen_program(program=program, by=physio, reason="  ", at=at_day(2))
    reopen_program(program=program, by=physio, reason="Examined, no deficit", at=at_day(2))
    program.refresh_from_db()
    assert program.status == "active"
    assert not program.patient.red_flags.open().exists()
    assert not Alert.objects.open().exists()
    flag = program.patient.red_flags.get()
    assert (flag.closed_by, flag.close_reason) == (physio, "Examined, no deficit")


def test_a_reopened_patient_reads_that_it_goes_on_not_the_advice_of_before(program, physio):
    do_session(program, 0)
    raise_flag(program, 1)
    program.refresh_from_db()
    reopen_program(program=program, by=physio, reason="Examined", at=at_day(1, 20))
    today = today_for(program=Program.objects.whole().get(pk=program.pk), at=at_day(1, 21))
    assert "You can go on" in today.next_step_text
    assert "urgent" not in today.next_step_text


def test_a_dose_beyond_reason_is_refused_in_words(program, physio):
    for wrong in ({"hold_s": 600}, {"reps": 60}, {"sets": 0}):
        change = Change(prescriptions={"cat-cow": PrescriptionChange(**wrong)})
        with pytest.raises(ValidationError, match="must be from"):
            adjust_program(program=program, change=change, by=physio, reason="x", at=at_day(0))
    assert program.versions.count() == 1


def test_a_reopened_program_is_not_stopped_again_by_the_old_answers(program, physio):
    live_well(program, 0, 3)
    do_session(program, 4, soreness="one_sided", side="right")
    do_session(program, 5, soreness="one_sided", side="right")
    program.refresh_from_db()
    assert program.status == "suspended"
    reopen_program(program=program, by=physio, reason="Examined", at=at_day(5, 20))
    answered = do_morning(program, 6)
    program.refresh_from_db()
    assert program.status == "active"
    assert answered.decision.outcome == "HOLD"


def test_silence_takes_a_waiting_proposal_back(program):
    live_well(program, 0, 8)
    assert program.proposals.open().exists()
    assert consider_all(at=at_day(13)) == 1
    assert not program.proposals.open().exists()
    assert program.proposals.get().status == Proposal.Status.SUPERSEDED
    assert newest(program).rules[0] == "R16"


def test_the_same_evidence_decided_twice_is_one_decision(program):
    live_well(program, 0, 8)
    count = program.decisions.count()
    first = consider(program=program, at=at_day(8, 19))
    again = consider(program=program, at=at_day(8, 20))
    assert first == again
    assert program.decisions.count() <= count + 1


def test_an_approved_policy_raises_by_itself_in_the_clinicians_name(make_program, physio):
    program = make_program("desk")
    adjust_program(
        program=program, change=Change(auto_policy=True), by=physio, reason="Steady", at=at_day(0)
    )
    live_well(program, 0, 8)
    program.refresh_from_db()
    version = program.current_version
    assert (version.cause, version.by, version.policy_approved_by) == (
        "policy_raised",
        None,
        physio,
    )


def test_a_policy_published_since_is_nobodys_approval_until_a_step_under_it_is_accepted(
    make_program, physio, manager
):
    program = make_program("desk")
    adjust_program(
        program=program, change=Change(auto_policy=True), by=physio, reason="Steady", at=at_day(0)
    )
    publish("desk", {"min_sessions": 3}, drafted_by=physio, by=manager, at=at_day(1))
    live_well(program, 0, 8)
    proposal = program.proposals.open().get()
    accept_proposal(proposal=proposal, by=physio, at=at_day(9))
    live_well(program, 10, 22)
    program.refresh_from_db()
    version = program.current_version
    assert (version.cause, version.policy_approved_by) == ("policy_raised", physio)


def test_post_injury_never_gets_an_automatic_policy(make_program, physio):
    program = make_program("post-injury")
    with pytest.raises(ValidationError, match="After an injury"):
        adjust_program(
            program=program, change=Change(auto_policy=True), by=physio, reason="x", at=at_day(0)
        )


def test_a_gated_level_is_refused_with_what_it_waits_for(make_program, physio):
    program = make_program("athlete")
    with pytest.raises(ValidationError, match=r"Curl-up.*clearance"):
        adjust_program(
            program=program, change=Change(add=["curl-up"]), by=physio, reason="x", at=at_day(0)
        )
    assert program.versions.count() == 1, "nothing half done"
    version = adjust_program(
        program=program,
        change=Change(add=["curl-up"], clearances=["flexion_loaded"], phase=3),
        by=physio,
        reason="Examined",
        at=at_day(0),
    )
    assert version.prescriptions.filter(exercise__slug="curl-up").exists()


@pytest.mark.database
def test_versions_and_decisions_cannot_be_edited_even_in_the_database(program):
    live_well(program, 0, 2)
    for change in (
        lambda: ProgramVersion.objects.update(phase=3),
        lambda: Prescription.objects.update(level=4),
        lambda: Decision.objects.update(outcome="PROGRESS"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


@pytest.mark.database
def test_a_replayed_session_changes_nothing(program):
    client_id = uuid.uuid4()
    options = {
        "program": program,
        "day": at_day(0).date(),
        "status": "done",
        "client_id": client_id,
        "known": "timed",
        "at": at_day(0),
    }
    first = record_session(**options)
    again = record_session(**options | {"status": "skipped", "skip_reason": "pain"})
    assert first == again
    assert program.sessions.get().status == "done"
