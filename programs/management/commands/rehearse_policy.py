"""What a changed policy would have decided over the practice's own past."""

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from programs.comparing import Tally, in_words, more_or_fewer
from programs.models import Decision, Policy
from programs.policy_checks import cautions, difference
from programs.policy_files import PolicyFileError, completed, read_policy
from programs.rehearsing import rehearse_at_the_server

_NUMBERS = 25


class Command(BaseCommand):
    help = (
        "Decides the stored decisions of a pathway again under the thresholds of a JSON file, and "
        "says what would have been otherwise. Changes nothing."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("file", help='{"pathway": …, "thresholds": {…}}, or thresholds alone')
        parser.add_argument("--since", required=True, help="first day, as 2026-03-01")
        parser.add_argument("--pathway", help="chronic, desk, athlete or post_injury")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, file: str, since: str, json: bool, **options: Any) -> None:
        as_json = json
        day = self._day(since)
        try:
            pathway, thresholds = read_policy(self._read(file), options["pathway"])
            against = Policy.objects.filter(pathway=pathway).order_by("-version").first()
            if against is None:
                raise PolicyFileError(f"No policy is in force for {pathway}: load_content first.")
            whole = completed(pathway, against.thresholds, thresholds)
        except PolicyFileError as error:
            self._refuse(f"{file}: {error}")
        at = timezone.now()
        tally, courses = rehearse_at_the_server(against=against, thresholds=whole, since=day, at=at)
        found = {
            "pathway": pathway,
            "against_version": against.version,
            "since": day.isoformat(),
            "changes": [
                {"threshold": one.name, "old": one.old, "new": one.new, "looser": one.looser}
                for one in difference(against.thresholds, whole)
            ],
            "cautions": [one.words for one in cautions(pathway, whole)],
            "past": tally.as_json(),
            "courses": courses,
        }
        if as_json:
            self.stdout.write(_dumped(found))
        else:
            self._tell(found, tally)

    def _read(self, file: str) -> Any:
        try:
            return json.loads(Path(file).read_text(encoding="utf-8"))
        except OSError as error:
            raise PolicyFileError(f"cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise PolicyFileError("is not UTF-8 text.") from error
        except json.JSONDecodeError as error:
            raise PolicyFileError(f"is not JSON: {error.msg}, line {error.lineno}.") from error
        except RecursionError as error:
            raise PolicyFileError("is nested too deeply.") from error

    def _day(self, text: str) -> dt.date:
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            self._refuse(f"--since {text}: write a day as 2026-03-01.")

    def _refuse(self, message: str) -> Any:
        self.stderr.write(message)
        sys.exit(2)

    # --- in words ------------------------------------------------------------------------------

    def _tell(self, found: dict[str, Any], tally: Tally) -> None:
        say = self.stdout.write
        say(f"{found['pathway']}, against version {found['against_version']}")
        for one in found["changes"]:
            way = "looser" if one["looser"] else "more careful"
            say(f"  {one['threshold']}: {one['old']} -> {one['new']} ({way})")
        if not found["changes"]:
            say("  nothing differs")
        for words in found["cautions"]:
            say(f"  mind: {words}")
        say("")
        say(
            f"{tally.decisions} decisions in {tally.programs} programs since {found['since']}: "
            f"{tally.turned} programs would have gone another way."
        )
        if tally.turned:
            say(f"It would have {in_words(tally.first) or 'changed only who takes the step'}.")
            say("")
            say(f"{'first difference':18}{'more':>6}{'fewer':>7}")
            for tile in more_or_fewer(tally.first):
                say(f"{tile.outcome.lower():18}{tile.more:6}{tile.fewer:7}")
            say("")
            self._patients(tally)
        say(
            f"Counted beside: {tally.contact} with another contact, {tally.rules} with other "
            f"rules, {tally.already} already another under the version in force, {tally.unlike} "
            "not made again as stored, "
            f"{tally.unreadable} not rehearsed (older evidence)."
        )
        say("A rehearsal shows the first difference, not what would have followed.")
        say("")
        self._courses(found["courses"])

    def _patients(self, tally: Tally) -> None:
        refs = {turn.ref: turn for turn in tally.turns[:_NUMBERS]}
        rows = Decision.objects.filter(pk__in=refs).values_list(
            "pk", "program__patient__number", "day"
        )
        self.stdout.write(f"{'patient':14}{'day':12}{'in force':26}draft")
        for pk, number, day in sorted(rows, key=lambda row: row[2]):
            turn = refs[pk]
            old = f"{turn.old} {' '.join(turn.old_rules)}"
            new = f"{turn.new} {' '.join(turn.new_rules)}"
            self.stdout.write(f"{number:14}{day.isoformat():12}{old[:25]:26}{new}")
        if tally.turned > len(refs):
            self.stdout.write(f"and {tally.turned - len(refs)} more; --json has them")
        self.stdout.write("")

    def _courses(self, courses: list[dict[str, Any]]) -> None:
        say = self.stdout.write
        head = f"{'made-up course':18}{'day of level 2, 3, 4':34}"
        say(head + f"{'stops':>10}{'down':>10}{'pain':>10}")
        for one in courses:
            old, new = one["old"], one["new"]
            days = _move(_days(old["days_to"]), _days(new["days_to"]))
            say(
                f"{one['title']:18}{days:34}"
                f"{_move(old['stops'], new['stops']):>10}"
                f"{_move(old['regressions'], new['regressions']):>10}"
                f"{_move(old['peak'], new['peak']):>10}"
            )


def _days(days: list[int | None] | tuple[int | None, ...]) -> str:
    return ", ".join("-" if day is None else str(day) for day in days)


def _move(old: Any, new: Any) -> str:
    said = ["-" if value is None else str(value) for value in (old, new)]
    return said[0] if old == new else " -> ".join(said)


def _dumped(found: dict[str, Any]) -> str:
    return json.dumps(found, ensure_ascii=False, indent=1)
