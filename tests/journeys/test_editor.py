"""A brand-new physiotherapist assigns a first program, adjusts it, and the patient reads it."""

import datetime as dt
import re
import time

import pytest
from playwright.sync_api import Page, expect

from clinic.models import Role
from programs.models import Program
from programs.today import routine_for
from tests.conftest import make_staff
from tests.journeys import pages
from tests.journeys.conftest import Clock, Practice, Worker
from tests.journeys.looking import sign_in

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

ADDRESS = "nia@patients.example"


class Fingers:
    """Counts what somebody presses; typing is no click."""

    def __init__(self) -> None:
        self.clicks = 0

    def press(self, what) -> None:
        what.click()
        self.clicks += 1


def test_a_first_program_in_a_few_clicks(practice: Practice, clock: Clock, at_desk, site):
    make_staff(site, Role.PHYSIOTHERAPIST, "Noor Haddad")
    staff = at_desk()
    began = time.perf_counter()
    fingers = Fingers()
    staff.goto("/clinic/")
    staff.get_by_label("E-mail address").fill("noor@practice.example")
    staff.get_by_label("Password", exact=True).fill(pages.PASSWORD)
    fingers.press(pages.button(staff, "Sign in"))

    fingers.press(pages.link(staff, "New patient").first)
    staff.get_by_label("Given name", exact=True).fill("Nia")
    staff.get_by_label("Family name", exact=True).fill("Okafor")
    staff.get_by_label("E-mail", exact=True).fill(ADDRESS)
    fingers.press(staff.get_by_label("Keeping a record of care", exact=True))
    fingers.press(staff.get_by_label("Reminders by e-mail", exact=True))
    fingers.press(pages.button(staff, "Register and take the intake"))

    fingers.press(staff.get_by_label(re.compile("^I have asked every question")))
    said = {"Pain now": "3", "Usual pain": "3", "Pain for": "40", "Sitting": "4", "Sleep": "7"}
    for label, value in (said | {"Stress": "3", "Moving feels safe": "8"}).items():
        staff.get_by_label(re.compile(f"^{label}")).fill(value)
    fingers.press(pages.button(staff, "See the suggestion"))

    look = staff.get_by_role("complementary", name="The first routine")
    expect(look.get_by_text("Stability first")).to_be_visible()
    expect(look.get_by_text(re.compile(r"^\d+ min$"))).to_be_visible()
    fingers.press(pages.button(staff, "Assign version 1"))
    expect(staff.get_by_text("Assigned. The first day is")).to_be_visible()

    program = Program.objects.get(patient__given_name="Nia")
    assert program.current_version.by.name == "Noor Haddad"
    assert fingers.clicks <= 12
    took = time.perf_counter() - began
    assert took < 60
    print(f"first program: {fingers.clicks} clicks, {took:.1f} s")


def test_another_template_shows_its_own_routine_at_once(
    practice: Practice, clock: Clock, at_desk, make_patient, physio
):
    patient = make_patient()
    staff = at_desk()
    sign_in(staff, physio)
    staff.goto(f"/clinic/patients/{patient.pk}/assign/")
    look = staff.get_by_role("complementary", name="The first routine")
    staff.get_by_role("radio", name=re.compile("^Desk")).check()
    expect(look.get_by_role("heading", name=re.compile("^Desk"))).to_be_visible()
    staff.get_by_role("radio", name=re.compile("^Stability first")).check()
    expect(look.get_by_role("heading", name="Stability first")).to_be_visible()


def test_keys_a_closed_gate_the_difference_and_what_the_patient_reads(
    practice: Practice, clock: Clock, worker: Worker, at_desk, on_phone, program, physio
):
    clock.to(0, "10:00")
    staff = at_desk(meets=(400,))
    sign_in(staff, physio)
    staff.goto(f"/clinic/patients/{program.patient_id}/")
    pages.link(staff, "Adjust").click()
    look = staff.get_by_role("complementary", name="What it comes to")
    expect(staff.locator("[data-row]").nth(1)).to_be_visible()
    names = order_of(staff)

    # by keys, and then with the pointer
    staff.locator("[data-row]").nth(1).get_by_label(re.compile("^Sets")).focus()
    staff.keyboard.press("Alt+ArrowUp")
    expect(staff.locator("[data-row]").first).to_have_attribute("data-name", names[1])
    expect(look.get_by_text(re.compile("^Order: "))).to_be_visible()
    held = staff.locator("[data-row]").nth(2).locator("[data-handle]")
    held.hover()
    staff.mouse.down()
    last = staff.locator("[data-row]").nth(0).bounding_box()
    staff.mouse.move(last["x"] + 5, last["y"] + 5, steps=12)
    staff.mouse.up()
    expect(staff.locator("[data-row]").first).to_have_attribute("data-name", names[2])

    # minutes and gates follow
    expect(look.get_by_role("meter")).to_have_count(7)
    staff.get_by_label("Level: Dead bug").select_option("2")
    expect(look.get_by_text("Dead bug at level 2 waits for phase 1")).to_be_visible()
    pages.button(staff, "See what changes").last.click()
    expect(staff.get_by_text("Dead bug: level 1 → 2")).to_be_visible()
    staff.get_by_label("Why", exact=True).fill("Strong already, wants to begin.")
    pages.button(staff, "Issue version 2").click()
    expect(staff.get_by_role("alert")).to_contain_text("Say why you open it")
    staff.get_by_label(re.compile("^Why Dead bug is opened")).fill("Holds the brace for 20 s.")
    words = staff.get_by_label("What the patient reads")
    expect(words).to_have_value(re.compile("New: Dead bug."))
    words.fill("You get the dead bug now. Slow is good.")
    expect(staff.get_by_label("Tell Ana by message")).to_be_checked()
    pages.button(staff, "Issue version 2").click()
    expect(staff.get_by_text("Version 2 is in force.")).to_be_visible()
    expect(staff.get_by_text("Gate opened: dead bug up to level 2")).to_be_visible()

    # The message says that there is something new, and opens the page that says what.
    worker.remind()
    received = pages.mails_to(practice.mails, program.patient.user.email)
    [mail] = [one for one in received if one["Subject"] == "Your routine has changed"]
    assert "dead bug" not in pages.text_of(mail).lower()
    phone = on_phone()
    pages.open_link(phone, pages.link_in(pages.text_of(mail)))
    expect(phone.get_by_text("You get the dead bug now. Slow is good.")).to_be_visible()
    # The safety questions of the week stand before it; what comes after them is this.
    program.refresh_from_db()
    week = [
        [item.exercise.name for item in routine_for(program=program, day=day)]
        for day in (program.started_on + dt.timedelta(days=n) for n in range(7))
    ]
    assert any("Dead bug" in routine for routine in week)
    moved = [names[2], names[1], names[0]]
    for routine in week:
        kept = [name for name in routine if name in moved]
        assert kept == [name for name in moved if name in kept]


def order_of(page: Page) -> list[str]:
    rows = page.locator("[data-row]")
    return [rows.nth(n).get_attribute("data-name") for n in range(rows.count())]
