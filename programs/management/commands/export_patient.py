"""``manage.py export_patient ID --format zip``: everything about one patient, as a file."""

import contextlib
import uuid
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q
from django.utils import timezone

from clinic.models import User
from patients.models import Patient
from programs.exporting import export_patient, file_name


class Command(BaseCommand):
    help = (
        "Write everything about one patient to a zip file: to read, for a table program, and as "
        "JSON. That it was taken out is kept in the record."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("patient", metavar="ID", help="the patient's number or id")
        parser.add_argument("--format", choices=["zip", "fhir"], default="zip")
        parser.add_argument("--by", metavar="EMAIL", help="the member of staff who takes it out")
        parser.add_argument("--output", type=Path, metavar="FILE", help="where to write it")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["format"] == "fhir":
            raise CommandError("FHIR is not written yet. Use --format zip.")
        at = timezone.now()
        patient = _patient(options["patient"])
        file = options["output"] or Path(file_name(patient, at))
        by = _staff(options["by"]) if options["by"] else None
        try:
            with file.open("xb") as out:
                try:
                    export_patient(patient=patient, by=by, at=at, out=out, page="command line")
                except BaseException:
                    file.unlink()
                    raise
        except FileExistsError:
            raise CommandError(f"{file} is already there. Name another with --output.") from None
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from error
        except PermissionDenied as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Written to {file}.")


def _patient(named: str) -> Patient:
    wanted = Q(number=named)
    with contextlib.suppress(ValueError):
        wanted |= Q(pk=uuid.UUID(named))
    patients = Patient.objects.select_related("site", "physiotherapist", "user")
    found = patients.filter(wanted).first()
    if found is None:
        raise CommandError(f"There is no patient {named}.")
    return found


def _staff(email: str) -> User:
    found = User.objects.filter(email=email.lower(), is_active=True).first()
    if found is None or not found.is_staff:
        raise CommandError(f"There is no member of staff {email}.")
    return found
