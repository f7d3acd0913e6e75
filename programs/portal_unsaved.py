"""The safety questions when nothing can be kept: nobody is signed in, or the database is away.

The advice depends on the answers alone. So it is given whatever else is broken: without database,
session, cache and sign-in, in the language that the browser asks for.
"""

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware, get_token
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from clinic.language import page_language
from clinic.site_numbers import numbers_of_sites
from patients.red_flags import assess
from programs.answer_forms import RedFlagForm
from programs.portal_stop import EMERGENCY, SAME_DAY, advice

log = logging.getLogger(__name__)

# Sent by a device with answers that waited for a line (programs.replaying).
REPLAY = "X-Answered-Ago"


def advice_whatever_happens(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware around everything that may break: the pages of the safety questions never end
    in a page that says only that something went wrong."""
    paths = {reverse("portal_serious"), reverse("portal_questions")}

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.path_info not in paths or getattr(response, "says_what_to_do", False):
            return response
        if REPLAY in request.headers:
            # A device that tries again later; nobody is looking.
            return response
        refused = request.method == "POST" and response.status_code == 403
        if response.status_code < 500 and not refused:
            return response
        log.error("Safety questions were answered without saving: %s", response.status_code)
        wanted = translation.get_language_from_request(request)
        with translation.override(page_language(wanted)):
            # A device that can keep answers for later learns from the status that it should.
            return unsaved_page(request, status=403 if refused else 503)

    return middleware


def unsaved_page(request: HttpRequest, *, status: int = 200) -> HttpResponse:
    """Numbers and questions; for answers, what to do. Touches no session and keeps nothing."""
    form = RedFlagForm(request.POST if request.method == "POST" else None)
    sites = numbers_of_sites(at_once=status != 200)
    context = {
        "form": form,
        "sites": sites,
        "csrf_token": _token(request),
        "fresh": True,
        "saved": False,
        "unsaved": True,
    }
    if form.is_bound and form.is_valid():
        severity = assess(form.answers()).severity
        if severity is None:
            return _page("portal/all_clear.html", context, status)
        return _page("portal/stop.html", context | {"advice": advice(sites, severity)}, status)
    offline = [advice(sites, reason) for reason in (EMERGENCY, SAME_DAY)]
    # A post without the page's token stays what it is, whatever it says.
    status = 400 if form.errors and status != 403 else status
    return _page("portal/serious_public.html", context | {"offline": offline}, status)


def _page(template: str, context: dict[str, object], status: int) -> HttpResponse:
    # Without the request: what else a page shows of it would ask the session who this is.
    response = HttpResponse(render_to_string(template, context), status=status)
    response["Cache-Control"] = "private, no-store"
    response["Content-Language"] = translation.get_language() or ""
    response.says_what_to_do = True
    return response


def _token(request: HttpRequest) -> str:
    """The token of the browser's own cookie: an answer sent once all is well again is taken."""
    CsrfViewMiddleware(lambda _request: HttpResponse()).process_request(request)
    return get_token(request)
