"""The numbers somebody in need may call, also while the database is away.

Read from the database as long as it answers, and remembered: in this process, and in the cache
for processes that start later. With neither, the settings have one number that always stands.
"""

import logging
from dataclasses import asdict, dataclass, fields
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from clinic.models import Site

log = logging.getLogger(__name__)

_KEY = "site-numbers"
_known: list["SiteNumbers"] = []


@dataclass(frozen=True)
class SiteNumbers:
    """What of a site a person in need reads; no number is an empty text."""

    name: str = ""
    phone: str = ""
    emergency_number: str = ""
    urgent_number: str = ""
    emergency_text: str = ""
    same_day_text: str = ""


def numbers_of_sites(*, at_once: bool = False) -> list[SiteNumbers]:
    """The numbers of every site, the newest that can be had; never empty, and never an error.

    ``at_once``: what is remembered comes first, because something is broken already and asking
    a database that does not answer takes seconds.
    """
    remembered = _remembered() if at_once else []
    if remembered:
        return remembered
    try:
        found = _read()
    except Exception as error:
        # Whatever is broken: somebody is waiting for a number.
        log.error("The numbers of the sites could not be read: %s", type(error).__name__)
        found = _remembered()
    else:
        _remember(found)
    return found or [SiteNumbers(emergency_number=settings.EMERGENCY_NUMBER)]


def _read() -> list[SiteNumbers]:
    names = [field.name for field in fields(SiteNumbers)]
    return [SiteNumbers(**row) for row in Site.objects.order_by("name").values(*names)]


def _remember(found: list[SiteNumbers]) -> None:
    _known[:] = found
    try:
        cache.set(_KEY, [asdict(site) for site in found], timeout=None)
    except Exception as error:
        log.warning("The numbers of the sites could not be kept: %s", type(error).__name__)


def _remembered() -> list[SiteNumbers]:
    if _known:
        return list(_known)
    try:
        return [SiteNumbers(**kept) for kept in cache.get(_KEY) or []]
    except Exception as error:
        log.error("No number of a site is known: %s", type(error).__name__)
        return []


@receiver([post_save, post_delete], sender=Site, dispatch_uid="clinic.site_numbers")
def _changed(**_given: Any) -> None:
    transaction.on_commit(numbers_of_sites, robust=True)
