"""``manage.py import_exercises FILE``: take a free-exercise-db file into the library, to review."""

import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from programs.importing import IMPORTED, REFUSED, import_exercises


class Command(BaseCommand):
    help = (
        "Import exercises from a JSON file in the format of free-exercise-db. They cannot be "
        "prescribed before a physiotherapist has approved them. May be run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a JSON array of exercises")

    def handle(self, *args: object, **options: object) -> None:
        report = import_exercises(rows=_rows(options["file"]), by=None, at=timezone.now())
        self.stdout.write(f"{len(report.rows)} rows: {report}.")
        for movement_class, count in report.by_class().items():
            self.stdout.write(f"  {count:4} {movement_class}")
        for row in report.of(IMPORTED):
            if row.reason:
                self.stdout.write(f"To complete, row {row.row}, {row.name}: {row.reason}")
        for row in report.of(REFUSED):
            self.stdout.write(f"Refused, row {row.row}, {row.name}: {row.reason}")


def _rows(file: Path) -> list:
    try:
        rows = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{file} is not UTF-8 text.") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise CommandError(f"{file} is not JSON: {error}.") from error
    if not isinstance(rows, list):
        raise CommandError(f"{file} holds no list of exercises.")
    return rows
