"""Marks of the design language for every template: icons and decision marks.

Icons are drawn into the page as SVG, so that they take the colour of their words and need no
second request. They are decoration: the word beside them always says the same.
"""

import functools
import json
import re
from typing import Any

from django import template
from django.forms import BoundField
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import pgettext_lazy

register = template.Library()

# Paths on a 24 × 24 field, drawn with one even line (see .sb-icon).
ICONS = {
    # the four decisions
    "up": "M3 19h6v-6h6V7h6 M17 3l4 4-4 4",
    "level": "M3 12h18",
    "down": "M3 5h6v6h6v6h6 M17 13l4 4-4 4",
    "stop": "M8.2 3h7.6L21 8.2v7.6L15.8 21H8.2L3 15.8V8.2z M12 7.5v5.5 M12 16.4v.2",
    # the name of the house: an upright line over a floor line
    "mark": "M13 3c-3.6 3-3.6 6-1.1 8.7s2.6 5.2.1 7.3 M5 21h14",
    # plain signs
    "back": "M15 5l-7 7 7 7",
    "next": "M9 5l7 7-7 7",
    "done": "M4 12.5l5 5L20 6.5",
    "clock": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z M12 7v5l3.5 2",
    "phone": "M5 4h4l2 5-2.5 1.8a12 12 0 0 0 4.7 4.7L15 13l5 2v4c0 1-1 2-2 2C10.5 20.5 "
    "3.5 13.5 3 6c0-1 1-2 2-2z",
    "person": "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8z M4 21c.6-4 3.6-6 8-6s7.4 2 8 6",
    "note": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z M12 11v6 M12 7.4v.2",
    "alert": "M12 3.5L22 20.5H2z M12 10v4.5 M12 17.4v.2",
    "mail": "M3 6h18v12H3z M3 7l9 6.5L21 7",
    "text": "M4 4h16v12h-9l-5 4v-4H4z",
    "lock": "M6 11h12v9H6z M8.5 11V8a3.5 3.5 0 0 1 7 0v3",
    "sound": "M4 9.5v5h3.5L12 18V6L7.5 9.5z M15.5 9a4 4 0 0 1 0 6 M18 6.5a8 8 0 0 1 0 11",
    "download": "M12 3v12 M7 10.5l5 5 5-5 M4 20h16",
    # the patient's places
    "today": "M4 5.5h16V20H4z M4 10h16 M8.5 3v4 M15.5 3v4",
    "chart": "M4 4v16h16 M8 15l4-4 3 2.5L20 8",
    "book": "M12 6.5C9.5 4.8 6.5 4.5 3.5 5v13.5c3-.5 6-.2 8.5 1.5 2.5-1.7 5.5-2 8.5-1.5V5"
    "c-3-.5-6-.2-8.5 1.5z M12 6.5V20",
    "sliders": "M4 7h9 M17 7h3 M4 17h3 M11 17h9 M15 4.8v4.4 M9 14.8v4.4",
}

# They point along the line of reading, so they turn round where that runs from the right.
_WAYS = {"back", "next"}

# The rules' word → its shape and the word people read.
DECISIONS = {
    "progress": ("up", pgettext_lazy("decision", "Progress")),
    "hold": ("level", pgettext_lazy("decision", "Hold")),
    "regress": ("down", pgettext_lazy("decision", "Regress")),
    "stop": ("stop", pgettext_lazy("decision", "Stop")),
}


@register.simple_tag
@functools.cache
def icon(name: str) -> SafeString:
    """The icon ``name`` as inline SVG; KeyError for a name that is not drawn."""
    return format_html(
        '<svg class="sb-icon{}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">{}</svg>',
        " sb-icon--way" if name in _WAYS else "",
        mark_safe(f'<path d="{ICONS[name]}"/>'),
    )


@register.simple_tag
def decision_mark(outcome: str, boxed: bool = True) -> SafeString:
    """Colour, shape and word of a decision; ``outcome`` in any case, such as "PROGRESS"."""
    name = outcome.lower()
    shape, word = DECISIONS[name]
    return format_html(
        '<span class="sb-decision sb-decision--{}{}">{}<span>{}</span></span>',
        name,
        " sb-decision--boxed" if boxed else "",
        icon(shape),
        word,
    )


@register.filter
def sb_input(field: BoundField) -> SafeString:
    """The field's own control with our class and no placeholder (a label says more)."""
    kind = getattr(field.field.widget, "input_type", "")
    field.field.widget.attrs.pop("placeholder", None)
    classes = "sb-check__input" if kind == "checkbox" else "sb-input"
    if field.field.widget.attrs.get("autocomplete") == "one-time-code":
        classes += " sb-input--code"
    return field.as_widget(attrs={"class": classes})


@register.filter
def as_json(value: Any) -> str:
    """The value as JSON, for an attribute that a script reads."""
    return json.dumps(value)


@register.filter
def tel(number: str) -> str:
    """The number as a phone dials it: digits, and a plus only in front."""
    return re.sub(r"(?!^\+)[^0-9]", "", number.strip())
