"""Getting in by each way: a texted code, a passkey, the paper, a reminder; and somebody who helps.

The code by e-mail is how the other journeys begin.
"""

import re

import pytest
from allauth.mfa.models import Authenticator
from django.utils import timezone
from playwright.sync_api import Page, expect

from clinic.messaging.links import door_for
from patients.caring import accept_invitation, invite_carer
from patients.sign_in_sheets import make_sheet
from tests.journeys import pages
from tests.journeys.conftest import Clock, Practice, Worker
from tests.signing_in import codes_to

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

ANA, TOM = "ana@patients.example", "tom@family.example"
PHONE = "+447700900123"


def last_text(practice: Practice, address: str) -> str:
    return [text["Body"] for text in practice.texts.taken if text["To"] == address][-1]


def type_code(page: Page, code: str) -> None:
    expect(pages.heading(page, "Enter your code")).to_be_visible()
    page.get_by_label("Your code").fill(code)
    pages.button(page, "Sign in").click()


def today_of(page: Page, name: str) -> None:
    expect(pages.heading(page, re.compile(f"Good .*, {name}"))).to_be_visible()


def with_a_lock(page: Page) -> None:
    """Give this device a lock that its owner always opens."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def test_given_a_phone_that_a_family_shares_then_a_texted_code_lets_in_who_it_is(
    practice: Practice, on_phone, make_patient, make_program
):
    make_program(patient=make_patient("Ana", email="", phone=PHONE))
    make_program(patient=make_patient("Omar", email="", phone=PHONE))
    phone = on_phone(java_script_enabled=False)
    phone.goto("/account/login/code/")
    phone.get_by_label("E-mail address or mobile number").fill("07700 900123")
    pages.button(phone, "Send the code").click()
    expect(phone.get_by_role("main")).not_to_contain_text("Omar")
    type_code(phone, re.match(r"\d{6}", last_text(practice, PHONE)).group(0))
    expect(pages.heading(phone, "Who are you?")).to_be_visible()
    pages.button(phone, "Omar Morales").click()
    today_of(phone, "Omar")


def test_given_a_phone_with_a_lock_when_it_is_set_up_then_it_opens_the_pages_until_removed(
    practice: Practice, on_phone, make_patient, make_program
):
    make_program(patient=make_patient("Ana", email=ANA))
    phone = on_phone(meets=(400,))
    with_a_lock(phone)
    pages.sign_in_by_code(phone, ANA, practice.mails)
    today_of(phone, "Ana")
    phone.goto("/account/passkeys/")
    pages.link(phone, "Set up this device").click()
    phone.get_by_label("A name for it").fill("My phone")
    pages.button(phone, "Set up this device").click()
    expect(phone.get_by_role("status")).to_contain_text("sign in here without a code")
    expect(phone.get_by_role("link", name="My phone")).to_be_visible()

    sign_out(phone)
    phone.goto("/account/login/code/")
    pages.button(phone, "Sign in with this device’s lock").click()
    today_of(phone, "Ana")

    phone.goto("/account/passkeys/")
    phone.get_by_role("link", name="My phone").click()
    pages.button(phone, "Remove it").click()
    expect(phone.get_by_text("No device is set up yet.")).to_be_visible()
    sign_out(phone)
    phone.goto("/account/login/code/")
    pages.button(phone, "Sign in with this device’s lock").click()
    expect(phone.get_by_role("alert")).to_contain_text("You can sign in with a code")


def test_given_a_member_of_staff_with_a_passkey_then_it_opens_the_portal(
    practice: Practice, at_desk, physio, settings
):
    settings.STAFF_SECOND_FACTOR = True
    desk = at_desk()
    with_a_lock(desk)
    pages.sign_in_staff(desk, physio.email)
    desk.get_by_label("Password").fill(pages.PASSWORD)
    pages.button(desk, "Go on").click()
    expect(pages.heading(desk, "Set up the second step")).to_be_visible()
    pages.link(desk, "Use this device’s lock instead").click()
    pages.button(desk, "Set up this device").click()
    expect(desk.get_by_role("status")).to_contain_text("Done.")
    desk.goto("/clinic/")
    expect(pages.heading(desk, "Caseload")).to_be_visible()

    desk.context.clear_cookies()
    pages.sign_in_staff(desk, physio.email)
    expect(pages.heading(desk, "Second step")).to_be_visible()
    pages.button(desk, "Use this device’s lock").click()
    expect(pages.heading(desk, "Caseload")).to_be_visible()


def test_given_the_paper_and_a_reminder_then_both_lead_in(
    practice: Practice, clock: Clock, worker: Worker, at_desk, on_phone, front_desk, make_patient,
    make_program,
):  # fmt: skip
    patient = make_program(patient=make_patient("Ana", email=ANA, phone=PHONE)).patient
    desk = at_desk()
    pages.sign_in_staff(desk, front_desk.email)
    desk.goto(f"/clinic/patients/{patient.pk}/")
    pages.button(desk, "Make a sign-in sheet").click()
    expect(pages.heading(desk, "Ana, this is your way in")).to_be_visible()
    address = re.search(r"https?://\S+/in/[\w-]+", desk.get_by_role("main").inner_text()).group(0)

    phone = on_phone(java_script_enabled=False)
    phone.goto(address)
    expect(phone.get_by_role("main")).not_to_contain_text("Ana")
    phone.get_by_role("button", name=re.compile("by text")).click()
    type_code(phone, re.match(r"\d{6}", last_text(practice, PHONE)).group(0))
    today_of(phone, "Ana")

    worker.remind()
    (mail,) = [m for m in pages.mails_to(practice.mails, ANA) if "/r/" in pages.text_of(m)]
    other = on_phone(java_script_enabled=False)
    pages.open_link(other, pages.link_in(pages.text_of(mail)))
    today_of(other, "Ana")


def test_given_somebody_who_helps_then_they_come_in_and_are_sent_away(
    practice: Practice, worker: Worker, on_phone, make_patient, make_program
):
    make_program(patient=make_patient("Ana", email=ANA))
    ana = on_phone(meets=(403,))
    pages.sign_in_by_code(ana, ANA, practice.mails)
    today_of(ana, "Ana")
    ana.goto("/carers/")
    ana.get_by_label("Name of this person").fill("Tom Lee")
    ana.get_by_label("Their e-mail address or mobile number").fill(TOM)
    pages.button(ana, "Ask this person").click()
    expect(ana.get_by_role("status")).to_contain_text("They see nothing before they say yes.")
    worker.run("clinic.tasks.send_due")

    (invitation,) = pages.mails_to(practice.mails, TOM)
    door = re.search(r"https?://\S+/in/[\w-]+", pages.text_of(invitation)).group(0)
    tom = on_phone(meets=(403,))
    tom.goto(door)
    tom.get_by_role("button", name=re.compile("by e-mail")).click()
    expect(pages.heading(tom, "Enter your code")).to_be_visible()
    type_code(tom, pages.code_in(pages.mails_to(practice.mails, TOM)[-1]))
    expect(pages.heading(tom, "Ana Morales asks for your help")).to_be_visible()
    pages.button(tom, "Yes, I help").click()
    today_of(tom, "Ana")
    expect(tom.get_by_role("complementary", name="You are helping")).to_contain_text("Ana")
    tom.goto("/carers/")
    expect(pages.heading(tom, "Only Ana can do this")).to_be_visible()

    ana.goto("/carers/")
    pages.button(ana, "Remove Tom Lee").click()
    expect(ana.get_by_text("Nobody helps you here so far.")).to_be_visible()
    tom.goto("/")
    expect(pages.heading(tom, "This page is for patients")).to_be_visible()


def sign_out(page: Page) -> None:
    page.goto("/account/logout/")
    pages.button(page, "Sign out").click()
    expect(pages.link(page, "Get a sign-in code")).to_be_visible()


def test_every_page_of_getting_in(
    practice: Practice, look, physio, front_desk, make_patient, make_program
):
    at = timezone.now()
    name = "Oberlandesgerichtspräsidentin-Wagenknecht"
    ana = make_program(
        patient=make_patient("Ana", family_name=name, email=ANA, phone=PHONE)
    ).patient
    make_patient("نور", family_name="الحسيني", email="", phone=PHONE)
    sheet = make_sheet(patient=ana, by=front_desk, at=at)
    asked = invite_carer(patient=ana, name=f"Tom {name}", address=TOM, by=ana.user, at=at)

    stranger = look(large_letters=True)
    stranger.at("the paper", door_for("sheet", sheet.pk))
    stranger.at("the invitation", door_for("invitation", asked.pk))
    stranger.at("paper that works no more", "/in/gone")
    stranger.at("who of the family", asked_who)

    tom = look(asked.user, large_letters=True)
    tom.at("asked to help", "/helping/")
    accept_invitation(carer=asked, by=asked.user, at=at)
    tom.at("whom I help", "/helping/")
    tom.at("today of another", "/")
    tom.at("not for carers", "/carers/")

    own = look(ana.user, large_letters=True)
    own.at("people who help me", "/carers/")
    own.at("people who help me, nobody named", nobody_named)
    own.at("devices, none", "/account/passkeys/")
    own.at("is it you", "/account/passkeys/add/")
    own.at("a device", proved)
    Authenticator.objects.create(
        user=ana.user, type="webauthn", data={"name": f"Phone of {name}", "credential": {}}
    )
    own.at("devices", "/account/passkeys/")
    own.at("one device", one_device)

    desk = look(front_desk)
    desk.at("the sheet", f"/clinic/patients/{ana.pk}/sheet/")

    wrong = [*stranger.wrong, *tom.wrong, *own.wrong, *desk.wrong]
    assert not wrong, "\n" + "\n".join(wrong)


def asked_who(page: Page) -> None:
    page.goto("/account/login/code/")
    page.get_by_label("E-mail address or mobile number").fill(PHONE)
    pages.button(page, "Send the code").click()
    type_code(page, codes_to(PHONE)[-1])
    expect(pages.heading(page, "Who are you?")).to_be_visible()


def nobody_named(page: Page) -> None:
    page.goto("/carers/")
    pages.button(page, "Ask this person").click()
    expect(page.get_by_role("alert")).to_be_visible()


def proved(page: Page) -> None:
    page.goto("/account/passkeys/add/")
    page.get_by_role("button", name=re.compile("by e-mail")).click()
    type_code(page, codes_to(ANA)[-1])
    expect(pages.heading(page, "Set up this device")).to_be_visible()


def one_device(page: Page) -> None:
    page.goto("/account/passkeys/")
    page.get_by_role("link", name=re.compile("^Phone of")).click()
    expect(pages.button(page, "Remove it")).to_be_visible()
