"""Who works at a site and who of them is away, read for ``clinic.duty``."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable

from clinic import escalation
from clinic.duty import Away, Team
from clinic.models import Absence, Role, Site, User

# Whose role lets them answer an alert.
ANSWERING = (Role.PHYSIOTHERAPIST, Role.MANAGER)


def teams_of(
    sites: Iterable[int], *, at: dt.datetime, until: dt.datetime | None = None
) -> dict[int, Team]:
    """The team of each of these sites, with the absences that are running, or those between ``at``
    and ``until``. Four queries for any number of sites."""
    wanted = set(sites)
    members: dict[int, list[tuple[int, str]]] = defaultdict(list)
    works_at = User.sites.through.objects.filter(
        site_id__in=wanted, user__is_active=True, user__role__in=ANSWERING
    )
    for site, person, role in works_at.order_by("user__name", "user_id").values_list(
        "site_id", "user_id", "user__role"
    ):
        members[site].append((person, role))
    # Whoever set the practice up may work at no site and still opens every page.
    everywhere = User.objects.filter(is_superuser=True, is_active=True, role__in=ANSWERING)
    for person, role in everywhere.order_by("name", "pk").values_list("pk", "role"):
        for site in wanted:
            if all(person != who for who, _ in members[site]):
                members[site].append((person, role))
    # Also of those who have left: whoever covered them goes on.
    covers = {
        who: cover
        for who, cover in User.objects.filter(
            usual_cover__isnull=False, role__in=ANSWERING
        ).values_list("pk", "usual_cover_id")
        if cover is not None
    }
    running = Absence.objects.between(at, until) if until else Absence.objects.around(at)
    absences = [
        Away(*row) for row in running.values_list("user_id", "begins_at", "ends_at", "cover_id")
    ]
    return {
        site: Team(
            working=frozenset(person for person, _ in members[site]),
            managers=tuple(who for who, role in members[site] if role == Role.MANAGER),
            usual_cover=covers,
            absences=absences,
        )
        for site in wanted
    }


def site_of(site: Site) -> escalation.Site:
    """What of a site the stages of its alerts hang on."""
    return escalation.Site(
        zone=site.zone,
        hours=site.hours,
        quiet_start=site.quiet_start,
        quiet_end=site.quiet_end,
    )
