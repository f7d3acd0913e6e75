"""Words of decisions and of the library in the reader's language."""

from typing import Any

from django import template

from programs import wording

register = template.Library()


@register.filter
def retold(text: str | None) -> str:
    """``{{ decision.patient_text|retold }}``: what was said, in the language of the page."""
    return wording.retold(text or "")


@register.filter
def in_language(row: Any) -> Any:
    """``{% with habit=habit|in_language %}``: a row of the library in the language of the page."""
    return wording.in_language(row)
