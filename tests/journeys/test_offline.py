"""Flight mode and back, on a device with a real service worker."""

import datetime as dt
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from clinic.models import User
from patients.models import CheckIn, RedFlag, RedFlagScreening
from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from programs.models import Program, Session
from tests.journeys import pages
from tests.journeys.conftest import PATIENCE_MS, PHONE
from tests.journeys.line import Line, WebServer

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def program(library, make_program) -> Program:
    """A program that begins right now: browser, pages and the browser's worker all live in real
    time here."""
    return begin(make_program, timezone.now())


def begin(make_program, at: dt.datetime) -> Program:
    """A program with its safety questions answered."""
    program = make_program(at=at)
    answer_red_flags(
        patient=program.patient,
        answers={question.id: "no" for question in REPEATED},
        source="weekly",
        client_id=uuid.uuid4(),
        at=at,
    )
    return program


@pytest.fixture
def server(transactional_db, tmp_path: Path) -> Iterator[WebServer]:
    server = WebServer(tmp_path / "server.log")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def line(live_server) -> Iterator[Line]:
    with Line(live_server.url) as line:
        yield line


@pytest.fixture
def phone(line: Line, new_context) -> Callable[..., Page]:
    """A phone whose browser may keep pages. Nobody is signed in yet."""

    def open_() -> Page:
        context: BrowserContext = new_context(base_url=line.url, **PHONE)
        context.set_default_timeout(PATIENCE_MS)
        return context.new_page()

    return open_


def sign_in(page: Page, line: Line, user: User) -> None:
    client = Client()
    client.force_login(user)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": line.url}]
    )


def open_today(page: Page) -> None:
    """Until the device has everything of the day."""
    page.goto("/")
    expect(page.locator("html[data-kept]")).to_be_attached()


def unsent(page: Page):
    return page.get_by_role("region", name="Not sent yet")


def kept_on(page: Page) -> dict[str, list[str]]:
    """The pages and answers on this device."""
    return page.evaluate(
        """async () => {
            const pages = [];
            for (const name of await caches.keys()) {
                for (const request of await (await caches.open(name)).keys()) {
                    pages.push(new URL(request.url).pathname);
                }
            }
            const result = (request) => new Promise((done) => {
                request.onsuccess = () => done(request.result);
            });
            const database = await result(indexedDB.open("steadyback"));
            const held = [];
            for (const name of database.objectStoreNames) {
                held.push(...await result(database.transaction(name).objectStore(name).getAll()));
            }
            database.close();
            return { pages, held: held.map((one) => JSON.stringify(one)) };
        }"""
    )


def do_routine_offline(page: Page) -> None:
    page.goto("/routine/")
    show_list = page.get_by_role("button", name="Show it as a list")
    if show_list.count():
        show_list.click()
    pages.button(page, "I did all of it").click()
    expect(pages.heading(page, "How did it go?")).to_be_visible()


def skip_routine(page: Page, reason: str) -> None:
    page.goto("/routine/skip/")
    pages.choose(page, "What keeps you from it?", reason)
    pages.button(page, "Leave it for today").click()
    expect(unsent(page)).to_be_visible()


def test_a_day_in_flight_mode_and_back_with_the_server_killed_in_the_middle(
    program, server, line, phone
):
    # given a phone that opened today, and then lost its line
    line.upstream = server.url
    page = phone()
    sign_in(page, line, program.patient.user)
    open_today(page)
    page.context.set_offline(True)

    # when the patient does the routine, says how it felt, and answers the safety questions
    page.goto("/")
    expect(page.get_by_text("You are offline.")).to_be_visible()
    do_routine_offline(page)
    pages.check_in(page, pages.GOOD_EVENING)
    expect(unsent(page)).to_be_visible()
    page.goto("/check-in/questions/")
    for group in pages.safety_questions(page).all():
        group.get_by_label("No", exact=True).check()
    pages.button(page, "Send my answers").click()

    # then three answers wait on the first page, and the practice has none of them
    expect(unsent(page).get_by_role("listitem")).to_have_count(3)
    assert not Session.objects.exists() and not CheckIn.objects.exists()

    # when the line is back, and the server dies after it kept the routine and before it said so
    def die_after_routine(path: str, headers: dict[str, str]) -> str:
        if path == "/routine/" and "X-Answered-Ago" in headers:
            return "after"
        return ""

    line.cut = die_after_routine
    before = timezone.now()
    page.context.set_offline(False)
    wait_for(page, lambda: "/routine/" in line.replays and Session.objects.exists())
    server.kill()
    line.cut = lambda path, headers: ""

    # then the phone still holds what it was not told is kept
    expect(unsent(page).get_by_role("listitem")).to_have_count(2)
    assert line.replays[:2] == ["/check-in/questions/", "/routine/"]

    # when the server is back, then everything arrives once, in order, at its own time
    server.start()
    line.upstream = server.url
    pages.button(unsent(page), "Send now").click()
    wait_for(page, lambda: CheckIn.objects.exists())
    expect(unsent(page)).to_have_count(0)
    session, check_in = Session.objects.get(), CheckIn.objects.get()
    assert session.status == Session.Status.DONE
    assert session.after_check_in == check_in
    assert session.at < check_in.at < before
    assert RedFlagScreening.objects.count() == 2
    assert [path for path in line.replays if path == "/check-in/after/"] == ["/check-in/after/"]
    assert line.replays[-1] == "/check-in/after/"
    expect(page.get_by_text("Done for today")).to_be_visible()
    assert not answers_on(page)


def test_a_red_flag_without_a_line_is_answered_at_once_and_told_first(program, line, phone):
    page = phone()
    sign_in(page, line, program.patient.user)
    open_today(page)
    page.context.set_offline(True)
    skip_routine(page, "No time today")

    # when a yes is sent without a line, then what to do is there at once, and no exercise is
    page.goto("/serious/")
    pages.safety_questions(page).first.get_by_label("Yes", exact=True).check()
    pages.button(page, "Show me what to do").click()
    expect(pages.heading(page, "Get medical help now")).to_be_visible()
    expect(page).to_have_url(re.compile("/offline/advice/"))
    for path in ("/", "/routine/"):
        page.goto(path)
        expect(pages.heading(page, "Get medical help now")).to_be_visible()
    assert not RedFlag.objects.exists()

    # when the same questions are answered with no to everything, then that takes nothing back
    page.goto("/serious/")
    for group in pages.safety_questions(page).all():
        group.get_by_label("No", exact=True).check()
    pages.button(page, "Show me what to do").click()
    expect(page).to_have_url(f"{line.url}/")
    expect(pages.heading(page, "Get medical help now")).to_be_visible()
    page.goto("/routine/")
    expect(pages.heading(page, "Get medical help now")).to_be_visible()

    # when the line is back, then it goes before the answer that was given before it
    page.context.set_offline(False)
    wait_for(page, lambda: RedFlag.objects.exists() and Session.objects.exists())
    assert line.replays == ["/serious/", "/serious/", "/routine/skip/"]
    page.goto("/")
    expect(pages.heading(page, "Get medical help now")).to_be_visible()
    expect(page.get_by_text("Your practice has been told")).to_be_visible()


def test_signing_out_wipes_the_device_and_the_next_person_finds_nothing(
    program, line, phone, make_patient, make_program
):
    other = make_patient("Boris")
    page = phone()
    sign_in(page, line, program.patient.user)
    open_today(page)
    page.context.set_offline(True)
    skip_routine(page, "Too tired")
    held = kept_on(page)
    assert "/routine/" in held["pages"] and any("tired" in one for one in held["held"])

    # when she signs out while an answer is unsent, then she is asked what becomes of it
    line.cut = lambda path, headers: "before" if path == "/offline/line/" else ""
    page.context.set_offline(False)
    page.goto("/account/logout/")
    pages.button(page, "Sign out").click()
    warning = page.get_by_role("region", name=re.compile("Not sent yet"))
    expect(warning).to_be_visible()
    pages.button(warning, "Send them first").click()
    expect(warning.get_by_text("They could not be sent now")).to_be_visible()
    line.cut = lambda path, headers: ""
    pages.button(warning, "Send them first").click()
    expect(warning).to_have_count(0)
    assert Session.objects.get().skip_reason == "tired"

    # and when she has signed out, then nothing of her is on the device
    pages.button(page, "Sign out").click()
    expect(pages.link(page, "Get a sign-in code")).to_be_visible()
    assert kept_on(page) == {"pages": [], "held": []}

    # and whoever signs in next sees nothing of hers, with or without a line
    sign_in(page, line, other.user)
    open_today(page)
    assert "/routine/" not in kept_on(page)["pages"]
    page.context.set_offline(True)
    page.goto("/routine/")
    expect(pages.heading(page, "You are offline")).to_be_visible()
    assert program.patient.given_name not in page.content()


def test_what_was_answered_yesterday_arrives_as_yesterdays_and_old_pages_are_not_shown(
    library, make_program, line, phone
):
    now = timezone.now()
    program = begin(make_program, now - dt.timedelta(days=2))
    yesterday = program.patient.local_date(now) - dt.timedelta(days=1)
    page = phone()
    sign_in(page, line, program.patient.user)
    page.clock.set_system_time(now - dt.timedelta(days=1))
    open_today(page)
    page.context.set_offline(True)
    skip_routine(page, "Not well")
    page.clock.set_system_time(now)
    page.context.set_offline(False)
    wait_for(page, lambda: Session.objects.exists())
    session = Session.objects.get()
    assert (session.day, session.skip_reason) == (yesterday, "unwell")
    assert session.at.date() == (now - dt.timedelta(days=1)).date()

    # when a copy has reached its end, then it is not opened any more
    expect(unsent(page)).to_have_count(0)
    expect(page.locator("html[data-kept]")).to_be_attached()
    page.evaluate(
        """async () => {
            const name = (await caches.keys()).find((one) => one.startsWith("steadyback-pages-"));
            const cache = await caches.open(name);
            const old = await cache.match("/");
            const headers = new Headers(old.headers);
            headers.set("X-Until", String(Date.now() - 1000));
            await cache.put("/", new Response(old.body, { headers }));
        }"""
    )
    page.context.set_offline(True)
    page.goto("/")
    expect(pages.heading(page, "You are offline")).to_be_visible()


def wait_for(page: Page, is_so: Callable[[], bool]) -> None:
    """Until something has become so at the practice."""
    for _attempt in range(PATIENCE_MS // 100):
        if is_so():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not become so")


def answers_on(page: Page) -> list[str]:
    return [one for one in kept_on(page)["held"] if "fields" in one]
