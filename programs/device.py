"""What a patient's device may keep for the time without a line, and until when.

Every page of a patient carries an opaque tag: the first half stands for whose answers a device
holds, the second for this one visit. A page with another tag, or one that says that nobody is
signed in, makes the device forget all pages of the visit before (programs/static/programs/offline).
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.dateparse import parse_datetime

from programs.portal_access import PASS, account_of, opaque
from programs.portal_stop import stands_still

TAG, SECONDS, STANDS_STILL = "X-Account-Tag", "X-Account-Seconds", "X-Stands-Still"
NOBODY = "none"
# A routine, and how often the safety questions are asked, say nothing about longer than a week.
KEPT_FOR = dt.timedelta(days=7)
_VISIT = "device_visit"


@dataclass(frozen=True)
class Device:
    """``tag`` is NOBODY when nobody is signed in; ``seconds`` is how long pages may be kept."""

    tag: str
    seconds: int = 0


def device_of(request: HttpRequest) -> Device | None:
    """What to tell the device with this page; None where the page says nothing of it."""
    if getattr(request, "patient", None) is not None:
        visit = request.session.get(_VISIT)
        if visit is None:
            visit = request.session[_VISIT] = get_random_string(16)
        account = account_of(request)
        return Device(f"{account}.{opaque('visit', account + visit)}", _seconds(request))
    if getattr(request, "has_no_page", False):
        # Signed in, and since then sent away: what the device still keeps is not theirs.
        return Device(NOBODY)
    return Device(NOBODY) if _nobody(request) else None


def _seconds(request: HttpRequest) -> int:
    ends = timezone.now() + KEPT_FOR
    if request.pass_only:
        ends = min(ends, parse_datetime(request.session[PASS]["until"]) or timezone.now())
    elif request.session.get_expiry_date() < ends:
        ends = request.session.get_expiry_date()
    return max(0, int((ends - timezone.now()).total_seconds()))


def _nobody(request: HttpRequest) -> bool:
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return True
    session = getattr(request, "session", None)
    try:
        return session is not None and not (session.get(SESSION_KEY) or session.get(PASS))
    except DatabaseError:
        # Nobody knows; a page that has to be shown without the database is still shown.
        return False


def _paused(request: HttpRequest) -> bool:
    patient = getattr(request, "patient", None)
    if getattr(request, "nothing_stops", False):
        # The page has looked itself, and shows exercises for that reason.
        return False
    try:
        return patient is not None and stands_still(patient)
    except DatabaseError:
        # A page that could be shown without the database is still shown.
        return False


def tell_device(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: the tag on every page, and the order to forget everything when signing out."""

    def middleware(request: HttpRequest) -> HttpResponse:
        leaving = request.method == "POST" and request.path_info == reverse("account_logout")
        response = get_response(request)
        is_page = response.get("Content-Type", "").startswith("text/html")
        if is_page and response.status_code < 500:
            device = device_of(request)
            if device is not None:
                response[TAG], response[SECONDS] = device.tag, str(device.seconds)
            if response.status_code == 200 and STANDS_STILL not in response and _paused(request):
                # Whichever page it was: exercises kept for the time without a line are over.
                response[STANDS_STILL] = "1"
        if leaving and response.status_code < 400:
            response["Clear-Site-Data"] = '"cache", "storage"'
        return response

    return middleware
