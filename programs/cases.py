"""Reads progression cases from JSON, with one clear error for whatever does not fit.

The format is that of ``manage.py check_progression`` (see ``docs/rules.md``).
"""

from collections.abc import Callable, Mapping
from typing import Any

from programs.progression import (
    Evidence,
    NextStep,
    SessionEvidence,
    decide,
)
from programs.thresholds import DEFAULT_POLICIES


class CaseError(ValueError):
    """A case that cannot be read; the message names the case and the field."""


Check = Callable[[Any], bool]


def _whole(low: int, high: int | None = None) -> Check:
    return lambda value: (
        isinstance(value, int)
        and not isinstance(value, bool)
        and value >= low
        and (high is None or value <= high)
    )


def _number(low: float, high: float) -> Check:
    return lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
    )


def _one_of(*values: object) -> Check:
    return lambda value: isinstance(value, str | None) and value in values


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


_CLASSES = [
    "breathing",
    "isometric",
    "mobility",
    "anti_extension",
    "anti_rotation",
    "rotation",
    "flexion_loaded",
    "hip_hinge",
    "hinge_loaded",
    "hip_extension",
    "extension",
    "function",
    "release",
]

_SCALE = _whole(0, 10)

_CASE: dict[str, tuple[Check, str]] = {
    "name": (lambda v: isinstance(v, str) and bool(v.strip()), "a text"),
    "pathway": (_one_of(*DEFAULT_POLICIES), "one of chronic, desk, athlete, post_injury"),
    "phase": (_whole(0, 3), "a whole number from 0 to 3"),
    "level": (_whole(1, 4), "a whole number from 1 to 4"),
    "lock": (_one_of("none", "no_progress", "frozen"), "one of none, no_progress, frozen"),
    "auto_policy": (_is_bool, "true or false"),
    "pain_ceiling": (_or_none(_whole(0, 10)), "null or a whole number from 0 to 10"),
    "red_flag": (_one_of(None, "emergency", "same_day"), "null, emergency or same_day"),
    "usual_pain_now": (_or_none(_SCALE), "null or a whole number from 0 to 10"),
    "weekly_median_pain": (
        lambda v: isinstance(v, list) and all(_number(0, 10)(week) for week in v),
        "a list of numbers from 0 to 10",
    ),
    "weeks_in_program": (_whole(0), "a whole number, 0 or more"),
    "adherence": (_number(0, 1), "a number from 0 to 1"),
    "check_ins_last_7_days": (_whole(0), "a whole number, 0 or more"),
    "days_since_last_check_in": (_or_none(_whole(0)), "null or a whole number, 0 or more"),
    "symmetrical_soreness_days": (_whole(0), "a whole number, 0 or more"),
    "fear_of_movement": (_or_none(_SCALE), "null or a whole number from 0 to 10"),
    "start_back_risk": (_one_of(None, "low", "medium", "high"), "null, low, medium or high"),
    "poor_recovery_days": (_whole(0, 7), "a whole number from 0 to 7"),
    "days_at_level": (_whole(0), "a whole number, 0 or more"),
    "sessions_at_level": (_whole(0), "a whole number, 0 or more"),
    "next_step": (lambda v: isinstance(v, dict), "an object"),
    "sessions": (lambda v: isinstance(v, list), "a list of objects"),
}

_NEXT_STEP: dict[str, tuple[Check, str]] = {
    "blocked_by_gate": (_one_of(None, *_CLASSES), "null or a movement class"),
    "phase_change": (_is_bool, "true or false"),
    "opens_class": (_is_bool, "true or false"),
}

_SESSION: dict[str, tuple[Check, str]] = {
    "pain_before": (_or_none(_SCALE), "null or a whole number from 0 to 10"),
    "pain_during": (_or_none(_SCALE), "null or a whole number from 0 to 10"),
    "pain_next_morning": (_or_none(_SCALE), "null or a whole number from 0 to 10"),
    "completed": (_is_bool, "true or false"),
    "form_kept": (_or_none(_is_bool), "null, true or false"),
    "effort_rpe": (_or_none(_SCALE), "null or a whole number from 0 to 10"),
    "stiffer_after": (_or_none(_is_bool), "null, true or false"),
    "neck_tension": (_or_none(_is_bool), "null, true or false"),
    "one_sided_pull": (_or_none(_is_bool), "null, true or false"),
}

# What a case says it expects is for its reader; the rules do not look at it.
_IGNORED = {"expected"}


def _checked(
    given: object, fields: Mapping[str, tuple[Check, str]], case: str, path: str = ""
) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise CaseError(f"{case}: {path.rstrip('.') or 'the case'} must be an object.")
    for name in given:
        if name not in fields and not (path == "" and name in _IGNORED):
            raise CaseError(f"{case}: unknown field “{path}{name}”.")
    for name, (check, meaning) in fields.items():
        if name not in given:
            raise CaseError(f"{case}: the field “{path}{name}” is missing.")
        if not check(given[name]):
            raise CaseError(f"{case}: “{path}{name}” must be {meaning}.")
    return {name: given[name] for name in fields}


def read_case(given: object, position: int) -> tuple[str, Evidence]:
    """Return the name and the evidence of one case; ``position`` counts from 1."""
    case = f"case {position}"
    if isinstance(given, dict) and isinstance(given.get("name"), str):
        case += f" ({given['name']})"
    fields = _checked(given, _CASE, case)
    step = _checked(fields.pop("next_step"), _NEXT_STEP, case, "next_step.")
    sessions = [
        _checked(session, _SESSION, case, f"sessions[{index}].")
        for index, session in enumerate(fields.pop("sessions"))
    ]
    name = fields.pop("name")
    fields["weekly_median_pain"] = tuple(fields["weekly_median_pain"])
    return name, Evidence(
        **fields,
        next_step=NextStep(**step),
        sessions=tuple(SessionEvidence(**session) for session in sessions),
    )


def decide_cases(given: object) -> list[dict[str, object]]:
    """Decide every case of a parsed file under the default policies, in order."""
    if not isinstance(given, list):
        raise CaseError("The file must hold a list of cases.")
    answers: list[dict[str, object]] = []
    for position, raw in enumerate(given, start=1):
        name, evidence = read_case(raw, position)
        decision = decide(evidence, DEFAULT_POLICIES[evidence.pathway])
        answers.append(
            {
                "name": name,
                "decision": decision.outcome.value,
                "rules": list(decision.rules),
                "contact": decision.contact.value,
                "approval": decision.approval.value,
                "reasons": list(decision.reasons),
            }
        )
    return answers
