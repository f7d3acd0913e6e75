"""``{% figure exercise level %}``: the moving figure of an exercise at a level."""

import functools
import logging
from typing import Any

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext

from programs.figures import describe, moving, poses, still

register = template.Library()
logger = logging.getLogger(__name__)


@register.simple_tag
def figure(
    exercise: Any, level: Any, *, stills: bool = False, small: bool = False, side: str = "right"
) -> SafeString:
    """The figure of ``exercise`` (a slug or a row of the library) at ``level`` (a number or row).

    It moves, and turns into a frame of the start and one of the end for those who asked for less
    motion, and on paper. ``stills`` draws only these two; ``small`` is for lists and draws one
    frame; ``side="left"`` mirrors. An exercise that nobody has drawn gives "".
    """
    slug, number = _drawing_of(exercise, level)
    return _drawn(slug, number, stills, small, side == "left", get_language() or "en")


def _drawing_of(exercise: Any, level: Any) -> tuple[str, int]:
    """Whose figure is shown: the one a level borrows ("slug:level"), else the exercise's own."""
    borrowed = getattr(level, "figure", "")
    if borrowed:
        slug, _, number = borrowed.partition(":")
        return slug, int(number) if number.isdigit() else 0
    return str(getattr(exercise, "slug", exercise)), int(getattr(level, "level", level))


@functools.lru_cache(maxsize=1024)
def _drawn(
    slug: str, level: int, stills: bool, small: bool, mirrored: bool, language: str
) -> SafeString:
    shown = _figure(slug, level)
    if shown is None:
        return mark_safe("")
    label = describe(shown, gettext)
    end = still(slug, level, "end", mirrored=mirrored)
    frames = end if small else still(slug, level, "start", mirrored=mirrored) + end
    stood = (
        f'<span class="sb-figure__stills" role="img" aria-label="{escape(label)}">{frames}</span>'
    )
    moves = "" if stills or small else moving(slug, level, label, mirrored=mirrored)
    css = "sb-figure"
    css += " sb-figure--small" if small else ""
    css += "" if moves else " sb-figure--still"
    return mark_safe(f'<div class="{css}">{moves}{stood}</div>')


def _figure(slug: str, level: int) -> poses.Figure | None:
    """The figure; one that cannot be drawn costs the patient the picture and not the page."""
    try:
        return poses.figure(slug, level)
    except poses.PoseError:
        logger.exception("A figure cannot be drawn")
        return None


@register.simple_tag
def figure_words(exercise: Any, level: Any) -> str:
    """What the figure shows, in the reader's language; "" where there is none."""
    shown = _figure(*_drawing_of(exercise, level))
    return describe(shown, gettext) if shown else ""
