"""The one person of all figures: lengths, joints and how a pose becomes points in the plane.

Pure: no Django, no clock. Units are centimetres of a person 170 cm tall; y points up and the floor
is y = 0. Directions are degrees: 0 to the right, 90 up. In the side view the person faces right,
so that the front of the trunk lies at its direction − 90; in the front view the person faces the
reader and "near" is the limb on the right of the picture.

Lengths follow the body-segment fractions of stature of Drillis and Contini (1966), as printed in
Winter, *Biomechanics and Motor Control of Human Movement*, 4th ed., 2009, figure 4.1.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

Point = tuple[float, float]

UPPER_ARM, FOREARM, HAND = 31.0, 26.0, 16.0
THIGH, SHANK = 42.0, 41.0
ANKLE_HEIGHT, TOES, HEEL = 7.0, 18.0, 6.0
SPINE, SHOULDER_AT, NECK, HEAD = 54.0, 48.0, 6.0, 23.0
SHOULDER_HALF, HIP_HALF = 17.0, 8.5
# Where along the spine (cm above the hips) the three directions of ``trunk`` hold.
SPINE_KNOTS = (3.0, 22.0, 44.0)
LIMBS = ("near_arm", "far_arm", "near_leg", "far_leg")
LENGTHS: Mapping[str, tuple[float, float, float]] = {
    "arm": (UPPER_ARM, FOREARM, HAND),
    "leg": (THIGH, SHANK, TOES),
}
REACH_SLACK = 0.6


class PoseError(ValueError):
    """A pose that no person can take; says which limb and by how much."""


@dataclass(frozen=True)
class Limb:
    """How one limb is posed.

    ``angles`` are the directions of its three parts. With a ``frame`` the end of the second part
    (wrist or ankle) is at ``to`` and the first two directions follow from it; ``to`` is in the
    plane for "world", else along and in front of that part of the body. ``tilt`` turns a part out
    of the plane (degrees), which shortens it in the picture but not in truth.
    """

    angles: tuple[float, float, float] = (0.0, 0.0, 0.0)
    tilt: tuple[float, float, float] = (0.0, 0.0, 0.0)
    frame: str = ""
    to: Point = (0.0, 0.0)
    bend: int = 0


@dataclass(frozen=True)
class Pose:
    """Everything that fixes the body in one moment."""

    trunk: tuple[float, float, float] = (90.0, 90.0, 90.0)
    neck: tuple[float, float] = (0.0, 0.0)
    anchor: str = "hip"
    at: Point = (0.0, 0.0)
    turn: tuple[float, float] = (0.0, 0.0)
    breath: float = 0.0
    limbs: Mapping[str, Limb] = field(default_factory=dict)
    things: Mapping[str, Point] = field(default_factory=dict)


@dataclass(frozen=True)
class Body:
    """A solved pose: joints by name, directions of the parts, and the pose itself."""

    pose: Pose
    front: bool
    joints: Mapping[str, Point]
    limbs: Mapping[str, tuple[float, float, float]]
    neck: float
    head: float

    def spine(self, along: float, forward: float = 0.0) -> Point:
        """The point ``along`` cm up the spine from the hips and ``forward`` cm in front of it."""
        x, y = self.joints["hip"]
        dx, dy = spine_point(self.pose.trunk, along, forward)
        return (x + dx, y + dy)

    def drawn(self, limb: str) -> tuple[float, float, float]:
        """Lengths of the three parts as the picture shows them, shortened by their tilt."""
        return drawn_lengths(limb, self.pose.limbs[limb])


def unit(degrees: float) -> Point:
    return (math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))


def step(start: Point, degrees: float, length: float) -> Point:
    dx, dy = unit(degrees)
    return (start[0] + dx * length, start[1] + dy * length)


def distance(first: Point, second: Point) -> float:
    return math.hypot(second[0] - first[0], second[1] - first[1])


def spine_direction(trunk: tuple[float, float, float], along: float) -> float:
    """Direction of the spine ``along`` cm above the hips."""
    low, middle, high = SPINE_KNOTS
    if along <= low:
        return trunk[0]
    if along <= middle:
        return trunk[0] + (trunk[1] - trunk[0]) * (along - low) / (middle - low)
    if along <= high:
        return trunk[1] + (trunk[2] - trunk[1]) * (along - middle) / (high - middle)
    return trunk[2]


def spine_point(trunk: tuple[float, float, float], along: float, forward: float = 0.0) -> Point:
    """A point of the trunk with the hips at the origin; the spine bends but keeps its length."""
    pieces = max(1, round(abs(along) / 2))
    here: Point = (0.0, 0.0)
    for number in range(pieces):
        middle = along * (number + 0.5) / pieces
        here = step(here, spine_direction(trunk, middle), along / pieces)
    return step(here, spine_direction(trunk, along) - 90, forward)


def breath_depth(along: float, breath: float, *, front: bool) -> float:
    """How far a breath moves the trunk's surface ``along`` cm above the hips (belly or ribs)."""
    middle, reach, depth = (26, 14, 2.6) if front else (16, 16, 4.0)
    return depth * breath * max(0.0, 1 - abs(along - middle) / reach)


def drawn_lengths(limb: str, how: Limb) -> tuple[float, float, float]:
    first, second, third = (
        length * math.cos(math.radians(tilt))
        for length, tilt in zip(LENGTHS[limb[-3:]], how.tilt, strict=True)
    )
    return (first, second, third)


def solve(pose: Pose, *, front: bool) -> Body:
    """Place every joint. PoseError when a hand or foot cannot get where the pose wants it."""
    hip = _root(pose, front)
    joints: dict[str, Point] = {"hip": hip}
    for name, along in (("neck", SPINE), ("shoulder", SHOULDER_AT)):
        dx, dy = spine_point(pose.trunk, along)
        joints[name] = (hip[0] + dx, hip[1] + dy)
    neck = pose.trunk[2] - pose.neck[0]
    head = neck - pose.neck[1]
    joints["skull"] = step(joints["neck"], neck, NECK)
    joints["crown"] = step(joints["skull"], head, HEAD)
    directions: dict[str, tuple[float, float, float]] = {}
    # Legs first: a hand may rest on a thigh.
    for limb in ("far_leg", "near_leg", "far_arm", "near_arm"):
        start = _start(limb, pose, joints, front)
        directions[limb] = _place(limb, pose, start, joints, directions, front)
    return Body(pose, front, joints, directions, neck, head)


def _root(pose: Pose, front: bool) -> Point:
    """Where the hips are when the anchored joint is where the pose has it."""
    if pose.anchor == "hip":
        return pose.at
    here: dict[str, Point] = {"hip": (0.0, 0.0), "shoulder": spine_point(pose.trunk, SHOULDER_AT)}
    here["neck"] = spine_point(pose.trunk, SPINE)
    if pose.anchor not in here:
        side, _, joint = pose.anchor.partition("_")
        limb = f"{side}_{'leg' if joint in LEG_JOINTS else 'arm'}"
        how = pose.limbs[limb]
        if how.frame:
            raise PoseError(f"{pose.anchor} cannot hold the body, its limb is sought itself")
        names = LEG_JOINTS if limb.endswith("leg") else ARM_JOINTS
        point = _start(limb, pose, here, front)
        lengths = drawn_lengths(limb, how)
        for number in range(names.index(joint) + 1):
            point = step(point, how.angles[number], lengths[number])
        here[pose.anchor] = point
    x, y = here[pose.anchor]
    return (pose.at[0] - x, pose.at[1] - y)


LEG_JOINTS = ("knee", "ankle", "toes")
ARM_JOINTS = ("elbow", "wrist", "fingers")


def _start(limb: str, pose: Pose, joints: Mapping[str, Point], front: bool) -> Point:
    """Shoulder or hip of a limb; one point in the side view, a pair in the front view."""
    leg = limb.endswith("leg")
    base = joints["hip" if leg else "shoulder"]
    if not front:
        return base
    half = HIP_HALF if leg else SHOULDER_HALF
    half *= math.cos(math.radians(pose.turn[0 if leg else 1]))
    across = (pose.trunk[0] if leg else spine_direction(pose.trunk, SHOULDER_AT)) - 90
    return step(base, across, half if limb.startswith("near") else -half)


def _place(
    limb: str,
    pose: Pose,
    start: Point,
    joints: dict[str, Point],
    directions: Mapping[str, tuple[float, float, float]],
    front: bool,
) -> tuple[float, float, float]:
    """Write the joints of one limb and return the directions of its parts."""
    how = pose.limbs[limb]
    lengths = drawn_lengths(limb, how)
    side = limb[: limb.index("_")]
    names = LEG_JOINTS if limb.endswith("leg") else ARM_JOINTS
    angles = how.angles
    if how.frame:
        target = _target(how, pose, joints, directions, front)
        bend = how.bend or _natural_bend(limb, front)
        angles = (*_two_bones(limb, start, target, lengths, bend), how.angles[2])
    point = start
    joints[f"{side}_{'hip' if names is LEG_JOINTS else 'shoulder'}"] = start
    for name, angle, length in zip(names, angles, lengths, strict=True):
        point = step(point, angle, length)
        joints[f"{side}_{name}"] = point
    if names is LEG_JOINTS:
        ankle = joints[f"{side}_ankle"]
        sole = step(ankle, angles[2] - 90, ANKLE_HEIGHT)
        joints[f"{side}_heel"] = step(sole, angles[2], -HEEL)
        joints[f"{side}_toes"] = step(sole, angles[2], TOES)
        if front:
            joints[f"{side}_heel"] = joints[f"{side}_toes"] = step(ankle, angles[2], ANKLE_HEIGHT)
    return angles


def _target(
    how: Limb,
    pose: Pose,
    joints: Mapping[str, Point],
    directions: Mapping[str, tuple[float, float, float]],
    front: bool,
) -> Point:
    along, forward = how.to
    if how.frame == "world":
        return how.to
    if how.frame == "trunk":
        breath = breath_depth(along, pose.breath, front=front)
        forward += math.copysign(breath, forward)
        dx, dy = spine_point(pose.trunk, along, forward)
        return (joints["hip"][0] + dx, joints["hip"][1] + dy)
    if how.frame == "head":
        direction = pose.trunk[2] - sum(pose.neck)
        return step(step(joints["skull"], direction, along), direction - 90, forward)
    side, _, part = how.frame.partition("_")
    number = ("thigh", "shank", "foot").index(part)
    base = joints[f"{side}_{('hip', 'knee', 'ankle')[number]}"]
    direction = directions[f"{side}_leg"][number]
    # In front of a thigh that hangs down is to its left, seen along it.
    return step(step(base, direction, along), direction + 90, forward)


def _natural_bend(limb: str, front: bool) -> int:
    """Which way knee or elbow goes: the way they bend, or outward in the front view."""
    if front:
        return 1 if limb in ("near_leg", "near_arm") else -1
    return 1 if limb.endswith("leg") else -1


def _two_bones(
    limb: str, start: Point, target: Point, lengths: tuple[float, float, float], bend: int
) -> tuple[float, float]:
    """Directions of the two parts that reach from ``start`` to ``target``."""
    first, second, _ = lengths
    wanted = distance(start, target)
    if wanted > first + second + REACH_SLACK or wanted < abs(first - second) - REACH_SLACK:
        raise PoseError(
            f"{limb} would have to be {wanted:.1f} long, it can be"
            f" {abs(first - second):.1f} to {first + second:.1f}"
        )
    reach = min(max(wanted, abs(first - second) + 1e-6), first + second - 1e-6)
    line = math.degrees(math.atan2(target[1] - start[1], target[0] - start[0]))
    here = math.degrees(math.acos((first**2 + reach**2 - second**2) / (2 * first * reach)))
    there = math.degrees(math.acos((second**2 + reach**2 - first**2) / (2 * second * reach)))
    return (line + bend * here, line - bend * there)
