"""How far the joints of a person go, and how far those of a posed body are.

Pure. Degrees; flexion is positive. The ranges are the norms of the American Academy of
Orthopaedic Surgeons (*Joint Motion: Method of Measuring and Recording*, 1965) as printed in
Norkin and White, *Measurement of Joint Motion*, 5th ed., 2016, widened where body weight or a
surface takes a joint further than its own muscles do: kneeling back on the heels bends the knee
to about 160, resting on the instep points the foot to about 65, and a raised arm gains a little
from the shoulder blade.
"""

from collections.abc import Mapping

from programs.figures.skeleton import SHOULDER_AT, Body, spine_direction

RANGES: Mapping[str, tuple[float, float]] = {
    "hip": (-30, 135),
    "knee": (-1, 160),
    "ankle": (-66, 36),
    "shoulder": (-70, 192),
    "elbow": (-1, 152),
    "wrist": (-85, 85),
    "lumbar spine": (-35, 60),
    "thoracic spine": (-35, 55),
    "neck": (-60, 50),
    "head": (-30, 30),
}
# A part that is turned out of the plane by more than this shows no angle to measure.
IN_PLANE = 25.0


def turn(degrees: float) -> float:
    """An angle as −180 to 180, but a bent knee or raised arm as more than 180 once past it."""
    turned = (degrees + 180) % 360 - 180
    return turned + 360 if turned < -150 else turned


def joint_angles(body: Body) -> dict[str, float]:
    """Every joint that the side view shows, by name such as "near knee"; {} in the front view."""
    if body.front:
        return {}
    pose = body.pose
    low, middle, high = pose.trunk
    found = {
        "lumbar spine": low - middle,
        "thoracic spine": middle - high,
        "neck": pose.neck[0],
        "head": pose.neck[1],
    }
    chest = spine_direction(pose.trunk, SHOULDER_AT)
    for side in ("near", "far"):
        thigh, shank, foot = body.limbs[f"{side}_leg"]
        upper, fore, hand = body.limbs[f"{side}_arm"]
        leg, arm = pose.limbs[f"{side}_leg"].tilt, pose.limbs[f"{side}_arm"].tilt
        if abs(leg[0]) <= IN_PLANE:
            found[f"{side} hip"] = turn(thigh - (low - 180))
        if max(map(abs, leg[:2])) <= IN_PLANE:
            found[f"{side} knee"] = turn(thigh - shank)
        if max(map(abs, leg[1:])) <= IN_PLANE:
            found[f"{side} ankle"] = turn(foot - shank - 90)
        if abs(arm[0]) <= IN_PLANE:
            found[f"{side} shoulder"] = turn(upper - (chest - 180))
        if max(map(abs, arm[:2])) <= IN_PLANE:
            found[f"{side} elbow"] = turn(fore - upper)
        if max(map(abs, arm[1:])) <= IN_PLANE:
            found[f"{side} wrist"] = turn(hand - fore)
    return found


def beyond(body: Body) -> list[str]:
    """The joints that are bent further than a person's go, in words."""
    wrong = []
    for name, angle in joint_angles(body).items():
        low, high = RANGES[name.removeprefix("near ").removeprefix("far ")]
        if not low <= angle <= high:
            wrong.append(f"{name} {angle:.0f} (from {low} to {high})")
    return wrong
