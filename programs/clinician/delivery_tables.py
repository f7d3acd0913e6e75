"""Counts of messages arranged for the delivery report: cells of its tables, bars of its picture."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from clinic.messaging.fates import FATE, FATES, Fate
from patients.delivery import Count

REASONS_SHOWN = 40
# From the floor of a bar up.
GROUPS = (
    ("out", "Went out"),
    ("waiting", "Waiting"),
    ("held", "Held back"),
    ("trouble", "Not arrived or unknown"),
)
_BAR, _HEIGHT = 8, 100
_STEP, _WIDE_STEP, _FEW = 10, 24, 10
# Trouble among thousands is still seen.
_THINNEST = 2.0


class Asked(Protocol):
    def query(self, **changes: object) -> str: ...


@dataclass(frozen=True)
class Cell:
    """A number and the address (query) of the list behind it; ``fate`` None is the sum."""

    fate: Fate | None
    number: int
    query: str


@dataclass(frozen=True)
class Bar:
    """A piece of one day's bar, in the picture's own units."""

    x: int
    y: float
    width: int
    height: float
    group: str


@dataclass(frozen=True)
class Chart:
    """Bars of all days; ``sums`` names each group with its number; ``words`` say what it shows."""

    width: int
    height: int
    bars: list[Bar]
    sums: list[tuple[str, str, int]]
    first: dt.date
    last: dt.date
    most: int
    words: str


def grouped(counts: Iterable[Count], key: Callable[[Count], Any]) -> dict[Any, list[Count]]:
    found: dict[Any, list[Count]] = defaultdict(list)
    for count in counts:
        found[key(count)].append(count)
    return found


def cells(counts: Iterable[Count], asked: Asked, **where: object) -> list[Cell]:
    """One cell for each fate, in their order, then the sum."""
    numbers: Counter[str] = Counter()
    for count in counts:
        numbers[count.fate.key] += count.number
    return [
        *(Cell(fate, numbers[fate.key], asked.query(fate=fate.key, **where)) for fate in FATES),
        Cell(None, numbers.total(), asked.query(**where)),
    ]


def reasons(counts: Iterable[Count], asked: Asked) -> tuple[list[tuple[str, Cell]], int]:
    """Reasons with their fate, the most frequent first, and how many further reasons there are."""
    numbers: Counter[tuple[str, str]] = Counter()
    for count in counts:
        if count.reason:
            numbers[count.fate.key, count.reason] += count.number
    rows = [
        (reason, Cell(FATE[key], number, asked.query(fate=key, reason=reason)))
        for (key, reason), number in numbers.most_common(REASONS_SHOWN)
    ]
    return rows, len(numbers) - len(rows)


def chart(by_day: Mapping[dt.date, list[Count]], days: Sequence[dt.date]) -> Chart:
    """The days as bars from left to right, each with its groups one on the other."""
    sums: Counter[str] = Counter()
    per_day = []
    for day in days:
        numbers: Counter[str] = Counter()
        for count in by_day.get(day, []):
            numbers[count.fate.group] += count.number
        sums.update(numbers)
        per_day.append(numbers)
    most = max((numbers.total() for numbers in per_day), default=0)
    step = _WIDE_STEP if len(days) <= _FEW else _STEP
    bars = []
    for place, numbers in enumerate(per_day):
        y = float(_HEIGHT)
        for group, _ in GROUPS:
            if numbers[group]:
                height = max(_THINNEST, numbers[group] / most * (_HEIGHT - len(GROUPS)))
                y -= height
                x = place * step + (step - _BAR) // 2
                bars.append(Bar(x, round(y, 2), _BAR, round(height, 2), group))
    busiest = days[max(range(len(days)), key=lambda place: per_day[place].total())]
    return Chart(
        width=len(days) * step,
        height=_HEIGHT,
        bars=bars,
        sums=[(group, word, sums[group]) for group, word in GROUPS if sums[group]],
        first=days[0],
        last=days[-1],
        most=most,
        words=f"Messages a day, most on {busiest:%A %-d %B}: {most:,}." if most else "",
    )


def sentence(counts: Iterable[Count]) -> str:
    """What the numbers come to: of those meant to go out, how many did."""
    numbers: Counter[str] = Counter()
    for count in counts:
        numbers[count.fate.group] += count.number
    out, meant = numbers["out"], numbers["out"] + numbers["trouble"]
    if not meant:
        return ""
    # Rounded down: what did not arrive is never rounded away.
    share = f" ({out * 1000 // meant / 10} %)" if out < meant else ""
    return f"Of {meant:,} messages meant to have gone out, {out:,} did{share}."
