"""Why a patient stands where they stand on the board, in order, and which steps may be taken
together. Pure: no Django, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass

SILENT_DAYS = 3
LONG_SILENT_DAYS = 7


@dataclass(frozen=True)
class Need:
    """Lower ``rank`` comes first; ``snoozable`` when a physiotherapist may put it off."""

    key: str
    rank: int
    word: str
    meaning: str
    snoozable: bool = True


NEEDS = [
    Need("stopped", 0, "Stopped", "A red flag or a rule has paused the program.", False),
    Need("overdue", 1, "Overdue", "An alert is past its due time.", False),
    Need("regressed", 2, "Regressed", "A rule lowered the load; nobody has seen it yet."),
    Need("waiting", 3, "Waiting for approval", "A step is proposed. Post-injury first."),
    Need("long_silent", 4, "Silent for a week", f"No answer for {LONG_SILENT_DAYS} days or more."),
    Need("silent", 5, "Silent", f"No answer for {SILENT_DAYS} days or more."),
    Need("stalled", 6, "Stalled", "Held by a rule that asks for your look."),
    Need("new", 7, "No program", "Registered, nothing assigned yet."),
    Need("ready", 8, "Ready", "At the top of the ladder."),
    Need("snoozed", 9, "Snoozed", "Put off until a day, with a reason.", False),
    Need("fine", 10, "Fine", "Nothing asks for you.", False),
    Need("ended", 11, "Ended", "The program has ended.", False),
]
NEED = {need.key: need for need in NEEDS}
ORDER = (
    "Stopped, then overdue alerts, regressed, waiting for approval, silent for a week, silent, "
    "stalled, no program, ready, snoozed, fine. Within a group the most urgent first, then the one "
    "that has waited longest. One row for each patient, for the strongest of what is known. A "
    "snooze ends on its day, or by itself when something stronger comes; it never hides a stop or "
    "an overdue alert."
)


def is_snoozed(*, need: Need, since: Need) -> bool:
    """Whether a snooze that began at the need ``since`` still holds at ``need``: nothing stronger
    has come, and nothing that may not be put off."""
    return need.snoozable and need.rank >= since.rank


def why_one_by_one(
    *, step: Mapping[str, object] | None, pathway: str, flags: int, alerts: int, active: bool
) -> str:
    """Why a proposed step must be looked at by itself, in words; empty when it may be accepted
    together with others. ``step`` is a stored step, ``flags`` and ``alerts`` are open ones."""
    if not active or flags:
        return "The program is paused. Look into the red flag first."
    if pathway == "post_injury":
        return "After an injury every step is decided on the patient’s own page."
    if step is None:
        return "There is no step to take."
    if step.get("phase_change") or step.get("phase") is not None:
        return "A new phase is decided on the patient’s own page."
    if step.get("opens_class"):
        return "A new movement class is decided on the patient’s own page."
    if alerts:
        return "An alert is open. Look at it first."
    return ""
