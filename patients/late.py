"""Answers that were given earlier than they arrive: a device without a line keeps them for later.

A door that records says two moments: ``at``, when the server takes the answers (what is due, what
is decided, who is told), and ``given_at``, when the person gave them (the day they stand for).
"""

import datetime as dt

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

# Later than this nobody is sure any more what a day was like.
LATE_DAYS = 7
# Two clocks are never quite the same.
SKEW = dt.timedelta(minutes=5)


def given_at(request: HttpRequest) -> dt.datetime | None:
    """When the answers of this request were given; None for what is answered right now."""
    return getattr(request, "given_at", None)


def moment_of(request: HttpRequest) -> dt.datetime:
    """The moment a page speaks of: now, or for answers sent later, when they were given."""
    return given_at(request) or timezone.now()


def moment_given(given: dt.datetime | None, *, at: dt.datetime) -> dt.datetime:
    """The moment answers stand for. ValidationError at ``at`` for one that is still to come."""
    if given is None:
        return at
    if given > at + SKEW:
        raise ValidationError({"at": _("This moment has not come yet.")})
    return min(given, at)


def too_late(day: dt.date, *, today: dt.date) -> bool:
    """Whether answers for ``day`` come so late that they are not taken any more."""
    return day < today - dt.timedelta(days=LATE_DAYS)
