"""The time line of one patient: what happened, newest first. Reads only."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from clinic.models import AccessRecord, Alert, IncomingText, OutboxMessage
from patients.models import CheckIn, ClinicalNote, IntakeScreening, Measure, Patient, RedFlag
from programs.clinician import timeline_entries as say
from programs.clinician.conversation import texts_of
from programs.clinician.timeline_entries import Entry
from programs.models import Decision, ProgramVersion, Session

LENGTH = 40
_SAME_MOMENT = 200  # rows of one kind that may share a moment, such as a seeded or imported day

# What a clinician may narrow the line to, in the order of the page.
KINDS = {
    "sessions": "Sessions",
    "answers": "Answers",
    "decisions": "Decisions",
    "versions": "Versions",
    "messages": "Messages",
    "alerts": "Alerts",
    "notes": "Notes",
}


@dataclass(frozen=True)
class TimeLine:
    """Entries newest first; ``older`` is the moment to ask for next, None at the end."""

    entries: list[Entry] = field(default_factory=list)
    older: dt.datetime | None = None


@dataclass(frozen=True)
class Source:
    """One table of the line: its rows, the field of their moment, and how they are told."""

    kind: str
    rows: QuerySet[Any]
    say: Callable[[Iterable[Any]], Iterable[Entry]]
    moment: str = "at"


def time_line(*, patient: Patient, before: dt.datetime | None = None, kind: str = "") -> TimeLine:
    """The newest entries, at least ``LENGTH`` where there are so many; what happened at one
    moment is never torn apart. ``kind`` is one of ``KINDS`` or empty for all of them.

    Each table is read once, whatever its length.
    """
    programs = list(patient.programs.values_list("pk", flat=True))
    sources = [s for s in _sources(patient, programs) if kind in ("", s.kind)]
    read = [(source, _read(source, before)) for source in sources]
    moments = sorted((_moment(s, row) for s, rows in read for row in rows), reverse=True)
    last = moments[LENGTH - 1] if len(moments) > LENGTH else None
    found = []
    for source, rows in read:
        shown = rows if last is None else [row for row in rows if _moment(source, row) >= last]
        if last is not None and len(shown) > LENGTH:
            # So many at one moment that the first look may not have seen all of them.
            shown = _read(source, before, since=last)
        found += source.say(shown)
    found = _by_whom(found)
    found.sort(key=lambda entry: entry.at, reverse=True)
    return TimeLine(found, last if last is not None and moments[-1] < last else None)


def _moment(source: Source, row: Any) -> dt.datetime:
    found: dt.datetime = getattr(row, source.moment)
    return found


def _read(
    source: Source, before: dt.datetime | None, since: dt.datetime | None = None
) -> Sequence[Any]:
    rows, count = source.rows, LENGTH + 1
    if before is not None:
        rows = rows.filter(**{f"{source.moment}__lt": before})
    if since is not None:
        rows, count = rows.filter(**{f"{source.moment}__gte": since}), LENGTH + _SAME_MOMENT
    return list(rows.order_by(f"-{source.moment}", "-pk")[:count])


def _by_whom(entries: list[Entry]) -> list[Entry]:
    """The entries, with the name of whoever recorded it in the patient's place."""
    rows = [entry.row for entry in entries if entry.row]
    deeds = AccessRecord.objects.filter(
        page__in=_IN_PLACE,
        action=AccessRecord.Action.CHANGE,
        subject_type__in={kind for kind, _ in rows},
        subject_id__in=[str(pk) for _, pk in rows],
    ).select_related("actor")
    names = {
        (deed.subject_type, deed.subject_id): _IN_PLACE[deed.page].format(deed.actor.name)
        for deed in deeds
        if deed.actor
    }
    return [
        replace(entry, who=names[key])
        if entry.row and (key := (entry.row[0], str(entry.row[1]))) in names
        else entry
        for entry in entries
    ]


_IN_PLACE = {"carer": "recorded by {}, who helps", "paper": "from paper, entered by {}"}
# What was done for the others stands in the time line itself: the session, the check-in.
_TEXTS_SHOWN = [
    IncomingText.Meaning.WORDS,
    IncomingText.Meaning.STOP,
    IncomingText.Meaning.START,
    IncomingText.Meaning.HELP,
]


def _each(words: Callable[[Any], Entry]) -> Callable[[Iterable[Any]], Iterable[Entry]]:
    return lambda rows: map(words, rows)


def _sources(patient: Patient, programs: list[object]) -> Iterable[Source]:
    about = Q(subject_type="patient", subject_id=str(patient.pk)) | Q(
        subject_type="program", subject_id__in=[str(pk) for pk in programs]
    )
    # When its fate was settled, which may be much later than when it was due.
    sent = OutboxMessage.objects.filter(about).annotate(moment=Coalesce("settled_at", "due_at"))
    alerts = Alert.objects.about("patient", patient.pk).select_related("owner", "acknowledged_by")
    texts = texts_of(patient).filter(meaning__in=_TEXTS_SHOWN).select_related("answered_by")
    decisions = (
        Decision.objects.filter(program__in=programs)
        .defer("evidence", "fired")
        .select_related("policy")
    )
    versions = ProgramVersion.objects.filter(program__in=programs).select_related("by")
    intakes = IntakeScreening.objects.filter(patient=patient).select_related("taken_by")
    measures = Measure.objects.filter(patient=patient).select_related("entered_by")
    notes = ClinicalNote.objects.filter(patient=patient)
    flags = RedFlag.objects.filter(patient=patient).select_related("closed_by")
    return [
        Source("sessions", Session.objects.filter(program__in=programs), say.sessions),
        Source("answers", CheckIn.objects.filter(patient=patient), _each(say.check_in)),
        Source("answers", intakes, _each(say.intake), "taken_at"),
        Source("answers", measures.defer("answers"), _each(say.measure)),
        Source("decisions", decisions, _each(say.decision)),
        Source("versions", versions, _each(say.version)),
        Source("messages", sent, _each(say.message), "moment"),
        Source("messages", texts, _each(say.text), "received_at"),
        Source("alerts", alerts, _each(say.alert), "raised_at"),
        Source("alerts", flags, _each(say.red_flag), "opened_at"),
        Source("notes", notes.select_related("by", "corrects", "corrected_by"), _each(say.note)),
    ]
