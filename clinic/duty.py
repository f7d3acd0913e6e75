"""Who answers for an alert at a moment. Pure: no Django, no clock.

The owner, unless they are away or have left; then whoever covers them, and so on along the covers;
then a manager who is there. Where everybody is away the person who would come last before that
still answers: an absence never leaves a patient with nobody, as long as one person can sign in.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

OWNER, COVER, MANAGER, AWAY, NOBODY = "owner", "cover", "manager", "away", "nobody"


@dataclass(frozen=True)
class Away:
    """Somebody is not there from ``begins`` until before ``ends``; ``cover`` stands in."""

    who: int
    begins: dt.datetime
    ends: dt.datetime
    cover: int | None = None

    def at(self, moment: dt.datetime) -> bool:
        return self.begins <= moment < self.ends


@dataclass(frozen=True)
class Team:
    """Who works at one site. ``working`` can sign in and may answer alerts; ``managers`` of these
    in a fixed order; ``usual_cover`` stands in for somebody where no absence says who does."""

    working: frozenset[int]
    managers: Sequence[int] = ()
    usual_cover: Mapping[int, int] = field(default_factory=dict)
    absences: Sequence[Away] = ()

    def is_away(self, who: int, at: dt.datetime) -> bool:
        return any(absence.who == who and absence.at(at) for absence in self.absences)

    def is_there(self, who: int, at: dt.datetime) -> bool:
        return who in self.working and not self.is_away(who, at)

    def cover_of(self, who: int, at: dt.datetime) -> int | None:
        """Who stands in for them now. Of two absences at once the one that began last counts."""
        running = [a for a in self.absences if a.who == who and a.at(at)]
        named = max(running, key=lambda a: (a.begins, a.ends), default=None)
        if named is not None and named.cover is not None:
            return named.cover
        return self.usual_cover.get(who)


@dataclass(frozen=True)
class Duty:
    """``person`` answers, because they are its owner, cover, a manager, or the last there is
    ("away"); None with "nobody" where no one of the site can sign in."""

    person: int | None
    because: str


def on_duty(owner: int, *, team: Team, at: dt.datetime) -> Duty:
    """Who answers for what belongs to ``owner``."""
    chain = covers_of(owner, team=team, at=at)
    for place, who in enumerate(chain):
        if team.is_there(who, at):
            return Duty(who, COVER if place else OWNER)
    for who in team.managers:
        if team.is_there(who, at):
            return Duty(who, MANAGER)
    # Everybody who should answer is away: better an absent colleague than nobody.
    for who in [*reversed(chain), *team.managers, *sorted(team.working)]:
        if who in team.working:
            return Duty(who, AWAY)
    return Duty(None, NOBODY)


def duties(
    owner: int, *, team: Team, begins: dt.datetime, ends: dt.datetime
) -> list[tuple[dt.datetime, Duty]]:
    """Who answers for what belongs to ``owner`` from ``begins`` until before ``ends``: each with
    the moment from which they do."""
    edges = {edge for absence in team.absences for edge in (absence.begins, absence.ends)}
    found: list[tuple[dt.datetime, Duty]] = []
    for moment in sorted({begins} | {edge for edge in edges if begins < edge < ends}):
        now = on_duty(owner, team=team, at=moment)
        if not found or found[-1][1] != now:
            found.append((moment, now))
    return found


def covers_of(owner: int, *, team: Team, at: dt.datetime) -> list[int]:
    """The owner and then whoever stands in for the one before, as long as that one is not there;
    nobody twice."""
    chain = [owner]
    while not team.is_there(chain[-1], at):
        cover = team.cover_of(chain[-1], at)
        if cover is None or cover in chain:
            break
        chain.append(cover)
    return chain


def second_to(person: int, *, team: Team, at: dt.datetime) -> list[int]:
    """Whom to tell beside the person on duty: who usually stands in for them if they are there,
    else the managers who are."""
    cover = team.usual_cover.get(person)
    if cover is not None and cover != person and team.is_there(cover, at):
        return [cover]
    return [who for who in team.managers if who != person and team.is_there(who, at)]


def managers_told(*, team: Team, at: dt.datetime) -> list[int]:
    """The managers who are there; all of them where none is."""
    there = [who for who in team.managers if team.is_there(who, at)]
    return there or [who for who in team.managers if who in team.working]
