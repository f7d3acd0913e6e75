"""``manage.py load_questionnaire FILE``: take a questionnaire of the practice's own into use."""

import json
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from patients.measuring import load_questionnaire, retire_questionnaire, shape_of
from patients.questionnaires import QuestionnaireError


class Command(BaseCommand):
    help = (
        "Load a questionnaire that the practice has the right to use, with its scoring, from a "
        "FHIR-Questionnaire-shaped JSON file (docs/measures.md). May be run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("file", type=Path, nargs="?", help="a JSON file")
        what.add_argument("--retire", metavar="NAME", help="stop asking this questionnaire")

    def handle(self, *args: object, **options: object) -> None:
        if options["retire"]:
            try:
                retire_questionnaire(name=str(options["retire"]), at=timezone.now())
            except ValidationError as error:
                raise CommandError(" ".join(error.messages)) from error
            self.stdout.write(f"“{options['retire']}” is no longer asked. Its results stay.")
            return
        file = Path(str(options["file"]))
        try:
            row, new = load_questionnaire(data=_read(file), at=timezone.now())
        except QuestionnaireError as error:
            lines = "\n".join(f"  {problem}" for problem in error.problems)
            raise CommandError(f"Nothing was loaded from {file}:\n{lines}") from error
        shape = shape_of(row)
        asked = ", ".join(shape.asked) if shape.asked else "never; staff enter it"
        state = "Loaded" if new else "Already there"
        self.stdout.write(
            f"{state}: {row}, {len(shape.items)} questions, {len(shape.scores)} scores. "
            f"Patients are asked: {asked}."
        )


def _read(file: Path) -> object:
    try:
        return json.loads(file.read_text("utf-8-sig"))
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{file} is not UTF-8 text.") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise CommandError(f"{file} is not JSON: {error}.") from error
