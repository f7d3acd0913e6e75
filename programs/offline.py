"""Doors for the time without a line: the worker of the browser, what it keeps, what it shows then.

What runs on the device stands in programs/static/programs/offline; docs/offline.md says how the
parts work together.
"""

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clinic.models import Site
from patients.red_flags import REPEATED
from programs.portal_access import (
    account_of,
    as_visitor,
    patient_required,
    private,
    visitor_of,
)
from programs.portal_stop import EMERGENCY, SAME_DAY, stop_page

# In this order they make up the one script that the browser keeps running.
WORKER = [f"programs/offline/{name}.js" for name in ("store", "replay", "worker")]
# Which advice stands at which address. The address itself says nothing.
ADVICE = {1: EMERGENCY, 2: SAME_DAY}
# Pages a device keeps, by their names; the address of the second stands in for the first.
PAGES = ["portal_home", "portal_routine", "portal_skip", "portal_questions", "portal_serious"]
STAND_INS = {"portal_after": "offline_after", "portal_morning": "offline_morning"}
# Where forms go whose answers may wait on the device, and what each of them records.
QUEUES = {
    "portal_routine": "session",
    "portal_skip": "skip",
    "portal_after": "check_in",
    "portal_morning": "check_in",
    "portal_questions": "red_flags",
    "portal_serious": "red_flags",
}
ICONS = [("any", 192), ("any", 512), ("maskable", 512)]
PAPER, ACCENT = "#f7f4ec", "#0b5c5a"


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """What a phone needs to put the practice on its first screen. The same for everybody."""
    said = {
        "id": "/",
        "name": "Steadyback",
        "short_name": "Steadyback",
        "description": _("Your exercises at home, set by your physiotherapist."),
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": PAPER,
        "theme_color": ACCENT,
        "icons": [
            {
                "src": static(f"programs/icons/{purpose}-{size}.png"),
                "sizes": f"{size}x{size}",
                "type": "image/png",
                "purpose": purpose,
            }
            for purpose, size in ICONS
        ],
    }
    return HttpResponse(json.dumps(said), content_type="application/manifest+json")


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker: its parts in one, with what it has to know of this installation."""
    body = f"self.STEADYBACK = {json.dumps(_knows())};\n{_worker_source()}"
    response = HttpResponse(body, content_type="text/javascript; charset=utf-8")
    # A browser asks for it again with every visit, and takes a changed one at once.
    response["Cache-Control"] = "no-cache"
    return response


def _knows() -> dict[str, Any]:
    return {
        "version": _version(),
        "pages": [reverse(name) for name in PAGES],
        "standIns": {reverse(name): reverse(other) for name, other in STAND_INS.items()},
        "queues": {reverse(name): kind for name, kind in QUEUES.items()},
        "after": reverse("portal_after"),
        "advice": {reason: reverse("offline_advice", args=[n]) for n, reason in ADVICE.items()},
        "severities": {question.id: question.severity for question in REPEATED},
        "alone": reverse("offline_page"),
        "line": reverse("offline_line"),
        "static": settings.STATIC_URL,
    }


def _worker_source() -> str:
    return "\n".join(_read(name) for name in WORKER)


def _read(name: str) -> str:
    return Path(str(finders.find(name))).read_text("utf-8")


def _version() -> str:
    """Another one as soon as a script or a style that patients' pages use is another one."""
    return _hash_of_files() if settings.DEBUG or settings.TESTING else _hash_once()


@functools.cache
def _hash_once() -> str:
    return _hash_of_files()


def _hash_of_files() -> str:
    found = hashlib.sha256()
    for app in ("clinic", "programs"):
        root = Path(__file__).resolve().parent.parent / app / "static" / app
        for path in sorted(root.rglob("*")):
            if path.suffix in (".css", ".js", ".svg"):
                found.update(path.read_bytes())
    return found.hexdigest()[:16]


@require_safe
def line(request: HttpRequest) -> HttpResponse:
    """Whether there is a line, whose it is, and the token that a POST needs. Changes nothing."""
    visitor = visitor_of(request, at=timezone.now())
    if visitor is None:
        return private(JsonResponse({"account": "", "token": ""}))
    with as_visitor(request, visitor):
        return private(JsonResponse({"account": account_of(request), "token": get_token(request)}))


@require_safe
def offline_page(request: HttpRequest) -> HttpResponse:
    """What stands in for every page that is not on the device: what works, and whom to call."""
    visitor = visitor_of(request, at=timezone.now())
    if visitor is None:
        return private(render(request, "portal/offline.html", {"sites": Site.objects.all()}))
    with as_visitor(request, visitor):
        return private(render(request, "portal/offline.html", {"sites": [visitor.patient.site]}))


@require_safe
@patient_required(by_link=True)
def advice(request: HttpRequest, number: int) -> HttpResponse:
    """The advice of a red flag that was answered without a line. Nobody has been told yet."""
    return stop_page(
        request,
        site=request.patient.site,
        reason=ADVICE.get(number, EMERGENCY),
        patient=request.patient,
        fresh=True,
        saved=False,
    )
