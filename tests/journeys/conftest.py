"""A whole practice for the browser: pages, a worker over Redis, mail by SMTP, texts by Twilio.

The pages are served from this process, so that ``clock`` moves them and the worker over days;
the browser itself stays in real time.
"""

import datetime as dt
import os
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from celery import signals
from celery.contrib.testing.worker import start_worker
from django.core.cache import cache
from django.db import connections
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from clinic import health, standstill
from clinic.messaging import sending
from clinic.models import User
from config.celery import app
from tests.browser import launch_arguments
from tests.conftest import MONDAY
from tests.faults.carriers import MailServer, TextServer
from tests.journeys.looking import Look, sign_in

LONDON = ZoneInfo("Europe/London")
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DESK = {"viewport": {"width": 1280, "height": 900}}
# The machine that runs this may be busy; nothing here waits this long when all is well.
PATIENCE_MS = 20_000


# --- the browser -----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_type_launch_args, **launch_arguments()}


# Playwright keeps an event loop running in the main thread. It ends with the journeys, so that no
# other test meets it, and Django lets the journeys use the database beside it.
@pytest.fixture(scope="package")
def playwright(browser_type_launch_args) -> Iterator[Playwright]:
    expect.set_options(timeout=PATIENCE_MS)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield playwright


@pytest.fixture(scope="package")
def browser(playwright, browser_type_launch_args) -> Iterator[Browser]:
    browser = playwright.chromium.launch(**browser_type_launch_args)
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def browser_context_args() -> dict[str, Any]:
    return {}


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What browsers complained of: scripts that failed, and what the content policy refused."""
    heard: list[str] = []
    yield heard
    assert not heard, "\n".join(heard)


@pytest.fixture
def open_browser(practice, new_context, complaints) -> Callable[..., Page]:
    """Open a browser of somebody's own: its cookies are nobody else's. ``meets`` names the
    answers of the server from 400 on that this person is meant to meet. Pages come from the
    practice and never from the device, unless ``service_workers`` is "allow"."""

    def open_(
        *, meets: tuple[int, ...] = (), service_workers: str = "block", **options: Any
    ) -> Page:
        context: BrowserContext = new_context(
            base_url=practice.url, service_workers=service_workers, **options
        )
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        listen(page, complaints, meets=meets)
        return page

    return open_


def listen(page: Page, complaints: list[str], *, meets: tuple[int, ...] = ()) -> None:
    def console(message: Any) -> None:
        expected = any(
            f"the server responded with a status of {code}" in message.text for code in meets
        )
        blocked = "Service Worker registration blocked by Playwright" in message.text
        if message.type in ("error", "warning") and not expected and not blocked:
            complaints.append(f"{page.url}: {message.text}")

    page.on("console", console)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))


@pytest.fixture
def on_phone(open_browser) -> Callable[..., Page]:
    return lambda **options: open_browser(**PHONE, **options)


@pytest.fixture
def at_desk(open_browser) -> Callable[..., Page]:
    return lambda **options: open_browser(**DESK, **options)


@pytest.fixture
def look(open_browser) -> Callable[..., Look]:
    """A look with the eyes of somebody who is signed in, or of a stranger."""

    def look_(
        user: User | None = None,
        *,
        meets: tuple[int, ...] = (400, 403, 404, 409),
        large_letters: bool = False,
    ) -> Look:
        page = open_browser(meets=meets)
        sign_in(page, user)
        return Look(page, large_letters)

    return look_


# --- the practice ----------------------------------------------------------------------------


class Clock:
    """The practice's clock. It ticks, and can be put forward."""

    def __init__(self, traveller: time_machine.Traveller) -> None:
        self._traveller = traveller

    def to(self, day: int, time: str) -> None:
        """Put it to ``time`` (HH:MM in London) of the day counted from MONDAY, which is 0."""
        hour, minute = map(int, time.split(":"))
        date = MONDAY.date() + dt.timedelta(days=day)
        moment = dt.datetime.combine(date, dt.time(hour, minute), LONDON)
        self._traveller.move_to(moment.astimezone(dt.UTC))
        everything_at_work()


def everything_at_work() -> None:
    """Worker and planning are heard of for the next hour, without a beat that wakes them."""
    for part in ("worker", "planning"):
        health.beat(name=part, at=timezone.now() + dt.timedelta(hours=1))
    standstill.forget()


@pytest.fixture
def clock() -> Iterator[Clock]:
    with time_machine.travel(MONDAY, tick=True) as traveller:
        # Limits on how often somebody may try are counted by this clock.
        cache.clear()
        yield Clock(traveller)


@dataclass
class Worker:
    """A Celery worker on its own queue. ``run`` wakes it as beat does, and waits until done."""

    queue: str
    _ended: dict[str, str] = field(default_factory=dict)
    _news: threading.Condition = field(default_factory=threading.Condition)

    def run(self, *tasks: str) -> None:
        for task in tasks:
            sent = app.send_task(task, queue=self.queue)
            with self._news:
                assert self._news.wait_for(lambda sent=sent: sent.id in self._ended, 30), task
            assert self._ended[sent.id] == "SUCCESS", task

    def remind(self) -> None:
        """What beat does every few seconds, once."""
        self.run("programs.tasks.plan_reminders", "clinic.tasks.send_due")

    def end(self, task_id: str, state: str, **_: Any) -> None:
        connections.close_all()
        with self._news:
            self._ended[task_id] = state
            self._news.notify_all()


def _hang_up() -> None:
    sending.close_own()
    connections.close_all()


@pytest.fixture
def worker(practice) -> Iterator[Worker]:
    worker = Worker(f"journey-{uuid.uuid4()}")

    def keep_logging_as_it_is(**_: Any) -> None: ...

    signals.setup_logging.connect(keep_logging_as_it_is)
    signals.task_postrun.connect(worker.end, weak=False)
    try:
        with start_worker(app, perform_ping_check=False, queues=[worker.queue]):
            yield worker
    finally:
        # It holds lines to the carriers of this journey. In a thread of its own, because the
        # browser's event loop runs in this one.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(_hang_up).result()
        signals.task_postrun.disconnect(worker.end)
        signals.setup_logging.disconnect(keep_logging_as_it_is)


@dataclass(frozen=True)
class Practice:
    """Where its pages are, and what its carriers took."""

    url: str
    mails: MailServer
    texts: TextServer


def _send_at_once() -> None:
    # In a thread of its own, as a worker woken for a code would: with lines of its own.
    def send() -> None:
        sending.send_all_due()
        connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(send).result()


@pytest.fixture
def practice(
    clock, transactional_db, library, live_server, settings, monkeypatch
) -> Iterator[Practice]:
    monkeypatch.setattr("clinic.sign_in_codes.wake_sender", _send_at_once)
    with MailServer() as mails, TextServer() as texts:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mails.port
        settings.SMS_GATEWAY, settings.TWILIO_API_BASE = "twilio", texts.url
        settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = "AC" + "0" * 32, "a-token"
        settings.TWILIO_FROM = "+447700900000"
        settings.BASE_URL = live_server.url
        everything_at_work()
        yield Practice(live_server.url, mails, texts)
