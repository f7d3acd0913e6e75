"""Taking an answer to a proposal back: what stands again, and what has come up in the meantime."""

import datetime as dt
import uuid

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from clinic.models import Role
from patients.injuring import record_injury, set_limits
from programs.adjusting import Change, PrescriptionChange, adjust_program
from programs.answering import answer_after_session
from programs.deciding import consider
from programs.models import CaseloadRow, Program, Proposal
from programs.positions import prescriptions_of
from programs.proposals import accept_proposal, decline_proposal
from programs.undoing import UNDO_WITHIN, undo_answer
from tests.conftest import MONDAY, make_staff
from tests.living import GOOD_AFTER, at_day, do_morning, do_session, live_well, report_session
from tests.programs.at_home import safe
from tests.programs.at_the_desk import at_address, fresh
from tests.reading import html_of, words

pytestmark = pytest.mark.django_db
LIVE = {"X-Live": "1"}
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def desk(client, physio, proposed, clock) -> Client:
    """The physiotherapist signed in, on the morning a step is proposed."""
    do_morning(fresh(proposed.program), 10)
    clock.move_to(at_day(10, 10))
    client.force_login(physio)
    return client


def declined(desk, program, proposed, **sent) -> str:
    """Decline on the board; returns where that leads to."""
    address = at_address("board_decline", program, proposed.pk)
    return desk.post(address, {"reason": "A busy week", **sent}).url


def taken_back(desk, program, proposed, **sent):
    address = at_address("board_undo", program, proposed.pk)
    return desk.post(address, sent, follow=True)


def as_patient(program) -> str:
    """The patient's page of today, in words."""
    browser = Client()
    browser.force_login(program.patient.user)
    return words(browser.get("/"))


def test_newer_answers_are_not_forgotten_when_a_step_is_taken_back(program, physio):
    live_well(program, 0, 9)
    proposal = Proposal.objects.open().get(program=program)
    accept_proposal(proposal=proposal, by=physio, at=at_day(10) - dt.timedelta(minutes=3))
    program.refresh_from_db()
    do_morning(program, 10, pain_this_morning=6)
    version = undo_answer(proposal=proposal, by=physio, at=at_day(10) + dt.timedelta(minutes=3))
    proposal.refresh_from_db()
    assert (proposal.status, proposal.answered_by) == ("superseded", None)
    newest = program.decisions.first()
    assert newest.outcome != "PROGRESS" and newest.version == version
    assert not any(one.decision.outcome == "PROGRESS" for one in program.proposals.open())


def test_a_step_down_is_not_taken_back_against_a_limit(program, physio):
    adjust_program(
        program=program,
        change=Change(
            phase=1,
            lock="frozen",
            prescriptions={"dead-bug": PrescriptionChange(level=2)},
            overrides={"dead-bug": "Seen in the room."},
        ),
        by=physio,
        reason="Seen in the room.",
        at=MONDAY,
    )
    program = Program.objects.whole().get(pk=program.pk)
    live_well(program, 0, 2)
    do_morning(program, 3)
    do_session(program, 3, pain_during=7)
    proposal = Proposal.objects.open().select_related("decision").get(program=program)
    assert proposal.decision.step["exercise"] == "dead-bug"
    at = at_day(3, 19)
    lowered = accept_proposal(proposal=proposal, by=physio, at=at)
    injury = record_injury(
        patient=program.patient,
        by=physio,
        at=at,
        kind="disc",
        words="Something went when I lifted the bath.",
        happened_on=MONDAY.date() - dt.timedelta(weeks=6),
    )
    set_limits(injury=injury, classes=["anti_extension"], by=physio, at=at)
    with pytest.raises(ValidationError, match="a limit stands against it"):
        undo_answer(proposal=proposal, by=physio, at=at + dt.timedelta(minutes=5))
    proposal.refresh_from_db()
    assert proposal.status == "accepted"
    assert Program.objects.whole().get(pk=program.pk).current_version == lowered


# --- a decline -----------------------------------------------------------------------------------


def test_given_a_decline_taken_back_then_all_stands_as_it_stood(desk, program, proposed):
    safe(program.patient, at_day(10))
    before, at_home = fresh(program).current_version, as_patient(program)
    assert "looks at this before anything changes" in at_home
    url = declined(desk, program, proposed, back="?need=waiting")
    assert "Declined for Ana Morales" in words(desk.get(url))
    assert "routine stays as it is" in as_patient(program)
    said = words(taken_back(desk, program, proposed, back="?need=waiting"))
    assert "Taken back. Version 3 is as before; the proposal is open again." in said
    proposed.refresh_from_db()
    assert (proposed.status, proposed.answered_by, proposed.answered_at) == ("open", None, None)
    assert (proposed.answer_reason, proposed.resulting_version) == ("", None)
    version = fresh(program).current_version
    assert [v.number for v in program.versions.order_by("number")] == [1, 2, 3]
    assert (version.reason[:10], version.step_since) == ("Taken back", before.step_since)
    assert [(p.level, p.reps, p.since) for p in prescriptions_of(version)] == [
        (p.level, p.reps, p.since) for p in prescriptions_of(before)
    ]
    # It waits again: on the board, on the patient's page, and for the patient.
    assert at_address("board_accept", program, proposed.pk) in html_of(desk.get("/clinic/"))
    page = desk.get(at_address("patient", program))
    assert at_address("patient_accept", program, proposed.pk) in html_of(page)
    assert as_patient(program) == at_home
    # What was declined stays on record, with its reason and whose it was.
    kept = program.versions.get(number=2)
    assert (kept.cause, kept.reason) == ("declined", "A busy week")
    # And it can be answered once more.
    desk.post(at_address("board_accept", program, proposed.pk), headers=LIVE)
    proposed.refresh_from_db()
    assert proposed.status == "accepted"


@pytest.mark.parametrize("answer", ["accept", "decline"])
def test_given_an_answer_on_the_patients_page_then_the_same_line_takes_it_back(
    desk, program, proposed, answer
):
    address = at_address(f"patient_{answer}", program, proposed.pk)
    page = desk.post(address, {"reason": "A busy week"}, follow=True)
    assert at_address("board_undo", program, proposed.pk) in html_of(page)
    page = taken_back(desk, program, proposed, page="patient")
    assert page.request["PATH_INFO"] == at_address("patient", program)
    assert "the proposal is open again" in words(page)
    proposed.refresh_from_db()
    assert proposed.status == "open"


def test_given_a_board_that_the_decline_has_emptied_then_the_line_is_there_all_the_same(
    desk, program, proposed
):
    page = html_of(desk.get(declined(desk, program, proposed, back="?need=waiting")))
    assert "Nobody here fits" in page and at_address("board_undo", program, proposed.pk) in page


def test_given_the_hourly_look_in_between_then_the_same_step_waits_again(desk, program, proposed):
    declined(desk, program, proposed)
    consider(program=fresh(program), at=at_day(10, 10))
    assert "open again" in words(taken_back(desk, program, proposed))
    waiting = program.proposals.open().select_related("decision").get()
    assert waiting.decision.step == proposed.decision.step
    assert "looks at this before anything changes" in waiting.decision.patient_text
    assert CaseloadRow.objects.get(patient=program.patient).need == "waiting"


def refused(desk, program, proposed, why: str) -> None:
    versions = program.versions.count()
    assert why in words(taken_back(desk, program, proposed))
    proposed.refresh_from_db()
    assert (proposed.status, program.versions.count()) == ("declined", versions)
    assert not program.proposals.open().filter(pk=proposed.pk).exists()


def test_given_newer_answers_then_a_decline_stands(desk, program, proposed, clock):
    session = report_session(fresh(program), 10)
    clock.move_to(at_day(10, 18) - MINUTE)
    declined(desk, program, proposed)
    answer_after_session(
        session=session,
        client_id=uuid.uuid4(),
        at=at_day(10, 18),
        **GOOD_AFTER | {"pain_during": 8},
    )
    refused(desk, program, proposed, "Newer answers have overtaken the step that was declined.")


def test_given_an_exercise_since_then_a_decline_stands(desk, program, proposed, clock):
    clock.move_to(at_day(10, 17))
    declined(desk, program, proposed)
    report_session(fresh(program), 10)
    refused(desk, program, proposed, "The patient has exercised since.")


def test_given_a_newer_version_then_a_decline_stands(desk, program, proposed, physio):
    declined(desk, program, proposed)
    adjust_program(
        program=fresh(program), change=Change(lock="frozen"), by=physio, reason="X", at=at_day(10)
    )
    refused(desk, program, proposed, "The program has changed since.")


def test_given_a_red_flag_then_a_decline_stands(desk, program, proposed):
    declined(desk, program, proposed)
    safe(program.patient, at_day(10, 10), infection="yes")
    refused(desk, program, proposed, "The program stands still.")
    # Also where the flag has not stopped the program.
    Program.objects.filter(pk=program.pk).update(status="active", suspended_for="")
    refused(desk, program, proposed, "A red flag is open.")


def test_given_more_than_ten_minutes_then_a_decline_stands(desk, program, proposed, clock):
    url = declined(desk, program, proposed)
    clock.shift(UNDO_WITHIN + dt.timedelta(seconds=1))
    assert at_address("board_undo", program, proposed.pk) not in html_of(desk.get(url))
    refused(desk, program, proposed, "More than ten minutes have passed.")


def test_given_a_colleague_then_only_who_declined_takes_it_back(desk, program, proposed, site):
    url = declined(desk, program, proposed)
    desk.force_login(make_staff(site, Role.PHYSIOTHERAPIST, "Ida Colleague"))
    assert at_address("board_undo", program, proposed.pk) not in html_of(desk.get(url))
    assert taken_back(desk, program, proposed).status_code == 403
    proposed.refresh_from_db()
    assert proposed.status == "declined"


def test_given_a_changed_proposal_then_there_is_nothing_to_take_back(desk, program, proposed):
    Proposal.objects.filter(pk=proposed.pk).update(status="superseded", answered_at=at_day(9, 20))
    assert "There is no answer to take back." in words(taken_back(desk, program, proposed))


def test_given_a_decline_taken_back_twice_at_once_then_once(program, proposed, physio):
    at = at_day(9, 20)
    decline_proposal(proposal=proposed, by=physio, reason="X", at=at)
    undo_answer(proposal=proposed, by=physio, at=at)
    with pytest.raises(ValidationError, match="no answer to take back"):
        undo_answer(proposal=proposed, by=physio, at=at)
    assert program.versions.count() == 3
