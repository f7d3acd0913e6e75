"""The switch at the foot of a page: which language to read in."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from clinic.language import CHOSEN, HEARD, NAMES
from patients.speaking import choose_language
from programs.portal_access import private, visitor_of


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Read in another language from now on.

    A signed-in patient's own choice is kept in the record, so that messages speak it too;
    anybody else's only in the browser.
    """
    at = timezone.now()
    chosen = request.POST.get("language", "")
    answer = private(redirect(_back(request)))
    if chosen not in NAMES:
        return answer
    visitor = visitor_of(request, at=at)
    if visitor is not None and visitor.patient.user_id == request.user.pk:
        try:
            choose_language(patient=visitor.patient, language=chosen, by=request.user, at=at)
        except ValidationError:
            return answer
        request.session.pop(CHOSEN, None)
        request.session[HEARD] = chosen
    elif settings.SESSION_COOKIE_NAME in request.COOKIES:
        request.session[CHOSEN] = chosen
    answer.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        chosen,
        max_age=60 * 60 * 24 * 365,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return answer


def _back(request: HttpRequest) -> str:
    """The page the switch stood on; never an address of somebody else."""
    there = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        there, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return there if safe and there.startswith("/") else "/"
