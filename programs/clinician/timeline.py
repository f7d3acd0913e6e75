"""The time line of one patient: what happened, newest first. Reads only."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import CharField, F, IntegerField, Q, QuerySet, Value
from django.db.models.functions import Cast

from clinic.models import AccessRecord, Alert, IncomingText
from patients.models import CheckIn, ClinicalNote, IntakeScreening, Measure, Patient, RedFlag
from programs.clinician import timeline_entries as say
from programs.clinician.conversation import texts_of
from programs.clinician.patient_messages import messages_about
from programs.clinician.timeline_entries import Entry
from programs.models import Decision, ProgramVersion, Session

LENGTH = 40
# Rows of one kind that one look takes; so many may share a moment, as an imported day does.
MOST = LENGTH + 200

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

    One query finds what is shown, and each table that has something of it is read once.
    """
    sources = [s for s in _sources(patient) if kind in ("", s.kind)]
    places, older = _places(sources, before)
    found: list[Entry] = []
    for number, source in enumerate(sources):
        if number in places:
            found += source.say(source.rows.filter(pk__in=places[number]))
    found = _by_whom(found)
    found.sort(key=lambda entry: entry.at, reverse=True)
    return TimeLine(found, older)


def _places(
    sources: Sequence[Source], before: dt.datetime | None
) -> tuple[dict[int, list[str]], dt.datetime | None]:
    """Which rows of which source are shown, and the moment to go on from: one query over the
    newest of each."""
    looks = [_look(number, source, before) for number, source in enumerate(sources)]
    found = sorted(
        looks[0].union(*looks[1:], all=True).values_list(*_LINE),
        key=lambda one: one[2],
        reverse=True,
    )
    older = None
    if len(found) > LENGTH:
        older = found[LENGTH - 1][2]
        shown = [one for one in found if one[2] >= older]
        older = older if len(shown) < len(found) else None
        found = shown
    places: dict[int, list[str]] = {}
    for number, key, _moment in found:
        places.setdefault(number, []).append(key)
    return places, older


_LINE = ("line_source", "line_key", "line_moment")


def _look(number: int, source: Source, before: dt.datetime | None) -> QuerySet[Any]:
    """Number of the source, key and moment of its newest rows; those that share the last moment
    with the one after it come all."""
    rows = source.rows.select_related(None)
    if before is not None:
        rows = rows.filter(**{f"{source.moment}__lt": before})
    ranked = rows.order_by().annotate(
        line_source=Value(number, IntegerField()),
        line_key=Cast("pk", CharField()),
        line_moment=F(source.moment),
    )
    return ranked.order_by("-line_moment", "-pk").values(*_LINE)[:MOST]


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
# Unless nothing was done, because nobody said whose it is.
_TEXTS_SHOWN_IF_SHARED = [IncomingText.Meaning.DONE, IncomingText.Meaning.PAIN]


def _each(words: Callable[[Any], Entry]) -> Callable[[Iterable[Any]], Iterable[Entry]]:
    return lambda rows: map(words, rows)


def _sources(patient: Patient) -> list[Source]:
    # When its fate was settled, which may be much later than when it was due.
    sent = messages_about(patient)
    alerts = Alert.objects.about("patient", patient.pk).select_related("owner", "acknowledged_by")
    shared = ~Q(subject_type="patient") & Q(meaning__in=_TEXTS_SHOWN_IF_SHARED)
    texts = texts_of(patient).filter(Q(meaning__in=_TEXTS_SHOWN) | shared)
    decisions = (
        Decision.objects.filter(program__patient=patient)
        .defer("evidence", "fired")
        .select_related("policy")
    )
    versions = ProgramVersion.objects.filter(program__patient=patient).select_related("by")
    intakes = IntakeScreening.objects.filter(patient=patient).select_related("taken_by")
    measures = Measure.objects.filter(patient=patient).select_related("entered_by")
    notes = ClinicalNote.objects.filter(patient=patient)
    flags = RedFlag.objects.filter(patient=patient).select_related("closed_by")
    return [
        Source("sessions", Session.objects.filter(program__patient=patient), say.sessions),
        Source("answers", CheckIn.objects.filter(patient=patient), say.check_ins),
        Source("answers", intakes, _each(say.intake), "taken_at"),
        Source("answers", measures.defer("answers"), _each(say.measure)),
        Source("decisions", decisions, _each(say.decision)),
        Source("versions", versions, say.versions),
        Source("messages", sent, _each(say.message), "moment"),
        Source("messages", texts.select_related("answered_by"), _each(say.text), "received_at"),
        Source("alerts", alerts, _each(say.alert), "raised_at"),
        Source("alerts", flags, _each(say.red_flag), "opened_at"),
        Source("notes", notes.select_related("by", "corrects", "corrected_by"), _each(say.note)),
    ]
