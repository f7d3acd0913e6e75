"""Who may open a patient's page: the signed-in patient, or the holder of a reminder link.

A reminder link is not a sign-in. Once its button is pressed, the browser session carries a pass
to the routine, the check-ins, the safety questions and the reminders of one program, until the
link expires.
Every page says for itself whether the pass is enough; unless it does, it is not.
"""

import datetime as dt
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from clinic.language import speak
from patients.models import Patient
from programs.models import Program

PASS = "link_pass"


@dataclass(frozen=True)
class Visitor:
    """``since`` is when the pass was given; None for somebody who signed in."""

    patient: Patient
    pass_only: bool = False
    since: dt.datetime | None = None


def visitor_of(request: HttpRequest, *, at: dt.datetime) -> Visitor | None:
    """The patient this request speaks for, or None. Signing in always comes before a pass."""
    if request.user.is_authenticated:
        patient = _patients().filter(user=request.user).first()
        return Visitor(patient) if patient else None
    return _visitor_by_pass(request, at)


def give_pass(
    request: HttpRequest, *, program: Program, until: dt.datetime, at: dt.datetime
) -> None:
    """Let this browser see the routine of ``program`` and nothing else, until ``until``."""
    request.session.cycle_key()
    request.session[PASS] = {
        "program": str(program.pk),
        "until": until.isoformat(),
        "since": at.isoformat(),
    }


def patient_required(
    view: Callable[..., HttpResponse] | None = None, *, by_link: bool = False
) -> Callable[..., Any]:
    """Open a page to its patient only; with ``by_link`` also to the holder of a reminder link.

    The view finds ``request.patient``, ``request.pass_only`` and the patient's time zone set.
    """
    if view is None:
        return functools.partial(patient_required, by_link=by_link)

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        visitor = visitor_of(request, at=timezone.now())
        if visitor is None or (visitor.pass_only and not by_link):
            if request.user.is_authenticated:
                return private(render(request, "portal/not_a_patient.html", status=403))
            return private(redirect_to_login(request.get_full_path(), settings.LOGIN_URL))
        with as_visitor(request, visitor):
            return private(view(request, *args, **kwargs))

    return guarded


def as_visitor(request: HttpRequest, visitor: Visitor) -> timezone.override:
    """Mark the request as this visitor's; the return value switches to the patient's zone."""
    request.patient = visitor.patient
    request.pass_only = visitor.pass_only
    request.pass_since = visitor.since
    if not request.user.is_authenticated or request.user.pk == visitor.patient.user_id:
        # A carer reads in the carer's own language.
        speak(request, visitor.patient.language)
    return timezone.override(visitor.patient.zone)


def private(response: HttpResponse) -> HttpResponse:
    """Keep a patient's page out of every cache, the browser's own included."""
    response["Cache-Control"] = "private, no-store"
    return response


def _visitor_by_pass(request: HttpRequest, at: dt.datetime) -> Visitor | None:
    held = request.session.get(PASS)
    if not held:
        return None
    until, since = parse_datetime(held["until"]), parse_datetime(held["since"])
    if until is None or since is None or at >= until:
        del request.session[PASS]
        return None
    try:
        patient = _patients().filter(programs__in=_running(held["program"])).first()
    except ValidationError:
        return None
    return Visitor(patient, pass_only=True, since=since) if patient else None


def _running(program_id: str) -> Any:
    return Program.objects.running().filter(pk=program_id)


def _patients() -> Any:
    # Somebody whose account is closed cannot come in by a link either.
    return Patient.objects.exclude(user__is_active=False).select_related("site", "physiotherapist")
