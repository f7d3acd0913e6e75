"""Where an edit may begin from: an earlier version, or the program of somebody else."""

import uuid
from dataclasses import dataclass, field

from django.db.models import Q
from django.http import Http404, HttpRequest

from programs.clinician.change_form import Start
from programs.clinician.fields import whole_number
from programs.clinician.opening import open_patient
from programs.models import Program, ProgramVersion
from programs.positions import prescriptions_of
from programs.shapes import in_routine_order

# Enough to find somebody by name; a longer list is a reason to write more of it.
FOUND = 8
# What of an earlier version of the same program comes along beside the routine.
_BRAKES = ("phase", "lock", "pain_ceiling", "cue_set", "clearances")


@dataclass(frozen=True)
class Sources:
    """What the editor offers to begin from; ``asked`` is what was typed to find somebody."""

    versions: list[ProgramVersion] = field(default_factory=list)
    asked: str = ""
    found: list[Program] = field(default_factory=list)


def sources_for(request: HttpRequest, program: Program) -> Sources:
    asked = request.GET.get("find", "").replace("\0", "").strip()[:80]
    versions = program.versions.exclude(pk=program.current_version_id).select_related("by")
    return Sources(list(versions[:FOUND]), asked, _found(request, program, asked))


def _found(request: HttpRequest, program: Program, asked: str) -> list[Program]:
    if not asked:
        return []
    rows = Program.objects.visible_to(request.user).exclude(patient=program.patient_id)
    for word in asked.split()[:4]:
        rows = rows.filter(
            Q(patient__family_name__icontains=word)
            | Q(patient__given_name__icontains=word)
            | Q(patient__number__icontains=word)
        )
    rows = rows.select_related("patient", "current_version", "template")
    return list(rows.order_by("patient__family_name", "patient__given_name")[:FOUND])


def start_from(request: HttpRequest, program: Program) -> Start | None:
    """What the address asks to begin from; the look at somebody else's program is written down."""
    number, like = request.GET.get("version", ""), request.GET.get("like", "")
    if number:
        asked = whole_number(number)
        version = None if asked is None else program.versions.filter(number=asked).first()
        if version is None:
            raise Http404
        brakes = {name: getattr(version, name) for name in _BRAKES}
        return _start(version, brakes, f"version {version.number} of this program")
    if like:
        return _start_like(request, like)
    return None


def _start_like(request: HttpRequest, like: str) -> Start:
    try:
        patient = open_patient(request, uuid.UUID(like), "clone")
    except ValueError:
        raise Http404 from None
    other = patient.programs.select_related("current_version").first()
    if other is None or other.current_version is None:
        raise Http404
    # Phase, brakes and clearances were given to that patient and stay there.
    words = f"version {other.current_version.number} of the program of {patient.name}"
    return _start(other.current_version, {}, words)


def _start(version: ProgramVersion, brakes: dict[str, object], words: str) -> Start:
    prescriptions_of(version)
    return Start(in_routine_order(version), brakes, version.own_order, words)
