"""Every page of the patient, as ``looking`` looks at it."""

import re
import uuid
from collections.abc import Callable

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from clinic.messaging.links import stop_link_for, token_for
from clinic.models import OutboxMessage
from patients.consenting import start_messages, stop_messages
from patients.models import Patient
from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from programs.models import Program
from programs.reminders import plan_reminders
from tests.conftest import MONDAY
from tests.journeys import pages
from tests.journeys.conftest import Clock, Practice
from tests.journeys.looking import send, sign_in

pytestmark = [
    pytest.mark.journey,
    pytest.mark.django_db(transaction=True),
    # Many pages, each looked at in several ways.
    pytest.mark.timeout(420),
]


def test_every_page_of_the_patient(
    practice: Practice, clock: Clock, look, physio, make_patient, make_program
):
    patient = make_patient("Maximiliane", family_name="Oberlandesgerichtspräsidentin-Wagenknecht")
    program = make_program("stability-first", patient=patient)
    clock.to(0, "10:00")
    stranger = look(large_letters=True)
    stranger.at("front page", "/")
    stranger.at("asking for a code", "/account/login/code/")
    stranger.at("asking for a code, wrong", wrong_address)
    stranger.at("typing the code", ask_for_code(patient))
    stranger.at("staff sign-in", "/account/login/")
    stranger.at("forgotten password", "/account/password/reset/")
    stranger.at("serious, not signed in", "/serious/")
    stranger.at("a page that is not there", "/nothing/here/")
    stranger.at("a link that works no more", "/r/gone")
    stranger.at("a wrong link to stop", "/stop/wrong")
    plan_reminders(at=MONDAY.replace(hour=10))
    message = OutboxMessage.objects.about("patient", patient.pk).filter(channel="email").get()
    stranger.at("a reminder's link", f"/r/{token_for(message.pk)}")

    own = look(patient.user, large_letters=True)
    own.at("today, safety questions due", "/")
    own.at("safety questions", "/check-in/questions/")
    own.at("safety questions, none answered", send("/check-in/questions/", "Send my answers"))
    answer_all_no(patient)
    own.at("today, routine", "/")
    own.at("the routine, before it starts", "/routine/")
    own.at("the routine, as a list", as_list)
    own.at("getting ready", guided())
    own.at("an exercise", guided("I’m ready"))
    own.at("an easier exercise", guided("Easier today", "I’m ready"))
    own.at("why skip it", guided("Skip"))
    own.at("five minutes", "/routine/?short=1")
    own.at("not today", "/routine/skip/")
    own.at("the routine on paper", "/routine/print/")
    own.at("my reminders", "/reminders/")
    own.at("my reminders, no day", no_day)
    own.at("my reminders, saved", "/reminders/?kept=sms")
    stop_messages(patient=patient, channel="sms", at=MONDAY, way="web", by=patient.user)
    own.at("my reminders, one off", "/reminders/?kept=sms")
    own.at("settings, saved", "/settings/?kept=session")
    own.at("during the routine", "/settings/session/")
    own.at("letters and colours", "/settings/reading/")
    own.at("language", "/settings/language/")
    own.at("my data", "/settings/data/")
    own.at("asking for deletion", "/settings/data/deletion/")
    start_messages(patient=patient, channel="sms", at=MONDAY, way="web", by=patient.user)
    own.at("not today, no reason", send("/routine/skip/", "Leave it for today"))
    own.at("this hurts", guided("I’m ready", "This hurts"))
    own.at("stopped", guided("I’m ready", "This hurts", "A lot"))
    own.at("what was done", "/routine/#done")
    own.at("what was done, nothing said", nothing_said)
    own.at("serious", "/serious/")
    own.at("serious, nothing answered", send("/serious/", "Show me what to do"))
    own.at("after the session", finish)
    own.at("after the session, first question", "/check-in/after/")
    own.at("after the session, passed over", passed_over)
    own.at("after the session, nothing answered", send_empty("/check-in/after/"))
    own.at("result", after_session)
    own.at("today, done", "/")
    clock.to(1, "09:00")
    own.at("today, morning", "/")
    own.at("morning", "/check-in/morning/")
    own.at("morning, one-sided", one_sided)
    own.at("signing out", "/account/logout/")
    own.at("without a line", "/offline/")
    own.at("advice, kept for later", "/offline/advice/1/")

    other = make_patient("نور", family_name="الحسيني", email="nour@patients.example")
    nothing_yet = look(other.user, large_letters=True)
    nothing_yet.at("no program", "/")
    nothing_yet.at("my reminders, no program", "/reminders/")
    sign_in(nothing_yet.page, physio)
    nothing_yet.at("a link for somebody else", f"/r/{token_for(message.pk)}")
    sign_in(nothing_yet.page, patient.user)
    answer_all_no(patient, saddle_numbness="yes")
    nothing_yet.at("emergency", "/")
    sign_in(nothing_yet.page, other.user)
    make_program(patient=other)
    answer_all_no(other, infection="not_sure")
    nothing_yet.at("same day", "/")
    assert Program.objects.filter(status="suspended").count() == 2
    assert program.pk
    stop = stop_link_for(message.pk).removeprefix(settings.BASE_URL)
    sign_in(nothing_yet.page, None)
    nothing_yet.at("stopping mails", stop)
    nothing_yet.at("stopping mails, done", stop_mails(stop))

    wrong = [*stranger.wrong, *own.wrong, *nothing_yet.wrong]
    assert not wrong, "\n" + "\n".join(wrong)


# --- ways to a page ----------------------------------------------------------------------------


def wrong_address(page: Page) -> None:
    page.goto("/account/login/code/")
    page.get_by_label("E-mail address").fill("ana at patients")
    pages.button(page, "Send the code").click()
    expect(page.get_by_role("alert").last).to_be_visible()


def ask_for_code(patient: Patient) -> Callable[[Page], None]:
    def visit(page: Page) -> None:
        page.goto("/account/login/code/")
        page.get_by_label("E-mail address").fill(patient.user.email)
        pages.button(page, "Send the code").click()
        expect(pages.heading(page, "Enter your code")).to_be_visible()

    return visit


def stop_mails(address: str) -> Callable[[Page], None]:
    def visit(page: Page) -> None:
        page.goto(address)
        pages.button(page, "Stop these e-mails").click()
        expect(pages.heading(page, "Done. We will not e-mail you reminders.")).to_be_visible()

    return visit


def guided(*presses: str) -> Callable[[Page], None]:
    """The guided session after these buttons, standing still."""

    def visit(page: Page) -> None:
        page.goto("/routine/")
        page.evaluate("sessionStorage.clear()")
        page.goto("/routine/?")
        pages.button(page, "Start").click()
        for name in presses:
            page.get_by_role("button", name=re.compile(f"^{name}")).click()
        pause = pages.button(page, "Pause")
        if pause.is_visible() and not page.get_by_role("dialog").is_visible():
            pause.click()

    return visit


def as_list(page: Page) -> None:
    page.goto("/routine/")
    page.evaluate("sessionStorage.clear()")
    page.goto("/routine/?")
    pages.button(page, "Show it as a list").click()
    expect(pages.heading(page, "What did you do today?")).to_be_visible()


def nothing_said(page: Page) -> None:
    as_list(page)
    pages.button(page, "Save and say how it felt").click()
    expect(page.get_by_role("alert")).to_be_visible()


def no_day(page: Page) -> None:
    page.goto("/reminders/")
    card = page.get_by_role("region", name="Text messages")
    for day in card.get_by_role("group").get_by_role("checkbox").all():
        day.uncheck()
    pages.button(page, "Save for text messages").click()
    expect(page.get_by_role("alert")).to_be_visible()


def finish(page: Page) -> None:
    as_list(page)
    pages.button(page, "I did all of it").click()
    expect(pages.heading(page, "How did it go?")).to_be_visible()


def after_session(page: Page) -> None:
    page.goto("/check-in/after/")
    pages.check_in(
        page, {**pages.GOOD_EVENING, "Are you sore now?": "Yes, about the same on both sides"}
    )
    expect(page.get_by_text("Your answers are saved")).to_be_visible()


def one_sided(page: Page) -> None:
    page.goto("/check-in/morning/")
    for question in ("How much pain do you have this morning?", "Over the last day, how much pain"):
        pages.choose(page, question, "2")
    pages.choose(page, "Are you sore this morning?", "Yes, a pull on one side")
    expect(page.get_by_role("group", name="Where is the pull?")).to_be_visible()


def passed_over(page: Page) -> None:
    page.goto("/check-in/after/")
    pages.button(page, "Next").click()
    expect(page.get_by_role("alert")).to_be_visible()


def send_empty(address: str) -> Callable[[Page], None]:
    """A form sent as it is, past the script that asks one question at a time."""

    def send_(page: Page) -> None:
        page.goto(address)
        page.locator("form[data-queue]").evaluate("form => form.submit()")
        expect(page.get_by_role("alert").first).to_be_visible()

    return send_


def answer_all_no(patient: Patient, **but: str) -> None:
    answer_red_flags(
        patient=patient,
        answers={question.id: "no" for question in REPEATED} | but,
        source="button",
        client_id=uuid.uuid4(),
        at=MONDAY,
    )
