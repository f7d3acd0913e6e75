"""Every page as somebody sees it who sees little, or on a small phone, or in the dark.

axe-core looks for WCAG 2.2 AA. Nothing may scroll sideways at 390 and 320 px, and no page may
make the browser complain: a refusal of the content policy is such a complaint.
"""

import datetime as dt
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect

from clinic import standstill
from clinic.messaging.links import stop_link_for, token_for
from clinic.models import Heartbeat, OutboxMessage, Role, User
from patients.consenting import start_messages, stop_messages
from patients.models import Patient
from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from programs.demo.courses import COURSES
from programs.demo.practice import build_practice
from programs.models import Program
from programs.reminders import plan_reminders
from tests.clinic.fates import Status, mail, reminder
from tests.conftest import MONDAY
from tests.journeys import pages
from tests.journeys.conftest import Clock, Practice, everything_at_work

pytestmark = [
    pytest.mark.journey,
    pytest.mark.django_db(transaction=True),
    # Many pages, each looked at in six ways.
    pytest.mark.timeout(420),
]

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
EVERYTHING = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
# What another set of colours can break.
COLOURS = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
    "resultTypes": ["violations"],
}
SETTLED = "() => Promise.all(document.getAnimations().map(animation => animation.finished))"
NARROWEST, PHONE, DESK = 320, 390, 1280
LAST_DAY = MONDAY.date() - dt.timedelta(days=1)
Visit = str | Callable[[Page], None]


@dataclass
class Look:
    """Looks at one page after the other and keeps what is wrong with them."""

    page: Page
    wrong: list[str] = field(default_factory=list)
    seen: int = 0

    def at(self, name: str, visit: Visit) -> None:
        page = self.page
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        self._width(PHONE)
        if callable(visit):
            visit(page)
        else:
            page.goto(visit)
        page.evaluate(Axe().axe_script)
        self._sideways(name, PHONE)
        self._axe(name, "390 light", EVERYTHING)
        self._colours("dark")
        self._axe(name, "390 dark", COLOURS)
        self._width(DESK)
        self._axe(name, "1280 dark", COLOURS)
        self._colours("light")
        self._axe(name, "1280 light", EVERYTHING)
        self._width(NARROWEST)
        self._sideways(name, NARROWEST)
        self.seen += 1

    def _width(self, width: int) -> None:
        self.page.set_viewport_size({"width": width, "height": 844})

    def _colours(self, scheme: Literal["light", "dark"]) -> None:
        self.page.emulate_media(color_scheme=scheme)
        # Colours fade from one to the other; what counts is where they end.
        self.page.evaluate(SETTLED)

    def _sideways(self, name: str, width: int) -> None:
        over = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if over > 0:
            self.wrong.append(f"{name}, {width} px: {over} px wider than the screen")

    def _axe(self, name: str, how: str, options: dict) -> None:
        found = self.page.evaluate("options => axe.run(options)", options)
        for violation in found["violations"]:
            for node in violation["nodes"]:
                self.wrong.append(f"{name}, {how}: {violation['id']}: {node['html'][:160]}")


@pytest.fixture
def look(open_browser) -> Callable[..., Look]:
    """A look with the eyes of somebody who is signed in, or of a stranger."""

    def look_(user: User | None = None, *, meets: tuple[int, ...] = (400, 403, 404, 409)) -> Look:
        page = open_browser(meets=meets)
        sign_in(page, user)
        return Look(page)

    return look_


def sign_in(page: Page, user: User | None) -> None:
    """By the cookie alone: how people sign in is another journey's."""
    page.context.clear_cookies()
    if user is None:
        return
    client = Client()
    client.force_login(user)
    cookie = client.cookies["sessionid"]
    page.goto("/healthz")
    page.context.add_cookies([{"name": "sessionid", "value": cookie.value, "url": page.url}])


@pytest.fixture
def lived(practice, clock) -> dict[str, Patient]:
    """A practice whose patients lived three weeks until yesterday, by the names of courses."""
    build_practice(patients=len(COURSES), days=21, seed=1, last_day=LAST_DAY)
    clock.to(0, "10:00")
    patients = Patient.objects.order_by("number").select_related("user")
    return dict(zip((course.name for course in COURSES), patients, strict=True))


def test_every_page_of_the_patient(
    practice: Practice, clock: Clock, look, physio, make_patient, make_program
):
    patient = make_patient("Maximiliane", family_name="Oberlandesgerichtspräsidentin-Wagenknecht")
    program = make_program("stability-first", patient=patient)
    clock.to(0, "10:00")
    stranger = look()
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

    own = look(patient.user)
    own.at("today, safety questions due", "/")
    own.at("safety questions", "/check-in/questions/")
    own.at("safety questions, none answered", send("/check-in/questions/", "Send my answers"))
    answer_all_no(patient)
    own.at("today, routine", "/")
    own.at("first exercise", "/routine/1/")
    own.at("second exercise", step("Done, next"))
    own.at("not today", "/routine/skip/")
    own.at("my reminders", "/reminders/")
    own.at("my reminders, no day", no_day)
    own.at("my reminders, saved", "/reminders/?kept=sms")
    stop_messages(patient=patient, channel="sms", at=MONDAY, way="web", by=patient.user)
    own.at("my reminders, one off", "/reminders/?kept=sms")
    start_messages(patient=patient, channel="sms", at=MONDAY, way="web", by=patient.user)
    own.at("not today, no reason", send("/routine/skip/", "Leave it for today"))
    own.at("this hurts", step("This hurts", start="/routine/2/"))
    own.at("what was done", "/routine/finish/")
    own.at("serious", "/serious/")
    own.at("serious, nothing answered", send("/serious/", "Show me what to do"))
    own.at("after the session", finish)
    own.at("after the session, nothing answered", send("/check-in/after/", "Save my answers"))
    own.at("result", after_session)
    own.at("today, done", "/")
    clock.to(1, "09:00")
    own.at("today, morning", "/")
    own.at("morning", "/check-in/morning/")
    own.at("morning, one-sided", one_sided)
    own.at("signing out", "/account/logout/")

    other = make_patient("نور", family_name="الحسيني", email="nour@patients.example")
    nothing_yet = look(other.user)
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


def test_every_page_of_the_portal(practice: Practice, clock: Clock, look, lived):
    staff = {user.email.split("@")[0]: user for user in User.objects.exclude(role=Role.PATIENT)}
    ruth = staff["ruth"]
    site_wide = "/clinic/?scope=site"

    own = look(ruth)
    own.at("board", "/clinic/")
    own.at("board, whole site", site_wide)
    own.at("board, nobody found", "/clinic/?q=nobody")
    for name, patient in lived.items():
        own.at(f"patient, {name}", f"/clinic/patients/{patient.pk}/")
    waiting = lived["after an injury, waiting"]
    proposal = waiting.programs.get().proposals.open().get()
    own.at("declining", decline(waiting))
    own.at("changing", f"/clinic/patients/{waiting.pk}/change/?proposal={proposal.pk}")
    own.at("changing, wrong", send(f"/clinic/patients/{waiting.pk}/change/", "Issue version 2"))
    own.at("ending", f"/clinic/patients/{waiting.pk}/end/")
    own.at("record and contact", f"/clinic/patients/{waiting.pk}/record/")
    own.at("registering", "/clinic/patients/new/")
    own.at("registering, wrong", send("/clinic/patients/new/", "Register and take the intake"))
    own.at("intake", f"/clinic/patients/{waiting.pk}/intake/")
    own.at("intake, wrong", send(f"/clinic/patients/{waiting.pk}/intake/", "See the suggestion"))
    own.at("assigning, one is running", f"/clinic/patients/{waiting.pk}/assign/")
    free = lived["just started"]
    Program.objects.filter(patient=free).update(status="ended", ended_on=LAST_DAY)
    own.at("assigning", f"/clinic/patients/{free.pk}/assign/")
    own.at("patient without a program", f"/clinic/patients/{free.pk}/")
    flagged = lived["red flag"]
    own.at("assigning, red flag", f"/clinic/patients/{flagged.pk}/assign/")
    own.at("reopening without a reason", reopen(flagged))
    own.at("not a patient here", f"/clinic/patients/{uuid.uuid4()}/")
    own.at("password", "/clinic/password_change/")
    own.at("second step", reverse("mfa_index"))

    manager = look(staff["mona"])
    for model, options in admin.site._registry.items():
        where = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        manager.at(f"list of {model._meta.verbose_name_plural}", reverse(f"{where}_changelist"))
        row = model._default_manager.first()
        if row is not None and type(options).__name__ not in ("AccessRecordAdmin",):
            name = f"one of {model._meta.verbose_name_plural}"
            manager.at(name, reverse(f"{where}_change", args=[row.pk]))
    manager.at("message wording", reverse("admin:wording"))
    for channel in ("email", "sms"):
        manager.at(
            f"words by {channel}", reverse("admin:wording_edit", args=["silence", channel, "de"])
        )
    manager.at("words refused", write_of_health)
    manager.at("alerts, one ticked", tick_first_alert)
    manager.at("a new site", reverse("admin:clinic_site_add"))
    manager.at("delivery report", "/clinic/delivery/?days=30")
    manager.at("delivery report, nothing", "/clinic/delivery/?day=2020-01-01")
    manager.at("messages behind a number", "/clinic/delivery/messages/?days=30")
    manager.at("nothing goes out", board_at_a_standstill)
    everything_at_work()
    manager.at("closed to the manager", f"/clinic/patients/{waiting.pk}/change/")

    desk = look(staff["felix"])
    desk.at("names", "/clinic/")
    desk.at("messages of a patient", f"/clinic/patients/{waiting.pk}/messages/")
    desk.at("messages of unknown fate, none", "/clinic/messages/unknown/")
    reminder(Status.UNKNOWN, subject_id=waiting.pk)
    mail(Status.UNKNOWN, subject_id=flagged.pk, due_at=MONDAY - dt.timedelta(days=3))
    desk.at("messages of unknown fate", "/clinic/messages/unknown/")
    desk.at("patient, for the front desk", f"/clinic/patients/{waiting.pk}/")

    wrong = [*own.wrong, *manager.wrong, *desk.wrong]
    assert not wrong, "\n" + "\n".join(wrong)
    assert own.seen + manager.seen + desk.seen > 60


# --- ways to a page ----------------------------------------------------------------------------


def send(address: str, name: str) -> Callable[[Page], None]:
    """Send the form of a page as it stands."""

    def visit(page: Page) -> None:
        page.goto(address)
        pages.button(page, name).click()
        expect(page.get_by_role("alert").last).to_be_visible()

    return visit


def wrong_address(page: Page) -> None:
    page.goto("/account/login/code/")
    page.get_by_label("E-mail address").fill("ana at patients")
    pages.button(page, "Send the code").click()
    expect(page.get_by_role("alert").last).to_be_visible()


def board_at_a_standstill(page: Page) -> None:
    Heartbeat.objects.all().delete()
    standstill.forget()
    page.goto("/clinic/")
    expect(page.get_by_role("alert")).to_contain_text("Reminders are not going out.")


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


def step(name: str, start: str = "/routine/1/") -> Callable[[Page], None]:
    def visit(page: Page) -> None:
        page.goto(start)
        title = page.get_by_role("heading", level=1)
        before = title.inner_text()
        pages.button(page, name).click()
        expect(title).not_to_have_text(before)

    return visit


def no_day(page: Page) -> None:
    page.goto("/reminders/")
    card = page.get_by_role("region", name="Text messages")
    for day in card.get_by_role("group").get_by_role("checkbox").all():
        day.uncheck()
    pages.button(page, "Save for text messages").click()
    expect(page.get_by_role("alert")).to_be_visible()


def finish(page: Page) -> None:
    page.goto("/routine/finish/")
    for box in page.get_by_role("checkbox").all():
        box.check()
    pages.button(page, "Save and say how it felt").click()
    expect(pages.heading(page, "How did it go?")).to_be_visible()


def after_session(page: Page) -> None:
    page.goto("/check-in/after/")
    pages.check_in(
        page, {**pages.GOOD_EVENING, "Are you sore now?": "Yes, about the same on both sides"}
    )
    expect(page.get_by_text("Your answers are saved")).to_be_visible()


def one_sided(page: Page) -> None:
    page.goto("/check-in/morning/")
    pages.choose(page, "Are you sore this morning?", "Yes, a pull on one side")
    expect(page.get_by_role("group", name="Which side?")).to_be_visible()


def decline(patient: Patient) -> Callable[[Page], None]:
    def visit(page: Page) -> None:
        page.goto(f"/clinic/patients/{patient.pk}/")
        page.get_by_text("Decline", exact=True).click()
        expect(page.get_by_label("Why not")).to_be_visible()

    return visit


def write_of_health(page: Page) -> None:
    page.goto(reverse("admin:wording_edit", args=["silence", "sms", "en"]))
    page.get_by_label("Words").fill("{practice}: your back exercises {link}")
    pages.button(page, "Save").click()
    expect(page.locator(".po-errors")).to_contain_text("“back”, “exercises”")


def tick_first_alert(page: Page) -> None:
    page.goto(reverse("admin:clinic_alert_changelist"))
    page.get_by_role("checkbox", name=re.compile("Select this object")).first.check()
    expect(page.get_by_text(re.compile(r"^1 of \d+ selected$"))).to_be_visible()


def reopen(patient: Patient) -> Callable[[Page], None]:
    return send(f"/clinic/patients/{patient.pk}/", "Reopen the program")


def answer_all_no(patient: Patient, **but: str) -> None:
    answer_red_flags(
        patient=patient,
        answers={question.id: "no" for question in REPEATED} | but,
        source="button",
        client_id=uuid.uuid4(),
        at=MONDAY,
    )
