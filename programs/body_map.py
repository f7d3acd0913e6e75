"""The body from behind, as areas to touch: names and outlines. Pure data.

Seen from behind, the patient's left is on the left. An outline is the left half of one band on a
field 70 wide, from the arm (0) to the spine (70); the right half is its mirror image.
"""

from dataclasses import dataclass

from clinic.marking import gettext_noop as _

SIDES = ("left", "right")
ELSEWHERE = "elsewhere"
HALF_WIDTH = 70
HEAD = "M70 44 H58 C55 38 53 31 53 22 C53 11 58 1 70 1"
HEAD_HEIGHT = 44


@dataclass(frozen=True)
class Band:
    """One band of the body. ``arm`` and its edges are drawn beside it and are no area."""

    place: str
    height: int
    outline: str
    name: str
    left: str
    right: str
    arm: str = ""
    arm_edges: str = ""

    def on(self, side: str) -> str:
        return self.left if side == "left" else self.right


BANDS: tuple[Band, ...] = (
    Band(
        "neck",
        48,
        "M70 0 H58 V24 C57 36 44 40 28 45 L22 48 H70 Z",
        _("Neck"),
        _("Left side of the neck"),
        _("Right side of the neck"),
    ),
    Band(
        "upper_back",
        64,
        "M22 0 C25 12 32 22 33 34 L37 64 H70 V0 Z",
        _("Upper back"),
        _("Left upper back"),
        _("Right upper back"),
        arm="M22 0 C12 8 8 40 6 64 H19 C21 52 28 46 33 34 C32 22 25 12 22 0 Z",
        arm_edges="M22 0 C12 8 8 40 6 64 M19 64 C21 52 28 46 33 34",
    ),
    Band(
        "lower_back",
        52,
        "M37 0 C41 16 42 30 38 52 H70 V0 Z",
        _("Lower back"),
        _("Left lower back"),
        _("Right lower back"),
        arm="M6 0 C5 20 4 36 3 52 H14 C16 36 18 16 19 0 Z",
        arm_edges="M6 0 C5 20 4 36 3 52 M14 52 C16 36 18 16 19 0",
    ),
    Band(
        "buttock",
        52,
        "M38 0 C32 14 30 34 32 52 H67 L70 46 V0 Z",
        _("Buttocks"),
        _("Left buttock"),
        _("Right buttock"),
        arm="M3 0 C1 10 1 24 6 28 C11 30 13 14 14 0 Z",
        arm_edges="M3 0 C1 10 1 24 6 28 C11 30 13 14 14 0",
    ),
    Band(
        "thigh",
        68,
        "M32 0 C33 24 37 46 40 68 H62 C65 44 67 18 67 0 Z",
        _("Back of both thighs"),
        _("Back of the left thigh"),
        _("Back of the right thigh"),
    ),
    Band(
        "calf_foot",
        84,
        "M40 0 C36 16 38 34 45 54 L47 69 C40 73 37 78 39 83 H60 C62 76 61 70 60 66 "
        "C62 46 65 18 62 0 Z",
        _("Both calves or feet"),
        _("Left calf or foot"),
        _("Right calf or foot"),
    ),
)
BY_PLACE: dict[str, Band] = {band.place: band for band in BANDS}
ELSEWHERE_NAMES = {
    "left": _("Somewhere else on the left"),
    "right": _("Somewhere else on the right"),
    "": _("Somewhere else"),
}

EVEN_AREAS: tuple[tuple[str, str], ...] = (
    *((band.place, band.name) for band in BANDS),
    (ELSEWHERE, ELSEWHERE_NAMES[""]),
)
SIDED_AREAS: tuple[tuple[str, str], ...] = (
    *((f"{side}-{band.place}", band.on(side)) for band in BANDS for side in SIDES),
    *((f"{side}-{ELSEWHERE}", ELSEWHERE_NAMES[side]) for side in SIDES),
)


def side_and_place(area: str) -> tuple[str, str]:
    """The side and the place of an area, such as "left-thigh"; ValueError for what is none."""
    side, _dash, place = area.partition("-")
    if side not in SIDES or (place not in BY_PLACE and place != ELSEWHERE):
        raise ValueError(f"“{area}” is no area of the body.")
    return side, place
