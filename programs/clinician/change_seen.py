"""What a change of a program comes to, before it is issued: minutes, difference, obstacles."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError

from patients.models import Patient
from patients.screening import EQUIPMENT
from programs import difference, limits, taper
from programs.models import Prescription, Program, ProgramVersion
from programs.obstacles import Obstacle, asked_for, obstacles_to
from programs.positions import level_of, prescriptions_of
from programs.post_injury import refuse_against_limits, require_criteria
from programs.raising import raised_in, refuse_more_while_flagged
from programs.routine import BUDGET_S
from programs.shapes import shape_of
from programs.versioning import Change, draft_version
from programs.week import WeekDay, week_of

# What the library calls it, and the intake; a chair, a wall or a towel is in every house.
_ASKED = {
    "band": "band",
    "cable": "band",
    "ball": "ball",
    "small_ball": "small_ball",
    "weight": "weights",
}


@dataclass(frozen=True)
class Seen:
    """A change as somebody looks at it. ``refusals`` stand against all of it, no reason opens
    them, and where ``waits_for_injury`` they are answered on the injury's page; ``notes`` are to
    be minded and hold nothing back."""

    version: ProgramVersion
    week: list[WeekDay]
    said: list[difference.Said]
    patient_words: str
    obstacles: list[Obstacle] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    waits_for_injury: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        return not self.said

    @property
    def blocked(self) -> list[Obstacle]:
        return [one for one in self.obstacles if one.final]

    @property
    def to_open(self) -> list[Obstacle]:
        return [one for one in self.obstacles if not one.final]

    @property
    def most(self) -> int:
        """The minutes that a full bar stands for."""
        return max([BUDGET_S // 60, *(day.minutes for day in self.week)])

    @property
    def left_out(self) -> int:
        return max(day.left_out for day in self.week)


def look_at(*, program: Program, change: Change, at: dt.datetime) -> Seen:
    """Look at a change without making it. Raises ValidationError for what can never be."""
    today = program.patient.local_date(at)
    before = program.current_version
    draft = draft_version(program=program, change=change, at=at)
    then, now = shape_of(before, today=today), shape_of(draft, today=today)
    obstacles = obstacles_to(before, draft, today=today)
    flagged, of_injury = _refusals(program, before, draft, today)
    return Seen(
        version=draft,
        week=week_of(program=program, version=draft, first=today),
        said=difference.for_clinician(then, now),
        patient_words=" ".join(difference.for_patient(then, _opened(now, obstacles))),
        obstacles=obstacles,
        refusals=flagged + of_injury,
        waits_for_injury=bool(of_injury) and not flagged,
        notes=_notes(program.patient, before, draft, today),
    )


def _opened(shape: difference.Shape, obstacles: list[Obstacle]) -> difference.Shape:
    """The shape with the gates open that the clinician is asked about: issued, they are."""
    opens = {one.exercise for one in obstacles if not one.final}
    lines = tuple(
        difference.Line(**{**vars(line), "shown": True}) if line.slug in opens else line
        for line in shape.lines
    )
    return difference.Shape(**{**vars(shape), "lines": lines})


def _refusals(
    program: Program, before: ProgramVersion, draft: ProgramVersion, today: dt.date
) -> tuple[list[str], list[str]]:
    """What an open red flag refuses, and what an injury does: its criteria and its limits."""
    raised = raised_in(before, draft)
    flagged = _words(
        refuse_more_while_flagged, program=program, previous=before, version=draft, today=today
    )
    criteria = _words(require_criteria, program=program, previous=before, phase=draft.phase)
    limited = _words(refuse_against_limits, program=program, raised=raised, today=today)
    return flagged, criteria + limited


def _words(brake: Callable[..., None], **asked: object) -> list[str]:
    try:
        brake(**asked)
    except ValidationError as error:
        return error.messages
    return []


def _notes(
    patient: Patient, before: ProgramVersion, draft: ProgramVersion, today: dt.date
) -> list[str]:
    asked = asked_for(before, draft)
    rows = [p for p in prescriptions_of(draft) if p.exercise.slug in asked]
    found = _equipment(patient, rows) if rows else []
    found += limits.words_of(limits.limits_on(patient.limits, today))
    days = taper.days_on(draft.taper, today)
    if days is not None:
        found.append(f"A taper is under way: {days} days a week now")
    return found


def _equipment(patient: Patient, rows: list[Prescription]) -> list[str]:
    """What the exercises need and the newest intake does not name."""
    needed = [(p, _needs(p)) for p in rows]
    if not any(things for _p, things in needed):
        return []
    intake = patient.intake_screenings.first()
    if intake is None:
        return []
    has = set(intake.answers.get("equipment", []))
    return [
        f"{p.exercise.name} needs {EQUIPMENT[thing].lower()}: not named in the intake"
        for p, things in needed
        for thing in things
        if thing not in has
    ]


def _needs(prescription: Prescription) -> list[str]:
    return [_ASKED[name] for name in level_of(prescription).equipment if name in _ASKED]
