"""One row of a patients' file as a person, with everything that is wrong with it in words."""

import datetime as dt
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import phonenumbers
from django.core.exceptions import ValidationError
from django.utils import translation

from clinic.addresses import read_address
from clinic.models import Role, Site, User
from clinic.models.messaging import Channel
from patients import import_cells as cells
from patients.consent_wordings import wording
from patients.csv_files import Line, Table
from patients.import_cells import BY_NAME, CellProblem
from patients.registering_many import Agreed

if TYPE_CHECKING:
    from patients.importing import Plan

CONSENTS = {"consent_record": "record", "consent_email": "email", "consent_sms": "sms"}
DATES = ("date_of_birth", *CONSENTS)
_NOON = dt.time(12)
_OLDEST = 120


@dataclass(frozen=True)
class Problem:
    """What is wrong with one cell (or, without a ``label``, with a row): ``value`` as it stands."""

    line: int
    label: str
    words: str
    value: str


@dataclass
class Person:
    """``values`` are what register_patient takes; ``cells`` what stands in the file, by field."""

    line: int
    cells: dict[str, str]
    values: dict[str, Any] = field(default_factory=dict)
    consents: dict[str, Agreed] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.values.get('given_name', '')} {self.values.get('family_name', '')}".strip()


@dataclass(frozen=True)
class House:
    """The sites and physiotherapists that rows may name: those of whoever imports."""

    sites: dict[str, Site]
    physiotherapists: dict[str, User]


def house_of(by: User) -> House:
    sites = list(Site.objects.all() if by.is_superuser else by.sites.all())
    people = User.objects.filter(
        role=Role.PHYSIOTHERAPIST, is_active=True, sites__in=sites
    ).distinct()
    return House(
        sites={" ".join(site.name.split()).casefold(): site for site in sites},
        physiotherapists={str(person.email).lower(): person for person in people},
    )


def read_person(
    line: Line, *, table: Table, plan: "Plan", house: House, at: dt.datetime
) -> tuple[Person, list[Problem]]:
    """The person of one row, as far as it can be read, and what is wrong with the row."""
    found = {
        name: line.cells[place] if place < len(line.cells) else ""
        for name, place in plan.columns.items()
    }
    person = Person(line.number, found)
    extra = [cell for cell in line.cells[len(table.heads) :] if cell]
    if len(line.cells) < len(table.heads) or extra:
        words = (
            f"This row has {len(line.cells)} cells, the first row {len(table.heads)}. Is there a "
            f"{table.delimiter} too many or too few?"
        )
        return person, [Problem(line.number, "", words, " | ".join(line.cells)[:200])]
    reader = _Reader(person, plan, house, at)
    with translation.override("en"):
        reader.read()
    return person, reader.problems


class _Reader:
    """Reads the cells of one person; every problem is kept, not only the first."""

    def __init__(self, person: Person, plan: "Plan", house: House, at: dt.datetime) -> None:
        self._person, self._plan, self._house, self._at = person, plan, house, at
        self.problems: list[Problem] = []

    def read(self) -> None:
        values = self._person.values
        for name in ("given_name", "family_name"):
            values[name] = self._cell(name, cells.read_name) or ""
        values["date_of_birth"] = self._cell("date_of_birth", self._birth)
        values["number"] = self._cell("number", cells.read_number) or ""
        values["email"] = self._cell("email", _email) or ""
        values["phone"] = self._cell("phone", _phone) or ""
        values["language"] = self._cell("language", cells.read_language) or "en"
        values["site"] = self._cell("site", self._site) or self._plan.site
        values["physiotherapist"] = (
            self._cell("physiotherapist", self._physiotherapist) or self._plan.physiotherapist
        )
        values["reminder_time"] = self._cell("reminder_time", self._reminder_time)
        for name, words in (("site", "site"), ("physiotherapist", "physiotherapist")):
            if values[name] is None and not self._is_wrong(name):
                self._say(name, f"names no {words}, and none was chosen for such rows.")
        self._consents()

    def _cell(self, name: str, read: Callable[[str], Any]) -> Any:
        words = self._person.cells.get(name, "")
        if not words:
            if BY_NAME[name].required:
                self._say(name, "is missing.")
            return None
        try:
            return read(words)
        except CellProblem as problem:
            self._say(name, str(problem))
        except ValidationError as error:
            self._say(name, " ".join(error.messages))
        return None

    def _say(self, name: str, words: str) -> None:
        label = BY_NAME[name].label
        value = self._person.cells.get(name, "")
        self.problems.append(Problem(self._person.line, label, words, value))

    def _is_wrong(self, name: str) -> bool:
        return any(problem.label == BY_NAME[name].label for problem in self.problems)

    # --- cells that need to know the house or the day ------------------------------------------

    def _birth(self, words: str) -> dt.date:
        day = cells.read_date(words, self._plan.date_form)
        if day >= self._at.date():
            raise CellProblem("lies in the future.")
        if day.year < self._at.year - _OLDEST:
            raise CellProblem("is too long ago.")
        return day

    def _site(self, words: str) -> Site:
        site = self._house.sites.get(words.casefold())
        if site is None:
            raise CellProblem("is none of your sites.")
        return site

    def _physiotherapist(self, words: str) -> User:
        person = self._house.physiotherapists.get(words.lower())
        if person is None:
            raise CellProblem("is not the e-mail address of a physiotherapist at your sites.")
        return person

    def _reminder_time(self, words: str) -> dt.time:
        time = cells.read_time(words)
        site = self._person.values.get("site")
        if site is not None and not site.quiet_start <= time < site.quiet_end:
            raise CellProblem(
                f"is outside the hours of messages at {site.name}: {site.quiet_start:%H:%M} to "
                f"{site.quiet_end:%H:%M}."
            )
        return time

    # --- what they agreed to -------------------------------------------------------------------

    def _consents(self) -> None:
        days = {
            purpose: (name, self._cell(name, self._day_agreed))
            for name, purpose in CONSENTS.items()
            if self._person.cells.get(name)
        }
        if not days:
            return
        version = self._person.cells.get("consent_wording", "")
        if not version:
            self._say("consent_wording", "is missing: which text did they agree to?")
        way = self._cell("consent_way", cells.read_way) or self._plan.way
        if not way and not self._is_wrong("consent_way"):
            self._say("consent_way", "is missing: in person or on paper?")
        known = True
        for purpose, (name, day) in days.items():
            if version and known and wording(purpose, version) is None:
                known = False
                self._say("consent_wording", "is no wording this practice has had.")
            if purpose in ("email", "sms"):
                address = {"email": "email", "sms": "phone"}[purpose]
                if not self._person.cells.get(address):
                    self._say(name, "needs an address or a number that reminders go to.")
            if day is not None:
                self._person.consents[purpose] = Agreed(version, way, day)

    def _day_agreed(self, words: str) -> dt.datetime:
        day = cells.read_date(words, self._plan.date_form)
        if day > self._at.date():
            raise CellProblem("lies in the future.")
        if day.year < self._at.year - _OLDEST:
            raise CellProblem("is too long ago.")
        site = self._person.values.get("site")
        zone = zoneinfo.ZoneInfo(site.time_zone) if site else dt.UTC
        return dt.datetime.combine(day, _NOON, zone)


def _email(words: str) -> str:
    try:
        channel, address = read_address(words)
    except ValidationError:
        channel, address = None, ""
    if channel != Channel.EMAIL:
        raise CellProblem("is not an e-mail address.")
    return address


def _phone(words: str) -> str:
    try:
        channel, address = read_address(words)
    except ValidationError:
        channel, address = None, ""
    if channel != Channel.SMS or not _is_whole(address):
        raise CellProblem("is not a telephone number. Write it like +44 7700 900123.")
    return address


def _is_whole(number: str) -> bool:
    """Whether it is as long as a number of its country; a table program may have cut it."""
    found = phonenumbers.is_possible_number_with_reason(phonenumbers.parse(number))
    return found == phonenumbers.ValidationResult.IS_POSSIBLE
