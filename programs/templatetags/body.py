"""Draws the body of ``programs.body_map`` into a page."""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from programs.body_map import BANDS, BY_PLACE, HALF_WIDTH, HEAD, HEAD_HEIGHT, SIDES, Band

register = template.Library()
_SVG = (
    '<svg class="ci-part" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true" '
    'focusable="false">{}</svg>'
)
_MIRRORED = "translate({} 0) scale(-1 1)"


@register.simple_tag
def body_head() -> SafeString:
    """The head above the areas; nobody can touch it."""
    both = _both(format_html('<path class="ci-still" d="{}"/>', HEAD))
    return format_html(
        _SVG.replace("ci-part", "ci-part ci-head"), 2 * HALF_WIDTH, HEAD_HEIGHT, both
    )


@register.simple_tag
def body_area(area: str) -> SafeString | str:
    """The drawing of an area such as "left-thigh" or, for both sides, "thigh"; "" for none."""
    side, _dash, place = area.rpartition("-")
    band = BY_PLACE.get(place)
    if band is None or (side and side not in SIDES):
        return ""
    half = _half(band)
    if not side:
        return format_html(_SVG, 2 * HALF_WIDTH, band.height, _both(half))
    if side == "right":
        half = format_html('<g transform="{}">{}</g>', _MIRRORED.format(HALF_WIDTH), half)
    return format_html(_SVG, HALF_WIDTH, band.height, half)


@register.simple_tag
def body_figure(side: str, place: str, label: str) -> SafeString | str:
    """The whole body from behind, small, with one place of one side marked (both sides without a
    ``side``); "" for a place that is not drawn. ``label`` says it for those who do not see it."""
    if place not in BY_PLACE or (side and side not in SIDES):
        return ""
    drawn = [_both(format_html('<path class="bf-still" d="{}"/>', HEAD))]
    top = HEAD_HEIGHT
    for band in BANDS:
        halves = [
            _marked(band, "left", band.place == place and side in ("left", "")),
            _marked(band, "right", band.place == place and side in ("right", "")),
        ]
        drawn.append(
            format_html('<g transform="translate(0 {})">{}{}</g>', top, halves[0], halves[1])
        )
        top += band.height
    return format_html(
        '<svg class="bf" viewBox="0 0 {} {}" role="img" aria-label="{}" focusable="false">{}</svg>',
        2 * HALF_WIDTH,
        top + 2,
        label,
        mark_safe("".join(drawn)),
    )


def _marked(band: Band, side: str, marked: bool) -> SafeString:
    drawn = [("bf-still", band.arm), ("bf-edge", band.arm_edges)]
    drawn.append(("bf-here" if marked else "bf-still", band.outline))
    half = format_html_join("", '<path class="{}" d="{}"/>', [d for d in drawn if d[1]])
    if side == "left":
        return half
    return format_html('<g transform="{}">{}</g>', _MIRRORED.format(2 * HALF_WIDTH), half)


def _half(band: Band) -> SafeString:
    drawn = [("ci-arm", band.arm), ("ci-arm-edges", band.arm_edges), ("ci-piece", band.outline)]
    return format_html_join("", '<path class="{}" d="{}"/>', [d for d in drawn if d[1]])


def _both(half: SafeString) -> SafeString:
    mirrored = _MIRRORED.format(2 * HALF_WIDTH)
    return mark_safe(f'{half}<g transform="{mirrored}">{half}</g>')
