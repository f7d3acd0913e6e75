"""What is checked before a program after an injury goes up a phase, and what the answers say to it.

Pure: no Django, no clock. The list is data (``content/criteria.yaml``, with its sources). The
platform never ticks anything: it shows what the answers say beside what a clinician ticks.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

_FILE = Path(__file__).resolve().parent / "content" / "criteria.yaml"
# A clinician's own criterion for one patient, on top of the list.
OWN = "own"
MASTERY_HOLD_S, MASTERY_REPS, MASTERY_LEVEL = 10, 5, 2


@dataclass(frozen=True)
class Criterion:
    """One thing to check before ``phase`` begins. ``reads`` names what of the answers is shown
    beside it: mastery, time, pain, mornings, form, or nothing."""

    phase: int
    slug: str
    words: str
    reads: str = ""
    source: str = ""


@dataclass(frozen=True)
class Answers:
    """What is known of one program since its last step.

    ``days`` and ``sessions`` count from that step; ``pains`` (0–10) and ``forms`` are those of the
    last two sessions, ``rises`` the points by which the mornings after the sessions of 14 days
    stood above before; None is not known. ``hold`` is the prescribed deep-core hold as level,
    seconds and repetitions.
    """

    days: int = 0
    sessions: int = 0
    min_days: int = 14
    min_sessions: int = 6
    pains: tuple[int | None, ...] = ()
    ceiling: int = 3
    rises: tuple[int | None, ...] = ()
    flare_rise: int = 2
    forms: tuple[bool | None, ...] = ()
    hold: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class Reading:
    """What the answers say to one criterion. ``fits`` None: not enough is known."""

    words: str
    fits: bool | None


@functools.cache
def criteria() -> tuple[Criterion, ...]:
    """The whole list in its order."""
    rows = yaml.safe_load(_FILE.read_text("utf-8"))
    return tuple(Criterion(**row) for row in rows)


def criteria_for(phase: int) -> tuple[Criterion, ...]:
    """What is checked before ``phase`` begins; nothing before phase 0."""
    return tuple(one for one in criteria() if one.phase == phase)


def read(criterion: Criterion, answers: Answers) -> Reading | None:
    """What the answers say to this criterion; None where only an eye can tell."""
    reader = _READERS.get(criterion.reads)
    return reader(answers) if reader else None


def _mastery(answers: Answers) -> Reading:
    if answers.hold is None:
        return Reading("the hold is not in the program", None)
    level, seconds, reps = answers.hold
    fits = level >= MASTERY_LEVEL and seconds >= MASTERY_HOLD_S and reps >= MASTERY_REPS
    return Reading(f"prescribed: {seconds} s × {reps}, level {level}", fits)


def _time(answers: Answers) -> Reading:
    fits = answers.days >= answers.min_days and answers.sessions >= answers.min_sessions
    return Reading(
        f"{answers.days} days (needs {answers.min_days}), "
        f"{answers.sessions} sessions (needs {answers.min_sessions}) since the last step",
        fits,
    )


def _pain(answers: Answers) -> Reading:
    known = [pain for pain in answers.pains if pain is not None]
    if not known:
        return Reading(f"not known; ceiling {answers.ceiling}", None)
    said = " and ".join(str(pain) for pain in known)
    whole = len(known) == len(answers.pains) and len(known) >= 2
    over = any(pain > answers.ceiling for pain in known)
    fits = False if over else (True if whole else None)
    return Reading(f"pain during {said}; ceiling {answers.ceiling}", fits)


def _mornings(answers: Answers) -> Reading:
    known = [rise for rise in answers.rises if rise is not None]
    if not known:
        return Reading("no morning known in 14 days", None)
    sore = sum(rise >= answers.flare_rise for rise in known)
    mornings = f"{len(known)} morning{'' if len(known) == 1 else 's'}"
    words = f"{sore or 'none'} of {mornings} in 14 days {answers.flare_rise} or more up"
    return Reading(words, not sore)


def _form(answers: Answers) -> Reading:
    known = [form for form in answers.forms if form is not None]
    if not known:
        return Reading("moved as described: not known", None)
    kept = sum(known)
    return Reading(
        f"moved as described in {kept} of the last {_counted(known)}", kept == len(known)
    )


def _counted(known: Sequence[bool]) -> str:
    return "session" if len(known) == 1 else f"{len(known)} sessions"


_READERS: dict[str, Callable[[Answers], Reading]] = {
    "mastery": _mastery,
    "time": _time,
    "pain": _pain,
    "mornings": _mornings,
    "form": _form,
}
