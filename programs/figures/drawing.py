"""Draws a figure as SVG: moving by SMIL, which needs no script, or still.

Pure. Colours are classes only (see ``programs/static/programs/figures.css``), so that light, dark
and the reader's own colours are the page's. Limbs are rigid shapes that turn in their joints; the
trunk is drawn anew where the spine bends.
"""

import functools
from collections.abc import Sequence
from html import escape

from programs.figures import props, shapes
from programs.figures.poses import Figure, figure
from programs.figures.shapes import joined, number
from programs.figures.skeleton import ARM_JOINTS, LEG_JOINTS, SHANK, Body, Point

WIDTH = 256.0
TALL, LOW = 196.0, 132.0
FLOOR_MARGIN = 12.0
# Degrees by which the drawn bend of the spine may be off between two of its frames.
BEND_SLACK = 0.9
ORDER_SIDE = ("far_arm", "far_leg", "trunk", "near_leg", "near_arm")
ORDER_FRONT = ("far_leg", "near_leg", "trunk", "far_arm", "near_arm")


class Canvas:
    """Turns a list of bodies (all frames, or the one of a still) into elements."""

    def __init__(self, shown: Figure, bodies: Sequence[Body], times: Sequence[float]) -> None:
        self.figure = shown
        self.bodies = bodies
        self.height = TALL if shown.tall else LOW
        self.shift = offset(shown)
        total = times[-1] or 1.0
        self.shares = [time / total for time in times]
        self.clock = f'dur="{number(total)}s" repeatCount="indefinite"'

    def place(self, point: Point) -> Point:
        """A point of the room as the picture has it."""
        return (point[0] + self.shift, self.height - FLOOR_MARGIN - point[1])

    # --- values over time -------------------------------------------------------------------

    def _kept(self, rows: Sequence[Sequence[float]], slack: float) -> list[int]:
        """The frames that are needed: those between which a straight line would be off."""
        kept = [0]
        last = len(rows) - 1
        while kept[-1] < last:
            start = kept[-1]
            end = start + 1
            while end < last and self._straight(rows, start, end + 1, slack):
                end += 1
            kept.append(end)
        return kept

    def _straight(
        self, rows: Sequence[Sequence[float]], start: int, end: int, slack: float
    ) -> bool:
        span = self.shares[end] - self.shares[start]
        for index in range(start + 1, end):
            share = (self.shares[index] - self.shares[start]) / span
            for a, b, here in zip(rows[start], rows[end], rows[index], strict=True):
                if abs(a + (b - a) * share - here) > slack:
                    return False
        return True

    def _timed(self, kept: Sequence[int]) -> str:
        times = ";".join(f"{self.shares[index]:.3f}".rstrip("0").rstrip(".") for index in kept)
        return f'{self.clock} keyTimes="{times.replace("0.", ".")}"'

    def turned(
        self, kind: str, rows: Sequence[Sequence[float]], inside: str, *, rest: str = ""
    ) -> str:
        """``inside`` in a group that is moved by ``kind`` (rotate, translate, scale)."""
        if kind == "rotate":
            rows = _unwound(rows)
        slack = {"rotate": 0.25, "translate": 0.15, "scale": 0.004}[kind]
        digits = 3 if kind == "scale" else 1
        said = [_plain(row, digits) for row in rows]
        moves = any(abs(a - b) > slack for row in rows for a, b in zip(row, rows[0], strict=True))
        if not moves:
            if said[0] in ("0", "0 0") or (kind == "scale" and said[0] == "1 1"):
                return inside
            return f'<g transform="{kind}({said[0]})">{inside}</g>'
        kept = self._kept(rows, slack)
        values = ";".join(said[index] for index in kept)
        return (
            f'<g transform="{kind}({said[0]})">'
            f'<animateTransform attributeName="transform" type="{kind}" {self._timed(kept)}'
            f' values="{values}"/>{inside}</g>'
        )

    def path(
        self, css: str, rows: Sequence[str], numbers: Sequence[Sequence[float]], slack: float = 0.35
    ) -> str:
        """A path, drawn anew in each frame where it changes."""
        if len(set(rows)) == 1:
            return f'<path class="{css}" d="{rows[0]}"/>'
        kept = self._kept(numbers, slack)
        values = ";".join(rows[index] for index in kept)
        return (
            f'<path class="{css}" d="{rows[0]}"><animate attributeName="d" {self._timed(kept)}'
            f' values="{values}"/></path>'
        )

    # --- the body ----------------------------------------------------------------------------

    def body(self) -> str:
        order = self.figure.order or (ORDER_FRONT if self.figure.front else ORDER_SIDE)
        drawn = {"trunk": self._trunk}
        return "".join(drawn[part]() if part in drawn else self._limb(part) for part in order)

    def _limb(self, limb: str) -> str:
        far = limb.startswith("far") and not self.figure.front
        side, kind = limb.split("_")
        joint = f"{side}_{'hip' if kind == 'leg' else 'shoulder'}"
        css = "f-far" if far else "f-near"
        tinted = side in self.figure.tinted
        inside = self._end(limb, css, tinted)
        for part in (1, 0):
            inside = self._part(limb, part, css, tinted, inside)
        return self.turned(
            "translate", [self.place(body.joints[joint]) for body in self.bodies], inside
        )

    def _part(self, limb: str, part: int, css: str, tinted: bool, beyond: str) -> str:
        shape = f'<path class="{css}" d="{shapes.limb_part(limb, part)}"/>'
        for muscle in self.figure.muscles if tinted else ():
            outline = shapes.limb_muscle(muscle, limb, part)
            if outline:
                shape += f'<path class="f-tint" d="{outline}"/>'
        lengths = [body.drawn(limb)[part] for body in self.bodies]
        full = {"leg": (42.0, SHANK), "arm": (31.0, 26.0)}[limb[-3:]][part]
        shape = self.turned("scale", [(max(0.12, length / full), 1.0) for length in lengths], shape)
        beyond = self.turned("translate", [(length, 0.0) for length in lengths], beyond)
        # The part beyond is drawn first, so that the joint nearer to the body lies on top.
        return self.turned("rotate", self._angles(limb, part), beyond + shape)

    def _angles(self, limb: str, part: int) -> list[tuple[float]]:
        return [
            (-(body.limbs[limb][part] - (body.limbs[limb][part - 1] if part else 0.0)),)
            for body in self.bodies
        ]

    def _end(self, limb: str, css: str, tinted: bool) -> str:
        if limb.endswith("arm"):
            outline = shapes.HAND
        else:
            outline = shapes.FOOT_FRONT if self.figure.front else shapes.FOOT_SIDE
        if limb.endswith("leg") and tinted and shapes.ON_FOOT & set(self.figure.muscles):
            css = "f-tint"
        shape = f'<path class="{css}" d="{outline}"/>'
        tilts = [
            body.drawn(limb)[2] / (16.0 if limb.endswith("arm") else 18.0) for body in self.bodies
        ]
        shape = self.turned("scale", [(max(0.3, share), 1.0) for share in tilts], shape)
        return self.turned("rotate", self._angles(limb, 2), shape)

    def _trunk(self) -> str:
        front = self.figure.front
        shown = [(body.pose.trunk, body.pose.breath, body.pose.turn[1]) for body in self.bodies]
        bends = [(t[1] - t[0], t[2] - t[0], breath * 20, turn / 4) for t, breath, turn in shown]
        inside = self.path(
            "f-body", [shapes.trunk_outline(t, front, b, r) for t, b, r in shown], bends, BEND_SLACK
        )
        for muscle in self.figure.muscles:
            rows = [shapes.trunk_muscle(muscle, t, front, b, r) for t, b, r in shown]
            for number_ in range(len(rows[0])):
                inside += self.path("f-tint", [row[number_] for row in rows], bends, BEND_SLACK)
        if self.figure.spine_line:
            inside += self.path(
                "f-spine", [shapes.spine_line(t) for t, _, _ in shown], bends, BEND_SLACK
            )
        pelvis = self.turned("rotate", [(-t[0],) for t, _, _ in shown], inside)
        trunk = self.turned(
            "translate", [self.place(body.joints["hip"]) for body in self.bodies], pelvis
        )
        return self._head() + trunk

    def _head(self) -> str:
        front = self.figure.front
        head = shapes.closed(shapes.HEAD_FRONT if front else shapes.HEAD_SIDE)
        skull = self.turned(
            "rotate",
            [(body.neck - body.head,) for body in self.bodies],
            f'<path class="f-body" d="{head}"/>',
        )
        neck = f'<path class="f-body" d="{shapes.capsule(12, 5.8, 5.6)}"/>'
        if shapes.ON_NECK & set(self.figure.muscles):
            neck += '<path class="f-tint" d="M0 .5Q6 2 11 1.5Q13 5 8 5Q3 5.4 0 5Z"/>'
        inside = f'<g transform="translate(6 0)">{skull}</g>'
        inside = (
            f'<g transform="translate(-4 0)">{neck}</g>{inside}'
            if not (shapes.ON_NECK & set(self.figure.muscles))
            else f'{inside}<g transform="translate(-4 0)">{neck}</g>'
        )
        turned = self.turned("rotate", [(-body.neck,) for body in self.bodies], inside)
        return self.turned(
            "translate", [self.place(body.joints["neck"]) for body in self.bodies], turned
        )


def _unwound(rows: Sequence[Sequence[float]]) -> list[tuple[float, ...]]:
    """Angles that never jump by a whole turn; the first within half a turn of zero."""
    found: list[tuple[float, ...]] = []
    for row in rows:
        angle = (row[0] + 180) % 360 - 180
        if found:
            before = found[-1][0]
            angle = before + (row[0] - before + 180) % 360 - 180
        found.append((angle,))
    return found


def _plain(row: Sequence[float], digits: int) -> str:
    if digits == 1:
        return joined(row)
    return " ".join(f"{value:.{digits}f}".rstrip("0").rstrip(".") for value in row)


@functools.cache
def offset(shown: Figure) -> float:
    """How far the room is moved so that person and props stand in the middle of the picture."""
    xs = [x for moment in shown.moments for x, _ in extent(moment.body)]
    for low, high in props.spans(shown):
        xs += [low, high]
    return WIDTH / 2 - (min(xs) + max(xs)) / 2


def extent(body: Body) -> list[Point]:
    """Points that the picture must hold."""
    names = [
        f"{side}_{joint}"
        for side in ("near", "far")
        for joint in (*LEG_JOINTS, *ARM_JOINTS, "heel")
    ]
    points = [body.joints[name] for name in names]
    points += [body.joints["crown"], body.spine(-8), body.spine(2, -12), body.spine(36, -11)]
    return [*points, body.spine(36, 11)]


def moving(slug: str, level: int, label: str = "", *, mirrored: bool = False) -> str:
    """The figure in motion, or "" where there is none. ``label`` is its text alternative."""
    shown = figure(slug, level)
    if shown is None:
        return ""
    bodies = [moment.body for moment in shown.moments]
    times = [moment.time for moment in shown.moments]
    return _svg(Canvas(shown, bodies, times), label, mirrored, "sb-figure__moving")


def still(
    slug: str, level: int, which: str = "end", label: str = "", *, mirrored: bool = False
) -> str:
    """One frame: ``which`` is "start" or "end" (where the movement has got to)."""
    shown = figure(slug, level)
    if shown is None:
        return ""
    number_ = 0 if which == "start" else min(shown.end, len(shown.keyframes) - 1)
    body = shown.keyframes[number_].body
    arrows = which == "end"
    return _svg(Canvas(shown, [body], [1.0]), label, mirrored, "sb-figure__still", arrows=arrows)


def _view_box(canvas: Canvas) -> str:
    """The whole picture, or the part of it around a point where little moves."""
    scale, x, y = canvas.figure.zoom
    if scale == 1:
        return joined([0, 0, WIDTH, canvas.height])
    wide, high = WIDTH / scale, canvas.height / scale
    left, top = canvas.place((x, y))
    return joined([left - wide / 2, top - high / 2, wide, high])


def _svg(canvas: Canvas, label: str, mirrored: bool, css: str, *, arrows: bool = True) -> str:
    behind, before = props.drawn(canvas)
    inside = behind + canvas.body() + before
    if arrows:
        inside += props.arrows(canvas)
    if mirrored:
        inside = f'<g transform="matrix(-1 0 0 1 {number(WIDTH)} 0)">{inside}</g>'
    named = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return (
        f'<svg class="{css}" viewBox="{_view_box(canvas)}" {named} focusable="false">{inside}</svg>'
    )
