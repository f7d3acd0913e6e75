"""Reading what became of programs, one row for each, in one statement however many there are."""

import datetime as dt
import json
from collections.abc import Collection
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db import connection

from programs.adherence import WORTH
from programs.asked_for import Held, asked_by
from programs.models.library import Pathway
from programs.outcomes import Course

# A week counts with answers of three days, as for the rules (programs/evidence.py).
_COURSES = """
SELECT version.pathway, coalesce(template.name, ''), physiotherapist.name, site.name,
    program.started_on,
    least(program.started_on + %(days)s, coalesce(program.ended_on, %(today)s), %(today)s),
    done.worth::float, patient.time_zone, course.tapers,
    pain_first.median, pain_last.median, activities_first.value, activities_last.value
FROM programs_program program
JOIN programs_programversion version ON version.id = program.current_version_id
JOIN patients_patient patient ON patient.id = program.patient_id
JOIN clinic_site site ON site.id = patient.site_id
JOIN clinic_user physiotherapist ON physiotherapist.id = patient.physiotherapist_id
LEFT JOIN programs_programtemplate template ON template.id = program.template_id
LEFT JOIN LATERAL (
    SELECT coalesce(sum(CASE status WHEN 'done' THEN %(done)s WHEN 'partly' THEN %(partly)s
        ELSE 0 END), 0) AS worth
    FROM programs_session
    WHERE program_id = program.id AND day < least(program.started_on + %(days)s, %(today)s)
) done ON true
LEFT JOIN LATERAL (
    -- Of a program without a taper nothing: every day asks for its routine.
    SELECT jsonb_agg(jsonb_build_array(at, taper) ORDER BY number) AS tapers
    FROM programs_programversion WHERE program_id = program.id HAVING bool_or(taper <> '[]')
) course ON true
{pain_first}{pain_last}{activities_first}{activities_last}
WHERE program.started_on >= %(first)s AND program.started_on <= %(last)s
  AND patient.site_id = ANY(%(sites)s)
  AND (%(physiotherapist)s::bigint IS NULL OR patient.physiotherapist_id = %(physiotherapist)s)
"""
_PAIN = """
LEFT JOIN LATERAL (
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY usual_pain) AS median FROM (
        SELECT DISTINCT ON (day) usual_pain FROM patients_checkin
        WHERE patient_id = patient.id AND usual_pain IS NOT NULL
          AND day >= program.started_on + {since} AND day < program.started_on + {until}
        ORDER BY day, at DESC, id DESC
    ) days HAVING count(*) >= 3
) {name} ON true
"""
_ACTIVITIES = """
LEFT JOIN LATERAL (
    SELECT (score.one ->> 'value')::float AS value
    FROM patients_measure measure
    JOIN patients_questionnaire questionnaire ON questionnaire.id = measure.questionnaire_id
    CROSS JOIN LATERAL jsonb_array_elements(measure.scores) AS score (one)
    WHERE measure.patient_id = patient.id AND questionnaire.name = 'activities'
      AND measure.point = {point} AND measure.day >= program.started_on
      AND measure.day < coalesce(program.ended_on, %(today)s) + 1
      AND score.one ->> 'id' = 'mean'
    ORDER BY measure.at LIMIT 1
) {name} ON true
"""
_STATEMENT = _COURSES.format(
    pain_first=_PAIN.format(since="0", until="7", name="pain_first"),
    pain_last=_PAIN.format(since="%(days)s - 7", until="%(days)s", name="pain_last"),
    activities_first=_ACTIVITIES.format(point="'start'", name="activities_first"),
    activities_last=_ACTIVITIES.format(point="%(point)s", name="activities_last"),
)
_POINTS = {6: "week_6", 12: "week_12"}


@dataclass(frozen=True)
class Question:
    """Programs that began from ``first`` to ``last`` at these sites, looked at after ``weeks`` (6
    or 12) weeks; with ``physiotherapist`` only those of patients in that caseload (user id)."""

    first: dt.date
    last: dt.date
    weeks: int
    sites: Collection[int]
    physiotherapist: int | None = None


def courses(question: Question, *, today: dt.date) -> list[Course]:
    """Every program of the question. One query.

    Adherence is done ÷ asked for (a partly done routine counts half, a day off of a taper not at
    all), from the first day to the end of the weeks, of the program or of yesterday, whichever
    came first.
    """
    values = {
        "first": question.first,
        "last": question.last,
        "days": 7 * question.weeks,
        "point": _POINTS[question.weeks],
        "sites": list(question.sites),
        "physiotherapist": question.physiotherapist,
        "today": today,
        "done": WORTH["done"],
        "partly": WORTH["partly"],
    }
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENT, values)
        rows = cursor.fetchall()
    return [
        Course(
            pathway=str(Pathway(pathway).label),
            template=template or "Without a template",
            physiotherapist=physiotherapist,
            site=site,
            started_on=started_on,
            adherence=_adherence(started_on, until, worth, zone, tapers),
            pain_start=pain_start,
            pain_end=pain_end,
            activities_start=activities_start,
            activities_end=activities_end,
        )
        for (
            pathway,
            template,
            physiotherapist,
            site,
            started_on,
            until,
            worth,
            zone,
            tapers,
            pain_start,
            pain_end,
            activities_start,
            activities_end,
        ) in rows
    ]


def _adherence(
    started_on: dt.date, until: dt.date, worth: float, zone: str, tapers: str | None
) -> float | None:
    """The share of the days from the first up to ``until`` (left out) on which a routine was asked
    for; None where there was none. ``tapers`` holds the moment and the taper of each version."""
    days = (until - started_on).days
    if tapers and days > 0:
        held = [
            Held(dt.datetime.fromisoformat(at).astimezone(ZoneInfo(zone)).date(), taper)
            for at, taper in json.loads(tapers)
        ]
        asked = asked_by(held, started_on=started_on)
        days = sum(1 for number in range(days) if asked(started_on + dt.timedelta(days=number)))
    return min(1.0, worth / days) if days > 0 else None
