"""Wrong ways: what must not open does not, and says so kindly."""

import re
import uuid

import pytest
from playwright.sync_api import Page, expect

from patients.models import CheckIn
from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from programs.models import Proposal
from tests.conftest import MONDAY
from tests.journeys import pages
from tests.journeys.conftest import Clock, Practice, Worker
from tests.living import do_morning, live_well, report_session
from tests.publishing import publish

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

# Sends the form of the page twice at the same moment, exactly as it stands.
TWO_TAPS = """async () => {
    const body = new URLSearchParams(new FormData(document.querySelector("main form")));
    const tap = () => fetch(location.href, {method: "POST", body}).then(answer => answer.status);
    return Promise.all([tap(), tap()]);
}"""


def asked_for_code(page: Page, address: str) -> str:
    """What the page says after somebody asked for a code, without the address itself."""
    page.goto("/account/login/code/")
    page.get_by_label("E-mail address").fill(address)
    pages.button(page, "Send the code").click()
    expect(pages.heading(page, "Enter your code")).to_be_visible()
    # The heading may stand before the rest of the page has arrived.
    page.wait_for_load_state()
    return page.get_by_role("main").inner_text().replace(address, "ADDRESS")


def test_given_staff_or_an_unknown_address_then_the_code_page_says_the_same_and_sends_nothing(
    practice: Practice, at_desk, on_phone, physio, make_patient
):
    make_patient("Ana", email="ana@patients.example")

    known = asked_for_code(on_phone(), "ana@patients.example")
    for address in (physio.email, "nobody@patients.example"):
        page = on_phone(java_script_enabled=False, meets=(400,))
        assert asked_for_code(page, address) == known
        page.get_by_label(re.compile("^Code|^Your code")).fill("123456")
        pages.button(page, "Sign in").click()
        expect(pages.link(page, "Sign out")).to_have_count(0)
        page.goto("/")
        expect(pages.link(page, "Get a sign-in code")).to_be_visible()

    assert [address for address, _ in practice.mails.delivered] == ["ana@patients.example"]
    desk = at_desk()
    pages.sign_in_staff(desk, physio.email)
    expect(pages.heading(desk, "Caseload")).to_be_visible()


def test_given_a_link_that_has_expired_then_the_page_is_kind_and_leads_on(
    practice: Practice, clock: Clock, worker: Worker, on_phone, make_patient, make_program
):
    make_program(patient=make_patient("Ana", email="ana@patients.example"))
    worker.remind()
    (mail,) = pages.mails_to(practice.mails, "ana@patients.example")
    address = pages.link_in(pages.text_of(mail))

    phone = on_phone(meets=(404,))
    clock.to(1, "23:50")
    pages.open_link(phone, address)
    expect(pages.heading(phone, re.compile("Ana"))).to_be_visible()

    # Midnight ends both the link and what its button had opened.
    clock.to(2, "00:01")
    phone.goto("/routine/")
    expect(pages.heading(phone, "Sign in")).to_be_visible()
    phone.goto(address)
    expect(pages.heading(phone, "This link no longer works")).to_be_visible()
    expect(phone.get_by_text("Your routine is still here for you")).to_be_visible()
    pages.link(phone, "Get a sign-in code").click()
    expect(phone.get_by_label("E-mail address")).to_be_visible()


def test_given_a_proposal_then_the_manager_sees_it_and_cannot_accept_it(
    practice: Practice, clock: Clock, at_desk, physio, manager, make_program
):
    publish(
        "chronic",
        {"min_days_at_level": 3, "min_sessions_at_level": 3},
        drafted_by=physio,
        by=manager,
        at=MONDAY,
    )
    program = make_program("stability-first", pathway="chronic")
    live_well(program, 0, 2)
    do_morning(program, 3)
    clock.to(3, "12:00")
    proposal = program.proposals.get()

    page = at_desk(meets=(403,))
    pages.sign_in_staff(page, manager.email)
    page.get_by_role("link", name="Ana Morales").click()
    expect(page.get_by_text("Two good sessions running").first).to_be_visible()
    expect(page.get_by_text("A physiotherapist answers it.")).to_be_visible()
    for name in ("Accept", "Decline", "Change"):
        expect(pages.button(page, name)).to_have_count(0)
        expect(pages.link(page, name)).to_have_count(0)

    # Nor by the address behind the button, sent as the page itself would.
    address = f"/clinic/patients/{program.patient.pk}/proposals/{proposal.pk}/accept/"
    page.evaluate(
        """address => {
            const form = document.createElement("form");
            const token = document.querySelector("[name=csrfmiddlewaretoken]").cloneNode();
            form.method = "post"; form.action = address; form.append(token);
            document.body.append(form); form.submit();
        }""",
        address,
    )
    expect(pages.heading(page, "This page is closed to you")).to_be_visible()
    proposal.refresh_from_db()
    program.refresh_from_db()
    assert proposal.status == Proposal.Status.OPEN
    assert program.versions.count() == 1


def test_given_a_double_tap_on_save_then_one_check_in_is_kept(
    practice: Practice, clock: Clock, on_phone, make_patient, make_program
):
    patient = make_patient("Ana", email="ana@patients.example")
    program = make_program("stability-first", patient=patient)
    answer_red_flags(
        patient=patient,
        answers={question.id: "no" for question in REPEATED},
        source="intake",
        client_id=uuid.uuid4(),
        at=MONDAY,
    )
    report_session(program, 0)
    clock.to(0, "19:00")
    phone = on_phone()
    pages.sign_in_by_code(phone, "ana@patients.example", practice.mails)
    pages.link(phone, "Say how it went").click()
    pages.answer(phone, pages.GOOD_EVENING)
    # The same page is open in a second tab as well.
    other_tab = phone.context.new_page()
    other_tab.goto("/check-in/after/")
    pages.answer(other_tab, {**pages.GOOD_EVENING, "How hard was it?": "9"})

    # Two taps at once, before the page can leave; then two more on the button itself.
    answers = phone.evaluate(TWO_TAPS)
    pages.button(phone, "Save my answers").dblclick()

    expect(phone.get_by_text("Your answers are saved")).to_be_visible()
    assert answers == [200, 200]
    kept = CheckIn.objects.get(patient=patient)
    assert kept.effort == 5

    # What the other tab sends later changes nothing, and going back offers no second form.
    pages.button(other_tab, "Save my answers").click()
    expect(pages.heading(other_tab, "Done for today")).to_be_visible()
    phone.go_back()
    expect(pages.heading(phone, "Done for today")).to_be_visible()
    assert CheckIn.objects.get(patient=patient).effort == 5
    assert program.decisions.count() == 1
