"""Writing an exercise with its preview, a colleague's approval, a template, a patient; then a new
version that reaches nobody who has the old one."""

import re

import pytest
from playwright.sync_api import Page, expect

from clinic.models import Role
from programs.models import Exercise, ProgramTemplate
from programs.positions import prescriptions_of
from tests.conftest import MONDAY, make_staff
from tests.journeys import pages
from tests.journeys.conftest import Clock, Practice
from tests.journeys.looking import sign_in

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def fill(page: Page, fields: dict[str, str], within=None) -> None:
    for label, value in fields.items():
        (within or page).get_by_label(label, exact=True).first.fill(value)


def test_an_own_exercise_from_the_first_word_to_a_patient(
    practice: Practice, clock: Clock, at_desk, site, physio, make_patient
):
    colleague = make_staff(site, Role.PHYSIOTHERAPIST, "Ivo Hansen")
    patient = make_patient()
    clock.to(0, "09:00")
    page = at_desk()
    sign_in(page, physio)

    # She writes it, and sees beside the form what the patient will see.
    page.goto("/clinic/library/")
    pages.link(page, "New exercise").click()
    fill(page, {"Name": "Wall lean", "Why the patient does it": "Your back moves without a load."})
    page.get_by_label("Movement class", exact=True).select_option("mobility")
    page.get_by_label("Multifidus").check()
    first = page.locator("details").filter(has_text="Level 1").last
    page.get_by_label("Title").first.fill("Lean with both hands")
    preview = page.get_by_role("complementary", name="Preview")
    expect(preview).to_contain_text("Level 1: Lean with both hands")
    expect(preview).to_contain_text("No figure")
    page.get_by_label("Figure").first.select_option("cat-cow:1")
    expect(preview.locator("svg").first).to_be_visible()
    expect(preview).to_contain_text("Level 1: write its cues.")
    fill(
        first,
        {
            "Set-up": "Stand one step from a wall.",
            "Cues, one on a line": "Bend your arms slowly.\nPush back again.",
            "You should feel": "A gentle pull.",
            "You should not feel, and what to do then": "No sharp pain. Step nearer if it comes.",
        },
    )
    expect(preview).to_contain_text("Nothing is missing.")
    pages.button(page, "Save the draft").click()
    pages.button(page, "Send for review").click()
    expect(page.get_by_role("status")).to_contain_text("Sent for review")

    # A colleague reads and approves it.
    other = at_desk()
    sign_in(other, colleague)
    other.goto("/clinic/library/")
    pages.link(other, "In review 1").click()
    pages.link(other, "Wall lean").click()
    pages.button(other, "Approve version 1").click()
    expect(other.get_by_role("status")).to_contain_text("Approved")

    # It goes into a template; minutes and gates are counted while she writes.
    page.goto("/clinic/templates/new/")
    fill(page, {"Name": "Calm start", "For the patient": "You lean and breathe for some minutes."})
    page.get_by_label("Chronic pain").check()
    page.get_by_label("Exercise of row 1").select_option(label="Wall lean")
    page.get_by_label("Exercise of row 2").select_option(label="Chop and lift")
    weeks = page.get_by_role("complementary", name="The first two weeks")
    expect(weeks).to_contain_text(re.compile(r"\d+ min a day"))
    expect(weeks).to_contain_text("Chop and lift waits for")
    page.get_by_label("Exercise of row 2").select_option("")
    expect(weeks).to_contain_text("Every gate is open")
    pages.button(page, "Save the draft").click()
    pages.button(page, "Send for review").click()
    template = ProgramTemplate.objects.get(name="Calm start")
    other.goto(f"/clinic/templates/{template.pk}/")
    pages.button(other, "Approve version 1").click()

    # It is assigned like any other.
    page.goto(f"/clinic/patients/{patient.pk}/assign/")
    expect(page.get_by_text("Calm start", exact=True).first).to_be_visible()
    assign(page)
    expect(page.get_by_text("Wall lean").first).to_be_visible()

    # The next version reaches nobody who has this one, until somebody moves them.
    exercise = Exercise.objects.get(name="Wall lean")
    page.goto(f"/clinic/library/{exercise.slug}/edit/")
    page.get_by_label("Title").first.fill("Lean with one hand")
    pages.button(page, "Save the draft").click()
    expect(page.get_by_role("row", name=re.compile("Level 1: title"))).to_contain_text("one hand")
    pages.button(page, "Send for review").click()
    other.goto(f"/clinic/library/{exercise.slug}/")
    pages.button(other, "Approve version 2").click()
    assert titles(patient) == ["Lean with both hands"]
    page.goto(f"/clinic/patients/{patient.pk}/")
    pages.link(page, "See what differs").click()
    page.get_by_label("Why", exact=True).fill("Ready for one hand.")
    pages.button(page, "Issue version 2").click()
    expect(page.get_by_role("status").first).to_contain_text("Version 2 is in force")
    assert titles(patient) == ["Lean with one hand"]


def assign(page: Page) -> None:
    """Choose the template and send the form as it stands."""
    page.get_by_role("radio", name=re.compile("^Calm start")).check()
    page.get_by_role("main").get_by_role("button", name=re.compile("^Assign")).last.click()
    expect(page.get_by_role("status").first).to_contain_text("Assigned")


def titles(patient) -> list[str]:
    version = patient.programs.get().current_version
    assert version.at >= MONDAY
    return [p.exercise.levels.all()[0].title for p in prescriptions_of(version)]
