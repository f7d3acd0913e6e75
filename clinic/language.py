"""Which language a page speaks.

A patient's pages speak the patient's own language. Everybody else hears what they chose at the
foot of a page, else what their browser asks for. The portal of the staff speaks English always.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header

# The languages whose pages are complete, each by its own name. Messages know more of them.
NAMES = {"en": "English", "es": "Español"}
DEFAULT = "en"
# Kept in the browser session: what somebody chose by hand, and what a patient's page spoke last.
CHOSEN, HEARD = "language_chosen", "language"
_STAFF = "/clinic/"


def page_language(wanted: str | None) -> str:
    """The language of the pages for one of the record or of a browser, such as "es" for "es-MX"."""
    plain = (wanted or "").lower().replace("_", "-").split("-")[0]
    return plain if plain in NAMES else DEFAULT


def language_of(request: HttpRequest) -> str:
    """What this request is answered in, as long as nobody knows whose page it is."""
    if is_staff_page(request):
        return DEFAULT
    if settings.SESSION_COOKIE_NAME in request.COOKIES:
        held = request.session.get(CHOSEN) or request.session.get(HEARD)
        if held in NAMES:
            return str(held)
    cookie = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
    if cookie in NAMES:
        return str(cookie)
    return _asked_for(request.headers.get("Accept-Language", ""))


def is_staff_page(request: HttpRequest) -> bool:
    return request.path_info.startswith(_STAFF)


def speak(request: HttpRequest, language: str) -> None:
    """Answer this request in ``language``, and whatever the same browser asks for next.

    What somebody chose by hand stands above it.
    """
    spoken = request.session.get(CHOSEN)
    if spoken not in NAMES:
        spoken = page_language(language)
        if request.session.get(HEARD) != spoken:
            request.session[HEARD] = spoken
    translation.activate(spoken)


def speak_language(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: every answer in the reader's language, and nothing left behind for the next."""

    def middleware(request: HttpRequest) -> HttpResponse:
        with translation.override(language_of(request)):
            response = get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language() or DEFAULT)
            if not is_staff_page(request):
                patch_vary_headers(response, ("Accept-Language",))
            return response

    return middleware


def _asked_for(header: str) -> str:
    """The first language of the browser's list that the pages have."""
    for wanted, _ in parse_accept_lang_header(header[:500]):
        plain = wanted.split("-")[0]
        if plain in NAMES:
            return plain
    return DEFAULT
