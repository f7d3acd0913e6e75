"""A check-in by thumb, the body to touch, and what a yes shows before any server has answered."""

import re
import uuid
from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from clinic.models import User
from patients.models import CheckIn, RedFlag, RedFlagScreening
from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED, assess, complete
from programs.models import Program
from tests.conftest import MONDAY
from tests.journeys import pages
from tests.journeys.conftest import Clock, Practice
from tests.living import report_session

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

ALL_NO = {question.id: "no" for question in REPEATED}
SADDLE = REPEATED[0]
# What the questions of a whole evening are answered by, with nothing typed.
EVENING = ["2", "2", "5", "Yes", "No", "No"]


@pytest.fixture
def program(practice, clock, make_patient, make_program) -> Program:
    """A routine just done, this week's safety questions answered."""
    program = make_program("desk", patient=make_patient("Ana"))
    answer_red_flags(
        patient=program.patient,
        answers=ALL_NO,
        source="weekly",
        client_id=uuid.uuid4(),
        at=MONDAY,
    )
    report_session(program, 0)
    clock.to(0, "18:30")
    return program


def sign_in(page: Page, user: User, practice: Practice) -> None:
    """By the cookie alone: how people sign in is another journey's."""
    client = Client()
    client.force_login(user)
    cookie = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": practice.url}])


class Thumb:
    """Touches the screen, and counts how often."""

    def __init__(self, page: Page) -> None:
        self.page, self.taps = page, 0

    def answer(self, name: str | re.Pattern[str]) -> None:
        """Touch an answer of the one question on the screen; the next one comes by itself."""
        count = self.page.get_by_text(re.compile(r"^Question \d+ of"))
        before = count.inner_text()
        exactly = re.compile(rf"^{name}(,|$)") if isinstance(name, str) else name
        self.page.get_by_role("radio", name=exactly).tap()
        self.taps += 1
        expect(count).not_to_have_text(before)

    def press(self, name: str) -> None:
        pages.button(self.page, name).tap()
        self.taps += 1


def test_a_check_in_by_thumb_takes_one_touch_for_each_answer(program, practice, on_phone):
    # given a patient on a phone, right after the routine
    page = on_phone()
    sign_in(page, program.patient.user, practice)
    page.goto("/")
    pages.link(page, "Say how it went").tap()

    # when she touches one answer after the other, and nothing else
    thumb = Thumb(page)
    for answer in [*EVENING, "No"]:
        thumb.answer(answer)
    thumb.press("Save my answers")

    # then it is saved, by as many touches as there are answers and one
    expect(page.get_by_text("Your answers are saved")).to_be_visible()
    assert thumb.taps == 8
    kept = CheckIn.objects.get()
    assert (kept.pain_before, kept.pain_during, kept.effort, kept.form_kept) == (2, 2, 5, True)
    assert (kept.soreness, kept.side, kept.place) == ("none", "", "")
    expect(page.get_by_text("This app is not watched day and night")).to_be_visible()


def test_a_morning_asks_less_than_an_evening(program, practice, clock: Clock, on_phone):
    # given mornings on which sleep, stress and moving were asked lately
    for day in (1, 2):
        CheckIn.objects.create(
            patient=program.patient,
            kind="daily",
            client_id=uuid.uuid4(),
            day=MONDAY.date().replace(day=MONDAY.day + day),
            at=MONDAY.replace(day=MONDAY.day + day),
            usual_pain=2,
            sleep=7 if day == 2 else None,
            stress=3 if day == 2 else None,
            feels_safe=8 if day == 1 else None,
        )
    clock.to(3, "07:30")
    page = on_phone()
    sign_in(page, program.patient.user, practice)
    page.goto("/check-in/morning/")

    # when she touches one answer after the other, then four touches are all it takes
    thumb = Thumb(page)
    for answer in ("2", "2", "No"):
        thumb.answer(answer)
    thumb.press("Save my answers")
    expect(page.get_by_text("Your answers are saved")).to_be_visible()
    assert thumb.taps == 4


def test_a_pull_is_shown_on_the_body_and_going_back_changes_it(program, practice, on_phone):
    page = on_phone()
    sign_in(page, program.patient.user, practice)
    page.goto("/check-in/after/")
    thumb = Thumb(page)
    for answer in [*EVENING, "Yes, about the same on both sides"]:
        thumb.answer(answer)

    # when she meant something else and goes back, then the body asks for a side
    pages.button(page, "Back").tap()
    thumb.answer("Yes, a pull on one side")
    left, right = (page.get_by_role("radio", name=f"{side} buttock") for side in ("Left", "Right"))
    expect(left).to_be_visible()
    # Seen from behind, her left is on the left, and there is room for a thumb.
    boxes = [page.locator("label").filter(has=area).bounding_box() for area in (left, right)]
    assert boxes[0]["x"] < boxes[1]["x"]
    assert all(box["width"] >= 48 and box["height"] >= 48 for box in boxes)

    # when she does not say where, then that is asked for in words
    pages.button(page, "Next").tap()
    expect(page.get_by_role("alert")).to_be_visible()
    thumb.answer(re.compile("^Left buttock"))
    thumb.press("Save my answers")

    # then a pull brings the safety questions, and the place is kept
    expect(pages.heading(page, "A few safety questions")).to_be_visible()
    kept = CheckIn.objects.get()
    assert (kept.soreness, kept.side, kept.place) == ("one_sided", "left", "buttock")


def test_by_keyboard_the_arrows_choose_and_enter_goes_on(program, practice, at_desk):
    page = at_desk()
    sign_in(page, program.patient.user, practice)
    page.goto("/check-in/after/")
    page.get_by_role("radio").first.focus()
    page.keyboard.press("ArrowRight")
    # Choosing on the way does not lead on.
    expect(page.get_by_text("Question 1 of")).to_be_visible()
    expect(page.get_by_role("radio", name="1", exact=True)).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Question 2 of")).to_be_visible()
    expect(page.get_by_text("What was the most pain while you exercised?")).to_be_focused()
    assert not CheckIn.objects.exists()


def test_without_a_script_it_is_one_plain_form(program, practice, on_phone):
    page = on_phone(java_script_enabled=False)
    sign_in(page, program.patient.user, practice)
    page.goto("/check-in/after/")
    answers = {**pages.GOOD_EVENING, "Are you sore now?": "Yes, a pull on one side"}
    pages.answer(page, answers)
    page.get_by_role("radio", name="Right calf or foot").check()
    pages.button(page, "Save my answers").click()
    expect(pages.heading(page, "A few safety questions")).to_be_visible()
    kept = CheckIn.objects.get()
    assert (kept.side, kept.place) == ("right", "calf_foot")


# --- what a yes shows at once --------------------------------------------------------------------


@pytest.fixture
def at_questions(program, practice, on_phone) -> Callable[..., Page]:
    """At the safety questions, in a browser whose page has no worker behind it."""

    def open_(**options: object) -> Page:
        page = on_phone(service_workers="block", **options)
        sign_in(page, program.patient.user, practice)
        page.goto("/serious/")
        return page

    return open_


def test_the_page_judges_as_the_server_does(at_questions):
    page = at_questions()
    cases = [
        {},
        {"weight_loss": "yes"},
        {"weight_loss": "not_sure"},
        {"bladder": "yes"},
        {"infection": "yes", "bowel": "not_sure"},
    ]
    for raised in cases:
        for answers in ({**ALL_NO, **raised}, raised):
            if not answers:
                continue
            judged = page.evaluate(
                """async (answers) => {
                    const form = document.querySelector("form[data-queue]");
                    form.reset();
                    for (const [name, value] of Object.entries(answers)) {
                        form.querySelector(`[name="${name}"][value="${value}"]`).checked = true;
                    }
                    const address = document.querySelector("script[src*=red_flags]").src;
                    return (await import(address)).severityOf(form);
                }""",
                answers,
            )
            assert judged == assess(complete(answers)).severity, answers


def test_without_a_line_a_yes_says_what_to_do_and_is_told_when_the_line_is_back(
    at_questions, complaints
):
    # given a page that was opened, and then the line is gone
    page = at_questions()
    page.context.set_offline(True)

    # when she says yes to one question and sends it
    pages.choose(page, SADDLE.text, "Yes")
    pages.button(page, "Show me what to do").tap()

    # then what to do is there, with the number, and that nobody knows yet
    expect(pages.heading(page, "Get medical help now")).to_be_visible()
    expect(pages.link(page, "Emergency 999")).to_have_attribute("href", "tel:999")
    expect(page.get_by_text("nobody has been told")).to_be_visible()
    expect(pages.safety_questions(page)).to_have_count(0)
    assert not RedFlag.objects.exists()

    # when the line is back, then the practice is told without her doing anything
    page.context.set_offline(False)
    expect(page.get_by_text("Your practice has been told.")).to_be_visible()
    expect(page.get_by_text("nobody has been told")).to_have_count(0)
    assert RedFlag.objects.get().severity == "emergency"
    assert RedFlagScreening.objects.filter(source="button").count() == 1
    # What the browser says of the line that was gone is no complaint.
    complaints[:] = [heard for heard in complaints if "ERR_INTERNET_DISCONNECTED" not in heard]


def test_open_questions_are_named_before_anything_is_sent(at_questions):
    page = at_questions()
    pages.choose(page, SADDLE.text, "No")
    pages.button(page, "Show me what to do").tap()
    expect(page.get_by_text("Some questions are still open")).to_be_visible()
    assert RedFlagScreening.objects.filter(source="button").count() == 0
