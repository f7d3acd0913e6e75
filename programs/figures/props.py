"""Floor, wall, chair, ball, band and the other things around the person, and the arrows.

Pure. Each prop is a mapping with one key that names it (see ``DRAWERS``); points are places in
the room, names of joints, ``{trunk: [along, in front]}``, or ``{thing: name}`` for what moves.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from programs.figures.poses import Figure
from programs.figures.shapes import joined, number
from programs.figures.skeleton import Body, Point, step

if TYPE_CHECKING:
    from programs.figures.drawing import Canvas

Prop = Mapping[str, Any]


def point_of(body: Body, named: Any) -> Point:
    """Where a prop's point is in this frame."""
    if isinstance(named, str):
        side, _, part = named.partition("_")
        if part == "palm":
            return step(body.joints[f"{side}_wrist"], body.limbs[f"{side}_arm"][2], 7)
        if part == "sole":
            ankle, foot = body.joints[f"{side}_ankle"], body.limbs[f"{side}_leg"][2]
            return step(step(ankle, foot, 6), foot - 90, 8)
        if named == "hands":
            (a, b), (c, d) = (point_of(body, f"{each}_palm") for each in ("near", "far"))
            return ((a + c) / 2, (b + d) / 2)
        return body.joints[named]
    if isinstance(named, Mapping):
        if "trunk" in named:
            return body.spine(*named["trunk"])
        return body.pose.things[named["thing"]]
    return (float(named[0]), float(named[1]))


def spans(shown: Figure) -> Iterator[tuple[float, float]]:
    """From where to where each fixed prop reaches, sideways."""
    for prop in shown.props:
        if "wall" in prop:
            yield (prop["wall"] - 3, prop["wall"] + 3)
        elif "chair" in prop:
            yield (prop["chair"][0] - 24, prop["chair"][0] + 24)
        elif "box" in prop:
            yield (prop["box"][0], prop["box"][1])
        elif "post" in prop:
            yield (prop["post"] - 4, prop["post"] + 4)
        elif "counter" in prop:
            yield (min(prop["counter"][0], prop["counter"][1]), max(prop["counter"][:2]))
        elif "pad" in prop:
            x, _, wide, _ = prop["pad"]
            yield (x - wide / 2, x + wide / 2)
        elif "anchor" in prop:
            yield (prop["anchor"][0] - 4, prop["anchor"][0] + 4)
        elif "ball" in prop and isinstance(prop["at"], list):
            yield (prop["at"][0] - prop["ball"], prop["at"][0] + prop["ball"])
        elif "ball" in prop and "thing" in prop["at"]:
            for keyframe in shown.keyframes:
                x, _ = keyframe.pose.things[prop["at"]["thing"]]
                yield (x - prop["ball"], x + prop["ball"])


def drawn(canvas: "Canvas") -> tuple[str, str]:
    """What is drawn behind the person (the floor first), and what before."""
    behind, before = "", ""
    floor = canvas.place((0, 0))[1]
    if canvas.figure.floor:
        behind = f'<path class="f-floor" d="M6 {number(floor + 1)}H250"/>'
    for prop in canvas.figure.props:
        kind = next(key for key in prop if key in DRAWERS)
        said = DRAWERS[kind](canvas, prop)
        if prop.get("before"):
            before += said
        else:
            behind += said
    return behind, before


def _wall(canvas: "Canvas", prop: Prop) -> str:
    x, floor = canvas.place((prop["wall"], 0))
    return f'<path class="f-solid" d="M{number(x - 2)} {number(floor)}V6h4V{number(floor)}Z"/>'


def _post(canvas: "Canvas", prop: Prop) -> str:
    x, floor = canvas.place((prop["post"], 0))
    return f'<path class="f-solid" d="M{number(x - 3.5)} {number(floor)}V4h7V{number(floor)}Z"/>'


def _chair(canvas: "Canvas", prop: Prop) -> str:
    """[x of the seat's middle, height]; ``faces`` 1 to the right, −1 to the left."""
    faces = prop.get("faces", 1)
    x, y = canvas.place((prop["chair"][0], prop["chair"][1]))
    _, floor = canvas.place((0, 0))
    back, edge = x - 20 * faces, x + 20 * faces
    path = f"M{joined([back, y + 2])}L{joined([edge, y + 2])}M{joined([back + 2 * faces, y])}"
    path += f"V{number(floor - 1)}M{joined([edge - 2 * faces, y])}V{number(floor - 1)}"
    if prop.get("back", True):
        path += f"M{joined([back, y + 2])}L{joined([back - 5 * faces, y - 42])}"
    return f'<path class="f-prop" d="{path}"/>'


def _chair_front(canvas: "Canvas", prop: Prop) -> str:
    """A chair seen from the front: [x of its middle, height of the seat]."""
    x, y = canvas.place((prop["chair_front"][0], prop["chair_front"][1]))
    _, floor = canvas.place((0, 0))
    path = f"M{joined([x - 21, floor])}V{number(y)}H{number(x + 21)}V{number(floor)}"
    path += f"M{joined([x - 18, y])}V{number(y - 44)}H{number(x + 18)}V{number(y)}"
    return f'<path class="f-prop" d="{path}"/>'


def _box(canvas: "Canvas", prop: Prop) -> str:
    low, high, height = prop["box"][:3]
    x, y = canvas.place((low, height))
    return (
        f'<rect class="f-solid" x="{number(x)}" y="{number(y)}" width="{number(high - low)}"'
        f' height="{number(height)}" rx="3"/>'
    )


def _pad(canvas: "Canvas", prop: Prop) -> str:
    """A pillow, towel or roller: [x and y of its middle, width, height]."""
    x, y = canvas.place((prop["pad"][0], prop["pad"][1]))
    wide, high = prop["pad"][2:]
    css = prop.get("look", "f-soft")
    round_ = min(8, wide / 2.2, high / 2.2)
    return (
        f'<rect class="{css}" x="{number(x - wide / 2)}" y="{number(y - high / 2)}"'
        f' width="{number(wide)}" height="{number(high)}" rx="{number(round_)}"/>'
    )


def _counter(canvas: "Canvas", prop: Prop) -> str:
    """A worktop: [from, to, height]."""
    first, second, height = prop["counter"]
    (a, y), (b, floor) = canvas.place((first, height)), canvas.place((second, 0))
    leg = max(a, b) - 3 if prop.get("right", True) else min(a, b) + 3
    path = f"M{joined([a, y])}L{joined([b, y])}M{joined([leg, y])}V{number(floor)}"
    return f'<path class="f-prop" d="{path}"/>'


def _ball(canvas: "Canvas", prop: Prop) -> str:
    radius = prop["ball"]
    places = [canvas.place(point_of(body, prop["at"])) for body in canvas.bodies]
    ball = f'<circle class="f-ball" r="{number(radius)}"/>'
    return canvas.turned("translate", places, ball)


def _line(canvas: "Canvas", prop: Prop) -> str:
    """A band, strap or stick through named points."""
    css = prop.get("look", "f-band")
    rows, numbers = [], []
    for body in canvas.bodies:
        points = [canvas.place(point_of(body, named)) for named in prop["line"]]
        flat = [value for point in points for value in point]
        numbers.append(flat)
        rows.append("M" + "L".join(joined(point) for point in points))
    return canvas.path(css, rows, numbers)


def _anchor(canvas: "Canvas", prop: Prop) -> str:
    """What a band is fixed to: a post beside the person."""
    x = canvas.place((prop["anchor"][0], 0))[0]
    _, foot = canvas.place((0, prop.get("foot", 0)))
    top = max(4, canvas.place((0, prop.get("top", prop["anchor"][1] + 14)))[1])
    knob = canvas.place((0, prop["anchor"][1]))[1]
    return (
        f'<path class="f-post" d="M{joined([x, foot])}V{number(top)}"/>'
        f'<circle class="f-knob" cx="{number(x)}" cy="{number(knob)}" r="3.4"/>'
    )


def _weight(canvas: "Canvas", prop: Prop) -> str:
    """A dumbbell seen from its end, a kettlebell, or a disc, at a named point."""
    places = [canvas.place(point_of(body, prop["weight"])) for body in canvas.bodies]
    if prop.get("kind") == "kettlebell":
        shape = (
            '<path class="f-prop" d="M-5 7Q-6-2 0-2T5 7"/><circle class="f-iron" cy="12" r="8"/>'
        )
    else:
        shape = f'<circle class="f-iron" r="{number(prop.get("size", 7))}"/>'
        shape += '<circle class="f-hole" r="2"/>'
    return canvas.turned("translate", places, shape)


DRAWERS: dict[str, Callable[["Canvas", Prop], str]] = {
    "wall": _wall,
    "post": _post,
    "chair": _chair,
    "chair_front": _chair_front,
    "box": _box,
    "pad": _pad,
    "counter": _counter,
    "ball": _ball,
    "line": _line,
    "anchor": _anchor,
    "weight": _weight,
}


# --- arrows --------------------------------------------------------------------------------------


def arrows(canvas: "Canvas") -> str:
    """The direction of the movement, as a bowed arrow beside what moves.

    ``of`` a joint, ``from``/``to`` keyframes (0 and the figure's end unless told), ``shift`` away
    from the body; or ``points`` for an arrow that stands where it is said.
    """
    return "".join(_arrow(canvas, arrow) for arrow in canvas.figure.arrows)


def _arrow(canvas: "Canvas", arrow: Prop) -> str:
    if "points" in arrow:
        points = [canvas.place((float(x), float(y))) for x, y in arrow["points"]]
    else:
        points = [canvas.place(point) for point in _track(canvas.figure, arrow)]
    start, middle, end = points[0], points[len(points) // 2], points[-1]
    # The control point that lets the bow pass through the middle of the way.
    bow = (2 * middle[0] - (start[0] + end[0]) / 2, 2 * middle[1] - (start[1] + end[1]) / 2)
    heading = math.atan2(end[1] - bow[1], end[0] - bow[0])
    head = [
        (end[0] - 7 * math.cos(heading + side), end[1] - 7 * math.sin(heading + side))
        for side in (0.5, -0.5)
    ]
    path = (
        f"M{joined(start)}Q{joined([*bow, *end])}M{joined(head[0])}L{joined(end)}L{joined(head[1])}"
    )
    return f'<path class="f-arrow" d="{path}"/>'


def _track(shown: Figure, arrow: Prop) -> Sequence[Point]:
    """Where the joint passes between two keyframes, shortened at both ends and set off."""
    first, last = arrow.get("from", 0), arrow.get("to", shown.end)
    bodies = _bodies(shown, first, last)
    points = [point_of(body, arrow["of"]) for body in bodies]
    dx, dy = arrow.get("shift", [0, 0])
    return [(x + dx, y + dy) for x, y in points]


def _bodies(shown: Figure, first: int, last: int) -> list[Body]:
    start, end = shown.keyframes[first].body, shown.keyframes[last].body
    inside, found = False, [start]
    for moment in shown.moments:
        if moment.body is start:
            inside, found = True, [start]
        elif inside:
            found.append(moment.body)
            if moment.body is end:
                return found
    return [start, end]
