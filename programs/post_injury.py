"""After an injury: the criteria of a phase, who ticked them, and the brakes that follow from it.

Nothing here moves a program. ``versioning`` asks ``require_criteria`` and ``refuse_against_limits``
before it writes a version; a clinician ticks, takes back, goes without or asks for a criterion.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction

from clinic.models import User
from patients.access import require_clinician
from programs.criteria import OWN, Criterion, Reading, criteria_for
from programs.ladder import LAST_PHASE
from programs.limits import limits_on
from programs.models import CriterionMark, Prescription, Program, ProgramVersion
from programs.models.library import Pathway

Deed = CriterionMark.Deed
# A criterion in these states holds nothing back.
_MET = (Deed.TICKED, Deed.OVERRIDDEN)


@dataclass(frozen=True)
class State:
    """One criterion of a program with its newest mark, and what the answers say to it."""

    criterion: Criterion
    mark: CriterionMark | None
    reading: Reading | None = None

    @property
    def met(self) -> bool:
        return self.mark is not None and self.mark.deed in _MET

    @property
    def overridden(self) -> bool:
        return self.mark is not None and self.mark.deed == Deed.OVERRIDDEN


def is_post_injury(version: ProgramVersion | None) -> bool:
    return version is not None and version.pathway == Pathway.POST_INJURY


def next_phase(version: ProgramVersion) -> int | None:
    """The phase whose criteria are looked at now; None at the last."""
    return version.phase + 1 if version.phase < LAST_PHASE else None


# --- reading -------------------------------------------------------------------------------------


def marks_of(programs: Collection[uuid.UUID]) -> dict[uuid.UUID, list[CriterionMark]]:
    """The newest mark of every criterion of these programs, in one query."""
    found: dict[uuid.UUID, list[CriterionMark]] = {pk: [] for pk in programs}
    rows = (
        CriterionMark.objects.filter(program__in=found)
        .select_related("by")
        .order_by("program_id", "phase", "criterion", "-pk")
        .distinct("program_id", "phase", "criterion")
    )
    for row in rows:
        found[row.program_id].append(row)
    return found


def states_of(marks: Iterable[CriterionMark], phase: int) -> list[State]:
    """The criteria of ``phase`` with their newest marks; a clinician's own comes last."""
    newest = {mark.criterion: mark for mark in marks if mark.phase == phase}
    states = [State(one, newest.get(one.slug)) for one in criteria_for(phase)]
    own = newest.get(OWN)
    if own is not None:
        states.append(State(Criterion(phase, OWN, own.words), own))
    return states


# --- the brakes ----------------------------------------------------------------------------------


def require_criteria(*, program: Program, previous: ProgramVersion, phase: int) -> None:
    """Refuse a higher phase after an injury until each criterion is ticked or gone without.

    Raises ValidationError naming what is open.
    """
    if not is_post_injury(previous) or phase <= previous.phase:
        return
    marks = marks_of([program.pk])[program.pk]
    for wanted in range(previous.phase + 1, phase + 1):
        missing = [state.criterion.words for state in states_of(marks, wanted) if not state.met]
        if missing:
            raise ValidationError(
                {
                    "phase": f"Phase {wanted} waits for criteria that nobody has ticked: "
                    f"{'; '.join(missing)}. Tick them on the injury’s page, or say there why you "
                    "go on without."
                }
            )


def refuse_against_limits(
    *, program: Program, raised: Iterable[Prescription], today: dt.date
) -> None:
    """Refuse what goes up or joins against a limit in force; only its end opens the way."""
    limits = limits_on(program.patient.limits, today)
    for prescription in raised:
        if prescription.paused:
            continue
        rungs = prescription.exercise.levels.all()
        rung = next(level for level in rungs if level.level == prescription.level)
        limit = limits.against(
            rung.movement_class, loaded=rung.loaded, load_kg=prescription.load_kg
        )
        if limit:
            raise ValidationError(
                {
                    "level": f"{prescription.exercise}: a limit stands against it ({limit}). "
                    "Lift the limit on the injury’s page first."
                }
            )


def ask_again(*, program: Program, reason: str, by: User | None, at: dt.datetime) -> None:
    """After a step back or a stop, take back what was ticked: it has to be seen anew."""
    if by is None:
        return
    CriterionMark.objects.bulk_create(
        CriterionMark(
            program=program,
            phase=mark.phase,
            criterion=mark.criterion,
            deed=Deed.TAKEN_BACK,
            note=reason,
            words=mark.words,
            by=by,
            at=at,
        )
        for mark in marks_of([program.pk])[program.pk]
        if mark.deed in _MET
    )


# --- what a clinician says -----------------------------------------------------------------------


@transaction.atomic
def tick_criteria(
    *,
    program: Program,
    phase: int,
    criteria: Sequence[str],
    by: User,
    at: dt.datetime,
    note: str = "",
) -> list[CriterionMark]:
    """Tick criteria of the next phase; what is ticked already stays as it was ticked."""
    _open(program, phase, by)
    states = _states(program, phase, criteria)
    if not states:
        raise ValidationError({"criteria": "Choose what you checked."})
    return [
        _mark(program, state, Deed.TICKED, note, by, at)
        for state in states
        if state.mark is None or state.mark.deed != Deed.TICKED
    ]


@transaction.atomic
def go_without(
    *, program: Program, phase: int, criterion: str, reason: str, by: User, at: dt.datetime
) -> CriterionMark | None:
    """Let a phase go up without one criterion, for a reason. None when it holds nothing back."""
    _open(program, phase, by)
    [state] = _states(program, phase, [criterion])
    if not reason.strip():
        raise ValidationError({"reason": "Say why you go on without it."})
    if state.met:
        return None
    return _mark(program, state, Deed.OVERRIDDEN, reason, by, at)


@transaction.atomic
def take_back(
    *, program: Program, phase: int, criterion: str, reason: str, by: User, at: dt.datetime
) -> CriterionMark | None:
    """Take a tick back, for a reason. None when it was not ticked."""
    _open(program, phase, by)
    [state] = _states(program, phase, [criterion])
    if not reason.strip():
        raise ValidationError({"reason": "Say why it is taken back."})
    if not state.met:
        return None
    return _mark(program, state, Deed.TAKEN_BACK, reason, by, at)


@transaction.atomic
def ask_for(
    *, program: Program, phase: int, words: str, by: User, at: dt.datetime
) -> CriterionMark | None:
    """Add the clinician's own criterion to a phase. None when it stands there in these words."""
    _open(program, phase, by)
    words = words.strip()
    if not words:
        raise ValidationError({"words": "Write what has to be seen."})
    if len(words) > 200:
        raise ValidationError({"words": "Please keep it to 200 letters."})
    own = next(
        (m for m in marks_of([program.pk])[program.pk] if (m.phase, m.criterion) == (phase, OWN)),
        None,
    )
    if own is not None and own.words == words:
        return None
    return _mark(program, State(Criterion(phase, OWN, words), own), Deed.ASKED, "", by, at)


def _open(program: Program, phase: int, by: User) -> None:
    """Hold the program, and refuse a phase that nothing waits for."""
    require_clinician(by, program.patient)
    Program.objects.select_for_update().only("pk").get(pk=program.pk)
    held = Program.objects.select_related("current_version").get(pk=program.pk)
    if held.status == Program.Status.ENDED:
        raise ValidationError("This program has ended.")
    if not is_post_injury(held.current_version):
        raise ValidationError("Only a program after an injury has criteria.")
    if phase != next_phase(held.current_version):
        raise ValidationError(f"The program is in phase {held.current_version.phase} already.")


def _states(program: Program, phase: int, wanted: Sequence[str]) -> list[State]:
    states = {s.criterion.slug: s for s in states_of(marks_of([program.pk])[program.pk], phase)}
    unknown = [slug for slug in wanted if slug not in states]
    if unknown:
        raise ValidationError({"criteria": "This criterion does not belong to the phase."})
    return [states[slug] for slug in dict.fromkeys(wanted)]


def _mark(
    program: Program, state: State, deed: str, note: str, by: User, at: dt.datetime
) -> CriterionMark:
    criterion = state.criterion
    return CriterionMark.objects.create(
        program=program,
        phase=criterion.phase,
        criterion=criterion.slug,
        deed=deed,
        note=note.strip(),
        words=criterion.words if criterion.slug == OWN else "",
        by=by,
        at=at,
    )
