"""Keeping outcome measures: loading questionnaires, asking them, recording what came out."""

import datetime as dt
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from clinic.models import User
from clinic.written_once import written_once
from patients import measures
from patients.models import Measure, Patient, Point, Questionnaire
from patients.questionnaires import Problem, QuestionnaireError, read_questionnaire

SUPPLIED = Path(__file__).resolve().parent / "content" / "measures"
# A version never changes, so what was read once stays right in this process.
_SHAPES: dict[int, measures.Questionnaire] = {}


# --- loading -----------------------------------------------------------------------------------


@transaction.atomic
def load_questionnaire(
    *, data: object, at: dt.datetime, origin: str = Questionnaire.Origin.PRACTICE
) -> tuple[Questionnaire, bool]:
    """Keep one questionnaire from parsed JSON; return its row and whether it is new.

    The same version again changes nothing, except that a retired one is asked again. Raises
    QuestionnaireError with every problem, also when a version stands there with other content.
    """
    read = read_questionnaire(data)
    row, new = Questionnaire.objects.select_for_update().get_or_create(
        name=read.name,
        version=read.version,
        defaults={
            "title": read.title.own,
            "content": data,
            "origin": origin,
            "position": read.position,
            "loaded_at": at,
        },
    )
    if row.content != data:
        raise QuestionnaireError(
            [
                Problem(
                    "version",
                    f"version {read.version} of “{read.name}” is loaded already and says something "
                    "else; give the changed file a new version.",
                )
            ]
        )
    newer = Questionnaire.objects.filter(name=read.name, pk__gt=row.pk).exists()
    if newer:
        raise QuestionnaireError([Problem("version", "a newer version is loaded already.")])
    if row.retired_at is not None and origin == Questionnaire.Origin.PRACTICE:
        row.retired_at = None
        row.save(update_fields=["retired_at"])
    return row, new


def load_supplied(*, at: dt.datetime, folder: Path = SUPPLIED) -> int:
    """Keep the supplied questionnaires; return how many were new. A practice that retired one
    keeps it retired."""
    added = 0
    for path in sorted(folder.glob("*.json")):
        data = json.loads(path.read_text("utf-8"))
        try:
            _row, new = load_questionnaire(data=data, at=at, origin=Questionnaire.Origin.SUPPLIED)
        except QuestionnaireError as error:
            raise QuestionnaireError(
                [Problem(f"{path.name}, {p.place}", p.matter) for p in error.problems]
            ) from error
        added += new
    return added


@transaction.atomic
def retire_questionnaire(*, name: str, at: dt.datetime) -> None:
    """Stop asking a questionnaire; what was answered stays. Raises ValidationError."""
    row = Questionnaire.objects.current().filter(name=name).first()
    if row is None:
        raise ValidationError(f"No questionnaire “{name}” is in use.")
    row.retired_at = at
    row.save(update_fields=["retired_at"])


# --- asking ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MeasureDue:
    """The questionnaires that are open for a patient, the next to be answered first."""

    point: str
    open: tuple[Questionnaire, ...]
    answered: int

    @property
    def next(self) -> Questionnaire:
        return self.open[0]

    @property
    def total(self) -> int:
        return len(self.open) + self.answered


def measure_due(*, patient: Patient, started_on: dt.date, today: dt.date) -> MeasureDue | None:
    """What is to be asked at this point of a program, or None when nothing is. Two queries.

    The questionnaires come without their ``content``.
    """
    point = measures.open_point(started_on=started_on, today=today)
    if point is None:
        return None
    rows = {row.name: row for row in _current_questionnaires()}
    asked = measures.due([shape_of(row) for row in rows.values()], point=point, taken=frozenset())
    first = measures.first_day_of(point, started_on=started_on)
    # What staff entered in the meantime for the same questionnaire need not be asked again.
    taken = set(_taken_between(patient.pk, first, today))
    still = tuple(rows[q.name] for q in asked if q.name not in taken)
    return MeasureDue(point, still, len(asked) - len(still)) if still else None


@written_once
def _current_questionnaires() -> QuerySet[Questionnaire]:
    return Questionnaire.objects.current().defer("content")


@written_once
def _taken_between(patient: uuid.UUID, first: dt.date, last: dt.date) -> QuerySet[Measure, str]:
    taken = Measure.objects.filter(
        patient_id=patient, day__gte=first, day__lte=last, questionnaire__isnull=False
    )
    return taken.values_list("questionnaire__name", flat=True).order_by()


def shape_of(row: Questionnaire) -> measures.Questionnaire:
    """What the row's content describes; it was checked when it was loaded."""
    shape = _SHAPES.get(row.pk)
    if shape is None:
        shape = _SHAPES[row.pk] = read_questionnaire(row.content)
    return shape


def named_before(
    *, patient: Patient, questionnaire: Questionnaire, since: dt.date
) -> dict[str, list[str]]:
    """The names a patient gave to the things of each question the first time since ``since``, so
    that the same are asked about again."""
    named = [item.id for item in shape_of(questionnaire).items if item.kind == "named"]
    if not named:
        return {}
    first = (
        patient.measures.filter(questionnaire__name=questionnaire.name, day__gte=since)
        .exclude(answers={})
        .order_by("day", "at", "pk")
        .first()
    )
    if first is None:
        return {}
    return {id: [row["name"] for row in first.answers[id]] for id in named if first.answers.get(id)}


# --- recording ---------------------------------------------------------------------------------


@transaction.atomic
def record_measure(
    *,
    patient: Patient,
    questionnaire: Questionnaire,
    answers: Mapping[str, Any],
    point: str,
    client_id: uuid.UUID,
    at: dt.datetime,
) -> Measure:
    """Keep and score a patient's answers to one questionnaire.

    A replay with the same ``client_id`` returns what was kept the first time, and so does a second
    set of answers on the same day. Raises ValidationError with a message per question, and then
    nothing is kept.
    """
    kept = _kept(patient, client_id)
    if kept is not None:
        return kept
    shape = shape_of(questionnaire)
    problems = measures.wrong_answers(shape, answers)
    if problems:
        raise ValidationError({id: [message_for(problem)] for id, problem in problems.items()})
    # Two identical requests may arrive at once; the loser gets the winner's row.
    row, _new = Measure.objects.get_or_create(
        patient=patient,
        questionnaire=questionnaire,
        day=patient.local_date(at),
        entered_by=None,
        defaults={
            "client_id": client_id,
            "title": questionnaire.title,
            "point": point,
            "answers": dict(answers),
            "scores": [found.as_json() for found in measures.score(shape, answers)],
            "at": at,
        },
    )
    return row


@transaction.atomic
def enter_result(
    *,
    patient: Patient,
    title: str,
    scores: Sequence[Mapping[str, Any]],
    point: str,
    day: dt.date,
    client_id: uuid.UUID,
    by: User,
    at: dt.datetime,
    questionnaire: Questionnaire | None = None,
) -> Measure:
    """Keep a result that staff read off a paper: ``scores`` as ``Measure`` keeps them.

    Raises ValidationError when there is no result, or its day lies in the future.
    """
    kept = _kept(patient, client_id)
    if kept is not None:
        return kept
    if day > patient.local_date(at):
        raise ValidationError({"day": "This day has not come yet."})
    if not title.strip():
        raise ValidationError({"title": "Say which questionnaire it is."})
    if not any(found["value"] is not None or found["band"] for found in scores):
        raise ValidationError("Write the score, or what it means in words.")
    if point not in Point.values:
        raise ValidationError({"point": "Choose when it was taken."})
    row, _new = Measure.objects.get_or_create(
        client_id=client_id,
        defaults={
            "patient": patient,
            "questionnaire": questionnaire,
            "title": title.strip(),
            "point": point,
            "scores": [dict(found) for found in scores],
            "day": day,
            "at": at,
            "entered_by": by,
        },
    )
    return row


def _kept(patient: Patient, client_id: uuid.UUID) -> Measure | None:
    kept = Measure.objects.filter(client_id=client_id).first()
    if kept is not None and kept.patient_id != patient.pk:
        raise ValidationError(_("These answers belong to somebody else."))
    return kept


def message_for(problem: str) -> str:
    """What a patient reads about an answer that ``measures.wrong_answers`` refused."""
    return {
        "missing": _("Please answer this question."),
        "range": _("Choose one of the numbers."),
        "rows": _("Write the number of activities we ask for."),
        "name": _("Write a few words for each one."),
        "twice": _("Two of them have the same name. Give each its own."),
    }.get(problem, _("Choose one of the answers."))


# --- telling -----------------------------------------------------------------------------------


def told(measure: Measure, *, language: str) -> tuple[str, tuple[str, ...]]:
    """The name of what was asked, and a line for each answer with a name of the patient's own and
    for each score, in ``language`` where the questionnaire speaks it."""
    shape = shape_of(measure.questionnaire) if measure.questionnaire else None
    titles = {rule.id: rule.title.read_in(language) for rule in shape.scores} if shape else {}
    lines = [
        f"{row['name']}: {row['number']}"
        for answer in measure.answers.values()
        if isinstance(answer, list)
        for row in answer
    ]
    for found in measure.scores:
        value = "–" if found["value"] is None else f"{found['value']:g}".replace("-", "−")
        words = f"{value}, {found['band']}" if found["band"] else value
        lines.append(f"{titles.get(found['id'], found['title'])}: {words}")
    return (shape.title.read_in(language) if shape else measure.title), tuple(lines)
