"""What the patient sees, as the patient sees it: for reading only.

The patient's own pages are asked in the patient's name, without a session of theirs, and whatever
that would have kept is rolled back. What comes out is shown with everything switched off that
leads somewhere or sends something.
"""

import datetime as dt
import uuid
from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.views.decorators.http import require_safe

from clinic.language import page_language
from patients.models import Patient
from programs import portal as patient_pages
from programs import portal_answers, portal_seeing
from programs.clinician.opening import open_patient, portal
from programs.portal_access import give_pass, visitor_of
from programs.read_only import read_only
from programs.today import program_for

# The pages and the words for staff.
PAGES = {
    "today": "Today",
    "routine": "Routine",
    "result": "Last result",
    "progress": "Progress",
}
_LANGUAGES = {"en": "English", "es": "Spanish"}


@require_safe
def as_patient(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """One of the patient's pages (``?page=``), in the patient's language and zone."""
    patient = open_patient(request, pk, "as_patient")
    name = request.GET.get("page", "")
    name = name if name in PAGES else "today"
    language = page_language(patient.language)
    html = _html_of(request, patient, name, language)
    about = {
        "patient": patient,
        "pages": PAGES.items(),
        "name": name,
        "language": _LANGUAGES.get(language, language),
        "at": timezone.now(),
    }
    if html is None:
        about |= {"title": "What the patient sees"}
        return portal.page(request, "admin/portal/as_patient_none.html", about)
    response = HttpResponse(
        read_only(
            html,
            head=render_to_string("admin/portal/as_patient_head.html"),
            top=render_to_string("admin/portal/as_patient.html", about),
        )
    )
    response["Cache-Control"] = "private, no-store"
    return response


def _html_of(request: HttpRequest, patient: Patient, name: str, language: str) -> str | None:
    """The page as the patient would get it now; None where there is none."""
    with transaction.atomic(), translation.override(language), timezone.override(patient.zone):
        view, asked = _view(patient, name), _asked_by(request, patient)
        response = view(asked) if view and _speaks_for(asked, patient) else None
        # Looking must leave no trace but the one that says who looked.
        transaction.set_rollback(True)
    if response is None or response.status_code != 200:
        return None
    return response.content.decode()


def _view(patient: Patient, name: str) -> Callable[[HttpRequest], HttpResponse] | None:
    if name == "result":
        newest = patient.check_ins.order_by("-at", "-pk").values_list("client_id", flat=True)
        given = newest.first()
        if given is None:
            return None
        return lambda asked: portal_answers.result(asked, client_id=given)
    return {
        "today": patient_pages.home,
        "routine": patient_pages.routine,
        "progress": portal_seeing.progress,
    }[name]


def _speaks_for(asked: HttpRequest, patient: Patient) -> bool:
    """Whether the pages would answer as to this patient: whoever also helps somebody might get
    that person's page, which the one who looks may not be allowed to see."""
    visitor = visitor_of(asked, at=timezone.now())
    return visitor is not None and visitor.patient.pk == patient.pk and visitor.carer is None


def _asked_by(request: HttpRequest, patient: Patient) -> HttpRequest:
    """A request of the patient's own, that nobody's browser has sent."""
    asked = HttpRequest()
    asked.method, asked.path, asked.path_info = "GET", "/", "/"
    names = ("SERVER_NAME", "SERVER_PORT", "HTTP_HOST", "wsgi.url_scheme")
    asked.META = {key: request.META[key] for key in names if key in request.META}
    asked.session = SessionStore()
    asked.user = patient.user or AnonymousUser()
    program = program_for(patient)
    if patient.user is None and program is not None:
        # Whoever has no account comes in by a reminder's link.
        at = timezone.now()
        give_pass(asked, program=program, until=at + dt.timedelta(minutes=1), at=at)
    return asked
