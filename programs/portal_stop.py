"""The page that stands in for every exercise: what to do now, whom to call, who has seen it."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from clinic.models import Alert, Site
from patients.models import Patient, RedFlag
from programs.models import Decision, Program

EMERGENCY, SAME_DAY, PAUSED = "emergency", "same_day", "paused"


@dataclass(frozen=True)
class Call:
    """A number to press."""

    label: str
    number: str


def stop_reason(patient: Patient, program: Program | None) -> str:
    """Why no exercise may be shown: "emergency", "same_day", "paused", or "" when nothing."""
    severities = set(patient.red_flags.open().values_list("severity", flat=True))
    if RedFlag.Severity.EMERGENCY in severities:
        return EMERGENCY
    if severities:
        return SAME_DAY
    if program is None or program.status != Program.Status.SUSPENDED:
        return ""
    stopping = _stopping_decision(program)
    return SAME_DAY if stopping and stopping.contact == SAME_DAY else PAUSED


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
    decision = _stopping_decision(program) if program and reason == PAUSED else None
    context = {
        "reason": reason,
        "text": advice(site, reason),
        "why": decision.patient_text if decision else "",
        "calls": calls(site, reason),
        "site": site,
        "physiotherapist": patient.physiotherapist if patient else None,
        "seen": _seen(patient) if patient and saved and not fresh else None,
        "fresh": fresh,
        "saved": saved,
    }
    return render(request, "portal/stop.html", context)


def advice(site: Site, reason: str) -> str:
    if reason == EMERGENCY:
        return site.emergency_text
    return site.same_day_text if reason == SAME_DAY else ""


def calls(site: Site, reason: str) -> list[Call]:
    """The numbers in the order in which to try them."""
    emergency = Call("Emergency", site.emergency_number)
    practice = Call(site.name, site.phone)
    if reason == EMERGENCY:
        return [emergency, practice]
    if reason == SAME_DAY:
        urgent = [Call("Urgent advice", site.urgent_number)] if site.urgent_number else []
        return [practice, *urgent]
    return [practice]


def _stopping_decision(program: Program) -> Decision | None:
    return program.decisions.filter(outcome=Decision.Outcome.STOP).first()


def _seen(patient: Patient) -> Alert | None:
    return (
        Alert.objects.about("patient", patient.pk)
        .exclude(severity=Alert.Severity.ROUTINE)
        .select_related("acknowledged_by")
        .order_by("-raised_at")
        .first()
    )
