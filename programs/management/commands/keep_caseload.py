"""``manage.py keep_caseload``: make the rows of the board again, without a worker."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from patients.models import Patient
from programs import caseload_rows


class Command(BaseCommand):
    help = "Make the rows of the board again that have changed, or with --all everybody's."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="also where nothing is marked")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["all"]:
            caseload_rows.touch(Patient.objects.values_list("pk", flat=True).iterator())
        made = caseload_rows.settle_all(at=timezone.now())
        self.stdout.write(f"{made} rows made.")
