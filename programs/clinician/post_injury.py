"""The queue of post-injury patients, and ticking what a phase waits for."""

import datetime as dt
import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from clinic.audit import record_access
from clinic.models import AccessRecord, User
from patients.models import Patient
from programs.clinician import injury
from programs.clinician.opening import address_of, open_patient, portal
from programs.models import Program
from programs.post_injury import (
    ask_for,
    go_without,
    is_post_injury,
    marks_of,
    take_back,
    tick_criteria,
)
from programs.post_injury_queue import (
    ORDER,
    injuries_of,
    line_of,
    lines_for,
    queue_of,
)
from programs.today import program_for

PAGE_SIZE = 25


def queue(request: HttpRequest) -> HttpResponse:
    """Post-injury patients in order of who waits; GET: scope (mine, site), page."""
    at = timezone.now()
    usual = "mine" if request.user.is_clinician else "site"
    scope = request.GET.get("scope", "")
    scope = scope if scope in ("mine", "site") else usual
    record_access(
        actor=request.user,
        action=AccessRecord.Action.READ,
        subject_type="caseload",
        subject_id=scope,
        page="post_injury",
        at=at,
    )
    page = Paginator(queue_of(user=request.user, scope=scope, at=at), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    lines = lines_for(list(page.object_list), at=at)
    return portal.page(
        request,
        "admin/portal/post_injury.html",
        {
            "title": "Post-injury",
            "scope": scope,
            "scopes": [("mine", "My caseload"), ("site", "Whole site")]
            if request.user.is_clinician
            else [],
            "lines": lines,
            "page": page,
            "page_query": f"?scope={scope}",
            "order": ORDER,
            "back": "queue",
        },
    )


@require_POST
def criteria(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Tick, take back, go without, or ask for a criterion; leads back to where one was."""
    patient = open_patient(request, pk, "criteria")
    program = program_for(patient)
    if program is None or not is_post_injury(program.current_version):
        raise Http404
    try:
        done = _act(request, program)
    except ValidationError as error:
        written = request.POST.get("words", "").replace("\0", "").strip()[:2000]
        said = [*error.messages, *([f"What you wrote: “{written}”"] if written else [])]
        return injury.page_of(request, patient, status=400, problem=" ".join(said))
    messages.success(request, done)
    back = request.POST.get("back")
    if back == "queue":
        return redirect(f"{reverse('admin:post_injury')}#p-{patient.number}")
    return redirect(address_of(patient, "patient" if back == "patient" else "patient_injury"))


def _act(request: HttpRequest, program: Program) -> str:
    """Do what the button says; returns what was done."""
    post = request.POST
    said: dict[str, Any] = {
        "program": program,
        "phase": _whole(post.get("phase", "")),
        "by": request.user,
        "at": timezone.now(),
    }
    words = post.get("words", "").replace("\0", "")[:2000]
    does = post.get("does", "")
    if does == "tick":
        made = tick_criteria(criteria=post.getlist("criterion"), note=words, **said)
        return f"Ticked: {len(made)}." if made else "Ticked already."
    if does == "ask":
        ask_for(words=words, **said)
        return "Your criterion is on the list."
    criterion = post.get("criterion", "")
    if does == "take_back":
        take_back(criterion=criterion, reason=words, **said)
        return "Taken back."
    if does == "without":
        go_without(criterion=criterion, reason=words, **said)
        return "Noted: you go on without it."
    raise Http404


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) == 1 else -1


def panel(
    patient: Patient, program: Program | None, *, user: User, at: dt.datetime
) -> dict[str, Any] | None:
    """The injury, what it limits, and what the next phase waits for; two queries."""
    post_injury = program is not None and is_post_injury(program.current_version)
    if not (post_injury or patient.limits):
        return None
    found = injuries_of([patient.pk]).get(patient.pk)
    if program is None or not post_injury:
        return {"patient": patient, "injury": found, "line": None}
    line = line_of(program, marks_of([program.pk])[program.pk], found, patient.local_date(at))
    return {"patient": patient, "injury": found, "line": line}
