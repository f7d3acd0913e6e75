"""The caseload: one row per patient, in order of need, derived from everything that is known.

Reads only. The number of queries is the same for one patient and for a thousand: each table is
read once for all of them, and the rows are put together here. What the board shows is a kept copy
of these rows (``programs.caseload_rows``).
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Max, Q, Value
from django.db.models.functions import Concat

from clinic.models import Alert, User
from patients.models import CheckIn, Patient, RedFlag
from patients.red_flagging import describe
from programs.adherence import WINDOW_DAYS, adherence
from programs.asked_for import Held, Taper, asked_by, silent_days
from programs.models import Decision, Program, ProgramVersion, Proposal, Session, Snooze
from programs.needs import (
    LONG_SILENT_DAYS,
    NEED,
    NEEDS,
    ORDER,
    SILENT_DAYS,
    Need,
    is_snoozed,
    why_one_by_one,
)
from programs.rule_words import ASK_FOR_A_LOOK, rule_words

__all__ = ["NEED", "NEEDS", "ORDER", "Need", "Row", "patients_on_board", "rows_for"]

_WORTH = {"done": 2, "partly": 1}
# The newest day that was answered for, and the newest moment at which it was done.
_Answered = tuple[dt.date, dt.datetime]


@dataclass(frozen=True)
class Row:
    """One patient on the board. ``since`` is when the reason began; ``adherence`` is 0–1 over 14
    days; ``silent_days`` counts from the last answer (a check-in or a session), or the start or
    reopening, days off before a routine was asked for left out; ``order`` sorts in a need.

    The trends are the last 14 local days, oldest first: usual pain, and what became of the routine
    (0 nothing, 1 partly, 2 done); None where nothing is known or was asked for. ``snooze`` is the
    open one, whether or not it still holds. ``looks_again_at`` is the first moment at which this
    row is another one although nothing has happened.
    """

    patient: Patient
    need: Need
    reason: str
    since: dt.datetime | None
    order: int
    program: Program | None = None
    decision: Decision | None = None
    proposal: Proposal | None = None
    usual_pain: int | None = None
    adherence: float | None = None
    silent_days: int | None = None
    step: str = ""
    due_at: dt.datetime | None = None
    last_answer: dt.date | None = None
    pain_trend: tuple[int | None, ...] = ()
    done_trend: tuple[int | None, ...] = ()
    may_bulk: bool = False
    snooze: Snooze | None = None
    looks_again_at: dt.datetime | None = None

    @property
    def is_snoozed(self) -> bool:
        return self.snooze is not None and is_snoozed(need=self.need, since=NEED[self.snooze.need])

    @property
    def shown(self) -> Need:
        """The need under which the board shows the patient."""
        return NEED["snoozed"] if self.is_snoozed else self.need

    @property
    def version(self) -> ProgramVersion | None:
        return self.program.current_version if self.program else None

    @property
    def adherence_percent(self) -> int | None:
        return None if self.adherence is None else round(self.adherence * 100)

    @property
    def sort_key(self) -> tuple[Any, ...]:
        since = self.since.timestamp() if self.since else float("inf")
        return (self.shown.rank, self.order, since, self.patient.family_name, str(self.patient.pk))


@dataclass
class _Known:
    """What was read for all patients at once; keys are patient or program ids."""

    programs: dict[uuid.UUID, Program] = field(default_factory=dict)
    ended: set[uuid.UUID] = field(default_factory=set)
    flags: dict[uuid.UUID, list[RedFlag]] = field(default_factory=lambda: defaultdict(list))
    alerts: dict[str, list[Alert]] = field(default_factory=lambda: defaultdict(list))
    proposals: dict[uuid.UUID, Proposal] = field(default_factory=dict)
    decisions: dict[uuid.UUID, Decision] = field(default_factory=dict)
    usual_pain: dict[uuid.UUID, int] = field(default_factory=dict)
    answers: dict[uuid.UUID, list[_Answered]] = field(default_factory=lambda: defaultdict(list))
    sessions: dict[uuid.UUID, dict[dt.date, str]] = field(default_factory=lambda: defaultdict(dict))
    reopened: dict[uuid.UUID, dt.date] = field(default_factory=dict)
    tapers: dict[uuid.UUID, list[tuple[dt.datetime, Taper]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    told: dict[tuple[uuid.UUID, dt.datetime], Decision] = field(default_factory=dict)
    pain: dict[uuid.UUID, dict[dt.date, int]] = field(default_factory=lambda: defaultdict(dict))
    snoozes: dict[uuid.UUID, Snooze] = field(default_factory=dict)

    def told_by(self, alert: Alert, program: Program | None) -> Decision | None:
        """The decision an alert of the rules tells of: both were written at one moment."""
        if program is None or not alert.key.startswith("rule:"):
            return None
        return self.told.get((program.pk, alert.raised_at))


def patients_on_board(*, user: User, scope: str = "mine", search: str = "") -> Any:
    """The patients this person may see: their own caseload ("mine") or the whole site ("site"),
    narrowed by name, number or telephone."""
    found = Patient.objects.visible_to(user).select_related("physiotherapist", "site")
    if scope == "mine":
        found = found.filter(physiotherapist=user)
    words = search.strip()
    if words:
        found = found.annotate(whole_name=Concat("given_name", Value(" "), "family_name")).filter(
            _matches(words)
        )
    return found.order_by("family_name", "given_name", "pk").distinct()


def _matches(words: str) -> Q:
    match = Q(whole_name__icontains=words) | Q(number__icontains=words)
    digits = "".join(letter for letter in words if letter.isdigit())
    if len(digits) >= 4:
        # A number is kept with its country code; people search as they dial.
        match |= Q(
            contact_points__channel="sms", contact_points__address__contains=digits.lstrip("0")
        )
    return match


def rows_for(patients: Iterable[Patient], *, at: dt.datetime) -> list[Row]:
    """The rows of these patients in order of need, in a fixed number of queries."""
    patients = list(patients)
    known = _read([patient.pk for patient in patients], at)
    return sorted((_row(patient, known, at) for patient in patients), key=lambda r: r.sort_key)


# --- reading ------------------------------------------------------------------------------------


def _read(ids: Collection[uuid.UUID], at: dt.datetime) -> _Known:
    known = _Known()
    every_program = Program.objects.filter(patient__in=ids).select_related("current_version")
    for program in every_program.order_by("started_on"):
        if program.status == Program.Status.ENDED:
            known.ended.add(program.patient_id)
        else:
            known.programs[program.patient_id] = program
    running = [program.pk for program in known.programs.values()]
    for flag in RedFlag.objects.open().filter(patient__in=ids).order_by("opened_at"):
        known.flags[flag.patient_id].append(flag)
    texts = [str(pk) for pk in ids]
    for alert in Alert.objects.open().filter(subject_type="patient", subject_id__in=texts):
        known.alerts[alert.subject_id].append(alert)
    for proposal in (
        Proposal.objects.open()
        .filter(program__in=running)
        .select_related("decision")
        .defer("decision__evidence", "decision__fired")
    ):
        known.proposals[proposal.program_id] = proposal
    newest = (
        Decision.objects.filter(program__in=running)
        .order_by("program_id", "-at", "-pk")
        .distinct("program_id")
        .defer("evidence", "fired")
    )
    known.decisions = {decision.program_id: decision for decision in newest}
    moments = {alert.raised_at for alerts in known.alerts.values() for alert in alerts}
    spoken_of = Decision.objects.filter(program__in=running, at__in=moments)
    for decision in spoken_of.order_by("pk").defer("evidence", "fired"):
        known.told[decision.program_id, decision.at] = decision
    known.usual_pain = dict(
        CheckIn.objects.filter(patient__in=ids, usual_pain__isnull=False)
        .order_by("patient_id", "-day", "-at", "-pk")
        .distinct("patient_id")
        .values_list("patient", "usual_pain")
    )
    # As reminders know it: a recorded session is an answer, a skipped one too.
    check_ins = CheckIn.objects.filter(patient__in=ids).order_by().values_list("patient")
    sessions = Session.objects.filter(program__patient__in=ids).order_by()
    for answers in (check_ins, sessions.values_list("program__patient")):
        for pk, *newest in answers.annotate(last=Max("day"), given=Max("at")):
            known.answers[pk].append(tuple(newest))
    # A day to spare: a patient's local day may be ahead of, or behind, the one in UTC.
    first = at.date() - dt.timedelta(days=WINDOW_DAYS + 1)
    for pk, day, pain in (
        CheckIn.objects.filter(patient__in=ids, day__gte=first, usual_pain__isnull=False)
        .order_by("at", "pk")
        .values_list("patient", "day", "usual_pain")
    ):
        known.pain[pk][day] = pain
    for snooze in Snooze.objects.open().filter(patient__in=ids, until__gt=at).select_related("by"):
        known.snoozes[snooze.patient_id] = snooze
    for pk, day, status in Session.objects.filter(program__in=running, day__gte=first).values_list(
        "program", "day", "status"
    ):
        known.sessions[pk][day] = status
    known.reopened = dict(
        ProgramVersion.objects.filter(program__in=running, cause=ProgramVersion.Cause.REOPENED)
        .order_by()
        .values_list("program")
        .annotate(last=Max("step_since"))
    )
    tapering = ProgramVersion.objects.filter(program__in=running).exclude(taper=[])
    for pk, moment, taper in (
        ProgramVersion.objects.filter(program__in=tapering.values("program"))
        .order_by("number")
        .values_list("program", "at", "taper")
    ):
        known.tapers[pk].append((moment, taper))
    return known


# --- putting a row together ---------------------------------------------------------------------


def _row(patient: Patient, known: _Known, at: dt.datetime) -> Row:
    program = known.programs.get(patient.pk)
    today = patient.local_date(at)
    facts: dict[str, Any] = {"patient": patient, "program": program}
    last = _last_answer(patient, known.answers.get(patient.pk, ()))
    facts["last_answer"] = last
    facts["usual_pain"] = known.usual_pain.get(patient.pk)
    facts["snooze"] = known.snoozes.get(patient.pk)
    window = [today - dt.timedelta(days=ago) for ago in reversed(range(WINDOW_DAYS))]
    facts["pain_trend"] = tuple(known.pain.get(patient.pk, {}).get(day) for day in window)
    alerts = sorted(known.alerts.get(str(patient.pk), []), key=lambda a: a.due_at)
    flags = known.flags.get(patient.pk, [])
    if alerts:
        facts["due_at"] = alerts[0].due_at
    if program is not None:
        asked = asked_by(
            [
                Held(patient.local_date(since), taper)
                for since, taper in known.tapers.get(program.pk, ())
            ],
            started_on=program.started_on,
        )
        started = max(program.started_on, known.reopened.get(program.pk, program.started_on))
        # A start that lies ahead is not silence.
        facts["silent_days"] = silent_days(
            since=max(last, started) if last else started,
            answered=last is not None and last >= started,
            today=today,
            asked=asked,
        )
        decision = known.decisions.get(program.pk)
        if decision is not None and is_over(decision, program):
            decision = None
        facts["decision"] = decision
        facts["proposal"] = known.proposals.get(program.pk)
        if program.status == Program.Status.ACTIVE and today >= started:
            sessions = known.sessions.get(program.pk, {})
            facts["adherence"] = adherence(
                today=today, active_since=started, sessions=sessions, asked=asked
            )
            facts["done_trend"] = tuple(
                _WORTH.get(sessions.get(day, ""), 0)
                if day in sessions or (started <= day < today and asked(day))
                else None
                for day in window
            )
        facts["may_bulk"] = facts["proposal"] is not None and not why_one_by_one(
            step=facts["proposal"].decision.step,
            pathway=program.current_version.pathway,
            flags=len(flags),
            alerts=len(alerts),
            active=program.status == Program.Status.ACTIVE,
        )
    signals = [(alert, known.told_by(alert, program)) for alert in alerts]
    facts |= _need(facts, signals, flags, last, patient.pk in known.ended, at)
    facts["looks_again_at"] = _looks_again(patient, facts, alerts, at)
    return Row(**facts, step=_step(facts.get("proposal"), facts.get("decision")))


def _last_answer(patient: Patient, answers: Iterable[_Answered]) -> dt.date | None:
    """An answer given late for an earlier day is an answer of the day on which it was given."""
    days = [max(day, patient.local_date(given)) for day, given in answers]
    return max(days, default=None)


def _looks_again(
    patient: Patient, facts: dict[str, Any], alerts: list[Alert], at: dt.datetime
) -> dt.datetime | None:
    """When time alone changes the row: the patient's next day (silence, adherence and both trends
    move with it), an alert that becomes overdue, a snooze that is over."""
    moments = [alert.due_at + dt.timedelta(microseconds=1) for alert in alerts]
    if facts["snooze"] is not None:
        moments.append(facts["snooze"].until)
    if facts["program"] is not None or any(pain is not None for pain in facts["pain_trend"]):
        tomorrow = patient.local_date(at) + dt.timedelta(days=1)
        midnight = dt.datetime.combine(tomorrow, dt.time(), tzinfo=patient.zone)
        moments.append(midnight.astimezone(dt.UTC))
    return min((moment for moment in moments if moment > at), default=None)


def _need(
    facts: dict[str, Any],
    signals: list[tuple[Alert, Decision | None]],
    flags: list[RedFlag],
    last: dt.date | None,
    ended: bool,
    at: dt.datetime,
) -> dict[str, Any]:
    """The strongest signal of a patient; the weaker ones stay on the patient's own page."""
    program: Program | None = facts["program"]
    decision: Decision | None = facts.get("decision")
    proposal: Proposal | None = facts.get("proposal")
    if flags:
        worst = next((f for f in flags if f.severity == RedFlag.Severity.EMERGENCY), flags[0])
        order = 0 if worst.severity == RedFlag.Severity.EMERGENCY else 1
        reason = f"Red flag, {worst.get_severity_display().lower()}: {describe(worst.answers)}"
        return _said("stopped", reason, worst.opened_at, order)
    if program is not None and program.status == Program.Status.SUSPENDED:
        reason = rule_words(decision.rules) if decision else program.get_suspended_for_display()
        return _said("stopped", reason, decision.at if decision else None, 2)
    overdue = [signal for signal in signals if signal[0].due_at < at]
    if overdue:
        return _told("overdue", *overdue[0]) | {"since": overdue[0][0].due_at}
    if program is None:
        key, reason = ("ended", "Program ended.") if ended else ("new", "No program assigned yet.")
        return _said(key, reason, facts["patient"].created_at)
    lowered = [signal for signal in signals if _lowered(signal[1])]
    if lowered:
        return _told("regressed", *lowered[0])
    if proposal is not None:
        post_injury = program.current_version.pathway == "post_injury"
        reason = rule_words(proposal.decision.rules)
        return _said("waiting", reason, proposal.decision.at, 0 if post_injury else 1)
    silent = facts.get("silent_days")
    if silent is not None and silent >= SILENT_DAYS:
        words = (
            f"No answer for {silent} days" if last else f"No answer since the start, {silent} days"
        )
        key = "long_silent" if silent >= LONG_SILENT_DAYS else "silent"
        return _said(key, words, None, -silent)
    if signals:
        return _told("stalled", *signals[0])
    if decision is not None and "R21" in decision.rules:
        return _said("stalled", rule_words(decision.rules), decision.at)
    if decision is not None and "R27" in decision.rules:
        return _said("ready", rule_words(decision.rules), decision.at)
    reason = rule_words(decision.rules) if decision else "No decision yet on this version."
    return _said("fine", reason, decision.at if decision else None)


def is_over(decision: Decision, program: Program) -> bool:
    """Whether the decision was a stop that a clinician has answered by reopening the program."""
    stopped = decision.outcome == Decision.Outcome.STOP
    return stopped and program.status == Program.Status.ACTIVE


def _said(key: str, reason: str, since: dt.datetime | None, order: int = 0) -> dict[str, Any]:
    return {"need": NEED[key], "reason": reason, "since": since, "order": order}


def _told(key: str, alert: Alert, told: Decision | None) -> dict[str, Any]:
    """What an alert says, with the decision it tells of: that is the news, not a later one."""
    if told is None:
        return _said(key, alert.summary, alert.raised_at)
    asking = [rule for rule in told.rules if rule in ASK_FOR_A_LOOK]
    return _said(key, rule_words(asking or told.rules), alert.raised_at) | {"decision": told}


def _lowered(told: Decision | None) -> bool:
    """Whether a rule took a step down by itself."""
    return (
        told is not None
        and told.outcome == Decision.Outcome.REGRESS
        and told.handling == Decision.Handling.APPLIED
    )


def _step(proposal: Proposal | None, decision: Decision | None) -> str:
    """What is proposed, or was just done, in words."""
    if proposal is not None:
        return proposal.decision.step["words"] if proposal.decision.step else ""
    if decision is not None and decision.step and decision.handling == Decision.Handling.APPLIED:
        return f"Applied: {decision.step['words']}"
    return ""
