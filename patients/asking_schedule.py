"""Which questions a morning asks. Pain and soreness come every day; the others take turns.

Pure: no Django, no clock. A question that is not asked cannot be answered, and the rules must not
go blind for the sake of a short form. So each turn is the longest that the rule behind it can
bear (clinical content document, §4.2):

- sleep and stress (R20: three poor days of the last seven) every second day, and every day for a
  week after a poor one;
- how safe moving feels (R19: the newest answer) once a week, every second day while it is low.

After a session every question is asked every time: the rules look at the last two or three.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

EVERY_DAY = ("pain_this_morning", "usual_pain", "soreness")
IN_TURN = ("sleep", "stress", "feels_safe")
WINDOW_DAYS = 7
TURN_DAYS = 2
WEEK_DAYS = 7
# What the rules read as a poor day, and as moving that does not feel safe.
POOR_SLEEP, HIGH_STRESS, NOT_SAFE = 3, 8, 3


@dataclass(frozen=True)
class Asked:
    """What was answered before: days ago (1 is yesterday) → the answer, 0–10."""

    sleep: Mapping[int, int] = field(default_factory=dict)
    stress: Mapping[int, int] = field(default_factory=dict)
    feels_safe: Mapping[int, int] = field(default_factory=dict)


def morning_questions(asked: Asked, *, days_in_program: int) -> tuple[str, ...]:
    """The questions of this morning in their order.

    ``days_in_program`` is 0 on its first day.
    """
    recovery = ("sleep", "stress") if _recovery_due(asked) else ()
    safe = ("feels_safe",) if _safe_due(asked, days_in_program, light=not recovery) else ()
    return (*EVERY_DAY, *recovery, *safe)


def _recovery_due(asked: Asked) -> bool:
    for days_ago in range(1, WINDOW_DAYS):
        sleep, stress = asked.sleep.get(days_ago), asked.stress.get(days_ago)
        if sleep is not None and sleep <= POOR_SLEEP:
            return True
        if stress is not None and stress >= HIGH_STRESS:
            return True
    return any(_since(answers) >= TURN_DAYS for answers in (asked.sleep, asked.stress))


def _safe_due(asked: Asked, days_in_program: int, *, light: bool) -> bool:
    if not asked.feels_safe:
        # Not on top of everything else on the first mornings.
        return light or days_in_program >= WEEK_DAYS
    since = _since(asked.feels_safe)
    if asked.feels_safe[since] <= NOT_SAFE:
        return since >= TURN_DAYS
    return since >= WEEK_DAYS or (light and since == WEEK_DAYS - 1)


def _since(answers: Mapping[int, int]) -> int:
    """Days since the newest answer; long ago when there is none."""
    return min(answers, default=WINDOW_DAYS * WEEK_DAYS)
