"""The geometry of charts: where lines, dots, bars and labels stand. Knows no page and no language.

Pure: no Django, no clock. Every length is in the units of the chart's own field (``width`` by
``height``), y downwards, as SVG has it. Nothing is drawn where nothing is known: a line joins
days that follow each other and stops at a gap.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

# Room for the labels: the scale's figures before, the newest value after, the days below.
BEFORE, AFTER, ABOVE, BELOW = 26.0, 34.0, 14.0, 26.0
# Two marks of program versions closer than this would run into each other.
APART = 12.0
# How far the words of a band run, and how much room they want above and below.
WORD, CLEAR = 190.0, 11.0


@dataclass(frozen=True)
class Dot:
    x: float
    y: float
    day: dt.date
    value: float


@dataclass(frozen=True)
class Mark:
    """A thin vertical at ``x``, such as a new program version; ``day`` is when it began."""

    x: float
    day: dt.date
    label: str


@dataclass(frozen=True)
class Tick:
    """A figure of the scale at ``y``, or a day of the axis at ``x``. ``anchor`` is start, middle or
    end: days at the two ends stay inside of the field."""

    x: float
    y: float
    value: float = 0.0
    day: dt.date | None = None
    anchor: str = "middle"


@dataclass(frozen=True)
class Band:
    """Values too close to the first one for a clear change: from ``y`` down ``height``. Its words
    stand on ``word_y``, where the fewest dots are."""

    y: float
    height: float
    low: float
    high: float
    word_y: float


@dataclass(frozen=True)
class LineChart:
    """``lines`` are SVG point lists, one for each run of days without a gap."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    lines: tuple[str, ...]
    dots: tuple[Dot, ...]
    marks: tuple[Mark, ...]
    scale: tuple[Tick, ...]
    days: tuple[Tick, ...]
    band: Band | None

    @property
    def newest(self) -> Dot | None:
        return self.dots[-1] if self.dots else None

    @property
    def plot_width(self) -> float:
        return self.right - self.left


def line_chart(
    values: Mapping[dt.date, float],
    *,
    first: dt.date,
    last: dt.date,
    low: float,
    high: float,
    band: tuple[float, float] | None = None,
    versions: Sequence[tuple[dt.date, str]] = (),
    joins: int = 1,
    ticks: Sequence[float] = (),
    width: float = 360.0,
    height: float = 180.0,
) -> LineChart:
    """Place one value per day between ``first`` and ``last``, both included.

    ``low`` and ``high`` are the ends of the scale; ``band`` is the pair of values to shade;
    ``versions`` are days with a label; ``joins`` is the largest distance in days that a line
    bridges; ``ticks`` are the figures of the scale (its two ends when left out). Values outside of
    the days are left out. Raises ValueError for a scale or a span that is empty.
    """
    if not low < high:
        raise ValueError("The scale has no length.")
    if last < first:
        raise ValueError("The last day is before the first.")
    left, right, top, bottom = BEFORE, width - AFTER, ABOVE, height - BELOW
    span = max(1, (last - first).days)

    def x_of(day: dt.date) -> float:
        return _r(left + (right - left) * (day - first).days / span)

    def y_of(value: float) -> float:
        inside = min(max(value, low), high)
        return _r(bottom - (bottom - top) * (inside - low) / (high - low))

    dots = tuple(
        Dot(x_of(day), y_of(value), day, value)
        for day, value in sorted(values.items())
        if first <= day <= last
    )
    shaded = None
    if band is not None:
        upper, lower = y_of(max(band)), y_of(min(band))
        word_y = _free_line(dots, upper, lower, top=top, bottom=bottom, until=left + WORD)
        shaded = Band(upper, _r(lower - upper), min(band), max(band), word_y)
    return LineChart(
        width=width,
        height=height,
        left=left,
        right=right,
        top=top,
        bottom=bottom,
        lines=tuple(_lines(dots, joins)),
        dots=dots,
        marks=_marks(versions, first, last, x_of),
        scale=tuple(Tick(left, y_of(v), value=v) for v in (ticks or (low, high))),
        days=_days(first, last, x_of, bottom),
        band=shaded,
    )


def _free_line(
    dots: Sequence[Dot],
    upper: float,
    lower: float,
    *,
    top: float,
    bottom: float,
    until: float,
) -> float:
    """The baseline for words at the band's beginning that keeps farthest from the dots there:
    inside of the band where that is far enough, else just outside."""
    near = [dot.y for dot in dots if dot.x <= until]

    def free(baseline: float) -> float:
        # Letters stand above their baseline.
        return min((abs(baseline - 4 - y) for y in near), default=bottom)

    inside = [y for y in (upper + 14, lower - 6) if upper + 12 <= y <= lower]
    outside = [y for y in (upper - 5, lower + 14) if top + 10 <= y <= bottom]
    chosen = max(inside, key=free, default=None)
    if chosen is None or free(chosen) < CLEAR:
        chosen = max([*inside, *outside], key=free, default=upper + 14)
    return _r(chosen)


def _lines(dots: Sequence[Dot], joins: int) -> Iterable[str]:
    for run in runs(dots, joins):
        if len(run) > 1:
            yield " ".join(f"{dot.x:g},{dot.y:g}" for dot in run)


def runs(dots: Sequence[Dot], joins: int) -> list[list[Dot]]:
    """The dots in stretches whose neighbours are at most ``joins`` days apart."""
    found: list[list[Dot]] = []
    for dot in dots:
        if found and (dot.day - found[-1][-1].day).days <= joins:
            found[-1].append(dot)
        else:
            found.append([dot])
    return found


def _marks(
    versions: Sequence[tuple[dt.date, str]],
    first: dt.date,
    last: dt.date,
    x_of: Callable[[dt.date], float],
) -> tuple[Mark, ...]:
    """The newest of those that would run into each other stands for them."""
    kept: list[Mark] = []
    for day, label in sorted(versions):
        # The first day of the chart is no change.
        if not first < day <= last:
            continue
        mark = Mark(x_of(day), day, label)
        if kept and mark.x - kept[-1].x < APART:
            kept.pop()
        kept.append(mark)
    return tuple(kept)


def _days(
    first: dt.date, last: dt.date, x_of: Callable[[dt.date], float], bottom: float
) -> tuple[Tick, ...]:
    """The first and the last day, and the one in the middle when there is room for it."""
    span = (last - first).days
    chosen = [(first, "start")]
    if span >= 14:
        chosen.append((first + dt.timedelta(days=span // 2), "middle"))
    if span:
        chosen.append((last, "end"))
    return tuple(Tick(x_of(day), bottom, day=day, anchor=anchor) for day, anchor in chosen)


# --- bars --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """A piece of a bar: ``kind`` names what it stands for."""

    kind: str
    y: float
    height: float


@dataclass(frozen=True)
class Bar:
    """One week. ``label_y`` is where its figure stands, above the highest piece."""

    x: float
    width: float
    day: dt.date
    parts: tuple[Part, ...]
    label: str
    label_y: float
    plan_y: float | None = None

    @property
    def middle(self) -> float:
        return _r(self.x + self.width / 2)

    @property
    def end(self) -> float:
        return _r(self.x + self.width)


@dataclass(frozen=True)
class BarChart:
    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    bars: tuple[Bar, ...]
    days: tuple[Tick, ...]
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Week:
    """What one bar shows: amounts by kind, from the bottom up, what was planned, if known, and the
    figure above it (the total when left out)."""

    day: dt.date
    amounts: Mapping[str, float]
    planned: float | None = None
    label: str = ""


def bar_chart(
    weeks: Sequence[Week],
    *,
    high: float,
    width: float = 360.0,
    height: float = 150.0,
    least: int = 6,
) -> BarChart:
    """Place one bar per week; ``high`` is the largest total there can be.

    With fewer than ``least`` weeks the bars keep the width they would have with so many, so that
    one week is not a wall. Raises ValueError without a scale.
    """
    if not high > 0:
        raise ValueError("The scale has no length.")
    left, right, top, bottom = 2.0, width - 2.0, 22.0, height - BELOW
    step = (right - left) / max(len(weeks), least)
    bars = []
    for place, week in enumerate(weeks):
        parts, base = [], bottom
        for kind, amount in week.amounts.items():
            tall = _r((bottom - top) * min(max(amount, 0.0), high) / high)
            if tall:
                base = max(top, base - tall)
                parts.append(Part(kind, _r(base), tall))
        plan = None
        if week.planned is not None:
            plan = _r(bottom - (bottom - top) * min(max(week.planned, 0.0), high) / high)
        bars.append(
            Bar(
                x=_r(left + place * step + step * 0.14),
                width=_r(step * 0.72),
                day=week.day,
                parts=tuple(parts),
                label=week.label or f"{sum(week.amounts.values()):g}",
                label_y=_label_y(base, plan),
                plan_y=plan,
            )
        )
    return BarChart(width, height, left, right, top, bottom, tuple(bars), _bar_days(bars, bottom))


def with_versions(chart: BarChart, versions: Sequence[tuple[dt.date, str]]) -> BarChart:
    """The same bars with a thin vertical where each of ``versions`` (day and label) began."""
    if not chart.bars:
        return chart
    first, last = chart.bars[0], chart.bars[-1]
    step = chart.bars[1].x - first.x if len(chart.bars) > 1 else first.width / 0.72

    def x_of(day: dt.date) -> float:
        return _r(first.x - step * 0.14 + step * (day - first.day).days / 7)

    marks = _marks(versions, first.day, last.day + dt.timedelta(days=6), x_of)
    return replace(chart, marks=marks)


def _label_y(base: float, plan: float | None) -> float:
    """Just above the bar, or above the line of the plan where the two would run into each other."""
    struck = plan is not None and base - 20 < plan <= base + 1
    return _r((plan if struck and plan is not None else base) - 5)


def _bar_days(bars: Sequence[Bar], bottom: float) -> tuple[Tick, ...]:
    """Days under the first and the last bar, and the one in the middle of many."""
    if not bars:
        return ()
    chosen = {0, len(bars) - 1}
    if len(bars) >= 5:
        chosen.add((len(bars) - 1) // 2)
    if len(bars) == 2:
        chosen = {0}
    found = []
    for place in sorted(chosen):
        at_end = place == len(bars) - 1 and len(bars) > 4
        anchor = "start" if place == 0 else "end" if at_end else "middle"
        bar = bars[place]
        x = {"start": bar.x, "middle": bar.middle, "end": bar.end}[anchor]
        found.append(Tick(x, bottom, day=bar.day, anchor=anchor))
    return tuple(found)


# --- then and now ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Move:
    """One thing then and now on a scale: two places on a line, and the pieces between them."""

    then: float | None
    now: float
    then_x: float | None
    now_x: float
    left: float
    right: float

    @property
    def moved(self) -> bool:
        return self.then_x is not None and abs(self.now_x - self.then_x) > 1e-9


def move(then: float | None, now: float, *, low: float, high: float, width: float = 360.0) -> Move:
    """Place ``then`` and ``now`` on a line across ``width``. Raises ValueError without a scale."""
    if not low < high:
        raise ValueError("The scale has no length.")
    left, right = 12.0, width - 12.0

    def x_of(value: float) -> float:
        return _r(left + (right - left) * (min(max(value, low), high) - low) / (high - low))

    then_x = None if then is None else x_of(then)
    return Move(then, now, then_x, x_of(now), left, right)


def _r(value: float) -> float:
    """A tenth of a unit is finer than any screen."""
    return round(value, 1)
