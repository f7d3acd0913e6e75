"""The outlines of the body: trunk, head, limbs and the muscles painted on them.

Pure. Shapes of a limb lie along +x from its joint; those of the trunk lie along +x from the hips
to the neck with the front at +y, as SVG draws it (y down). A trunk that bends is drawn anew in
each frame, everything else only turns.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from programs.figures.skeleton import Point, breath_depth, spine_point

Trunk = tuple[float, float, float]

# How far the body reaches behind and in front of the spine's line, from the seat to the neck.
SIDE: Sequence[tuple[float, float, float]] = (
    (-8.5, 6.0, 2.5),
    (-4.0, 12.0, 7.0),
    (3.0, 12.5, 9.2),
    (9.5, 9.8, 9.8),
    (16.0, 7.4, 9.6),
    (23.0, 7.4, 9.6),
    (31.0, 9.6, 10.8),
    (39.0, 10.8, 11.2),
    (46.0, 10.0, 9.0),
    (51.0, 7.0, 5.8),
    (56.0, 4.6, 4.4),
)
FRONT: Sequence[tuple[float, float, float]] = (
    (-9.5, 7.0, 7.0),
    (-5.0, 15.5, 15.5),
    (2.5, 16.8, 16.8),
    (9.5, 14.8, 14.8),
    (16.5, 12.6, 12.6),
    (23.0, 13.0, 13.0),
    (31.0, 15.4, 15.4),
    (39.0, 17.6, 17.6),
    (46.0, 20.5, 20.5),
    (51.0, 18.5, 18.5),
    (53.0, 8.5, 8.5),
    (57.0, 4.8, 4.8),
)

# Muscles of the trunk in the side view: (from, to) up the spine in cm, then how deep, −1 the back
# and 1 the front.
TRUNK_SIDE = {
    "rectus_abdominis": (-1, 31, 0.55, 0.95),
    "transversus_abdominis": (5, 24, 0.1, 0.92),
    "obliques": (7, 28, -0.3, 0.55),
    "quadratus_lumborum": (5, 22, -0.6, -0.15),
    "erector_spinae": (1, 46, -0.95, -0.45),
    "multifidus": (-1, 23, -0.95, -0.4),
    "trapezius": (33, 52, -0.95, -0.35),
    "spine": (1, 48, -0.95, -0.5),
    "gluteus_maximus": (-7, 8, -0.95, -0.1),
    "gluteus_medius": (2, 11, -0.6, 0.15),
    "hip_flexors": (-4, 13, 0.25, 0.9),
    "pectorals": (33, 47, 0.3, 0.95),
    "diaphragm": (24, 30, -0.5, 0.92),
    "pelvic_floor": (-7.5, -3, -0.5, 0.7),
}
# In the front view a muscle lies in the middle or on both sides.
TRUNK_FRONT = {
    "rectus_abdominis": (-2, 30, -0.3, 0.3),
    "transversus_abdominis": (5, 23, -0.9, 0.9),
    "obliques": (6, 28, 0.42, 0.95),
    "quadratus_lumborum": (6, 21, 0.5, 0.95),
    "gluteus_medius": (0, 10, 0.55, 0.95),
    "gluteus_maximus": (-6, 2, 0.5, 0.95),
    "hip_flexors": (-5, 8, 0.3, 0.8),
    "pectorals": (34, 46, 0.1, 0.85),
    "diaphragm": (24, 29, -0.85, 0.85),
    "pelvic_floor": (-8, -4, -0.4, 0.4),
    "trapezius": (44, 51, 0.2, 0.7),
}
# On a limb: which part, (from, to) along it in cm, (from, to) across it; −y is the front of a leg.
ON_LIMBS = {
    "hamstrings": ("leg", 0, (5, 38), (0.6, 5.6)),
    "quadriceps": ("leg", 0, (5, 38), (-5.8, -0.6)),
    "gluteus_maximus": ("leg", 0, (-5, 12), (0.8, 7.8)),
    "hip_flexors": ("leg", 0, (-2, 12), (-6.8, -1.2)),
    "calf": ("leg", 1, (4, 26), (0.4, 5)),
    "shoulders": ("arm", 0, (-4, 10), (-4.2, 4.2)),
}
ON_FOOT = {"foot"}
ON_NECK = {"deep_neck_flexors"}

HEAD_SIDE: Sequence[Point] = (
    (-0.5, -4.5),
    (6.5, -10.5),
    (15.0, -12.0),
    (22.5, -8.0),
    (25.0, 0.0),
    (21.5, 8.0),
    (13.5, 10.4),
    (6.0, 10.2),
    (-2.2, 9.4),
    (-2.4, 3.0),
)
HEAD_FRONT: Sequence[Point] = (
    (-3.0, -3.5),
    (2.0, -7.8),
    (12.0, -10.4),
    (22.0, -8.0),
    (25.5, 0.0),
    (22.0, 8.0),
    (12.0, 10.4),
    (2.0, 7.8),
    (-3.0, 3.5),
)
FOOT_SIDE = "M-5.6 4.5Q-6.5-3 0-4Q3.6-4.4 6-1Q11 2.6 16.6 3.4Q19 4.2 18.6 7L-4 7Q-5.4 6.8-5.6 4.5Z"
FOOT_FRONT = "M-3.6-3.6Q.5-4.2 3-5.6Q7-6.9 7-4.2L7 4.2Q7 6.9 3 5.6Q.5 4.2-3.6 3.6Z"
HAND = "M-3.3-3Q3-4.4 8-3.6Q15-3 15.5-.4Q15.6 2.6 9 2.7L5.4 3.2Q1 3.7-3 3Z"


def number(value: float) -> str:
    """A coordinate as short as SVG allows: one decimal, no needless zero."""
    text = f"{value:.1f}"
    if text.endswith(".0"):
        text = text[:-2]
    if text == "-0":
        return "0"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def joined(values: Sequence[float]) -> str:
    """Numbers with as few separators as SVG needs."""
    text = ""
    for value in values:
        said = number(value)
        text += said if not text or said.startswith("-") else " " + said
    return text


def closed(points: Sequence[Point]) -> str:
    """A smooth closed outline that follows ``points``."""
    middles = [
        ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
        for a, b in zip(points, [*points[1:], points[0]], strict=True)
    ]
    # T takes its control point from the one before: half the numbers, the same line.
    start = "M" + joined(middles[-1]) + "Q" + joined([*points[0], *middles[0]])
    return start + "T" + joined([value for middle in middles[1:] for value in middle]) + "Z"


def capsule(length: float, start: float, end: float, belly: float = 0.0) -> str:
    """A limb part: round at both joints, thinner towards its end, ``belly`` fuller behind."""
    third = length * 0.36
    return (
        f"M0{joined([-start])}"
        f"Q{joined([third, -start - belly * 0.35, length, -end])}"
        f"A{joined([end, end])} 0 0 1 {joined([length, end])}"
        f"Q{joined([third, start + belly, 0, start])}"
        f"A{joined([start, start])} 0 0 1 0{joined([-start])}Z"
    )


def limb_part(limb: str, part: int) -> str:
    """Outline of thigh or shank, upper arm or forearm."""
    if limb.endswith("leg"):
        return capsule(42, 8.6, 5.8, 1.2) if part == 0 else capsule(41, 5.8, 3.7, 3.4)
    return capsule(31, 5.6, 4.3, 0.6) if part == 0 else capsule(26, 4.3, 3.1, 0.9)


def stations(front: bool, breath: float, turn: float) -> list[tuple[float, float, float]]:
    """How wide the trunk is, from seat to neck, with the breath and a turned chest in it."""
    shown = []
    for along, behind, before in FRONT if front else SIDE:
        if front:
            wide = breath_depth(along, breath, front=True)
            narrow = 1.0
            if turn and along > 24:
                share = min(1.0, (along - 24) / 20)
                narrow = 1 - (1 - max(0.55, math.cos(math.radians(turn)))) * share
            shown.append((along, (behind + wide) * narrow, (before + wide) * narrow))
        else:
            wide = breath_depth(along, breath, front=False)
            shown.append((along, behind, before + wide))
    return shown


def local(trunk: Trunk, along: float, forward: float) -> Point:
    """A point of the trunk as SVG draws it with the pelvis along +x."""
    bent = (0.0, trunk[1] - trunk[0], trunk[2] - trunk[0])
    x, y = spine_point(bent, along, forward)
    return (x, -y)


def trunk_outline(trunk: Trunk, front: bool, breath: float, turn: float) -> str:
    widths = stations(front, breath, turn)
    before = [local(trunk, along, ahead) for along, _, ahead in widths]
    behind = [local(trunk, along, -back) for along, back, _ in widths]
    return closed([*before, *reversed(behind)])


def spine_line(trunk: Trunk) -> str:
    """The line of the spine near the back, from the tailbone to the neck."""
    points = [local(trunk, along, -depth) for along, depth in SPINE_LINE]
    path = "M" + joined(points[0])
    for here, following in pairwise(points[1:]):
        middle = ((here[0] + following[0]) / 2, (here[1] + following[1]) / 2)
        path += "Q" + joined([*here, *middle])
    return path + "L" + joined(points[-1])


SPINE_LINE = ((-4, 7.0), (4, 6.5), (13, 3.0), (22, 3.0), (34, 5.8), (44, 5.5), (53, 1.0))


def trunk_muscle(muscle: str, trunk: Trunk, front: bool, breath: float, turn: float) -> list[str]:
    """The muscle on the trunk, one or two outlines; none where this view does not show it."""
    table = TRUNK_FRONT if front else TRUNK_SIDE
    if muscle not in table:
        return []
    low, high, first, second = table[muscle]
    widths = stations(front, breath, turn)
    outlines = [(first, second)]
    if front and first > 0:
        outlines.append((-second, -first))
    return [closed(_strip(trunk, widths, low, high, *sides)) for sides in outlines]


def _strip(
    trunk: Trunk,
    widths: Sequence[tuple[float, float, float]],
    low: float,
    high: float,
    first: float,
    second: float,
) -> list[Point]:
    pieces = max(1, round((high - low) / 12))
    steps = [low + (high - low) * index / pieces for index in range(pieces + 1)]

    def at(along: float, share: float) -> Point:
        behind, before = _width(widths, along)
        return local(trunk, along, share * (before if share > 0 else behind))

    middle = (first + second) / 2
    outer = [at(along, second) for along in steps]
    inner = [at(along, first) for along in reversed(steps)]
    # Pointed ends: a muscle, not a patch.
    return [*outer, at(high + 2, middle), *inner, at(low - 2, middle)]


def _width(widths: Sequence[tuple[float, float, float]], along: float) -> tuple[float, float]:
    for (a, back_a, front_a), (b, back_b, front_b) in pairwise(widths):
        if a <= along <= b:
            share = (along - a) / (b - a)
            return (back_a + (back_b - back_a) * share, front_a + (front_b - front_a) * share)
    edge = widths[0] if along < widths[0][0] else widths[-1]
    return (edge[1] * 0.7, edge[2] * 0.7)


def limb_muscle(muscle: str, limb: str, part: int) -> str:
    """The muscle on this part of a limb, or ""."""
    kind, where, (low, high), (first, second) = ON_LIMBS.get(muscle, ("", -1, (0, 0), (0, 0)))
    if not limb.endswith(kind or "-") or where != part:
        return ""
    middle = (first + second) / 2
    span = high - low
    return closed(
        [
            (low, middle),
            (low + span * 0.2, first),
            (low + span * 0.6, first),
            (high, middle),
            (low + span * 0.6, second),
            (low + span * 0.2, second),
        ]
    )
