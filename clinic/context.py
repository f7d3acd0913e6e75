"""What every template may use."""

import functools

from django.conf import settings
from django.http import HttpRequest

from clinic.alerts import for_nobody
from clinic.language import NAMES, is_staff_page
from clinic.standstill import standstill_for


def practice(request: HttpRequest) -> dict[str, object]:
    """``standstill`` is asked only by the pages that show it. ``page_languages`` are the code and
    name of every language a page can be read in; the portal of the staff has only one."""
    return {
        "demo": settings.DEMO,
        "page_languages": [] if is_staff_page(request) else list(NAMES.items()),
        "standstill": functools.partial(standstill_for, request),
        "alerts_for_nobody": functools.partial(for_nobody, request),
    }
