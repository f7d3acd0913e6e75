"""Who really answers while somebody is away, in words: the one they named may be away too."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from clinic import absence_words, duty
from clinic.models import Absence, Site, User
from clinic.teams import teams_of


@dataclass(frozen=True)
class Answering:
    """``words`` is a sentence without its full stop; ``as_named`` says that it is all the time the
    one who was named to stand in."""

    words: str
    as_named: bool


def answering(
    absences: Sequence[Absence], *, zone: ZoneInfo, at: dt.datetime
) -> dict[int, Answering]:
    """For each of these (by its id) who answers in what is left of it at ``at``. Six queries for
    any number of them; ``zone`` is that of the reader."""
    left = [absence for absence in absences if absence.ends_at > at]
    if not left:
        return {}
    sites: dict[int, list[int]] = {absence.user_id: [] for absence in left}
    works_at = User.sites.through.objects.filter(user__in=sites).order_by("site")
    for user, site in works_at.values_list("user_id", "site_id"):
        sites[user].append(site)
    wanted = {site for theirs in sites.values() for site in theirs}
    until = max(absence.ends_at for absence in left)
    teams = teams_of(wanted, at=at, until=until)
    rows = {
        absence.pk: {
            site: duty.duties(
                absence.user_id,
                team=teams[site],
                begins=max(absence.begins_at, at),
                ends=absence.ends_at,
            )
            for site in sites[absence.user_id]
        }
        for absence in left
    }
    people = {turn.person for row in rows.values() for turns in row.values() for _, turn in turns}
    names = dict(User.objects.filter(pk__in=people - {None}).values_list("pk", "name"))
    places = dict(Site.objects.filter(pk__in=wanted).values_list("pk", "name"))
    said = _Saying(names, places, zone, at.astimezone(zone).date())
    return {absence.pk: said.of(absence, rows[absence.pk]) for absence in left}


Turns = list[tuple[dt.datetime, duty.Duty]]


@dataclass(frozen=True)
class _Saying:
    names: dict[int, str]
    places: dict[int, str]
    zone: ZoneInfo
    today: dt.date

    def of(self, absence: Absence, by_site: dict[int, Turns]) -> Answering:
        rows = list(by_site.values())
        if not rows:
            cover = absence.cover
            return Answering(f"{cover.name} stands in" if cover else "The managers are told", True)
        if all(row == rows[0] for row in rows):
            words = self._turns(rows[0])
        else:
            words = " / ".join(
                f"{self.places[site]}: {self._turns(row)}" for site, row in by_site.items()
            )
        because = {turn.person for row in rows for _, turn in row}
        if absence.cover is None or because == {absence.cover_id}:
            return Answering(words, True)
        part = "for part of it" if absence.cover_id in because else "then"
        return Answering(f"{absence.cover.name} is not there {part}; {words}", False)

    def _turns(self, turns: Turns) -> str:
        """Such as "Jonas Weber answers; from Fri 27 Nov: Mona Lindqvist"."""
        last = self._name(turns[0][1])
        said = f"{last} answers"
        for since, turn in turns[1:]:
            # The same one may answer as cover first and then as manager.
            if last != (last := self._name(turn)):
                when = absence_words.moment(since, zone=self.zone, today=self.today)
                said += f"; from {when}: {last}"
        return said

    def _name(self, turn: duty.Duty) -> str:
        if turn.person is None:
            return "nobody"
        away = ", although away," if turn.because == duty.AWAY else ""
        return f"{self.names[turn.person]}{away}"
