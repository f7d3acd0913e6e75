"""The patient's pages for outcome measures: one questionnaire a page, then thanks."""

import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_safe

from patients.measures import Questionnaire as Shape
from patients.measuring import MeasureDue, measure_due, named_before, record_measure, shape_of
from patients.models import Measure, Point, Questionnaire
from programs.measure_forms import PREFIX, MeasureForm, NamesForm
from programs.models import Program
from programs.portal_access import patient_required
from programs.portal_stop import stop_reason
from programs.today import program_for


def due_of(request: HttpRequest, program: Program | None = None) -> MeasureDue | None:
    """What this patient is asked now; nothing while the program stands still, and nothing of
    somebody who came by a reminder link, which opens the day and no more. ``program`` is the
    running one where the page knows it already."""
    if getattr(request, "patient", None) is None or request.pass_only:
        return None
    program = program or _program(request)
    if program is None:
        return None
    return measure_due(
        patient=request.patient,
        started_on=program.started_on,
        today=request.patient.local_date(timezone.now()),
    )


@require_safe
@patient_required
def measures(request: HttpRequest) -> HttpResponse:
    """The next questionnaire that is open, or thanks."""
    due = due_of(request)
    if due is not None:
        return redirect("portal_measure", pk=due.next.pk)
    return render(request, "portal/measures_done.html")


@require_http_methods(["GET", "HEAD", "POST"])
@patient_required
def measure(request: HttpRequest, pk: int) -> HttpResponse:
    """One questionnaire. One about things that the patient names asks for the names first; it may
    be answered again on any day, the others only when they are open."""
    if _kept_already(request):
        return redirect("portal_measures")
    program, due = _program(request), due_of(request)
    row = Questionnaire.objects.current().filter(pk=pk).first()
    point = _point(row, due, request) if program and row else None
    if program is None or row is None or point is None:
        return redirect("portal_measures")
    shape, language = shape_of(row), get_language() or "en"
    context: dict[str, Any] = {
        "title": shape.title.read_in(language),
        "description": shape.description.read_in(language),
        "number": due.answered + 1 if due and point != Point.BETWEEN else None,
        "total": due.total if due else None,
    }
    named = named_before(patient=request.patient, questionnaire=row, since=program.started_on)
    wanted = [item for item in shape.items if item.kind == "named" and not named.get(item.id)]
    names = None
    if wanted:
        names = NamesForm(request.POST or None, shape=shape, language=language)
        if not names.is_bound or not names.is_valid():
            status = 400 if names.errors else 200
            context |= {"form": names, "few_many": wanted[0].rows}
            return render(request, "portal/measure_names.html", context, status=status)
        named = names.named()
    return _numbers(request, shape, row, point, names, named, context)


def _numbers(
    request: HttpRequest,
    shape: Shape,
    row: Questionnaire,
    point: str,
    names: NamesForm | None,
    named: dict[str, list[str]],
    context: dict[str, Any],
) -> HttpResponse:
    answered = request.method == "POST" and request.POST.get("what") != "names"
    form = MeasureForm(
        request.POST if answered else None,
        shape=shape,
        language=get_language() or "en",
        named=named,
    )
    if answered and form.is_valid():
        try:
            record_measure(
                patient=request.patient,
                questionnaire=row,
                answers=form.answers(),
                point=point,
                client_id=form.cleaned_data["client_id"],
                at=timezone.now(),
            )
        except ValidationError as error:
            for name, messages in getattr(error, "message_dict", {"": error.messages}).items():
                field = f"{PREFIX}{name}"
                form.add_error(field if field in form.fields else None, messages)
        else:
            return redirect("portal_measures")
    context |= {"form": form, "names": names, "is_named": bool(named)}
    return render(request, "portal/measure.html", context, status=400 if form.errors else 200)


def _program(request: HttpRequest) -> Program | None:
    program = program_for(request.patient)
    if program is None or stop_reason(request.patient, program):
        return None
    return program


def _point(row: Questionnaire, due: MeasureDue | None, request: HttpRequest) -> str | None:
    """The point at which ``row`` is open for this patient, or None."""
    if due is not None and row.pk in [open_.pk for open_ in due.open]:
        return due.point
    if not any(item.kind == "named" for item in shape_of(row).items):
        return None
    today = request.patient.local_date(timezone.now())
    again = request.patient.measures.filter(questionnaire__name=row.name, day=today).exists()
    return None if again else Point.BETWEEN


def _kept_already(request: HttpRequest) -> bool:
    """Whether this form was sent before: twice is the same as once."""
    try:
        client_id = uuid.UUID(request.POST.get("client_id", ""))
    except ValueError:
        return False
    return Measure.objects.filter(patient=request.patient, client_id=client_id).exists()
