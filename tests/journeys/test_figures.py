"""The figures as a browser draws them: they move, stay on their supports, and stop when asked."""

from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Template
from playwright.sync_api import Page

from programs import figures
from programs.figures import drawing, shapes
from programs.figures.skeleton import distance

pytestmark = pytest.mark.journey

STYLES = [
    Path(settings.BASE_DIR, "clinic/static/clinic/tokens.css"),
    Path(settings.BASE_DIR, "programs/static/programs/figures.css"),
]
# Where wrists and ankles are at these seconds, in units of the picture.
JOINTS_AT = """([times, hand, foot]) => {
  const svg = document.querySelector(".sb-figure__moving");
  svg.pauseAnimations();
  const drawn = (d) => [...svg.querySelectorAll("path")].filter((p) => p.getAttribute("d") === d);
  const parts = [...drawn(hand), ...drawn(foot)];
  return times.map((time) => {
    svg.setCurrentTime(time);
    const back = svg.getScreenCTM().inverse();
    return parts.map((part) => {
      const m = back.multiply(part.getScreenCTM());
      return [m.e, m.f];
    });
  });
}"""


def show(page: Page, slug: str, level: int) -> None:
    drawn = Template("{% load figures %}{% figure slug level %}").render(
        Context({"slug": slug, "level": level})
    )
    styles = "".join(path.read_text() for path in STYLES)
    page.set_content(f"<!doctype html><style>{styles}</style><main>{drawn}</main>")


def joints(page: Page, slug: str, level: int) -> list[dict[str, tuple[float, float]]]:
    """Wrists and ankles by limb, at forty moments of the movement."""
    figure = figures.figure(slug, level)
    foot = shapes.FOOT_FRONT if figure.front else shapes.FOOT_SIDE
    times = [figure.seconds * share / 40 for share in range(41)]
    order = figure.order or (drawing.ORDER_FRONT if figure.front else drawing.ORDER_SIDE)
    names = [part for kind in ("arm", "leg") for part in order if part.endswith(kind)]
    return [
        dict(zip(names, map(tuple, moment), strict=True))
        for moment in page.evaluate(JOINTS_AT, [times, shapes.HAND, foot])
    ]


@pytest.mark.parametrize(
    ("slug", "level", "moves", "stays"),
    [
        ("dead-bug", 1, ["near_leg", "far_leg"], []),
        ("bird-dog", 1, ["near_arm", "far_arm"], ["near_leg", "far_leg"]),
        ("glute-bridge", 2, [], ["near_leg", "far_leg"]),
        ("cat-cow", 2, [], ["near_arm", "far_arm", "near_leg", "far_leg"]),
        ("sit-to-stand", 3, ["near_arm"], ["near_leg", "far_leg"]),
        ("hip-hinge", 4, ["near_arm"], ["near_leg", "far_leg"]),
    ],
)
def test_what_moves_moves_and_what_is_placed_stays(page, slug, level, moves, stays):
    show(page, slug, level)
    found = joints(page, slug, level)
    way = {
        limb: max(distance(found[0][limb], moment[limb]) for moment in found) for limb in found[0]
    }
    assert all(way[limb] > 15 for limb in moves), way
    assert all(way[limb] < 1.5 for limb in stays), way


def test_with_less_motion_asked_for_two_frames_stand_side_by_side(page):
    show(page, "dead-bug", 3)
    moving, stills = page.locator(".sb-figure__moving"), page.locator(".sb-figure__stills")
    assert moving.is_visible()
    assert not stills.is_visible()
    page.emulate_media(reduced_motion="reduce")
    assert not moving.is_visible()
    assert stills.is_visible()
    boxes = [frame.bounding_box() for frame in stills.locator("svg").all()]
    assert len(boxes) == 2
    assert boxes[0]["y"] == boxes[1]["y"]
    assert stills.get_attribute("aria-label").startswith("Lying on your back")


def test_on_paper_the_figure_stands_still(page):
    show(page, "bird-dog", 3)
    page.emulate_media(media="print")
    assert not page.locator(".sb-figure__moving").is_visible()
    assert page.locator(".sb-figure__stills").is_visible()
