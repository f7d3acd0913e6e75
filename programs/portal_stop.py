"""The page that stands in for every exercise: what to do now, whom to call, who has seen it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clinic import opening
from clinic.models import Site
from clinic.site_numbers import SiteNumbers
from patients.models import Patient, RedFlag
from patients.models.safety import open_severities
from programs.models import Program
from programs.portal_access import patient_required
from programs.stop_seen import seen_stop, stopping_decision
from programs.wording import retold

EMERGENCY, SAME_DAY, PAUSED = "emergency", "same_day", "paused"
# What a site says unless it has words of its own (clinic.models.Site).
SUPPLIED = {
    EMERGENCY: gettext_noop(
        "Please get medical help now. Call the number below or go to your nearest "
        "emergency department."
    ),
    SAME_DAY: gettext_noop(
        "Please speak to a health professional today, before you exercise again."
    ),
}


@dataclass(frozen=True)
class Call:
    """A number to press."""

    label: str
    number: str


@dataclass(frozen=True)
class Advice:
    """What to do now, in the reader's language. ``own`` are the site's own words in the language
    of the practice, where they are in another one; they are shown beside it."""

    reason: str
    text: str
    own: str
    own_language: str
    calls: list[Call]


def stop_reason(
    patient: Patient, program: Program | None, *, open_flags: Collection[str] | None = None
) -> str:
    """Why no exercise may be shown: "emergency", "same_day", "paused", or "" when nothing.

    ``open_flags`` are the severities of the open red flags where the caller has just looked.
    """
    severities = open_severities(patient.pk) if open_flags is None else open_flags
    if RedFlag.Severity.EMERGENCY in severities:
        return EMERGENCY
    if severities:
        return SAME_DAY
    if program is None or program.status != Program.Status.SUSPENDED:
        return ""
    stopping = stopping_decision(program)
    return SAME_DAY if stopping and stopping.contact == SAME_DAY else PAUSED


def stands_still(patient: Patient) -> bool:
    """Whether no exercise may be shown to this patient, for whatever reason."""
    return (
        patient.red_flags.open().exists()
        or patient.programs.filter(status=Program.Status.SUSPENDED).exists()
    )


def stop_page(
    request: HttpRequest,
    *,
    site: Site,
    reason: str,
    patient: Patient | None = None,
    program: Program | None = None,
    fresh: bool = False,
    saved: bool = True,
) -> HttpResponse:
    """Render the advice. Needs no queue and no mail, and no more database than it is given."""
    decision = stopping_decision(program) if program and reason == PAUSED else None
    context = {
        "advice": advice([site], reason),
        "why": retold(decision.patient_text) if decision else "",
        "sites": [site],
        "physiotherapist": patient.physiotherapist if patient else None,
        "fresh": fresh,
        "saved": saved,
    }
    if patient and saved:
        context |= _watched(patient, site, program=program, fresh=fresh)
    response = render(request, "portal/stop.html", context)
    # A device that keeps exercises for the time without a line keeps this page in their place.
    response["X-Stands-Still"] = "page"
    return response


@require_safe
@patient_required
def seen(request: HttpRequest) -> HttpResponse:
    """Who has seen the answers, or when somebody may: the part of the page that changes while it
    stands open. Nothing (204) once the program goes on."""
    patient = request.patient
    if not stands_still(patient):
        return HttpResponse(status=204)
    return render(request, "portal/stop_seen.html", _watched(patient, patient.site))


def _watched(
    patient: Patient, site: Site, *, program: Program | None = None, fresh: bool = False
) -> dict[str, Any]:
    """Who has seen it; before that, until when the practice is open or when it opens."""
    seen = None if fresh else seen_stop(patient, program)
    if seen is not None:
        return {"seen": seen}
    at, hours = timezone.now(), site.hours
    return {
        "open_until": opening.closes_at(at, site.zone, hours),
        "opens_at": opening.next_opening(at, site.zone, hours),
    }


def advice(sites: Sequence[Site | SiteNumbers], reason: str) -> Advice:
    """What to do and whom to call; of several sites where nobody knows whose patient this is."""
    text, own = "", ""
    if reason in SUPPLIED:
        own = getattr(sites[0], f"{reason}_text") if len(sites) == 1 else ""
        text = _(SUPPLIED[reason])
        if own == SUPPLIED[reason]:
            own = ""
        elif own and (get_language() or "").split("-")[0] == _practice_language():
            text, own = own, ""
    return Advice(reason, text, own, _practice_language(), calls(sites, reason))


def calls(sites: Sequence[Site | SiteNumbers], reason: str) -> list[Call]:
    """The numbers in the order in which to try them, each once."""
    emergency = [Call(_("Emergency"), site.emergency_number) for site in sites]
    practices = [Call(site.name or _("The practice"), site.phone) for site in sites]
    urgent = [Call(_("Urgent advice"), site.urgent_number) for site in sites]
    wanted = {EMERGENCY: emergency + practices, SAME_DAY: practices + urgent}.get(reason, practices)
    return list({call.number: call for call in wanted if call.number}.values())


def _practice_language() -> str:
    return settings.LANGUAGE_CODE.split("-")[0]
