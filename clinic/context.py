"""What every template may use."""

import functools

from django.conf import settings
from django.http import HttpRequest

from clinic.standstill import standstill_for


def practice(request: HttpRequest) -> dict[str, object]:
    """``standstill`` is asked only by the pages that show it."""
    return {
        "demo": settings.DEMO,
        "standstill": functools.partial(standstill_for, request),
    }
