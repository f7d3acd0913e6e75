"""After an injury: it is recorded, criteria are ticked, the phase goes up, a limit stops a step.
And an appointment is booked, which the patient finds on the page of the day."""

import re

import pytest
from playwright.sync_api import expect

from programs.models import Program
from tests.journeys import pages
from tests.journeys.conftest import Clock, Practice
from tests.journeys.looking import sign_in

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def test_a_program_after_an_injury_is_adjusted(
    practice: Practice, clock: Clock, at_desk, make_program, make_patient, physio
):
    clock.to(0, "10:00")
    program = make_program("post-injury", patient=make_patient(), pathway="post_injury")
    staff = at_desk(meets=(400,))
    sign_in(staff, physio)
    staff.goto("/clinic/post-injury/")
    expect(staff.get_by_text("injury not on the record", exact=True)).to_be_visible()

    # the injury, and a limit
    pages.link(staff, "Record the injury of Ana Morales").click()
    staff.get_by_label("Kind").select_option("disc")
    staff.get_by_label("When", exact=True).fill("2026-01-12")
    staff.get_by_label("What happened, in the patient’s own words").fill("I lifted the bath.")
    pages.button(staff, "Keep").click()
    expect(staff.get_by_role("heading", name="Disc, 7 weeks ago")).to_be_visible()
    staff.get_by_text("Set a limit", exact=True).click()
    staff.get_by_label("Anti-extension").check()
    staff.get_by_label("Who set it").fill("Dr Osei")
    pages.button(staff, "Set these limits").click()
    expect(staff.get_by_role("status")).to_contain_text("No anti-extension")

    # the phase waits for what was ticked
    staff.goto("/clinic/post-injury/")
    boxes = staff.get_by_role("checkbox")
    expect(boxes).to_have_count(5)
    for number in range(5):
        boxes.nth(number).check()
    staff.get_by_placeholder("Note (optional)").fill("Seen today.")
    staff.get_by_role("button", name=re.compile("^Tick what you checked")).click()
    expect(staff.get_by_text("Ticked: 5.")).to_be_visible()
    expect(staff.locator(".pi-count__number")).to_have_text("5/5")

    # up a phase; the limit still keeps one exercise out and stops a step in it
    staff.goto(f"/clinic/patients/{program.patient_id}/change/")
    look = staff.get_by_role("complementary", name="What it comes to")
    staff.get_by_label("Phase", exact=True).select_option("1")
    staff.get_by_label("Level: Dead bug").select_option("2")
    expect(look.get_by_text(re.compile("a limit")).first).to_be_visible()
    staff.get_by_label("Level: Dead bug").select_option("1")
    expect(look.get_by_text(re.compile("a limit"))).to_have_count(0)
    pages.button(staff, "See what changes").last.click()
    staff.get_by_label("Why", exact=True).fill("Good control in the room.")
    pages.button(staff, "Issue version 2").click()
    expect(staff.get_by_text("Version 2 is in force.")).to_be_visible()
    assert Program.objects.get(pk=program.pk).current_version.phase == 1


def test_an_appointment_is_booked_and_the_patient_finds_it(
    practice: Practice, clock: Clock, at_desk, on_phone, program, physio
):
    clock.to(0, "10:00")
    staff = at_desk()
    sign_in(staff, physio)
    staff.goto("/clinic/agenda/")
    staff.keyboard.press("ArrowRight")
    expect(staff.get_by_text("9 March – 15 March 2026")).to_be_visible()
    staff.keyboard.press("d")
    pages.link(staff, "Book from 08:00").click()
    staff.get_by_label("Patient").fill(program.patient.number)
    pages.button(staff, "Book").click()
    expect(staff.get_by_text(re.compile("Booked: Ana Morales, Monday 9 March"))).to_be_visible()

    phone = on_phone()
    sign_in(phone, program.patient.user)
    phone.goto("/")
    expect(phone.get_by_text("Your next appointment: Monday 9 March, 08:00")).to_be_visible()
