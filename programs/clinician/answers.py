"""The answers that fired a decision’s rules, with their days, for the clinician. Reads only."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from patients.models import CheckIn
from programs.body_map import BY_PLACE, ELSEWHERE_NAMES
from programs.models import Decision, Exercise, Program, Session
from programs.rule_words import RULES, answer_words

# More than these is not read at a glance.
MOST_PICTURES = 3


@dataclass(frozen=True)
class Line:
    """The answers that stand together in the record; ``when`` says where, or is empty."""

    when: str
    words: str


@dataclass(frozen=True)
class FiredRule:
    """One fired rule; ``strongest`` when it carries the outcome, ``settled`` when it was acted on
    before."""

    rule: str
    name: str
    outcome: str
    strongest: bool
    settled: bool
    lines: list[Line]


@dataclass(frozen=True)
class Picture:
    """Where an answer points: ``side`` and ``place`` as in ``programs.body_map``, and the exercise
    (its slug, name and level) that the patient named; any of them may be empty."""

    when: str
    side: str
    place: str
    exercise: str = ""
    name: str = ""
    level: int = 0

    @property
    def words(self) -> str:
        """Such as “Left buttock”."""
        band = BY_PLACE.get(self.place)
        if band is None and not self.place:
            return f"{self.side} side".capitalize() if self.side else ""
        if band is None:
            return ELSEWHERE_NAMES[self.side]
        return band.on(self.side) if self.side else band.name


def look_at(decision: Decision) -> tuple[list[FiredRule], list[Picture]]:
    """The fired rules and, newest first, where their answers point, in 3 queries."""
    sessions, check_ins, names = _read(decision)
    return _fired(decision, sessions, check_ins, names), _pictures(decision, sessions, names)


def _pictures(
    decision: Decision, sessions: dict[str, Session], names: dict[str, str]
) -> list[Picture]:
    """What was felt and where, once each: the same place named twice is one picture."""
    fired = {a["ref"] for rule in decision.fired for a in rule["answers"]}
    found: dict[tuple[str, str, str], Picture] = {}
    for ref, session in sorted(sessions.items(), key=lambda one: one[1].day, reverse=True):
        levels = {str(item["exercise"]): int(str(item["level"])) for item in session.items}
        for given in _check_ins(session) if ref in fired else []:
            if not (given.side or given.place or given.exercise):
                continue
            key = (given.side, given.place, given.exercise)
            found.setdefault(
                key,
                Picture(
                    when=f"{given.day:%a %-d %b}",
                    side=given.side,
                    place=given.place,
                    exercise=given.exercise,
                    name=names.get(given.exercise, given.exercise),
                    level=levels.get(given.exercise, 0),
                ),
            )
    return list(found.values())[:MOST_PICTURES]


def _fired(
    decision: Decision,
    sessions: dict[str, Session],
    check_ins: dict[str, CheckIn],
    names: dict[str, str],
) -> list[FiredRule]:
    started = decision.program.started_on
    found = []
    for fired in decision.fired:
        together: dict[str, list[str]] = defaultdict(list)
        for answer in fired["answers"]:
            words = answer_words(answer["field"], answer["value"])
            if answer["field"] == "one_sided_pull" and answer["value"]:
                words += _where(sessions.get(answer["ref"]), names)
            together[answer["ref"]].append(words)
        found.append(
            FiredRule(
                rule=fired["rule"],
                name=RULES.get(fired["rule"], fired["rule"]),
                outcome=fired["outcome"],
                strongest=fired["rule"] in decision.rules,
                settled=bool(fired.get("settled")),
                lines=[
                    Line(_when(ref, sessions, check_ins, started), ", ".join(words))
                    for ref, words in together.items()
                ],
            )
        )
    return found


def _read(
    decision: Decision,
) -> tuple[dict[str, Session], dict[str, CheckIn], dict[str, str]]:
    refs = {a["ref"] for fired in decision.fired for a in fired["answers"] if a["ref"]}
    ids = [ref.split(":", 1)[1] for ref in refs if ref.startswith("session:")]
    sessions = {
        f"session:{session.pk}": session
        for session in Session.objects.filter(
            pk__in=ids, program=decision.program_id
        ).select_related("after_check_in", "morning_check_in")
    }
    ids = [ref.split(":", 1)[1] for ref in refs if ref.startswith("checkin:")]
    check_ins = {f"checkin:{c.pk}": c for c in CheckIn.objects.filter(pk__in=ids)}
    pointed = {c.exercise for s in sessions.values() for c in _check_ins(s) if c.exercise}
    names = dict(Exercise.objects.filter(slug__in=pointed).values_list("slug", "name"))
    return sessions, check_ins, names


def _check_ins(session: Session) -> list[CheckIn]:
    return [c for c in (session.after_check_in, session.morning_check_in) if c is not None]


def _where(session: Session | None, names: dict[str, str]) -> str:
    """Side, place and exercise of a pull, such as “ (left, buttock, Hamstring stretch)”."""
    if session is None:
        return ""
    parts: list[str] = []
    for check_in in _check_ins(session):
        if check_in.soreness == CheckIn.Soreness.ONE_SIDED:
            place = check_in.get_place_display().lower()
            parts += [check_in.side, place, names.get(check_in.exercise, check_in.exercise)]
    said = list(dict.fromkeys(part for part in parts if part))
    return f" ({', '.join(said)})" if said else ""


def _when(
    ref: str,
    sessions: dict[str, Session],
    check_ins: dict[str, CheckIn],
    started: dt.date,
) -> str:
    if ref in sessions:
        return f"{sessions[ref].day:%a %-d %b}, session"
    if ref in check_ins:
        check_in = check_ins[ref]
        return f"{check_in.day:%a %-d %b}, {check_in.get_kind_display().lower()}"
    if ref.startswith("week:"):
        number = int(ref.split(":", 1)[1])
        first = started + dt.timedelta(weeks=number - 1)
        last = first + dt.timedelta(days=6)
        return f"Week {number}, {first:%-d %b} to {last:%-d %b}"
    return ""


def newest_decision(program: Program) -> Decision | None:
    """The newest decision with all that ``look_at`` reads of it."""
    return program.decisions.select_related("policy", "program").defer("evidence").first()
