"""Who may open a patient's page: the signed-in patient, a carer, or the holder of a reminder link.

A reminder link is not a sign-in. Once its button is pressed, the browser session carries a pass
to the routine, the check-ins, the safety questions and the reminders of one program, until the
link expires.
Every page says for itself whether the pass is enough; unless it does, it is not. The same pages,
unless they say otherwise, are open to the people whom the patient lets help. Whether somebody still
helps is asked anew for every page.
"""

import datetime as dt
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.db.models import Exists, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.dateparse import parse_datetime

from clinic.acting import acting_as
from clinic.audit import record_access
from clinic.language import speak
from clinic.models import AccessRecord, User
from clinic.written_once import all_but, written_once
from patients.models import Carer, Patient
from programs.models import Program

PASS = "link_pass"
# Whom somebody helps at this moment, where they could also do something else.
HELPING = "helping"
# The field of a form that says whose page it stood on.
WHOSE = "whose"


@dataclass(frozen=True)
class Visitor:
    """``since`` is when the pass was given; None for somebody who signed in. ``carer`` is set while
    somebody acts for the patient."""

    patient: Patient
    pass_only: bool = False
    since: dt.datetime | None = None
    carer: Carer | None = None


def visitor_of(request: HttpRequest, *, at: dt.datetime) -> Visitor | None:
    """The patient this request speaks for, or None. Signing in always comes before a pass."""
    if request.user.is_authenticated:
        patient = _own_record.first(request.user.pk)
        if patient is not None and not patient.helps:
            return Visitor(patient)
        carer = _helping_now(request, has_own=patient is not None)
        if carer is not None:
            return Visitor(carer.patient, carer=carer)
        return Visitor(patient) if patient else None
    return _visitor_by_pass(request, at)


def helped_by(user: User) -> list[Carer]:
    """Whom this person helps now, in the order in which they began."""
    helping = Carer.objects.helping().filter(user=user).exclude(patient__user__is_active=False)
    return list(helping.select_related("patient__site", "patient__physiotherapist", "user"))


def _helping_now(request: HttpRequest, *, has_own: bool) -> Carer | None:
    """The choice of whoever has several pages; without one, the only page there is."""
    helping = helped_by(request.user)
    chosen = request.session.get(HELPING)
    for carer in helping:
        if str(carer.pk) == chosen:
            return carer
    return helping[0] if len(helping) == 1 and not has_own else None


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
    view: Callable[..., HttpResponse] | None = None,
    *,
    by_link: bool = False,
    by_carer: bool | None = None,
) -> Callable[..., Any]:
    """Open a page to its patient only; with ``by_link`` also to the holder of a reminder link, and
    unless ``by_carer`` says otherwise to a carer of the patient as well.

    The view finds ``request.patient``, ``request.pass_only``, ``request.carer`` (a ``Carer`` or
    None) and the patient's time zone set.
    """
    if view is None:
        return functools.partial(patient_required, by_link=by_link, by_carer=by_carer)
    open_to_carers = by_link if by_carer is None else by_carer

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        visitor = visitor_of(request, at=timezone.now())
        if visitor is None or (visitor.pass_only and not by_link):
            if not request.user.is_authenticated:
                return private(redirect_to_login(request.get_full_path(), settings.LOGIN_URL))
            return private(no_page_of_ones_own(request))
        with as_visitor(request, visitor):
            if visitor.carer is not None and not open_to_carers:
                return private(render(request, "portal/not_for_carers.html", status=403))
            if is_of_another(request):
                return private(render(request, "portal/another.html", status=409))
            note_look(request, visitor)
            return private(view(request, *args, **kwargs))

    return guarded


def no_page_of_ones_own(request: HttpRequest) -> HttpResponse:
    """For somebody who is signed in and is no patient: whom they help, or that it is not here."""
    if Carer.objects.standing().filter(user=request.user).exists():
        return redirect("portal_helping")
    request.has_no_page = True
    return render(request, "portal/not_a_patient.html", status=403)


@contextmanager
def as_visitor(request: HttpRequest, visitor: Visitor) -> Iterator[None]:
    """Answer the request as this visitor's: in the patient's zone, and whatever a carer records is
    known to be theirs."""
    request.patient = visitor.patient
    request.pass_only = visitor.pass_only
    request.pass_since = visitor.since
    request.carer = visitor.carer
    if not request.user.is_authenticated or request.user.pk == visitor.patient.user_id:
        # A carer reads in the carer's own language.
        speak(request, visitor.patient.language)
    actor = visitor.carer.user if visitor.carer else None
    with timezone.override(visitor.patient.zone), acting_as(actor):
        yield


def account_of(request: HttpRequest) -> str:
    """Whose answers these are, without saying who: the same for every visit of one person.

    A patient is the same by sign-in and by a reminder's link; somebody who helps a patient is not
    the patient. For a request that ``as_visitor`` has marked.
    """
    patient, user = request.patient, request.user
    own = not user.is_authenticated or user.pk == patient.user_id
    return opaque("account", f"{patient.pk}:{'' if own else user.pk}")


def opaque(what: str, value: str) -> str:
    """Tells two values apart and says neither; ``what`` is what they are values of."""
    return salted_hmac(f"steadyback.device.{what}", value, algorithm="sha256").hexdigest()[:20]


def is_of_another(request: HttpRequest) -> bool:
    """Whether a form was opened as somebody else's: a carer of two may have both in two tabs. For
    a request that ``as_visitor`` has marked."""
    whose = request.POST.get(WHOSE) if request.method == "POST" else None
    return whose is not None and whose != account_of(request)


def note_look(request: HttpRequest, visitor: Visitor) -> None:
    """A carer's look at the record is written down, as that of staff is."""
    if visitor.carer is not None and request.method == "GET":
        record_access(
            actor=visitor.carer.user,
            action=AccessRecord.Action.READ,
            subject_type="patient",
            subject_id=visitor.patient.pk,
            page=(request.resolver_match.url_name or "")[:80],
            at=timezone.now(),
        )


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


@written_once
def _own_record(user: int) -> QuerySet[Any]:
    helping = Exists(Carer.objects.helping().filter(user_id=user))
    unread = [f"physiotherapist__{name}" for name in all_but(User, "name", "is_active")]
    return _patients().annotate(helps=helping).filter(user_id=user).order_by().defer(*unread)


def _patients() -> QuerySet[Patient]:
    # Somebody whose account is closed cannot come in by a link either.
    return Patient.objects.exclude(user__is_active=False).select_related(
        "site", "physiotherapist", "preferences"
    )
