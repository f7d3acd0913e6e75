"""How made-up patients' backs answer. Pure: no Django, no clock, chance passed in.

A course says what a patient would report on a day of the program; whether the program then moves
is decided by the rules, not here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any


@dataclass(frozen=True)
class Day:
    """What one day holds. ``session`` is done, partly, skipped or None (nothing reported);
    ``after`` and ``morning`` are the answers, None where the patient stays silent."""

    session: str | None = None
    skip_reason: str = ""
    after: dict[str, Any] | None = None
    morning: dict[str, Any] | None = None
    red_flag: str | None = None


@dataclass(frozen=True)
class Course:
    """A believable course: pathway, template, intake answers and what each day brings.

    ``clinician_waits`` leaves the newest proposals open; ``weeks`` limits how long ago it began.
    """

    name: str
    pathway: str
    template: str
    pain: int
    live: Callable[["Course", int, int, Random], Day]
    intake: dict[str, Any] = field(default_factory=dict)
    clinician_waits: bool = False
    weeks: int = 52


def _clamp(value: float) -> int:
    return max(0, min(10, round(value)))


def _answers(
    pain: float, chance: Random, *, effort: float = 5, **after: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    before = _clamp(pain + chance.choice((-0.4, 0, 0.4)))
    during = _clamp(before + chance.choice((0, 0, 1)))
    evening = {
        "pain_before": before,
        "pain_during": during,
        "effort": _clamp(effort + chance.choice((-1, 0, 0, 1))),
        "form_kept": True,
        "stiffer_after": False,
        "neck_tension": False,
        "soreness": "even" if chance.random() < 0.05 else "none",
    }
    morning = {
        "pain_this_morning": before,
        "usual_pain": _clamp(pain),
        "soreness": "none",
        "sleep": _clamp(6 + chance.choice((-1, 0, 1, 2))),
        "stress": _clamp(4 + chance.choice((-1, 0, 1, 2))),
        "feels_safe": _clamp(7 + chance.choice((-1, 0, 1))),
    }
    return evening | after, morning


def _improving(course: Course, day: int, last: int, chance: Random) -> Day:
    pain = max(1.0, course.pain - day * 0.09)
    after, morning = _answers(pain, chance)
    if chance.random() < 0.10:
        return Day(morning=morning)
    if chance.random() < 0.05:
        return Day(session="skipped", skip_reason="time", morning=morning)
    if chance.random() < 0.06:
        return Day(session="partly", after=after, morning=morning)
    return Day(session="done", after=after, morning=morning)


def _flaring(course: Course, day: int, last: int, chance: Random) -> Day:
    """Goes well, then too much: stiffer, sorer mornings, and slowly back."""
    bad = 3 <= (day % 21) - 12 < 7
    after, morning = _answers(course.pain - (0 if bad else 1), chance)
    if bad:
        after |= {"stiffer_after": True, "pain_during": _clamp(course.pain + 1)}
        morning |= {"pain_this_morning": _clamp(after["pain_before"] + 2)}
    if chance.random() < 0.12:
        return Day(morning=morning)
    return Day(session="done", after=after, morning=morning)


def _fading(course: Course, day: int, last: int, chance: Random) -> Day:
    """Keen at first, then rarer, then silent."""
    if day > last * 0.75:
        return Day()
    after, morning = _answers(course.pain - day * 0.03, chance)
    keen = 1 - day / (last + 1)
    if chance.random() < keen:
        return Day(session="done", after=after, morning=morning)
    if chance.random() < keen / 2:
        return Day(session="skipped", skip_reason=chance.choice(("time", "tired", "unsure")))
    return Day()


def _red_flag(course: Course, day: int, last: int, chance: Random) -> Day:
    """An ordinary course until an answer needs somebody at once, two days before the end."""
    if day > last - 2:
        return Day()
    usual = _improving(course, day, last, chance)
    if day == last - 2:
        return Day(morning=usual.morning, red_flag="saddle_numbness")
    return usual


def _pull(course: Course, day: int, last: int, chance: Random) -> Day:
    """A pull down one leg in two of the last sessions."""
    usual = _improving(course, day, last, chance)
    if last - 5 <= day < last - 1 and day % 2 == 0 and usual.after is not None:
        return Day(
            session="done",
            after=usual.after | {"soreness": "one_sided", "side": "left"},
            morning=usual.morning,
        )
    return usual


def _plateau(course: Course, day: int, last: int, chance: Random) -> Day:
    """Does everything, and the pain stays where it was."""
    after, morning = _answers(course.pain, chance)
    return Day(session="done" if chance.random() < 0.85 else None, after=after, morning=morning)


def _fearful(course: Course, day: int, last: int, chance: Random) -> Day:
    usual = _improving(course, day, last, chance)
    if usual.morning is None:
        return usual
    worried = usual.morning | {"feels_safe": 2, "sleep": 3 if day % 2 else 5}
    return Day(usual.session, usual.skip_reason, usual.after, worried)


def _careful(course: Course, day: int, last: int, chance: Random) -> Day:
    """After an injury: steady, low pain, every answer given."""
    after, morning = _answers(max(1.0, course.pain - day * 0.05), chance, effort=4)
    after["pain_during"] = min(after["pain_during"], 2)
    if chance.random() < 0.06:
        return Day(morning=morning)
    return Day(session="done", after=after, morning=morning)


COURSES: tuple[Course, ...] = (
    Course("improving, desk", "desk", "desk", 4, _improving, {"sitting_hours": 8}),
    Course(
        "after an injury, waiting",
        "post_injury",
        "post-injury",
        2,
        _careful,
        {"recent_injury": True, "injury_notes": "Lifting injury, seen by a surgeon."},
        clinician_waits=True,
    ),
    Course(
        "flaring",
        "chronic",
        "posterior-chain",
        4,
        _flaring,
        {"pain_weeks": 60, "preferences": ("strength",)},
    ),
    Course("improving, chronic", "chronic", "stability-first", 4, _improving, {"pain_weeks": 40}),
    Course("fading out", "desk", "desk", 4, _fading, {"sitting_hours": 9}),
    Course(
        "athlete",
        "athlete",
        "athlete",
        2,
        _improving,
        {"plays_sport": True, "goals": ("sport",)},
        clinician_waits=True,
    ),
    Course("red flag", "chronic", "stability-first", 4, _red_flag, {"pain_weeks": 30}),
    Course(
        "strength",
        "chronic",
        "posterior-chain",
        3,
        _improving,
        {"pain_weeks": 26, "preferences": ("strength",)},
    ),
    Course("plateau", "chronic", "stability-first", 4, _plateau, {"pain_weeks": 80}),
    Course("one-sided pull", "desk", "desk", 3, _pull, {"sitting_hours": 7}, weeks=4),
    Course("fearful", "chronic", "stability-first", 4, _fearful, {"pain_weeks": 50}),
    Course("just started", "desk", "desk", 4, _improving, {"sitting_hours": 8}, weeks=1),
)
