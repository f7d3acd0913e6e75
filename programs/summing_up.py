"""A whole program in figures, for the page that ends it: then and now, and what is missing."""

import datetime as dt
from dataclasses import dataclass

from patients.measures import change_words, clear_change
from patients.measuring import shape_of
from patients.models import CheckIn, Measure, Questionnaire
from programs.models import Program, Session

_VERDICTS = {
    "better": "clear change for the better",
    "worse": "clear change for the worse",
    "same": "no clear change",
    "unknown": "no known limit of a clear change",
}


@dataclass(frozen=True)
class Figure:
    """One measure, then and now; ``missing`` says in words what nobody knows."""

    title: str
    then: str
    now: str
    verdict: str = ""
    missing: str = ""


@dataclass(frozen=True)
class Summary:
    weeks: int
    done: int
    partly: int
    skipped: int
    figures: list[Figure]

    @property
    def missing(self) -> list[Figure]:
        return [figure for figure in self.figures if figure.missing]


def sum_up(*, program: Program, at: dt.datetime) -> Summary:
    """Sessions by how they went, usual pain and every questionnaire in use. Four queries."""
    today = program.patient.local_date(at)
    went = list(program.sessions.values_list("status", flat=True))
    rows = list(Questionnaire.objects.current())
    taken: dict[str, list[Measure]] = {row.name: [] for row in rows}
    measures = program.patient.measures.filter(day__gte=program.started_on)
    for measure in measures.select_related("questionnaire").order_by("day", "at", "pk"):
        if measure.questionnaire and measure.questionnaire.name in taken:
            taken[measure.questionnaire.name].append(measure)
    return Summary(
        weeks=max(0, (today - program.started_on).days // 7) + 1,
        done=went.count(Session.Status.DONE),
        partly=went.count(Session.Status.PARTLY),
        skipped=went.count(Session.Status.SKIPPED),
        figures=[_pain(program, today), *(_figure(row, taken[row.name]) for row in rows)],
    )


def _pain(program: Program, today: dt.date) -> Figure:
    """Usual pain: the median of the first week against that of the last seven days."""
    rows = CheckIn.objects.filter(
        patient=program.patient_id, usual_pain__isnull=False, day__gte=program.started_on
    ).values_list("day", "usual_pain")
    week = dt.timedelta(days=7)
    first = [pain for day, pain in rows if day < program.started_on + week]
    last = [pain for day, pain in rows if day > today - week]
    then, now = _median(first), _median(last)
    title = "Usual pain, median of a week (0–10)"
    if then is None or now is None:
        gap = "the first week" if then is None else "the last seven days"
        both = "either week" if then is None and now is None else gap
        return Figure(title, _said(then), _said(now), missing=f"no answers in {both}")
    limit = clear_change(then, points=2.0, percent=30.0)
    return Figure(title, _said(then), _said(now), _VERDICTS[_word(then, now, limit, "worse")])


def _figure(row: Questionnaire, taken: list[Measure]) -> Figure:
    values = [(score["value"], score["band"]) for one in taken for score in one.scores[:1]]
    known = [value for value, _band in values if value is not None]
    if not taken:
        return Figure(row.title, "–", "–", missing="never answered")
    if len(taken) == 1 or len(known) < 2:
        first = _said(known[0]) if known else values[0][1] if values else "–"
        return Figure(row.title, first or "–", "–", missing="answered once only")
    shape = shape_of(row)
    limit = clear_change(known[0], points=shape.change_points, percent=shape.change_percent)
    word = _word(known[0], known[-1], limit, shape.higher_is)
    return Figure(row.title, _said(known[0]), _said(known[-1]), _VERDICTS[word])


def _word(then: float, now: float, limit: float | None, higher_is: str) -> str:
    return change_words(then, now, limit=limit, higher_is=higher_is)


def _median(values: list[int]) -> float | None:
    if not values:
        return None
    ordered, middle = sorted(values), len(values) // 2
    return ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _said(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"
