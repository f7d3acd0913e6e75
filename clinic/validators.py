"""Checks on single values that several rooms share."""

import functools
import re
import zoneinfo

from django.core.exceptions import ValidationError

from clinic import opening

_E164 = re.compile(r"\+[1-9]\d{7,14}")


def validate_time_zone(name: str) -> None:
    """Accept only names of the IANA time zone database, such as Europe/London."""
    if name not in _time_zones():
        raise ValidationError(
            "“%(name)s” is not a time zone. Use a name such as Europe/London.",
            params={"name": name},
        )


@functools.cache
def _time_zones() -> frozenset[str]:
    """Every name; asked once, because the answer walks through hundreds of files."""
    return frozenset(zoneinfo.available_timezones())


def validate_opening_hours(words: str) -> None:
    """Accept what ``clinic.opening`` can read."""
    try:
        opening.read_hours(words)
    except ValueError as error:
        raise ValidationError(str(error)) from error


def validate_mobile(number: str) -> None:
    """Accept a number as carriers want it: + and country code, nothing but digits (E.164)."""
    if _E164.fullmatch(number) is None:
        raise ValidationError(
            "Write the number with its country code and without spaces, such as +447700900123."
        )
