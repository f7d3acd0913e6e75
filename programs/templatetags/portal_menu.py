"""The patient's four places, for the foot of every page."""

import functools
from dataclasses import dataclass
from typing import Any

from django import template
from django.urls import Resolver404, resolve
from django.utils.translation import gettext, gettext_noop

register = template.Library()

# Address, icon and word. A place stays on while one is anywhere below its address.
_PLACES = (
    ("/", "today", gettext_noop("Today")),
    ("/progress/", "chart", gettext_noop("Progress")),
    ("/read/", "book", gettext_noop("Read")),
    ("/settings/", "sliders", gettext_noop("Settings")),
)
# Addresses that belong to a place without standing below it.
_ALSO = {"/settings/": ("/reminders/", "/carers/", "/account/"), "/progress/": ("/measure/",)}
# What a carer has no page for.
_OWN = ("/progress/", "/settings/")


@dataclass(frozen=True)
class Place:
    """``here`` is what ``aria-current`` says: "page" on it, "true" below it, else nothing."""

    address: str
    icon: str
    word: str
    here: str


@register.simple_tag(takes_context=True)
def portal_places(context: dict[str, Any]) -> list[Place]:
    """Where this visitor may go; empty for somebody who is not known yet."""
    request = context["request"]
    patient = getattr(request, "patient", None)
    if patient is None:
        return []
    helps = request.user.is_authenticated and request.user.pk != patient.user_id
    return [
        Place(address, icon, gettext(word), _here(address, request.path))
        for address, icon, word in _PLACES
        if _exists(address) and not (helps and address in _OWN)
    ]


def _here(address: str, path: str) -> str:
    if path == address:
        return "page"
    below = () if address == "/" else (address, *_ALSO.get(address, ()))
    return "true" if path.startswith(below) else ""


@functools.cache
def _exists(address: str) -> bool:
    try:
        resolve(address)
    except Resolver404:
        return False
    return True
