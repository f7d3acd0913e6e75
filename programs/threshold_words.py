"""What each threshold of a policy means, in a clinician's words, and how far it may be moved.

Pure: no Django, no clock. The order is the order of the page. Shares are stored from 0 to 1 and
shown in percent.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["whole", "share", "points", "switch"]
Value = int | float | bool

# Stored with every policy and read by no rule: the five-minute version is offered to everybody.
NOT_READ = frozenset({"adherence_shorter"})


@dataclass(frozen=True)
class Threshold:
    """One threshold. ``low`` and ``high`` are the ends of what can be meant, both included.

    ``careful`` says which way makes the rules more careful, ``rules`` who reads it. ``ours`` is
    set where no study gives the number: a physiotherapist signs it off ([D] in the clinical
    content document).
    """

    name: str
    title: str
    meaning: str
    unit: str
    low: float
    high: float
    careful: Literal["lower", "higher", "yes", "no"]
    rules: tuple[str, ...]
    source: str = "Our choice"
    kind: Kind = "whole"
    ours: bool = True

    def said(self, value: object) -> str:
        """The value as people read it, such as “70 %”, “yes” or “4”."""
        if self.kind == "switch":
            return "yes" if value else "no"
        if not isinstance(value, int | float):
            return str(value)
        if self.kind == "share":
            return f"{value * 100:g} %"
        return f"{value:g}"

    def is_looser(self, value: Value, than: Value) -> bool:
        """Whether ``value`` lets the rules be less careful than ``than`` does."""
        if value == than:
            return False
        if self.kind == "switch":
            return bool(value) is (self.careful == "no")
        return value > than if self.careful == "lower" else value < than


@dataclass(frozen=True)
class Group:
    key: str
    title: str
    about: str
    thresholds: tuple[Threshold, ...]


_BANDS = "Bands of the pain-monitoring model, studied in Achilles tendinopathy, taken over to backs"
_DAY = "24-hour rule of the pain-monitoring model; how often it may happen is our choice"

GROUPS: tuple[Group, ...] = (
    Group(
        "pain",
        "Pain",
        "On the scale from 0 to 10.",
        (
            Threshold(
                "progress_max_pain",
                "Easy enough to go on",
                "Pain during of at most this lets a session count towards the next step. "
                "Above it, up to the ceiling, the step waits.",
                "of 10",
                0,
                5,
                "lower",
                ("R23", "R26"),
                _BANDS,
            ),
            Threshold(
                "pain_ceiling",
                "Pain ceiling",
                "Pain during above this in one of the last two sessions lowers the load. "
                "A ceiling set for one program comes first.",
                "of 10",
                1,
                6,
                "lower",
                ("R07", "R23"),
                _BANDS,
            ),
            Threshold(
                "severe_pain",
                "Severe pain",
                "Usual pain of this or more stops the program and asks for contact the same day.",
                "of 10",
                5,
                10,
                "lower",
                ("R03",),
            ),
            Threshold(
                "weekly_rise",
                "Weekly rise",
                "The weekly median up by this much lowers the load; two weeks running stops.",
                "points",
                1,
                4,
                "lower",
                ("R05", "R06"),
                "Meaningful change on the 0–10 scale (Ostelo 2008)",
                ours=False,
            ),
        ),
    ),
    Group(
        "flares",
        "Flares and pulls",
        "How the back answered, in the last three sessions; pulls in 14 days.",
        (
            Threshold(
                "flare_rise",
                "A sore morning",
                "Pain next morning this far above the pain before the session counts as a flare. "
                "The gate of rotation asks for 14 days without one.",
                "points",
                1,
                4,
                "lower",
                ("R08", "R13", "R22"),
                _DAY,
            ),
            Threshold(
                "flares_to_regress",
                "Flares until easier",
                "So many flares in the last three sessions lower the load; fewer make it wait.",
                "of 3 sessions",
                1,
                3,
                "lower",
                ("R08", "R13"),
                _DAY,
            ),
            Threshold(
                "pulls_to_stop",
                "Pulls until stop",
                "A pull on one side in so many sessions of 14 days stops the program; fewer pause "
                "what may have set it off.",
                "sessions",
                1,
                4,
                "lower",
                ("R04", "R10"),
                "A physiotherapist’s warning sign; the count is our choice",
            ),
            Threshold(
                "normal_soreness_days",
                "Ordinary soreness",
                "Even soreness for more days than this makes the step wait.",
                "days",
                1,
                7,
                "lower",
                ("R17",),
                "Muscle soreness fades from the third day on (JSCR 2012)",
            ),
            Threshold(
                "long_soreness_days",
                "Long soreness",
                "For more days than this it also asks for contact.",
                "days",
                2,
                14,
                "lower",
                ("R17",),
                "Muscle soreness is gone by the seventh day; the limit is our choice",
            ),
        ),
    ),
    Group(
        "level",
        "Time at a level",
        "What one exercise needs before its next step.",
        (
            Threshold(
                "min_days_at_level",
                "Days at the level",
                "At least so many days before the next step.",
                "days",
                1,
                60,
                "higher",
                ("R24",),
            ),
            Threshold(
                "min_sessions_at_level",
                "Sessions at the level",
                "And at least so many sessions with the exercise as it is.",
                "sessions",
                1,
                40,
                "higher",
                ("R24",),
            ),
            Threshold(
                "max_effort",
                "Effort",
                "A session harder than this does not count towards the next step.",
                "of 10",
                3,
                9,
                "lower",
                ("R26",),
            ),
        ),
    ),
    Group(
        "answers",
        "Answers and adherence",
        "Without answers nobody moves up.",
        (
            Threshold(
                "min_check_in_days",
                "Days with answers",
                "Fewer days with answers in the last seven make the step wait.",
                "of 7 days",
                1,
                7,
                "higher",
                ("R16",),
            ),
            Threshold(
                "stale_after_days",
                "Last answer",
                "A last answer more days ago than this makes the step wait.",
                "days",
                1,
                7,
                "lower",
                ("R16",),
            ),
            Threshold(
                "min_sessions",
                "Sessions known",
                "Fewer sessions in 14 days make the step wait. The rules need two.",
                "sessions",
                2,
                14,
                "higher",
                ("R16",),
            ),
            Threshold(
                "adherence_floor",
                "Adherence",
                "Less of what was asked for in 14 days makes the step wait.",
                "of what was asked",
                0.3,
                1,
                "higher",
                ("R18",),
                kind="share",
            ),
        ),
    ),
    Group(
        "contact",
        "Fear, recovery and review",
        "What makes the step wait and asks for your look.",
        (
            Threshold(
                "high_fear",
                "Fear of movement",
                "Fear of this or more makes the step wait and asks for contact.",
                "of 10",
                4,
                10,
                "lower",
                ("R19",),
            ),
            Threshold(
                "poor_recovery_days",
                "Poor recovery",
                "Little sleep (3 or less) or much stress (8 or more) on so many days of seven.",
                "of 7 days",
                1,
                7,
                "lower",
                ("R20",),
            ),
            Threshold(
                "review_weeks",
                "Review after",
                "From this week on, too little change asks for a review.",
                "weeks",
                2,
                12,
                "lower",
                ("R21",),
                "About a month, as guidance on back pain has it",
            ),
            Threshold(
                "review_adherence",
                "Review: done at least",
                "Only with this much of the work done is too little change a finding.",
                "of what was asked",
                0,
                1,
                "lower",
                ("R21",),
                kind="share",
            ),
            Threshold(
                "review_start_pain",
                "Review: pain at the start",
                "Only where the first weekly median was at least this.",
                "of 10",
                1,
                8,
                "lower",
                ("R21",),
            ),
            Threshold(
                "meaningful_points",
                "Meaningful change",
                "Better by fewer points than this is too little …",
                "points",
                1,
                5,
                "higher",
                ("R21",),
                "Meaningful change on the 0–10 scale (Ostelo 2008)",
                kind="points",
                ours=False,
            ),
            Threshold(
                "meaningful_share",
                "Meaningful share",
                "… or by a smaller share of the pain at the start; the larger of the two counts.",
                "of the start",
                0.1,
                0.6,
                "higher",
                ("R21",),
                "30 % of the start (Ostelo 2008)",
                kind="share",
                ours=False,
            ),
        ),
    ),
    Group(
        "switches",
        "Who moves the load",
        "Up is always somebody’s decision; these say what may happen without waiting for it.",
        (
            Threshold(
                "regress_applies_by_itself",
                "Easier at once",
                "A regress lowers the load at once and tells the physiotherapist. "
                "Otherwise it waits as a proposal.",
                "",
                0,
                1,
                "yes",
                ("R06", "R07", "R08", "R09", "R11", "R12"),
                kind="switch",
            ),
            Threshold(
                "auto_policy_offered",
                "Up by the policy",
                "A physiotherapist may let the policy raise a program’s dose or level by itself. "
                "Never a new phase, a new class, or after an injury.",
                "",
                0,
                1,
                "no",
                ("R26",),
                kind="switch",
            ),
        ),
    ),
)


def all_thresholds() -> Iterator[Threshold]:
    """Every threshold that a rule reads, in the order of the page."""
    for group in GROUPS:
        yield from group.thresholds


BY_NAME: dict[str, Threshold] = {threshold.name: threshold for threshold in all_thresholds()}
