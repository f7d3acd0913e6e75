"""Decide the cases of a JSON file and print what the rules say of each."""

import json
import sys
from pathlib import Path

from django.core.management.base import BaseCommand

from programs.cases import CaseError, decide_cases


class Command(BaseCommand):
    help = "Reads progression cases and prints a JSON array of decisions, in the same order."

    def add_arguments(self, parser) -> None:
        parser.add_argument("file", help="a JSON array of cases")

    def handle(self, *args, file: str, **options) -> None:
        try:
            answers = decide_cases(json.loads(Path(file).read_text(encoding="utf-8")))
        except OSError as error:
            self._refuse(f"{file} cannot be read: {error.strerror}.")
        except UnicodeDecodeError:
            self._refuse(f"{file} is not UTF-8 text.")
        except json.JSONDecodeError as error:
            self._refuse(f"{file} is not JSON: {error.msg}, line {error.lineno}.")
        except CaseError as error:
            self._refuse(str(error))
        else:
            self.stdout.write(json.dumps(answers, ensure_ascii=False, indent=1))

    def _refuse(self, message: str) -> None:
        self.stderr.write(message)
        sys.exit(2)
