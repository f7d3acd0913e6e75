"""Reads the poses of the exercises and plays them: keyframes, what lies between, and when.

Pure: no Django, no clock. A file ``poses/NN-slug.yaml`` holds the four levels of one exercise;
``poses/starts.yaml`` the positions they begin from. ``docs/figures.md`` says how to write one.
"""

import copy
import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from programs.figures.skeleton import LIMBS, Body, Limb, Point, Pose, PoseError, solve

POSES_DIR = Path(__file__).resolve().parent / "poses"
# The far limb stands a little further along, so that it is seen.
FAR_SHIFT = {"arm": 1.5, "leg": 5.0}


@dataclass(frozen=True)
class Keyframe:
    """A pose, the seconds it takes to get there from the one before, and to stay."""

    pose: Pose
    body: Body
    seconds: float
    hold: float
    through: bool = False


@dataclass(frozen=True)
class Moment:
    """One sampled frame: its time in seconds and the body then."""

    time: float
    body: Body


@dataclass(frozen=True, eq=False)
class Figure:
    """One level of one exercise as it is drawn."""

    slug: str
    level: int
    front: bool
    tall: bool
    keyframes: tuple[Keyframe, ...]
    props: tuple[Mapping[str, Any], ...]
    muscles: tuple[str, ...]
    tinted: tuple[str, ...]
    arrows: tuple[Mapping[str, Any], ...]
    supports: tuple[str, ...]
    spine_line: bool
    order: tuple[str, ...]
    floor: bool
    posture: str
    says: tuple[str, ...]
    end: int
    zoom: tuple[float, float, float]
    alternated: bool
    moments: tuple[Moment, ...]

    @property
    def seconds(self) -> float:
        return self.moments[-1].time


def figure(slug: str, level: int) -> Figure | None:
    """The figure of a level, or None where nobody has drawn it."""
    return _figures(slug).get(level)


@functools.cache
def slugs() -> tuple[str, ...]:
    """Every exercise that has figures, in the order of their numbers."""
    return tuple(sorted(_files(), key=lambda slug: _files()[slug].name))


@functools.cache
def _files() -> dict[str, Path]:
    return {path.stem.split("-", 1)[1]: path for path in POSES_DIR.glob("[0-9][0-9]-*.yaml")}


def _read(path: Path) -> Any:
    # The parser written in C, where there is one: a page waits for it once in each process.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)


@functools.cache
def _starts() -> dict[str, Any]:
    starts: dict[str, Any] = yaml.safe_load((POSES_DIR / "starts.yaml").read_text(encoding="utf-8"))
    return starts


@functools.cache
def _figures(slug: str) -> dict[int, Figure]:
    path = _files().get(slug)
    if path is None:
        return {}
    levels = _read(path)["levels"]
    found: dict[int, Figure] = {}
    for data in levels:
        try:
            found[data["level"]] = read_level(slug, data)
        except (PoseError, KeyError, TypeError) as error:
            raise PoseError(f"{path.name}, level {data.get('level')}: {error!r}") from error
    return found


def read_level(slug: str, data: Mapping[str, Any]) -> Figure:
    """One level from its mapping. PoseError, KeyError or TypeError for what cannot be drawn."""
    start = copy.deepcopy(_starts()[data["start"]])
    front = data.get("view", start.pop("view", "side")) == "front"
    tall = data.get("tall", start.pop("tall", False))
    posture = data.get("posture", start.pop("posture"))
    supports = data.get("supports", start.pop("supports", []))
    props = [*start.pop("props", []), *data.get("props", [])]
    start.pop("supports", None)
    frames: list[dict[str, Any]] = []
    state = start
    for given in data["frames"]:
        state = {key: value for key, value in state.items() if key not in ("s", "hold", "through")}
        state = _merged(state, given)
        frames.append(state)
    if data.get("alternate"):
        frames = _alternated(frames)
    keyframes = []
    for frame in frames:
        pose = _pose(frame, front)
        keyframes.append(
            Keyframe(
                pose,
                solve(pose, front=front),
                frame.get("s", 1.0),
                frame.get("hold", 0.0),
                frame.get("through", False),
            )
        )
    return Figure(
        slug=slug,
        level=data["level"],
        front=front,
        tall=tall,
        keyframes=tuple(keyframes),
        props=tuple(props),
        muscles=tuple(data.get("muscles", [])),
        tinted=tuple(data.get("tinted", ["near", "far"] if data.get("alternate") else ["near"])),
        arrows=tuple(data.get("arrows", [])),
        supports=tuple(supports),
        spine_line=data.get("spine_line", not front),
        order=tuple(data.get("order", [])),
        floor=data.get("floor", True),
        posture=posture,
        says=tuple(data["says"]),
        end=data.get("end", 1),
        alternated=bool(data.get("alternate")),
        zoom=_three(data.get("zoom", [1, 0, 0])),
        moments=tuple(_moments(keyframes, front)),
    )


def _merged(state: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """``given`` on top of ``state``; "arms" and "legs" replace both limbs and the other way."""
    merged = {**state, **given}
    for pair in ("arm", "leg"):
        if f"{pair}s" in given:
            for side in ("near", "far"):
                if f"{side}_{pair}" not in given:
                    merged.pop(f"{side}_{pair}", None)
    if "things" in given:
        merged["things"] = {**state.get("things", {}), **given["things"]}
    return merged


def _alternated(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The movement, and the same movement on the other side."""
    twice = list(frames)
    for frame in frames:
        other = dict(frame)
        for pair in ("arm", "leg"):
            near, far = _pair(frame, pair)
            shift = FAR_SHIFT[pair]
            is_shifted = isinstance(far, dict) and "other" in far
            other[f"near_{pair}"] = far["other"] if is_shifted else _nearer(far, shift)
            other[f"far_{pair}"] = {"other": near, "shift": shift}
        twice.append(other)
    return twice


def _nearer(far: Any, shift: float) -> Any:
    """What the far limb did, for the near one: a place in the room comes back by the shift."""
    if not isinstance(far, dict) or "to" not in far or far.get("in", "world") != "world":
        return far
    return {**far, "to": [far["to"][0] - shift, far["to"][1]]}


def _pair(frame: Mapping[str, Any], pair: str) -> tuple[Any, Any]:
    """What near and far limb of a kind do; "arms: …" is both, the far one shifted."""
    both = frame.get(f"{pair}s")
    near, far = frame.get(f"near_{pair}", both), frame.get(f"far_{pair}")
    if far is None:
        far = {"other": both, "shift": FAR_SHIFT[pair]}
    return near, far


def _pose(frame: Mapping[str, Any], front: bool) -> Pose:
    trunk = frame["trunk"]
    first, second, third = trunk if isinstance(trunk, list) else (trunk, trunk, trunk)
    limbs: dict[str, Limb] = {}
    for pair in ("arm", "leg"):
        near, far = _pair(frame, pair)
        limbs[f"near_{pair}"] = _limb(near, front, first)
        limbs[f"far_{pair}"] = _limb(far, front, first)
    neck = frame.get("neck", [0, 0])
    turn = frame.get("turn", [0, 0])
    (anchor, at), *_ = frame["anchor"].items()
    return Pose(
        trunk=(float(first), float(second), float(third)),
        neck=(float(neck[0]), float(neck[1])),
        anchor=anchor,
        at=_point(at),
        turn=(float(turn[0]), float(turn[1])),
        breath=float(frame.get("breath", 0)),
        limbs=limbs,
        things={name: _point(at) for name, at in frame.get("things", {}).items()},
    )


def _limb(data: Any, front: bool, trunk: float) -> Limb:
    if isinstance(data, dict) and "other" in data:
        return _other(_limb(data["other"], front, trunk), data["shift"], front, trunk)
    if isinstance(data, list):
        return Limb(angles=_three(data))
    tilt = _three(data.get("tilt", [0, 0, 0]))
    bend = int(data.get("bend", 0))
    if "to" not in data:
        return Limb(angles=_three(data["angles"]), tilt=tilt)
    return Limb(
        angles=(0.0, 0.0, float(data.get("end", 0))),
        tilt=tilt,
        frame=data.get("in", "world"),
        to=_point(data["to"]),
        bend=bend,
    )


def _other(limb: Limb, shift: float, front: bool, trunk: float) -> Limb:
    """The same on the far side: a little further along, or mirrored in the front view."""
    if front:
        first, second, third = (2 * trunk - angle for angle in limb.angles)
        forward = -limb.to[1] if limb.frame in ("trunk", "head") else limb.to[1]
        to = (-limb.to[0], limb.to[1]) if limb.frame == "world" else (limb.to[0], forward)
        return Limb((first, second, third), limb.tilt, _swapped(limb.frame), to, -limb.bend)
    if limb.frame == "world":
        return Limb(limb.angles, limb.tilt, limb.frame, (limb.to[0] + shift, limb.to[1]), limb.bend)
    return Limb(limb.angles, limb.tilt, _swapped(limb.frame), limb.to, limb.bend)


def _swapped(frame: str) -> str:
    return frame.replace("near_", "far_") if frame.startswith("near_") else frame


def _point(data: Any) -> Point:
    return (float(data[0]), float(data[1]))


def _three(data: Any) -> tuple[float, float, float]:
    return (float(data[0]), float(data[1]), float(data[2]))


# --- between the keyframes -----------------------------------------------------------------------


def _moments(keyframes: list[Keyframe], front: bool) -> Iterator[Moment]:
    """The whole movement once, from the first keyframe back to itself."""
    time = 0.0
    yield Moment(time, keyframes[0].body)
    if len(keyframes) == 1:
        yield Moment(max(keyframes[0].hold, 1.0), keyframes[0].body)
        return
    for number, here in enumerate(keyframes):
        following = keyframes[(number + 1) % len(keyframes)]
        if here.hold:
            time += here.hold
            yield Moment(time, here.body)
        steps = _steps(here.body, following.body)
        for index in range(1, steps + 1):
            share = index / steps
            eased = _eased(share, here.through, following.through)
            pose = between(here, following, share)
            body = following.body if index == steps else solve(pose, front=front)
            yield Moment(time + following.seconds * eased, body)
        time += following.seconds


def _eased(share: float, moving_before: bool, moving_after: bool) -> float:
    """When ``share`` of the way is done: slow at an end where the movement rests."""
    if moving_before and moving_after:
        return share
    if moving_before:
        return 1 - math.sqrt(1 - share)
    if moving_after:
        return math.sqrt(share)
    return math.acos(1 - 2 * share) / math.pi


def _steps(first: Body, second: Body) -> int:
    """How many pieces keep a foot on its spot while angles change piece by piece."""
    most = max(
        abs(a - b)
        for limb in LIMBS
        for a, b in zip(first.limbs[limb], second.limbs[limb], strict=True)
    )
    return 4 if most < 25 else 6 if most < 75 else 8


def between(first: Keyframe, second: Keyframe, share: float) -> Pose:
    """The pose ``share`` of the way (0 to 1) from one keyframe to the next.

    A hand or foot that is placed in both stays placed all the way; any other limb turns.
    """
    a, b = first.pose, second.pose
    same = a.anchor == b.anchor
    limbs: dict[str, Limb] = {}
    for limb in LIMBS:
        one, two = a.limbs[limb], b.limbs[limb]
        tilt = _mix3(one.tilt, two.tilt, share)
        if one.frame and one.frame == two.frame and one.bend == two.bend:
            end = one.angles[2] + (two.angles[2] - one.angles[2]) * share
            to = _mix(one.to, two.to, share)
            limbs[limb] = Limb((0.0, 0.0, end), tilt, one.frame, to, one.bend)
        else:
            angles = _mix3(first.body.limbs[limb], second.body.limbs[limb], share, turning=True)
            limbs[limb] = Limb(angles, tilt)
    return Pose(
        trunk=_mix3(a.trunk, b.trunk, share),
        neck=_mix(a.neck, b.neck, share),
        anchor=a.anchor if same else "hip",
        at=_mix(a.at, b.at, share)
        if same
        else _mix(first.body.joints["hip"], second.body.joints["hip"], share),
        turn=_mix(a.turn, b.turn, share),
        breath=a.breath + (b.breath - a.breath) * share,
        limbs=limbs,
        things={name: _mix(a.things[name], b.things[name], share) for name in a.things},
    )


def _mix(one: Point, two: Point, share: float) -> Point:
    return (one[0] + (two[0] - one[0]) * share, one[1] + (two[1] - one[1]) * share)


def _mix3(
    one: tuple[float, float, float],
    two: tuple[float, float, float],
    share: float,
    *,
    turning: bool = False,
) -> tuple[float, float, float]:
    first, second, third = (
        a + (_shortest(b - a) if turning else b - a) * share for a, b in zip(one, two, strict=True)
    )
    return (first, second, third)


def _shortest(turn: float) -> float:
    """A turn as the shorter way round, −180 to 180 degrees."""
    return (turn + 180) % 360 - 180
