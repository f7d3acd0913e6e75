"""Takes the pictures in docs/screenshots: ``python -m tests.screenshots [page ...]``.

A throw-away database, a fixed seed and a clock that stands still, so that the same code gives the
same pictures. With names of pages, only those are taken again.
"""

import contextlib
import datetime as dt
import os
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
NOW = dt.datetime(2026, 3, 31, 7, 42, tzinfo=dt.UTC)
PHONE, DESK = 390, 1280
HEIGHT = {PHONE: 844, DESK: 800}
# A picture of a whole page on the phone is no taller than this, in CSS pixels.
TALLEST = 1500
HEAVIEST = 200_000


@dataclass(frozen=True)
class Shot:
    """One page: the name of its files, what it shows, and how to get there.

    ``who`` is the address of the person signed in, empty for nobody. ``go`` is where the page is,
    or how to reach it. ``first`` happens once, before the page is looked at. ``whole``: on the
    phone the picture goes on below the screen.
    """

    name: str
    what: str
    go: "str | Callable[[Page], None]"
    who: str = ""
    first: Callable[[], None] | None = None
    whole: bool = False


def main(wanted: list[str]) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ["STEADYBACK_TESTING"] = "1"
    # Playwright keeps an event loop in this thread; the database is used beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    import django

    django.setup()
    from tests.browser import NoBrowser, launch_arguments
    from tests.screenshot_pages import SHOTS as PAGES
    from tests.screenshot_pages import fill
    from tests.screenshot_portal import PORTAL

    shots = [*PAGES, *PORTAL]
    unknown = set(wanted) - {shot.name for shot in shots}
    if unknown:
        print(f"No page is called {sorted(unknown)[0]}.", file=sys.stderr)
        return 2
    try:
        arguments = launch_arguments()
    except NoBrowser as error:
        print(error, file=sys.stderr)
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    taken: list[Path] = []
    with _practice(fill) as address, _browser(arguments) as browser:
        for shot in shots:
            if shot.first is not None:
                shot.first()
            if not wanted or shot.name in wanted:
                taken += _take(shot, address, browser)
    (FOLDER / "README.md").write_text(index(shots))
    weight = sum(picture.stat().st_size for picture in taken)
    print(f"{len(taken)} pictures in docs/screenshots, {weight / 1_000_000:.1f} MB.")
    heavy = [picture.name for picture in taken if picture.stat().st_size > HEAVIEST]
    if heavy:
        print(f"Heavier than {HEAVIEST // 1000} kB: {', '.join(heavy)}.", file=sys.stderr)
    return 1 if heavy else 0


def index(shots: list[Shot]) -> str:
    """The README of the folder: a table of every picture."""
    lines = [
        "# How it looks",
        "",
        "Made-up people, one fixed morning. `make screenshots` takes every picture again.",
        "",
        "| page | 390 px | 1280 px |",
        "|---|---|---|",
    ]
    for shot in shots:
        cells = [
            " ".join(f"[{colours}]({shot.name}-{width}-{colours}.png)" for colours in COLOURS)
            for width in HEIGHT
        ]
        lines.append(f"| {shot.what} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


COLOURS = ("light", "dark")


def _take(shot: Shot, address: str, browser: "Browser") -> Iterator[Path]:
    for width, height in HEIGHT.items():
        for colours in COLOURS:
            context = browser.new_context(
                base_url=address,
                viewport={"width": width, "height": height},
                color_scheme=colours,
                reduced_motion="reduce",
                locale="en-GB",
                timezone_id="Europe/London",
            )
            page = context.new_page()
            _sign_in(page, shot.who, address)
            if callable(shot.go):
                shot.go(page)
            else:
                page.goto(shot.go)
            if shot.whole and width == PHONE:
                _stretch(page)
            page.evaluate("document.fonts.ready")
            # The pointer rests on nothing.
            page.mouse.move(0, 0)
            picture = FOLDER / f"{shot.name}-{width}-{colours}.png"
            page.screenshot(path=picture, animations="disabled")
            context.close()
            yield picture


def _stretch(page: "Page") -> None:
    """Make the screen as tall as the page, so that what sticks to its edge stays at the edge."""
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": PHONE, "height": min(height, TALLEST)})


def _sign_in(page: "Page", who: str, address: str) -> None:
    from django.test import Client

    from clinic.models import User

    if not who:
        return
    client = Client()
    client.force_login(User.objects.get(email=who))
    value = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": value, "url": address}])


@contextlib.contextmanager
def _browser(arguments: dict[str, Any]) -> "Iterator[Browser]":
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**arguments)
        yield browser
        browser.close()


@contextlib.contextmanager
def _practice(fill: Callable[[Any], None]) -> Iterator[str]:
    """A filled practice of its own behind an address, at NOW; nothing is left of it."""
    import time_machine
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.cache import cache
    from django.db import connection
    from django.test.testcases import LiveServerThread
    from django.test.utils import setup_test_environment

    from tests.faults.carriers import MailServer

    setup_test_environment(debug=False)
    where = connection.settings_dict
    before = where["NAME"]
    where["TEST"]["NAME"] = f"screenshots_{before}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    server = LiveServerThread("localhost", static_handler=StaticFilesHandler)
    # Keys that stand in addresses come from here: they are to be the same every time.
    chance = random.Random(1)
    try:
        with (
            time_machine.travel(NOW, tick=False),
            mock.patch("os.urandom", chance.randbytes),
            MailServer() as mails,
            _settings(EMAIL_PORT=mails.port),
        ):
            cache.clear()
            fill(mails)
            server.daemon = True
            server.start()
            server.is_ready.wait()
            if server.error:
                raise server.error
            try:
                yield f"http://{server.host}:{server.port}"
            finally:
                server.terminate()
    finally:
        with connection.cursor() as cursor:
            # A page that was still loading may hold a connection.
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        connection.creation.destroy_test_db(before, verbosity=0)


@contextlib.contextmanager
def _settings(**changes: Any) -> Iterator[None]:
    from django.test import override_settings

    with override_settings(
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        EMAIL_HOST="127.0.0.1",
        SMS_GATEWAY="demo",
        **changes,
    ):
        yield


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
