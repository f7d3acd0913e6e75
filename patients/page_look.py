"""How large the letters are and which colours a page has, for whoever looks at it.

A patient's own pages look as the patient chose. The browser remembers it in a cookie that says
nothing but the look, so that the sign-in page looks the same before anybody is known.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject
from django.utils.html import format_html
from django.utils.safestring import SafeString

from patients.models import Patient, Preferences

COOKIE = "look"
COOKIE_AGE = 60 * 60 * 24 * 365


@dataclass(frozen=True)
class Look:
    text: str = Preferences.TextSize.NORMAL.value
    theme: str = Preferences.Theme.SYSTEM.value
    hand: str = Preferences.Hand.RIGHT.value

    @property
    def attributes(self) -> SafeString:
        """For the tag <html>: what differs from the usual."""
        usual = Look()
        given = {"text": self.text, "theme": self.theme, "hand": self.hand}
        return SafeString(
            "".join(
                format_html(' data-{}="{}"', name, value)
                for name, value in given.items()
                if value != getattr(usual, name)
            )
        )

    @property
    def cookie(self) -> str:
        return f"{self.text}.{self.theme}"


def look(request: HttpRequest) -> dict[str, object]:
    """Context processor; nothing is asked before a page shows it."""
    return {"look": SimpleLazyObject(lambda: look_of(request))}


def look_of(request: HttpRequest) -> Look:
    """The look of the patient whose own page this is, else of this browser."""
    remembered = _remembered(request)
    try:
        patient = _own(request)
        if patient is None:
            return remembered
        likes = Preferences.of(patient)
    except DatabaseTrouble:
        # The emergency page comes up without the database, and its look is no reason to fail.
        return remembered
    chosen = Look(likes.text_size, likes.theme, likes.hand)
    if chosen.cookie != remembered.cookie:
        request.look_to_keep = chosen
    return chosen


def remember_look(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: the browser keeps the look of the patient's page that it has just shown."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        chosen = getattr(request, "look_to_keep", None)
        if chosen is not None:
            response.set_cookie(
                COOKIE,
                chosen.cookie,
                max_age=COOKIE_AGE,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response

    return middleware


def _own(request: HttpRequest) -> Patient | None:
    """The patient who looks at this page, not somebody who helps."""
    user = getattr(request, "user", None)
    signed_in = user is not None and user.is_authenticated
    patient = getattr(request, "patient", None)
    if patient is not None:
        return patient if not signed_in or user.pk == patient.user_id else None
    return getattr(user, "patient", None) if signed_in else None


def _remembered(request: HttpRequest) -> Look:
    text, _, theme = request.COOKIES.get(COOKIE, "").partition(".")
    usual = Look()
    return Look(
        text if text in Preferences.TextSize.values else usual.text,
        theme if theme in Preferences.Theme.values else usual.theme,
    )
