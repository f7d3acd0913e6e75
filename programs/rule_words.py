"""The rules and their answers in a clinician's words. Pure: no Django, no clock."""

from collections.abc import Iterable

# R01 to R28 of the clinical content document, short enough for one line of the caseload.
RULES: dict[str, str] = {
    "R01": "Red flag, emergency",
    "R02": "Red flag, same day",
    "R03": "Usual pain severe",
    "R04": "One-sided pull keeps coming back",
    "R05": "Weekly pain up, two weeks running",
    "R06": "Weekly pain up",
    "R07": "Pain during over the ceiling",
    "R08": "Sorer next morning, repeatedly",
    "R09": "Stiffer afterwards, repeatedly",
    "R10": "One-sided pull, once",
    "R11": "Neck tension, repeatedly",
    "R12": "Form lost twice running",
    "R13": "Sorer next morning, once",
    "R14": "Stiffer afterwards, once",
    "R15": "Neck tension, once",
    "R16": "Too few answers",
    "R17": "Even soreness not fading",
    "R18": "Adherence below the floor",
    "R19": "High fear of movement",
    "R20": "Poor sleep or high stress",
    "R21": "No meaningful change after 4 weeks",
    "R22": "Next step waits for its gate",
    "R23": "Pain during acceptable, not easy yet",
    "R24": "Too short at this level",
    "R25": "Locked",
    "R26": "Two good sessions running",
    "R27": "Top of the ladder",
    "R28": "Nothing to act on",
}

# The rules that hold a step and ask for a clinician's look; the others only wait.
ASK_FOR_A_LOOK = frozenset({"R10", "R17", "R19", "R21", "R22"})

_YES = {
    "stiffer_after": ("stiffer afterwards", "not stiffer"),
    "neck_tension": ("neck tension", "no neck tension"),
    "form_kept": ("form kept", "form not kept"),
    "one_sided_pull": ("pull on one side", "no pull"),
}
_NUMBER = {
    "pain_before": "pain before {}",
    "pain_during": "pain during {}",
    "pain_next_morning": "next morning {}",
    "pain_this_morning": "pain this morning {}",
    "effort_rpe": "effort {}",
    "usual_pain_now": "usual pain {}",
    "weekly_median_pain": "median usual pain {}",
    "check_ins_last_7_days": "answers on {} of the last 7 days",
    "sessions": "{} sessions in 14 days",
    "symmetrical_soreness_days": "even soreness for {} days",
    "fear_of_movement": "fear of movement {}",
    "start_back_risk": "STarT Back risk {}",
    "poor_recovery_days": "poor sleep or high stress on {} of 7 days",
    "weeks_in_program": "{} weeks in the program",
    "days_at_level": "{} days at this level",
    "sessions_at_level": "{} sessions at this level",
    "level": "level {}",
}
_LOCKS = {"no_progress": "lock: no progress", "frozen": "lock: frozen"}
_FLAGS = {"emergency": "an emergency answer is open", "same_day": "a same-day answer is open"}


def rule_words(rules: Iterable[str]) -> str:
    """The rules in one line, such as “Pain during over the ceiling (R07)”."""
    return " · ".join(f"{RULES.get(rule, rule)} ({rule})" for rule in rules)


def answer_words(field: str, value: object) -> str:
    """One answer as a clinician would note it, such as “pain during 6”."""
    if field in _YES:
        if value is None:
            return f"{_YES[field][0]}: not answered"
        return _YES[field][0 if value else 1]
    if field == "adherence" and isinstance(value, int | float):
        return f"adherence {round(value * 100)} %"
    if field == "days_since_last_check_in":
        return "no answer yet" if value is None else f"last answer {value} days ago"
    if field == "blocked_by_gate":
        return f"gate: {str(value).replace('_', ' ')}"
    if field == "lock":
        return _LOCKS.get(str(value), str(value))
    if field == "red_flag":
        return _FLAGS.get(str(value), str(value))
    words = _NUMBER.get(field, field.replace("_", " ") + " {}")
    if value == 1:
        for unit in ("session", "day", "week"):
            words = words.replace(f"{{}} {unit}s", f"{{}} {unit}")
    return words.format("not known" if value is None else number_words(value))


def number_words(value: object) -> str:
    """A figure without a trailing “.0”."""
    return f"{value:g}" if isinstance(value, float) else str(value)
