"""What made-up patients answer when they are asked for outcome measures."""

import datetime as dt
import uuid

from clinic.quiet_hours import local_moment
from patients.measures import open_point
from patients.measuring import measure_due, record_measure
from patients.models import Point, Questionnaire
from programs.models import Program

# Each patient has one of these in mind.
ACTIVITIES = (
    ("Putting on my shoes", "An hour in the garden", "Sitting through a film"),
    ("Lifting my daughter", "Driving to work", "Sleeping through the night", "Carrying shopping"),
    ("Half a day at the desk", "Standing in a queue", "Playing football on Sunday"),
)
AFTERNOON = dt.time(15)
# On these days of the program somebody sits down to it; in between, only to the activities.
DAYS, BETWEEN = (1, 43, 85), (21, 63)
# Every so many patients one leaves the questions open, so that the practice shows that too.
LEAVES_OPEN = 4


def answer_measures(
    *, program: Program, index: int, day: dt.date, number: int, start_pain: int
) -> None:
    """Answer what is open on the program's day ``number``, as the pain of the week allows."""
    if index % LEAVES_OPEN == LEAVES_OPEN - 1 or number not in DAYS + BETWEEN:
        return
    patient = program.patient
    pain = _usual_pain(program, day, start_pain)
    answers = {
        "pain": {"pain": pain},
        "activities": {"activity": _activities(index, pain)},
        "feels-safe": {"safe": max(0, min(10, 9 - pain + index % 2))},
        "overall-change": {"change": max(-5, min(5, start_pain - pain + 1))},
    }
    due = measure_due(patient=patient, started_on=program.started_on, today=day)
    rows = list(due.open) if due and number in DAYS else []
    if number in BETWEEN:
        rows = list(Questionnaire.objects.current().filter(name="activities"))
    point = open_point(started_on=program.started_on, today=day) or Point.BETWEEN
    for row in rows:
        if row.name in answers:
            record_measure(
                patient=patient,
                questionnaire=row,
                answers=answers[row.name],
                point=point,
                client_id=uuid.uuid5(uuid.NAMESPACE_URL, f"demo:{index}:{day}:{row.name}"),
                at=local_moment(day, AFTERNOON, patient.zone),
            )


def _activities(index: int, pain: int) -> list[dict[str, object]]:
    return [
        {"name": name, "number": max(0, min(10, 8 - pain - place + (index + place) % 3))}
        for place, name in enumerate(ACTIVITIES[index % len(ACTIVITIES)])
    ]


def _usual_pain(program: Program, day: dt.date, start_pain: int) -> int:
    newest = (
        program.patient.check_ins.filter(day__lte=day, usual_pain__isnull=False)
        .order_by("-day", "-at")
        .values_list("usual_pain", flat=True)
        .first()
    )
    return start_pain if newest is None else int(newest)
