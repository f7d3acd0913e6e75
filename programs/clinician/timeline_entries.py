"""One line of the time line for each row of the record, in a clinician’s words."""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.utils import timezone

from clinic.models import Alert, IncomingText, OutboxMessage
from patients.models import CheckIn, ClinicalNote, IntakeScreening, Measure, RedFlag
from patients.red_flagging import describe
from programs.models import Decision, Exercise, ProgramVersion, Session
from programs.rule_words import rule_words


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


def sessions(rows: Iterable[Session]) -> list[Entry]:
    """All of them at once: the exercises they name are read in one query."""
    rows = list(rows)
    slugs = {
        str(item["exercise"]) for row in rows for item in row.items if _why(item) in _NOT_AS_ASKED
    }
    names = _names(slugs)
    return [_session(row, names) for row in rows]


def _names(slugs: Collection[str]) -> dict[str, str]:
    """What exercises are called; asks nothing about none."""
    if not slugs:
        return {}
    return dict(Exercise.objects.filter(slug__in=slugs).values_list("slug", "name"))


def _why(item: dict[str, object]) -> object:
    return "easier" if item.get("did") else item.get("felt") or item.get("left_out")


def _session(session: Session, names: dict[str, str]) -> Entry:
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
        detail += _not_as_asked(session.items, names)
    row = ("session", session.pk)
    return Entry(session.at, "session", title, (". ".join(detail),), row=row)


def _not_as_asked(items: list[dict[str, object]], names: dict[str, str]) -> list[str]:
    """What was eased or left out, and why, in a clinician's words."""
    said: dict[str, list[str]] = {}
    for item in items:
        why = _why(item)
        if why in _NOT_AS_ASKED:
            said.setdefault(str(why), []).append(str(item["exercise"]))
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


def _place(given: CheckIn) -> str:
    return f" ({given.get_place_display().lower()})" if given.place else ""


def check_ins(rows: Iterable[CheckIn]) -> list[Entry]:
    """All of them at once, for the names of the exercises they point at."""
    rows = list(rows)
    names = _names({row.exercise for row in rows if row.exercise})
    return [_check_in(row, names) for row in rows]


def _check_in(given: CheckIn, names: dict[str, str]) -> Entry:
    said = [
        words.format(getattr(given, name))
        for name, words in _SAID
        if getattr(given, name) is not None
    ]
    if given.form_kept is False:
        said.append("form not kept")
    if given.stiffer_after:
        said.append("stiffer afterwards")
    if given.neck_tension:
        said.append("neck tension")
    if given.soreness == CheckIn.Soreness.ONE_SIDED:
        said.append(f"pull on the {given.side} side{_place(given)}")
    elif given.soreness == CheckIn.Soreness.EVEN:
        said.append(f"even soreness{_place(given)}")
    if given.exercise:
        said.append(f"points at {names.get(given.exercise, given.exercise)}")
    detail = [", ".join(said).capitalize()] if said else []
    if given.note:
        detail.append(f"“{given.note}”")
    title, row = given.get_kind_display(), ("check_in", given.pk)
    return Entry(given.at, "check-in", title, tuple(detail), tone="answer", row=row)


def decision(made: Decision) -> Entry:
    words = rule_words(made.rules)
    if made.handling == Decision.Handling.NOTED:
        # Most decisions change nothing: one quiet line each.
        return Entry(made.at, "decision", words, mark=made.outcome, tone="quiet")
    detail = [words]
    if made.step:
        detail.append(str(made.step["words"]))
    detail.append(f"Policy version {made.policy.version}")
    title = made.get_handling_display()
    return Entry(made.at, "decision", title, (". ".join(detail),), mark=made.outcome)


def versions(rows: Iterable[ProgramVersion]) -> list[Entry]:
    """All of them at once, for the names of the exercises whose gates they opened."""
    rows = list(rows)
    names = _names({one["exercise"] for row in rows for one in row.overrides})
    return [_version(row, names) for row in rows]


def _version(issued: ProgramVersion, names: dict[str, str]) -> Entry:
    return Entry(
        issued.at,
        "version",
        f"Version {issued.number}: {issued.get_cause_display().lower()}",
        (issued.reason, *_opened(issued, names)),
        # A cause without a name says itself that it was a rule, or the approved policy.
        who=issued.by.name if issued.by else "",
        tone="version",
    )


def _opened(issued: ProgramVersion, names: dict[str, str]) -> list[str]:
    """The gates that were opened with this version, and why."""
    return [
        f"Gate opened: {names.get(one['exercise'], one['exercise'])} up to level {one['level']}, "
        f"which waits for {one['needs']}. {one['reason']}"
        for one in issued.overrides
        if one["version"] == issued.number
    ]


def message(sent: OutboxMessage) -> Entry:
    detail = (sent.reason,) if sent.reason else ()
    title = f"{sent.get_kind_display()} by {sent.get_channel_display().lower()}: "
    return Entry(
        sent.moment,
        "message",
        title + sent.get_status_display().lower(),
        detail,
        tone="quiet",
    )


def alert(raised: Alert) -> Entry:
    # The words of a text stand at the text.
    detail = [] if raised.key.startswith("text:") else [raised.summary]
    detail.append(f"For {raised.owner.name}")
    look = raised.last_seen
    if look:
        seen = f"Seen by {look.by.name}"
        detail.append(f"{seen}: {raised.outcome}" if raised.outcome else seen)
    title = f"Alert, {raised.get_severity_display().lower()}"
    return Entry(raised.raised_at, "alert", title, tuple(detail), tone="alert")


def text(received: IncomingText) -> Entry:
    detail = [f"“{received.words}”"] if received.words else []
    if received.answered_by:
        detail.append(f"Answered by {received.answered_by.name}")
    title = f"Text message: {received.get_meaning_display().lower()}"
    if received.subject_type != "patient":
        title += ", from a phone that several people share"
    return Entry(received.received_at, "text", title, tuple(detail), tone="answer")


def red_flag(flag: RedFlag) -> Entry:
    detail = [describe(flag.answers)]
    if flag.closed_by:
        detail.append(f"Closed by {flag.closed_by.name}: {flag.close_reason}")
    title = f"Red flag, {flag.get_severity_display().lower()}"
    return Entry(flag.opened_at, "red flag", title, tuple(detail), tone="stop")


def intake(taken: IntakeScreening) -> Entry:
    suggested = taken.suggestion
    words = f"Suggested: {suggested['template'].replace('-', ' ')}, "
    words += suggested["pathway"].replace("_", " ")
    return Entry(taken.taken_at, "intake", "Intake screening", (words,), who=taken.taken_by.name)


def measure(taken: Measure) -> Entry:
    scores = [
        f"{score['value']:g}{_band(score)}" if score["value"] is not None else score["band"]
        for score in taken.scores
    ]
    detail = tuple(words for words in (", ".join(s for s in scores if s),) if words)
    who = f"entered by {taken.entered_by.name}" if taken.entered_by else ""
    return Entry(taken.at, "measure", taken.title, detail, who=who, tone="answer")


def _band(score: dict[str, object]) -> str:
    return f" ({score['band']})" if score.get("band") else ""


def note(written: ClinicalNote) -> Entry:
    title = "Note"
    if written.corrects is not None:
        title = f"Note, corrects that of {timezone.localtime(written.corrects.at):%-d %B, %H:%M}"
    elif getattr(written, "corrected_by", None) is not None:
        title = "Note, corrected since"
    detail = tuple(line for line in written.text.splitlines() if line.strip())
    return Entry(written.at, "note", title, detail, who=written.by.name, tone="note")
