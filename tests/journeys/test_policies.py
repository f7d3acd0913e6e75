"""A policy's way: a physiotherapist drafts and rehearses it, a manager publishes it."""

import re

import pytest
from playwright.sync_api import Page, expect

from programs.models import Policy
from tests.journeys import pages
from tests.journeys.conftest import Clock, Practice
from tests.living import do_morning, do_session, live_well

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def test_a_policy_is_drafted_rehearsed_and_published(
    practice: Practice, clock: Clock, at_desk, physio, manager, make_program
):
    # given a patient who kept going through a pain of five
    program = make_program()
    live_well(program, 0, 3)
    do_morning(program, 4)
    do_session(program, 4, pain_during=5)
    clock.to(5, "09:00")

    # when the physiotherapist lowers the ceiling, the page says at once what that comes to
    staff = at_desk(meets=(400,))
    pages.sign_in_staff(staff, physio.email)
    staff.get_by_text("More", exact=True).click()
    pages.link(staff, "Policies").click()
    pages.button(staff, "Draft a change for Desk worker").click()
    difference = staff.locator("#difference")
    expect(difference).to_contain_text("Nothing differs yet.")
    staff.get_by_label("Pain ceiling").fill("2")
    expect(difference).to_contain_text("must not be above the pain ceiling")
    staff.get_by_label("Pain ceiling").fill("4")
    expect(difference).to_contain_text("More careful")

    # then nothing is kept without a reason, and with one it is rehearsed over the past
    rehearse(staff)
    expect(staff.get_by_role("alert")).to_contain_text("Say why.")
    staff.get_by_label("Why the thresholds change").fill("A five was too much for many.")
    rehearse(staff)
    expect(staff.get_by_text("It would have regressed 1 more.")).to_be_visible()
    row = staff.get_by_role("row", name=re.compile("Ana Morales"))
    expect(row).to_contain_text("Pain during over the ceiling R07")
    expect(staff.get_by_text("A manager publishes it from this page.")).to_be_visible()
    expect(pages.button(staff, "Publish version 2")).to_have_count(0)

    # when the manager publishes it, it is in force from then on, and says who and why
    boss = at_desk()
    pages.sign_in_staff(boss, manager.email)
    boss.get_by_text("More", exact=True).click()
    pages.link(boss, "Policies").click()
    expect(boss.get_by_text("Rehearsed: a manager may publish it.")).to_be_visible()
    pages.link(boss, "Desk worker: Ruth Adeyemi’s draft").click()
    pages.link(boss, "Read the rehearsal and publish").click()
    pages.button(boss, "Publish version 2").click()
    expect(boss.get_by_text("Version 2 is in force.")).to_be_visible()
    expect(boss.get_by_text("drafted by Ruth Adeyemi")).to_be_visible()
    assert Policy.objects.in_force("desk").thresholds["pain_ceiling"] == 4

    # then the next such session is answered under it, and the one before keeps its version
    clock.to(5, "19:00")
    do_session(program, 5, pain_during=5)
    newest, *_, oldest = program.decisions.order_by("-at", "-pk")
    assert (newest.outcome, newest.policy.version) == ("REGRESS", 2)
    assert oldest.policy.version == 1


def rehearse(page: Page) -> None:
    pages.button(page, "Keep and rehearse").click()
