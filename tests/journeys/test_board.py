"""A physiotherapist works through the board by keyboard, between two appointments."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from playwright.sync_api import Page, expect

from clinic.models import User
from programs.models import ProgramVersion, Proposal, Snooze
from tests.journeys import pages
from tests.journeys.conftest import everything_at_work
from tests.journeys.looking import send, sign_in
from tests.living import live_well

pytestmark = [
    pytest.mark.journey,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
]


@pytest.fixture
def waiting(practice, clock, physio, make_patient, make_program):
    """So many patients with a step that waits: one who lived well, and others with a decision
    like theirs."""

    def make(count: int) -> User:
        first = make_program(patient=make_patient("Patient 1", email="p1@patients.example"))
        live_well(first, 0, 9)
        decision = Proposal.objects.open().select_related("decision").get().decision
        for number in range(2, count + 1):
            email = f"p{number}@patients.example"
            program = make_program(patient=make_patient(f"Patient {number}", email=email))
            decision.pk, decision.program = None, program
            decision.version = program.current_version
            decision.save(force_insert=True)
            Proposal.objects.create(program=program, decision=decision)
        clock.to(9, "19:30")
        everything_at_work()
        return physio

    return make


def ask(question):
    """The database, from a thread without the browser's event loop."""

    def asked():
        try:
            return question()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asked).result()


def test_twelve_proposals_are_accepted_by_keyboard_and_one_taken_back(
    practice, clock, at_desk, waiting
):
    # The first address is one of a machine, which has no icon for a browser.
    page: Page = at_desk()
    sign_in(page, waiting(12))
    page.goto("/clinic/")
    rows = page.locator("[data-row]")
    expect(rows).to_have_count(12)
    # When she goes to the first and accepts one after the other, with nothing but the keys
    page.keyboard.press("j")
    expect(rows.first).to_be_focused()
    for number in range(12):
        expect(rows.nth(number)).to_be_focused()
        page.keyboard.press("a")
        expect(rows.nth(number)).to_contain_text(re.compile(r"Accepted: .*Version 2\."))
    assert ask(lambda: Proposal.objects.filter(status="accepted").count()) == 12
    assert ask(lambda: ProgramVersion.objects.filter(cause="accepted").count()) == 12
    # And takes the last one back
    page.keyboard.press("u")
    expect(rows.last.get_by_role("button", name="Accept")).to_be_visible()
    expect(page.get_by_role("status").first).to_contain_text("Taken back. Version 3")
    assert ask(lambda: Proposal.objects.open().count()) == 1
    # Then the board, asked anew, has one who waits
    page.reload()
    expect(page.get_by_role("link", name="Waiting for approval 1")).to_be_visible()


def test_keys_lead_to_reasons_and_never_speak_while_one_types(practice, clock, at_desk, waiting):
    # The first address is one of a machine, which has no icon for a browser.
    page: Page = at_desk()
    sign_in(page, waiting(3))
    page.goto("/clinic/?need=waiting")
    # Letters typed into the search are letters
    page.keyboard.press("/")
    page.keyboard.type("jacds")
    expect(page.get_by_label("Name, number or telephone")).to_have_value("jacds")
    page.get_by_label("Name, number or telephone").fill("")
    page.locator("h1").click()
    # A step is declined with its reason, and one is back where one was
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("d")
    page.get_by_label("Why not").fill("A busy week at work")
    pages.button(page, "Decline with this reason").click()
    expect(page).to_have_url(re.compile(r"/clinic/\?need=waiting&undo=\d+#n-"))
    # The keys are there once the page is.
    page.wait_for_load_state()
    assert ask(lambda: Proposal.objects.get(status="declined").answer_reason) == (
        "A busy week at work"
    )
    # By the key it is taken back, from whatever row one stands on
    page.keyboard.press("u")
    expect(page.get_by_text("Taken back. Version 3 is as before")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/clinic/\?need=waiting#n-"))
    page.wait_for_load_state()
    assert ask(lambda: Proposal.objects.open().count()) == 3
    # Somebody is put off until a day
    page.keyboard.press("j")
    page.keyboard.press("s")
    page.get_by_label("Until").fill("2026-03-20")
    page.get_by_label("Why this can wait").fill("Away until then")
    pages.button(page, "Snooze").click()
    expect(page.get_by_role("link", name="Snoozed 1")).to_be_visible()
    assert ask(lambda: Snooze.objects.get().reason) == "Away until then"
    # And the patient opens by Enter
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/clinic/patients/"))


def test_every_page_of_the_board(practice, clock, look, waiting):
    physio = waiting(3)
    proposal = Proposal.objects.open().select_related("program").first()
    place = f"/clinic/caseload/{proposal.program.patient_id}"
    own = look(physio)
    own.at("board, three wait", "/clinic/")
    own.at("declined, may be taken back", declined(f"{place}/proposals/{proposal.pk}/decline/"))
    own.at(
        "declined, the patient's page",
        f"/clinic/patients/{proposal.program.patient_id}/?undo={proposal.pk}",
    )
    own.at("accepting together", "/clinic/caseload/together/")
    own.at("together, what became of each", together)
    own.at("snoozing", f"{place}/snooze/")
    own.at("snoozing, wrong", send(f"{place}/snooze/", "Snooze"))
    own.at("declining from the board", f"{place}/proposals/{proposal.pk}/decline/")
    own.at("nothing to accept together", "/clinic/caseload/together/")
    assert not own.wrong, "\n" + "\n".join(own.wrong)


def declined(address: str):
    def decline(page: Page) -> None:
        page.goto(address)
        page.get_by_label("Why not").fill("A busy week at work")
        pages.button(page, "Decline with this reason").click()
        expect(pages.button(page, "Undo")).to_be_visible()

    return decline


def together(page: Page) -> None:
    page.goto("/clinic/caseload/together/")
    pages.button(page, "Accept those ticked").click()
    expect(pages.heading(page, "What became of each")).to_be_visible()
