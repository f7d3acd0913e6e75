"""A physiotherapist opens a patient with a proposal, reads why, accepts; then enters a paper."""

import re

import pytest
from playwright.sync_api import Page, expect

from programs.models import Program, Proposal, Session
from tests.journeys import pages
from tests.journeys.conftest import Clock, Practice
from tests.journeys.looking import sign_in
from tests.living import live_well

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def test_a_proposal_is_read_and_accepted_and_a_paper_week_is_entered(
    practice: Practice, clock: Clock, at_desk, physio, make_patient, make_program
):
    # given a patient whose good days have led to a proposal, and whose last days are on paper
    patient = make_patient("Ana")
    program = make_program(patient=patient)
    live_well(program, 0, 9)
    step = Proposal.objects.open().select_related("decision").get().decision.step
    clock.to(13, "09:30")
    # Signing in by the cookie passes a page that has no icon.
    desk: Page = at_desk()
    sign_in(desk, physio)

    # when the physiotherapist opens the page, the proposal stands first with its answers
    desk.goto(f"/clinic/patients/{patient.pk}/")
    proposal = desk.get_by_role("region", name=re.compile(re.escape(step["words"])))
    expect(proposal.get_by_text("Two good sessions running")).to_be_visible()
    expect(proposal.get_by_text(re.compile("pain during 2, effort 5")).first).to_be_visible()
    expect(proposal.locator("figure .sb-figure").first).to_be_visible()
    expect(desk.get_by_role("img", name="Usual pain by day")).to_be_visible()

    # and accepts, then the next version is in force and drawn into the course
    pages.button(proposal, "Accept").click()
    expect(desk.get_by_text("is on version 2 now")).to_be_visible()
    program = Program.objects.select_related("current_version").get(pk=program.pk)
    assert program.current_version.number == 2

    # when three days are typed from paper
    pages.link(desk, "Enter a paper week").click()
    for day in ("Thursday 12 March", "Friday 13 March", "Saturday 14 March"):
        desk.get_by_label(f"Routine, {day}", exact=True).select_option("done")
        for head, number in (("Before", "2"), ("During", "3"), ("Effort", "5")):
            desk.get_by_label(f"{head}, {day}", exact=True).fill(number)
        for head, said in (("Form kept", "yes"), ("Stiffer", "no"), ("Neck tense", "no")):
            desk.get_by_label(f"{head}, {day}", exact=True).select_option(label=said)
        desk.get_by_label(f"Sore, {day}", exact=True).select_option(label="no")
    pages.button(desk, "Keep this week").click()

    # then they are kept as back-filled, under the name of who typed them
    expect(desk.get_by_text("3 days kept as back-filled.")).to_be_visible()
    kept = Session.objects.filter(program=program, known=Session.Known.BACK_FILLED)
    assert kept.count() == 3
    pages.link(desk, "Sessions").click()
    line = desk.get_by_role("region", name="Time line")
    expect(line.get_by_text("from paper, entered by Ruth Adeyemi").first).to_be_visible()

    # and a note is written beside it
    desk.get_by_label("New note").fill("Writes on paper while the phone is mended.")
    pages.button(desk, "Keep the note").click()
    expect(desk.get_by_role("region", name="Notes")).to_contain_text("while the phone is mended")

    # and what the patient sees can be read and not pressed
    pages.link(desk, "What the patient sees").click()
    expect(desk.get_by_text("For reading only")).to_be_visible()
    expect(desk.get_by_role("heading", name=re.compile("Ana"))).to_be_visible()
    assert desk.locator("main a[href], main button:enabled, main form[action]").count() == 0
