"""Two weeks of one patient in the space of a word: the path of a small line, and its sentence.

Pure: no Django, no clock. A field of 56 by 16 units, y downwards; one day is four units wide, the
newest is the last. A line joins days that follow each other and stops at a gap.
"""

from collections.abc import Sequence

WIDTH, HEIGHT = 56, 16
_STEP, _FLOOR, _SPAN = 4, 14, 12


def pain_path(values: Sequence[int | None]) -> str:
    """Pain 0–10, None where nothing is known, as the ``d`` of a path; empty without any value.
    A day that stands alone is a line of no length, which a round cap shows as a dot."""
    parts: list[str] = []
    first = WIDTH - _STEP * len(values) + _STEP // 2
    joined = False
    for place, value in enumerate(values):
        if value is None:
            joined = False
            continue
        x, y = first + _STEP * place, round(_FLOOR - value * _SPAN / 10, 1)
        follows = place + 1 < len(values) and values[place + 1] is not None
        if joined:
            parts.append(f"L{x} {y:g}")
        else:
            parts.append(f"M{x} {y:g}" if follows else f"M{x} {y:g}h0")
        joined = True
    return "".join(parts)


def done_path(values: Sequence[int | None]) -> str:
    """What became of each day's routine (0 nothing, 1 partly, 2 done, None not asked for) as
    uprights on a floor; nothing done is a dot."""
    first = WIDTH - _STEP * len(values) + _STEP // 2
    return "".join(
        f"M{first + _STEP * place} {_FLOOR}" + (f"v-{value * _SPAN // 2}" if value else "h0")
        for place, value in enumerate(values)
        if value is not None
    )


def pain_words(values: Sequence[int | None]) -> str:
    """The sentence for who does not see the line."""
    known = [value for value in values if value is not None]
    if not known:
        return "no pain answers in 14 days"
    if len(known) == 1:
        return f"one pain answer in 14 days: {known[0]}"
    low, high = min(known), max(known)
    between = f"always {low}" if low == high else f"between {low} and {high}"
    return f"pain from {known[0]} to {known[-1]} over 14 days, {between}, {len(known)} days known"


def done_words(values: Sequence[int | None]) -> str:
    """The sentence for who does not see the uprights."""
    asked = [value for value in values if value is not None]
    if not asked:
        return "no routine asked for in 14 days"
    done, partly = asked.count(2), asked.count(1)
    rest = f", {partly} partly" if partly else ""
    return f"routine done on {done} of {len(asked)} days{rest}"
