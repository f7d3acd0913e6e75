"""The time line of one patient: what happened, newest first. Reads only."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from clinic.models import AccessRecord, Alert, IncomingText, OutboxMessage
from patients.models import CheckIn, IntakeScreening, Patient, RedFlag
from patients.red_flagging import describe
from programs.clinician.conversation import texts_of
from programs.models import Decision, Exercise, ProgramVersion, Session
from programs.rule_words import rule_words

LENGTH = 40
_SAME_MOMENT = 200  # rows of one kind that may share a moment, such as a seeded or imported day


@dataclass(frozen=True)
class Entry:
    """One thing that happened. ``mark`` is a decision's outcome or empty; ``detail`` whole
    sentences below the title; ``who`` the person behind it, ``row`` where
    it is kept if a carer may have recorded it."""

    at: dt.datetime
    kind: str
    title: str
    detail: tuple[str, ...] = ()
    who: str = ""
    mark: str = ""
    tone: str = ""
    row: tuple[str, int] | None = None

    @property
    def day(self) -> dt.date:
        """The day on the clock of the site."""
        return timezone.localtime(self.at).date()


@dataclass(frozen=True)
class TimeLine:
    """Entries newest first; ``older`` is the moment to ask for next, None at the end."""

    entries: list[Entry] = field(default_factory=list)
    older: dt.datetime | None = None


def time_line(*, patient: Patient, before: dt.datetime | None = None) -> TimeLine:
    """The newest entries, at least ``LENGTH`` where there are so many; what happened at one
    moment is never torn apart."""
    programs = list(patient.programs.values_list("pk", flat=True))
    sources = _sources(patient, programs)
    found = [entry for rows, say in sources for entry in _entries(rows, say, before)]
    found = _by_whom(found)
    found.sort(key=lambda entry: entry.at, reverse=True)
    if len(found) <= LENGTH:
        return TimeLine(found)
    last = found[LENGTH - 1].at
    shown = [entry for entry in found if entry.at >= last]
    return TimeLine(shown, last if len(found) > len(shown) else None)


def _by_whom(entries: list[Entry]) -> list[Entry]:
    """The entries, with the name of the carer at what a carer recorded."""
    rows = [entry.row for entry in entries if entry.row]
    deeds = AccessRecord.objects.filter(
        page="carer",
        action=AccessRecord.Action.CHANGE,
        subject_type__in={kind for kind, _ in rows},
        subject_id__in=[str(pk) for _, pk in rows],
    ).select_related("actor")
    names = {(deed.subject_type, deed.subject_id): deed.actor.name for deed in deeds}
    return [
        replace(entry, who=f"recorded by {names[key]}, who helps")
        if entry.row and (key := (entry.row[0], str(entry.row[1]))) in names
        else entry
        for entry in entries
    ]


Source = tuple[QuerySet, Callable[..., Entry]]


def _entries(
    rows: QuerySet, say: Callable[..., Entry], before: dt.datetime | None
) -> Iterator[Entry]:
    moment = _MOMENT.get(rows.model, "at")
    if before is not None:
        rows = rows.filter(**{f"{moment}__lt": before})
    for row in rows.order_by(f"-{moment}", "-pk")[: LENGTH + _SAME_MOMENT]:
        yield say(row)


_MOMENT = {
    OutboxMessage: "moment",
    Alert: "raised_at",
    RedFlag: "opened_at",
    IntakeScreening: "taken_at",
    IncomingText: "received_at",
}
# What was done for the others stands in the time line itself: the session, the check-in.
_TEXTS_SHOWN = [
    IncomingText.Meaning.WORDS,
    IncomingText.Meaning.STOP,
    IncomingText.Meaning.START,
    IncomingText.Meaning.HELP,
]


def _sources(patient: Patient, programs: list[object]) -> Iterable[Source]:
    return [
        (Session.objects.filter(program__in=programs), _session),
        (CheckIn.objects.filter(patient=patient), _check_in),
        (
            Decision.objects.filter(program__in=programs)
            .defer("evidence", "fired")
            .select_related("policy"),
            _decision,
        ),
        (ProgramVersion.objects.filter(program__in=programs).select_related("by"), _version),
        _messages(patient, programs),
        (
            Alert.objects.about("patient", patient.pk).select_related("owner", "acknowledged_by"),
            _alert,
        ),
        (texts_of(patient).filter(meaning__in=_TEXTS_SHOWN).select_related("answered_by"), _text),
        (RedFlag.objects.filter(patient=patient).select_related("closed_by"), _red_flag),
        (IntakeScreening.objects.filter(patient=patient).select_related("taken_by"), _intake),
    ]


def _messages(patient: Patient, programs: list[object]) -> Source:
    about = Q(subject_type="patient", subject_id=str(patient.pk)) | Q(
        subject_type="program", subject_id__in=[str(pk) for pk in programs]
    )
    # When its fate was settled, which may be much later than when it was due.
    moment = Coalesce("settled_at", "due_at")
    return OutboxMessage.objects.filter(about).annotate(moment=moment), _message


# --- one entry per row ---------------------------------------------------


def _session(session: Session) -> Entry:
    title = f"Session {session.get_status_display().lower()}"
    asked = len(session.items)
    done = sum(bool(item.get("done")) for item in session.items)
    detail = [session.get_known_display()]
    if session.day != timezone.localtime(session.at).date():
        detail[0] += f", for {session.day:%-d %B}"
    if session.status == Session.Status.SKIPPED:
        detail.append(f"Reason: {session.get_skip_reason_display()}")
    elif asked:
        detail.append(f"{done} of {asked} exercises")
        detail += _not_as_asked(session.items)
    row = ("session", session.pk)
    return Entry(session.at, "session", title, (". ".join(detail),), row=row)


def _not_as_asked(items: list[dict[str, object]]) -> list[str]:
    """What was eased or left out, and why, in a clinician's words."""
    said: dict[str, list[str]] = {}
    for item in items:
        why = "easier" if item.get("did") else item.get("felt") or item.get("left_out")
        if why in _NOT_AS_ASKED:
            said.setdefault(str(why), []).append(str(item["exercise"]))
    if not said:
        return []
    named = Exercise.objects.filter(slug__in=[slug for slugs in said.values() for slug in slugs])
    names = dict(named.values_list("slug", "name"))
    return [
        f"{words}: {', '.join(names.get(slug, slug) for slug in said[why])}"
        for why, words in _NOT_AS_ASKED.items()
        if why in said
    ]


_NOT_AS_ASKED = {
    "easier": "Easier form",
    "little": "Left out, hurt a little",
    "lot": "Left out, hurt a lot",
    "pull": "Left out, pull down the leg or numbness",
    "time": "Left out, no time",
    "tired": "Left out, too tired",
    "unwell": "Left out, not well",
    "unsure": "Left out, not sure how",
    "other": "Left out, another reason",
    "short": "Not in the five-minute version",
}
_SAID = [
    ("pain_before", "before {}"),
    ("pain_during", "during {}"),
    ("pain_this_morning", "this morning {}"),
    ("usual_pain", "usual pain {}"),
    ("effort", "effort {}"),
    ("sleep", "sleep {}"),
    ("stress", "stress {}"),
    ("feels_safe", "feels safe {}"),
]


def _at(check_in: CheckIn) -> str:
    return f" ({check_in.get_place_display().lower()})" if check_in.place else ""


def _check_in(check_in: CheckIn) -> Entry:
    said = [
        words.format(getattr(check_in, name))
        for name, words in _SAID
        if getattr(check_in, name) is not None
    ]
    if check_in.form_kept is False:
        said.append("form not kept")
    if check_in.stiffer_after:
        said.append("stiffer afterwards")
    if check_in.neck_tension:
        said.append("neck tension")
    if check_in.soreness == CheckIn.Soreness.ONE_SIDED:
        said.append(f"pull on the {check_in.side} side{_at(check_in)}")
    elif check_in.soreness == CheckIn.Soreness.EVEN:
        said.append(f"even soreness{_at(check_in)}")
    if check_in.exercise:
        said.append(f"points at {check_in.exercise.replace('-', ' ')}")
    detail = [", ".join(said).capitalize()] if said else []
    if check_in.note:
        detail.append(f"“{check_in.note}”")
    title, row = check_in.get_kind_display(), ("check_in", check_in.pk)
    return Entry(check_in.at, "check-in", title, tuple(detail), tone="answer", row=row)


def _decision(decision: Decision) -> Entry:
    words = rule_words(decision.rules)
    if decision.handling == Decision.Handling.NOTED:
        # Most decisions change nothing: one quiet line each.
        return Entry(decision.at, "decision", words, mark=decision.outcome, tone="quiet")
    detail = [words]
    if decision.step:
        detail.append(str(decision.step["words"]))
    detail.append(f"Policy version {decision.policy.version}")
    title = decision.get_handling_display()
    return Entry(decision.at, "decision", title, (". ".join(detail),), mark=decision.outcome)


def _version(version: ProgramVersion) -> Entry:
    return Entry(
        version.at,
        "version",
        f"Version {version.number}: {version.get_cause_display().lower()}",
        (version.reason,),
        who=version.by.name if version.by else "by a rule",
        tone="version",
    )


def _message(message: OutboxMessage) -> Entry:
    detail = (message.reason,) if message.reason else ()
    title = f"{message.get_kind_display()} by {message.get_channel_display().lower()}: "
    return Entry(
        message.moment,
        "message",
        title + message.get_status_display().lower(),
        detail,
        tone="quiet",
    )


def _alert(alert: Alert) -> Entry:
    # The words of a text stand at the text.
    detail = [] if alert.key.startswith("text:") else [alert.summary]
    detail.append(f"For {alert.owner.name}")
    if alert.acknowledged_by:
        seen = f"Seen by {alert.acknowledged_by.name}"
        detail.append(f"{seen}: {alert.outcome}" if alert.outcome else seen)
    title = f"Alert, {alert.get_severity_display().lower()}"
    return Entry(alert.raised_at, "alert", title, tuple(detail), tone="alert")


def _text(text: IncomingText) -> Entry:
    detail = [f"“{text.words}”"] if text.words else []
    if text.answered_by:
        detail.append(f"Answered by {text.answered_by.name}")
    title = f"Text message: {text.get_meaning_display().lower()}"
    if text.subject_type != "patient":
        title += ", from a phone that several people share"
    return Entry(text.received_at, "text", title, tuple(detail), tone="answer")


def _red_flag(red_flag: RedFlag) -> Entry:
    detail = [describe(red_flag.answers)]
    if red_flag.closed_by:
        detail.append(f"Closed by {red_flag.closed_by.name}: {red_flag.close_reason}")
    title = f"Red flag, {red_flag.get_severity_display().lower()}"
    return Entry(red_flag.opened_at, "red flag", title, tuple(detail), tone="stop")


def _intake(intake: IntakeScreening) -> Entry:
    suggested = intake.suggestion
    words = f"Suggested: {suggested['template'].replace('-', ' ')}, "
    words += suggested["pathway"].replace("_", " ")
    return Entry(intake.taken_at, "intake", "Intake screening", (words,), who=intake.taken_by.name)
