"""``manage.py import_patients FILE``: take patients in from a CSV file, all of them or none."""

from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from clinic.models import Role, Site, User
from clinic.spreadsheets import write_table
from patients.csv_files import FileProblem, Table, read_table
from patients.import_cells import BY_NAME, DATE_FORMS, guess_columns, guess_date_form
from patients.import_people import DATES
from patients.importing import (
    REPORT_HEADS,
    ImportRefused,
    Plan,
    Report,
    check,
    import_patients,
)

_SHOWN = 50


class Command(BaseCommand):
    help = (
        "Import patients from a CSV file. Columns are found by their heads; any row that is wrong "
        "stops the whole import, and the report names each."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, only")
        parser.add_argument("--by", help="e-mail of the member of staff who imports")
        parser.add_argument("--site", help="name of the site of rows that name none")
        parser.add_argument("--physiotherapist", help="e-mail, for rows that name none")
        parser.add_argument("--dates", choices=sorted(DATE_FORMS), help="how dates are written")
        parser.add_argument("--way", choices=["in_person", "paper"], help="how people agreed")
        parser.add_argument("--duplicates", choices=["refuse", "skip"], default="refuse")
        parser.add_argument(
            "--column",
            action="append",
            default=[],
            metavar="FIELD=HEAD",
            help="use this column for a field; FIELD= leaves the field out",
        )
        parser.add_argument("--report", type=Path, help="write the report per row to this file")

    def handle(self, *args: object, **options: Any) -> None:
        table = _table(options["file"])
        by = _member(options["by"])
        plan = _plan(table, by, options)
        self._say_plan(table, plan)
        at = timezone.now()
        try:
            if options["dry_run"]:
                report = check(table=table, plan=plan, by=by, at=at)
            else:
                report = import_patients(table=table, plan=plan, by=by, at=at)
        except ImportRefused as refused:
            self._tell(refused.report, options["report"])
            raise CommandError(" ".join(refused.messages)) from refused
        except (PermissionDenied, ValidationError) as error:
            words = error.messages if isinstance(error, ValidationError) else [str(error)]
            raise CommandError(" ".join(words)) from error
        self._tell(report, options["report"])
        count, skipped = len(report.people), len(report.skipped)
        if options["dry_run"]:
            self.stdout.write(f"{count} would be imported, {skipped} skipped. Nothing was changed.")
            if report.problems:
                raise CommandError(f"{report.wrong_lines} rows are wrong.")
        else:
            self.stdout.write(f"{count} imported, {skipped} skipped.")

    def _say_plan(self, table: Table, plan: Plan) -> None:
        self.stdout.write(
            f"{len(table.lines)} rows, {table.encoding}, {table.delimiter} between cells."
        )
        for name, place in plan.columns.items():
            self.stdout.write(f"  {BY_NAME[name].label}: {table.heads[place]}")

    def _tell(self, report: Report, file: Path | None) -> None:
        rows = report.rows()
        if file is not None:
            with file.open("w", newline="", encoding="utf-8") as out:
                write_table(out, REPORT_HEADS, rows)
        for line, what, label, words, value in rows[:_SHOWN]:
            stands = f" It says “{value}”." if value else ""
            self.stdout.write(f"Line {line}, {what}: {label}: {words}{stands}".replace(": :", ":"))
        if len(rows) > _SHOWN:
            self.stdout.write(f"And {len(rows) - _SHOWN} more; --report writes them all.")


def _table(file: Path) -> Table:
    try:
        return read_table(file.read_bytes())
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    except FileProblem as problem:
        raise CommandError(str(problem)) from problem


def _member(email: str | None) -> User:
    staff = User.objects.filter(is_active=True).exclude(role__in=[Role.PATIENT, Role.CARER])
    if email:
        found = User.objects.with_email(email)
        if found is None or not found.is_staff:
            raise CommandError(f"{email} is nobody of the staff.")
        return found
    managers = list(staff.filter(role=Role.MANAGER)[:2])
    if len(managers) != 1:
        raise CommandError("Say who imports: --by with the e-mail of a member of staff.")
    return managers[0]


def _plan(table: Table, by: User, options: dict[str, Any]) -> Plan:
    columns = guess_columns(table.heads)
    for given in options["column"]:
        name, equals, head = given.partition("=")
        if not equals or name not in BY_NAME:
            raise CommandError(f"--column {given}: the fields are {', '.join(BY_NAME)}.")
        columns.pop(name, None)
        if head:
            if head not in table.heads:
                raise CommandError(f"--column {given}: there is no column “{head}”.")
            columns[name] = table.heads.index(head)
    sites = Site.objects.all() if by.is_superuser else by.sites.all()
    site = None
    if options["site"]:
        site = sites.filter(name=options["site"]).first()
        if site is None:
            raise CommandError(f"{by.name} works at no site named “{options['site']}”.")
    elif len(sites) == 1:
        site = sites[0]
    people = User.objects.filter(
        role=Role.PHYSIOTHERAPIST, is_active=True, sites__in=sites
    ).distinct()
    who = None
    if options["physiotherapist"]:
        who = next((p for p in people if p.email == options["physiotherapist"].lower()), None)
        if who is None:
            raise CommandError(f"{options['physiotherapist']} is no physiotherapist there.")
    elif len(people) == 1:
        who = people[0]
    dates = [cell for name in DATES if name in columns for cell in table.column(columns[name])]
    return Plan(
        columns=columns,
        date_form=options["dates"] or guess_date_form(dates),
        site=site,
        physiotherapist=who,
        way=options["way"] or "",
        duplicates=options["duplicates"],
    )
