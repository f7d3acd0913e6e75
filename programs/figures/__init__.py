"""The figures of the exercises: poses as data, a small renderer, and the same in words.

Pure: no Django, no clock. ``moving`` and ``still`` return SVG, ``describe`` the text alternative,
``slugs`` the exercises that are drawn. How poses are written: ``docs/figures.md``.
"""

from programs.figures.drawing import moving, still
from programs.figures.poses import figure, slugs
from programs.figures.words import describe

__all__ = ["describe", "figure", "moving", "slugs", "still"]
