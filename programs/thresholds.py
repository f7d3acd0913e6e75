"""The thresholds of a progression policy, and the defaults that are supplied per pathway.

Pure: no Django, no clock. Source: the clinical content document, §4.1 and §4.2; pain bands follow
the pain-monitoring model.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """Thresholds of one pathway. The defaults are the chronic pathway's.

    The [D] numbers of the clinical document are defaults that a practice may change; a change is
    a new version of the policy, never of this code.
    """

    progress_max_pain: int = 3
    pain_ceiling: int = 5
    min_days_at_level: int = 7
    min_sessions_at_level: int = 4
    max_effort: int = 7
    severe_pain: int = 8
    pulls_to_stop: int = 2
    flares_to_regress: int = 2
    flare_rise: int = 2
    weekly_rise: int = 2
    min_check_in_days: int = 3
    min_sessions: int = 2
    stale_after_days: int = 3
    adherence_floor: float = 0.70
    adherence_shorter: float = 0.50
    normal_soreness_days: int = 3
    long_soreness_days: int = 7
    high_fear: int = 7
    poor_recovery_days: int = 3
    review_weeks: int = 4
    review_adherence: float = 0.60
    review_start_pain: int = 3
    meaningful_points: float = 2
    meaningful_share: float = 0.30
    regress_applies_by_itself: bool = True
    auto_policy_offered: bool = True


DEFAULT_POLICIES: dict[str, Policy] = {
    "chronic": Policy(),
    "desk": Policy(),
    "athlete": Policy(min_days_at_level=5, min_sessions_at_level=3, max_effort=8),
    "post_injury": Policy(
        progress_max_pain=2,
        pain_ceiling=3,
        min_days_at_level=14,
        min_sessions_at_level=6,
        max_effort=6,
        pulls_to_stop=1,
        flares_to_regress=1,
        auto_policy_offered=False,
    ),
}
