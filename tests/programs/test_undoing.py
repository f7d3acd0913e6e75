"""Taking an acceptance back, where something else has come up in the meantime."""

import datetime as dt

import pytest

from programs.models import Proposal
from programs.proposals import accept_proposal
from programs.undoing import undo_acceptance
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
