"""How a program has gone, as charts for the clinician: pain, adherence, activities, measures.

The drawings are the patient's own; the words are the clinician's, the number first. Version
changes are drawn in as numbered thin verticals. Reads only, in a fixed number of queries.
"""

import datetime as dt
from dataclasses import dataclass

from patients.models import Measure
from programs import charts
from programs.models import Program
from programs.seeing import Activities, Progress, Seen, progress_of
from programs.trends import Trend

# More results than these are read on the page of outcome measures.
MOST_MEASURES = 100


@dataclass(frozen=True)
class Result:
    """One score of a measure, first and newest; ``change`` is empty with one result only."""

    title: str
    first: str
    first_day: dt.date
    newest: str
    newest_day: dt.date
    change: str
    band: str


@dataclass(frozen=True)
class Course:
    """The charts with one sentence each; a chart of nothing is None."""

    pain: Seen | None
    pain_words: str
    done: charts.BarChart | None
    done_words: str
    activities: Activities | None
    activities_words: str
    results: list[Result]
    versions: bool

    @property
    def empty(self) -> bool:
        return not (self.pain or self.done or self.activities or self.results)


def course_of(*, program: Program, at: dt.datetime) -> Course:
    """The last twelve weeks of a program."""
    found = progress_of(program=program, at=at)
    marks = [(mark.day, mark.label) for mark in found.pain.chart.marks]
    done = found.activity.chart
    assert isinstance(done, charts.BarChart)
    return Course(
        pain=None if found.pain.empty else found.pain,
        pain_words=pain_words(found.pain.trend, len(found.pain.rows)),
        done=None if found.activity.empty else charts.with_versions(done, marks),
        done_words=_done_words(found),
        activities=found.activities,
        activities_words=_activities_words(found.activities),
        results=_results(program),
        versions=bool(marks),
    )


def pain_words(trend: Trend | None, days: int) -> str:
    """What the chart of usual pain shows, in one line."""
    if trend is None:
        return f"{_count(days, 'day')} known: too few for a trend." if days else "No answer yet."
    verdict = {
        "better": "clear change for the better",
        "worse": "clear change for the worse",
    }.get(trend.verdict, "no clear change")
    weeks = _count(trend.weeks_apart, "week")
    return (
        f"Weekly median {_n(trend.first)} at first, {_n(trend.newest)} after {weeks}: {verdict} "
        f"({_n(trend.limit)} points or more)."
    )


def _done_words(found: Progress) -> str:
    weeks = found.activity.rows
    if not weeks:
        return "No routine is known yet."
    done, partly = sum(w.done for w in weeks), sum(w.partly for w in weeks)
    told = sum(w.reported for w in weeks)
    said = f"{done} done, {partly} in part, of {sum(w.planned for w in weeks)} planned"
    return f"{said}; {told} not timed (striped)." if told else f"{said}, all timed."


def _activities_words(found: Activities | None) -> str:
    if found is None:
        return ""
    known = [one.move.now - one.move.then for one in found.moves if one.move.then is not None]
    if not known:
        return "Asked once: this is the start."
    mean = sum(known) / len(known)
    return f"Mean change {_signed(mean)} points, 0 unable to 10 as before."


def _results(program: Program) -> list[Result]:
    taken = (
        Measure.objects.filter(patient=program.patient_id, day__gte=program.started_on)
        .defer("answers")
        .order_by("-day", "-at", "-pk")[:MOST_MEASURES]
    )
    by_score: dict[tuple[str, str], list[tuple[dt.date, float, str]]] = {}
    for measure in reversed(taken):
        for score in measure.scores:
            if score["value"] is not None:
                key = (measure.title, str(score["title"]))
                row = (measure.day, float(score["value"]), str(score.get("band") or ""))
                by_score.setdefault(key, []).append(row)
    return [
        Result(
            title=title if title == name else f"{title}: {name}",
            first=_n(rows[0][1]),
            first_day=rows[0][0],
            newest=_n(rows[-1][1]),
            newest_day=rows[-1][0],
            change=_signed(rows[-1][1] - rows[0][1]) if len(rows) > 1 else "",
            band=rows[-1][2],
        )
        for (title, name), rows in by_score.items()
    ]


def _n(value: float) -> str:
    return f"{round(value, 1):g}".replace("-", "−")


def _signed(value: float) -> str:
    return f"+{_n(value)}" if value > 0 else _n(value)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
