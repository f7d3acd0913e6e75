"""Taking many patients in from a table: checked row by row, then all of them or none.

``check`` changes nothing and names every cell that is wrong; ``import_patients`` checks once more
under a lock and registers each person by the verb that registers one. No consent is invented: it
is written down only where the row has its day, its wording and how it was given.
"""

import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import pghistory
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from clinic.audit import record_access
from clinic.models import AccessRecord, Role, Site, User
from clinic.roles import May, may
from patients import import_doubles as doubles
from patients import import_people as people
from patients.csv_files import Table
from patients.import_cells import BY_NAME, DATE_FORMS, FIELDS
from patients.import_people import Person, Problem
from patients.registering import next_number
from patients.registering_many import ManyRefused, NewPatient, register_many

Duplicates = Literal["refuse", "skip"]


@dataclass(frozen=True)
class Plan:
    """How a table is to be read. ``columns``: the place of a column by the name of its field.
    ``site``, ``physiotherapist`` and ``way`` stand where a row says none; ``duplicates`` that are
    skipped are left out, refused ones are errors."""

    columns: dict[str, int]
    date_form: str = ""
    site: Site | None = None
    physiotherapist: User | None = None
    way: str = ""
    duplicates: Duplicates = "refuse"


@dataclass
class Report:
    """What would become of the rows. Nothing is imported while there are ``problems``."""

    people: list[Person] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    skipped: list[Problem] = field(default_factory=list)
    # Rows in the way only because somebody is there already.
    doubles: int = 0

    @property
    def is_good(self) -> bool:
        return not self.problems and bool(self.people)

    @property
    def wrong_lines(self) -> int:
        return len({problem.line for problem in self.problems})

    @property
    def without_record_consent(self) -> int:
        return sum("record" not in person.consents for person in self.people)

    def rows(self) -> list[tuple[int, str, str, str, str]]:
        """The report as a table: line, what became of it, column, why, the cell as it stands."""
        found = [(p.line, "wrong", p.label, p.words, p.value) for p in self.problems]
        found += [(p.line, "skipped", p.label, p.words, p.value) for p in self.skipped]
        return sorted(found)


REPORT_HEADS = ("Line", "What", "Column", "Why", "As it stands")


class ImportRefused(ValidationError):
    """Nothing was imported; ``report`` says which rows are in the way."""

    def __init__(self, report: Report) -> None:
        self.report = report
        if report.problems:
            rows = report.wrong_lines
            words = f"{rows} {'row is' if rows == 1 else 'rows are'} wrong. Nothing was imported."
        else:
            words = "No row is left to import. Nothing was imported."
        super().__init__(words)


def plan_problems(plan: Plan, table: Table) -> dict[str, str]:
    """What is missing before any row can be read, by field of the plan."""
    found = {}
    for wanted in FIELDS:
        place = plan.columns.get(wanted.name)
        if place is None and wanted.required:
            found[wanted.name] = f"Choose the column with the {wanted.label.lower()}."
        elif place is not None and not 0 <= place < len(table.heads):
            found[wanted.name] = "There is no such column."
    used = list(plan.columns.values())
    twice = [name for name, place in plan.columns.items() if used.count(place) > 1]
    for name in twice:
        found.setdefault(name, f"{BY_NAME[name].label}: another field has this column already.")
    if plan.date_form not in DATE_FORMS and any(name in plan.columns for name in people.DATES):
        found["date_form"] = "Say how the dates are written."
    if plan.site is None and "site" not in plan.columns:
        found["site_default"] = "Choose a site: no column says it."
    if plan.physiotherapist is None and "physiotherapist" not in plan.columns:
        found["physiotherapist_default"] = "Choose a physiotherapist: no column says it."
    return found


def check(*, table: Table, plan: Plan, by: User, at: dt.datetime) -> Report:
    """Read every row and say what is wrong with it; changes nothing.

    Raises ValidationError by field when the plan itself cannot be followed.
    """
    _require_desk(by)
    problems = plan_problems(plan, table)
    if problems:
        raise ValidationError(problems)
    house = people.house_of(by)
    report = Report()
    read: list[tuple[Person, list[Problem]]] = []
    for line in table.lines:
        read.append(people.read_person(line, table=table, plan=plan, house=house, at=at))
    known = doubles.Known([person for person, _ in read], by)
    for person, wrong in read:
        double = known.double_of(person)
        if double is not None and plan.duplicates == "skip":
            report.skipped.append(double)
            continue
        clash = known.clash_of(person)
        wrong = [*wrong, *filter(None, (double or clash,)), *known.stopped(person)]
        report.problems += wrong
        report.doubles += double is not None
        if not wrong:
            known.add(person)
            report.people.append(person)
        elif double is None:
            known.add(person)
    return report


def import_patients(*, table: Table, plan: Plan, by: User, at: dt.datetime) -> Report:
    """Register everybody in the table, or nobody: any row that is wrong stops it all.

    Raises ImportRefused with the report, and then nothing has changed.
    """
    try:
        with transaction.atomic(), pghistory.context(import_of=len(table.lines), user=by.pk):
            # The lock of next_number: nobody else is given a number meanwhile.
            first = next_number()
            report = check(table=table, plan=plan, by=by, at=at)
            if not report.is_good:
                raise ImportRefused(report)
            _register(report, first, by, at)
            record_access(
                actor=by,
                action=AccessRecord.Action.CHANGE,
                subject_type="import",
                subject_id=len(report.people),
                page="import",
                at=at,
            )
    except IntegrityError as error:
        clash = Problem(
            0, "", "Somebody was registered at the same moment. Look at the report again.", ""
        )
        raise ImportRefused(Report(problems=[clash])) from error
    return report


def _register(report: Report, first_number: str, by: User, at: dt.datetime) -> None:
    given = {person.values["number"] for person in report.people}
    free = (number for number in _numbers_from(first_number) if number not in given)
    new = [
        NewPatient(
            **{**person.values, "number": person.values["number"] or next(free)},
            consents=person.consents,
        )
        for person in report.people
    ]
    try:
        register_many(people=new, by=by, at=at)
    except ManyRefused as refused:
        for place, error in refused.errors.items():
            person = report.people[place]
            for name, words in _by_field(error):
                label = BY_NAME[name].label if name in BY_NAME else ""
                value = person.cells.get(name, "")
                report.problems.append(Problem(person.line, label, words, value))
        raise ImportRefused(report) from refused


def _by_field(error: ValidationError) -> list[tuple[str, str]]:
    if hasattr(error, "error_dict"):
        return [(name, word) for name, words in error.message_dict.items() for word in words]
    return [("", word) for word in error.messages]


def _numbers_from(first: str) -> Iterator[str]:
    return (f"P-{number:05d}" for number in itertools.count(int(first.removeprefix("P-"))))


def _require_desk(by: User) -> None:
    if not may(by, May.REGISTER) or by.role not in (
        Role.PHYSIOTHERAPIST,
        Role.FRONT_DESK,
        Role.MANAGER,
    ):
        raise PermissionDenied("Only staff may take patients in.")
