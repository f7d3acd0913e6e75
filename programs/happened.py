"""What became of each exercise of a routine, as the patient says it and as a session keeps it.

Pure: no Django, no clock.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

DONE, EASIER, SHORT = "done", "easier", "short"
# What hurt, and how much. A pull down the leg, or numbness, calls for the safety questions.
HURT: Mapping[str, str] = MappingProxyType(
    {"hurt_little": "little", "hurt_lot": "lot", "pull": "pull"}
)
PAIN, PULL = "pain", "pull"
REASONS = ("time", "tired", "unwell", "unsure", "other")
# SHORT is what the five-minute version leaves out.
ALL = (DONE, EASIER, *HURT, *REASONS, SHORT)
DID = frozenset({DONE, EASIER})

# Tried, and stopped for good: how it felt is asked after it as after any exercise.
STOPPED_BY = frozenset({"hurt_lot", PULL})

Item = dict[str, object]


def items_after(
    asked_for: Sequence[Item], how: Mapping[str, str], easier: Mapping[str, Item]
) -> list[Item]:
    """The items of a session: what was asked for, with what became of it.

    ``done`` says whether it was done at all. ``did`` is the easier form that was done in its
    place (level, sets, reps, hold_s), ``left_out`` why it was not done, ``felt`` how it hurt.
    Raises ValueError for an easier form where there is none.
    """
    return [_after(item, how.get(str(item["exercise"]), ""), easier) for item in asked_for]


def _after(item: Item, said: str, easier: Mapping[str, Item]) -> Item:
    kept: Item = {**item, "done": said in DID}
    if said == EASIER:
        if str(item["exercise"]) not in easier:
            raise ValueError(f"nothing is easier than {item['exercise']} as it is")
        kept["did"] = easier[str(item["exercise"])]
    elif said in HURT:
        kept["left_out"], kept["felt"] = PAIN, HURT[said]
    elif said and said not in DID:
        kept["left_out"] = said
    return kept


def why_nothing(how: Mapping[str, str]) -> str:
    """Why nothing of a routine was done: pain before all, else the reason named most often.

    "" where something was done or tried until it stopped, or where not everything is said.
    """
    said = list(how.values())
    if not all(said) or began(how):
        return ""
    if HURT.keys() & set(said):
        return PAIN
    reasons = [one for one in said if one in REASONS]
    return max(reasons, key=reasons.count, default="")


def began(how: Mapping[str, str]) -> bool:
    """Whether anything was done, or tried until a strong pain or a pull stopped it."""
    return not (DID | STOPPED_BY).isdisjoint(how.values())


def all_as_asked(items: Sequence[Mapping[str, object]]) -> bool:
    """Whether nothing was done in an easier form."""
    return not any(item.get("did") for item in items)


def hurt_most(items: Sequence[Mapping[str, object]]) -> str:
    """The exercise that was left out because it hurt, the worst one first; "" when none was."""
    order = list(HURT.values())
    hurt = [item for item in items if item.get("felt") in order]
    hurt.sort(key=lambda item: -order.index(str(item["felt"])))
    return str(hurt[0]["exercise"]) if hurt else ""


def felt_a_pull(items: Sequence[Mapping[str, object]]) -> bool:
    return any(item.get("felt") == PULL for item in items)


def is_short(items: Sequence[Mapping[str, object]]) -> bool:
    """Whether it was the five-minute version."""
    return any(item.get("left_out") == SHORT for item in items)
