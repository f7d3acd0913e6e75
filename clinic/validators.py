"""Checks on single values that several rooms share."""

import zoneinfo

from django.core.exceptions import ValidationError


def validate_time_zone(name: str) -> None:
    """Accept only names of the IANA time zone database, such as Europe/London."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(
            "“%(name)s” is not a time zone. Use a name such as Europe/London.",
            params={"name": name},
        )
