"""Taking an acceptance back, where something else has come up in the meantime."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError

from patients.injuring import record_injury, set_limits
from programs.adjusting import Change, PrescriptionChange, adjust_program
from programs.models import Program, Proposal
from programs.proposals import accept_proposal
from programs.undoing import undo_acceptance
from tests.conftest import MONDAY
from tests.living import at_day, do_morning, do_session, live_well

pytestmark = pytest.mark.django_db


def test_newer_answers_are_not_forgotten_when_a_step_is_taken_back(program, physio):
    live_well(program, 0, 9)
    proposal = Proposal.objects.open().get(program=program)
    accept_proposal(proposal=proposal, by=physio, at=at_day(10) - dt.timedelta(minutes=3))
    program.refresh_from_db()
    do_morning(program, 10, pain_this_morning=6)
    version = undo_acceptance(proposal=proposal, by=physio, at=at_day(10) + dt.timedelta(minutes=3))
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
        undo_acceptance(proposal=proposal, by=physio, at=at + dt.timedelta(minutes=5))
    proposal.refresh_from_db()
    assert proposal.status == "accepted"
    assert Program.objects.whole().get(pk=program.pk).current_version == lowered
