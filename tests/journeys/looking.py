"""Looking at a page as somebody who sees little, on a small phone, in the dark, in large letters.

axe-core looks for WCAG 2.2 AA. Nothing may scroll sideways at 390 and 320 px, and no page may
make the browser complain: a refusal of the content policy is such a complaint.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Page, expect

from clinic.models import User
from tests.journeys import pages

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
EVERYTHING = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
# What another set of colours can break.
COLOURS = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
    "resultTypes": ["violations"],
}
SETTLED = "() => Promise.all(document.getAnimations().map(animation => animation.finished))"
NARROWEST, PHONE, DESK = 320, 390, 1280
Visit = str | Callable[[Page], None]


@dataclass
class Look:
    """Looks at one page after the other and keeps what is wrong with them."""

    page: Page
    # Whether the page must also hold letters of twice the size (WCAG 1.4.4), on a phone.
    large_letters: bool = False
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
        if self.large_letters:
            self._axe(name, "320 light", EVERYTHING)
            self._width(PHONE)
            self._letters("200%")
            self._sideways(f"{name}, letters twice as large", PHONE)
            self._axe(name, "390 light, letters twice as large", EVERYTHING)
            self._letters("")
        self.seen += 1

    def _width(self, width: int) -> None:
        self.page.set_viewport_size({"width": width, "height": 844})

    def _letters(self, size: str) -> None:
        self.page.evaluate("size => { document.documentElement.style.fontSize = size }", size)

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


def send(address: str, name: str) -> Callable[[Page], None]:
    """Send the form of a page as it stands."""

    def visit(page: Page) -> None:
        page.goto(address)
        pages.button(page, name).click()
        expect(page.get_by_role("alert").last).to_be_visible()

    return visit
