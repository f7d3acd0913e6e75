"""Intake screening: reads the answers and suggests a pathway and a template, with reasons.

Pure: no Django, no clock. It describes and suggests; it does not diagnose, and it never assigns.
Signs, imbalances and habits come from the clinical content document, §1.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

SIGNS = {
    "slouched_posture": "Slouched posture",
    "ache_after_sitting_or_standing": "Dull low-back ache after long sitting or standing",
    "unsteady_on_one_leg": "Unsteady on one leg or when standing up",
}
IMBALANCES = {
    "tight_hip_flexors": "Tight hip flexors",
    "tight_chest": "Tight chest",
    "weak_glutes": "Glutes low in strength",
    "weak_back": "Back low in strength",
    "tight_hamstrings": "Tight hamstrings",
}
GOALS = {
    "less_pain": "Less pain day to day",
    "sit_at_work": "Sit through a working day",
    "lift_and_carry": "Lift and carry",
    "sport": "Go back to sport, or do more of it",
    "after_injury": "Come back after an injury or operation",
    "stay_well": "Stay well",
}
PREFERENCES = {
    "calm": "Calm, slow exercises",
    "strength": "Strength training",
    "variety": "Variety",
    "short": "As short as possible",
}
EQUIPMENT = {
    "band": "Band or cable",
    "ball": "Exercise ball",
    "small_ball": "Small ball",
    "weights": "Weights",
    "bench": "Bench",
    "strap": "Strap",
}
FEAR_HIGH = 7
LONG_SITTING_HOURS = 6
CHRONIC_WEEKS = 12


@dataclass(frozen=True)
class IntakeAnswers:
    """What was asked. Scales are 0–10; ``feels_safe`` 10 means that moving feels very safe.
    ``signs`` maps a sign to its severity 0–10, only the ones answered yes."""

    pain_now: int
    usual_pain: int
    pain_weeks: int
    sitting_hours: int
    stress: int
    sleep: int
    feels_safe: int
    recent_injury: bool
    injury_notes: str = ""
    plays_sport: bool = False
    comes_back_yearly: bool = False
    signs: Mapping[str, int] | None = None
    imbalances: tuple[str, ...] = ()
    goals: tuple[str, ...] = ()
    preferences: tuple[str, ...] = ()
    equipment: tuple[str, ...] = ()
    history: str = ""

    @property
    def fear(self) -> int:
        return 10 - self.feels_safe

    def as_dict(self) -> dict[str, Any]:
        return {name: _plain(value) for name, value in asdict(self).items()}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


@dataclass(frozen=True)
class Suggestion:
    """A pathway and a template by slug, why, and what the physiotherapist should mind."""

    pathway: str
    template: str
    reasons: tuple[str, ...]
    cautions: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


def problems(answers: IntakeAnswers) -> dict[str, str]:
    """Return a message per field that cannot be right; empty when all is well."""
    found: dict[str, str] = {}
    for name in ("pain_now", "usual_pain", "stress", "sleep", "feels_safe"):
        if not 0 <= getattr(answers, name) <= 10:
            found[name] = "Choose a number from 0 to 10."
    if answers.pain_weeks < 0:
        found["pain_weeks"] = "Write the number of weeks, 0 or more."
    if not 0 <= answers.sitting_hours <= 24:
        found["sitting_hours"] = "Write the hours of a day, 0 to 24."
    if any(not 0 <= severity <= 10 for severity in (answers.signs or {}).values()):
        found["signs"] = "Choose a number from 0 to 10 for each sign."
    chosen = {
        "signs": (tuple(answers.signs or {}), SIGNS),
        "imbalances": (answers.imbalances, IMBALANCES),
        "goals": (answers.goals, GOALS),
        "preferences": (answers.preferences, PREFERENCES),
        "equipment": (answers.equipment, EQUIPMENT),
    }
    for name, (given, allowed) in chosen.items():
        unknown = [choice for choice in given if choice not in allowed]
        if unknown:
            found[name] = f"“{unknown[0]}” is not one of the choices."
    return found


def suggest(answers: IntakeAnswers, *, review: tuple[str, ...] = ()) -> Suggestion:
    """Suggest a pathway and a template. ``review`` names red-flag questions without a stop."""
    pathway, reasons = _pathway(answers)
    template, why = _template(pathway, answers)
    return Suggestion(
        pathway=pathway,
        template=template,
        reasons=(*reasons, why),
        cautions=tuple(_cautions(answers, review)),
    )


def _pathway(answers: IntakeAnswers) -> tuple[str, tuple[str, ...]]:
    if answers.recent_injury or "after_injury" in answers.goals:
        return "post_injury", (
            "A recent injury or operation: a structured course, every step decided by a clinician.",
        )
    pain = f"usual pain {answers.usual_pain} of 10"
    if answers.plays_sport and "sport" in answers.goals and answers.usual_pain <= 4:
        return "athlete", (f"Wants to do sport and does it, {pain}: can build up faster.",)
    if answers.sitting_hours >= LONG_SITTING_HOURS and (
        answers.pain_weeks < CHRONIC_WEEKS or "sit_at_work" in answers.goals
    ):
        return "desk", (f"Sits {answers.sitting_hours} hours a day, {pain}.",)
    if answers.pain_weeks >= CHRONIC_WEEKS:
        return "chronic", (f"Pain for {answers.pain_weeks} weeks, {pain}: a calm start.",)
    return "chronic", (f"{pain.capitalize()}, no other pathway fits better: a calm start.",)


def _template(pathway: str, answers: IntakeAnswers) -> tuple[str, str]:
    if pathway == "post_injury":
        return "post-injury", "Neutral spine and quality of control before load."
    if pathway == "athlete":
        return "athlete", "Control first, then sport-like load."
    if pathway == "desk":
        return "desk", "Breathing, mobility for hips and chest, and breaks from sitting."
    if "strength" in answers.preferences and answers.fear < FEAR_HIGH:
        return "posterior-chain", "Prefers strength training; a preference helps people keep going."
    return "stability-first", "Activation and stabilisation in about ten minutes most days."


def _cautions(answers: IntakeAnswers, review: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    if answers.fear >= FEAR_HIGH:
        found.append(f"Fear of movement {answers.fear} of 10: neutral words, small first steps.")
    if answers.usual_pain >= 8 or answers.pain_now >= 8:
        found.append("Strong pain: see the patient before the first routine.")
    if answers.sleep <= 3 or answers.stress >= 8:
        found.append(
            f"Sleep {answers.sleep} and stress {answers.stress} of 10: relaxation as a habit task."
        )
    if answers.comes_back_yearly:
        found.append("Comes back year after year: plan for maintenance, not for discharge at 0.")
    if "tight_hamstrings" in answers.imbalances:
        found.append("Hamstring stretch only while there is no pull on one side.")
    found += [f"{IMBALANCES[name]}." for name in answers.imbalances if name != "tight_hamstrings"]
    if "age_of_onset" in review:
        found.append("First back pain before 20 or after 50: worth a clinician’s look.")
    return found
