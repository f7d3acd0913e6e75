"""What the queue of post-injury patients shows, in a fixed number of queries."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, When

from clinic.models import User
from patients.models import Injury
from programs.adherence import WINDOW_DAYS
from programs.criteria import Answers, read
from programs.ladder import MASTERY
from programs.limits import limits_on, words_of
from programs.models import (
    CriterionMark,
    Policy,
    Prescription,
    Program,
    ProgramVersion,
    Proposal,
    Session,
)
from programs.models.library import Pathway
from programs.policies import thresholds_of
from programs.post_injury import State, marks_of, next_phase, states_of

ORDER = (
    "a step waits for you (longest first), review due, injury not on the record, then next review."
)
# A program that stands at one step for longer says nothing new by its first sessions.
_LOOK_BACK = dt.timedelta(days=120)


@dataclass
class Line:
    """One post-injury patient; ``phase`` waits for its criteria, and is None at the last."""

    program: Program
    today: dt.date
    injury: Injury | None = None
    phase: int | None = None
    states: list[State] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    proposal: Proposal | None = None

    @property
    def version(self) -> ProgramVersion:
        return self.program.current_version

    @property
    def weeks(self) -> int | None:
        return self.injury.weeks_on(self.today) if self.injury else None

    @property
    def met(self) -> int:
        return sum(state.met for state in self.states)

    @property
    def open(self) -> list[State]:
        return [state for state in self.states if not state.met]

    @property
    def ticked(self) -> list[State]:
        return [state for state in self.states if state.met]

    @property
    def stopped(self) -> bool:
        return self.program.status == Program.Status.SUSPENDED

    @property
    def review_due(self) -> bool:
        review = self.injury.review_on if self.injury else None
        return review is not None and review <= self.today

    @property
    def waits_for_criteria(self) -> bool:
        """Whether the proposed step is a phase that open criteria still hold back."""
        step = self.proposal.decision.step if self.proposal else None
        return bool(step and step["phase"] is not None and self.open)


def queue_of(*, user: User, scope: str, at: dt.datetime) -> QuerySet[Program]:
    """The running post-injury programs this person may see, by who waits; ``scope`` "mine" keeps
    one's own caseload."""
    programs = Program.objects.visible_to(user).running()
    programs = programs.filter(current_version__pathway=Pathway.POST_INJURY)
    if scope == "mine":
        programs = programs.filter(patient__physiotherapist=user)
    injuries = Injury.objects.filter(patient=OuterRef("patient")).order_by("-happened_on", "-pk")
    waiting = Proposal.objects.open().filter(program=OuterRef("pk")).order_by()
    # Whose midnight it is matters less here than one order for everybody.
    today = at.date()
    return (
        programs.select_related("patient__physiotherapist", "patient__site", "current_version")
        .annotate(
            waits_since=Subquery(waiting.values("decision__at")[:1]),
            review_on=Subquery(injuries.values("review_on")[:1]),
            recorded=Exists(injuries),
        )
        .annotate(
            place=Case(
                When(waits_since__isnull=False, then=0),
                When(review_on__lte=today, then=1),
                When(recorded=False, then=2),
                default=3,
                output_field=IntegerField(),
            )
        )
        .order_by(
            "place",
            F("waits_since").asc(nulls_last=True),
            F("review_on").asc(nulls_last=True),
            "started_on",
            "pk",
        )
    )


def lines_for(programs: Sequence[Program], *, at: dt.datetime) -> list[Line]:
    """These programs with injury, criteria, what the answers say, limits and open proposal: six
    queries however many there are."""
    if not programs:
        return []
    marks = marks_of([program.pk for program in programs])
    injuries = injuries_of([program.patient_id for program in programs])
    answers = answers_of(programs, at=at)
    proposals = {
        proposal.program_id: proposal
        for proposal in Proposal.objects.open()
        .filter(program__in=[program.pk for program in programs])
        .select_related("decision")
        .defer("decision__evidence", "decision__fired")
    }
    lines = []
    for program in programs:
        today = program.patient.local_date(at)
        line = line_of(program, marks[program.pk], injuries.get(program.patient_id), today)
        line.states = [
            replace(state, reading=read(state.criterion, answers[program.pk]))
            for state in line.states
        ]
        line.proposal = proposals.get(program.pk)
        lines.append(line)
    return lines


def line_of(
    program: Program, marks: Sequence[CriterionMark], injury: Injury | None, today: dt.date
) -> Line:
    """One program from what is read already, without what the answers say."""
    phase = next_phase(program.current_version)
    return Line(
        program=program,
        today=today,
        injury=injury,
        phase=phase,
        states=states_of(marks, phase) if phase is not None else [],
        limits=words_of(limits_on(program.patient.limits, today)),
    )


def injuries_of(patients: Sequence[uuid.UUID]) -> dict[uuid.UUID, Injury]:
    """The newest injury of each patient."""
    rows = Injury.objects.filter(patient__in=patients).order_by("patient_id", "-happened_on", "-pk")
    return {row.patient_id: row for row in rows.distinct("patient_id")}


def answers_of(programs: Sequence[Program], *, at: dt.datetime) -> dict[uuid.UUID, Answers]:
    """What is known of these programs since their last step, for ``criteria.read``."""
    policy = thresholds_of(Policy.objects.in_force(Pathway.POST_INJURY))
    sessions: dict[uuid.UUID, list[Session]] = defaultdict(list)
    since = min(program.current_version.step_since for program in programs)
    rows = (
        Session.objects.filter(
            program__in=[program.pk for program in programs],
            day__gte=max(since - dt.timedelta(days=WINDOW_DAYS), at.date() - _LOOK_BACK),
        )
        .filter(~Q(status=Session.Status.SKIPPED))
        .select_related("after_check_in", "morning_check_in")
        .defer("items")
        .order_by("day")
    )
    for session in rows:
        sessions[session.program_id].append(session)
    holds = {
        row.version_id: (row.level, row.hold_s, row.reps)
        for row in Prescription.objects.filter(
            version__in=[program.current_version_id for program in programs],
            exercise__slug=MASTERY,
            paused=False,
        )
    }
    found = {}
    for program in programs:
        version, today = program.current_version, program.patient.local_date(at)
        mine = [session for session in sessions[program.pk] if session.day <= today]
        recent = [s for s in mine if s.day > today - dt.timedelta(days=WINDOW_DAYS)]
        limits = limits_on(program.patient.limits, today)
        own = limits.strictest_ceiling(version.pain_ceiling, policy.pain_ceiling)
        found[program.pk] = Answers(
            days=max(0, (today - version.step_since).days),
            sessions=sum(session.day >= version.step_since for session in mine),
            min_days=policy.min_days_at_level,
            min_sessions=policy.min_sessions_at_level,
            pains=tuple(_pain(session) for session in recent[-2:]),
            ceiling=policy.pain_ceiling if own is None else own,
            rises=tuple(_rise(session) for session in recent),
            flare_rise=policy.flare_rise,
            forms=tuple(_form(session) for session in recent[-2:]),
            hold=holds.get(program.current_version_id),
        )
    return found


def _pain(session: Session) -> int | None:
    return session.after_check_in.pain_during if session.after_check_in else None


def _form(session: Session) -> bool | None:
    return session.after_check_in.form_kept if session.after_check_in else None


def _rise(session: Session) -> int | None:
    """How far the next morning stood above the pain before the session."""
    after, morning = session.after_check_in, session.morning_check_in
    if after is None or morning is None:
        return None
    if after.pain_before is None or morning.pain_this_morning is None:
        return None
    return morning.pain_this_morning - after.pain_before
