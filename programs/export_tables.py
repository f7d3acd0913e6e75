"""What a patient can read of the own record: a few tables in words, in the language that is on.

Times are the patient's own, as the caller has set the zone.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clinic.models import AccessRecord, IncomingText, OutboxMessage
from patients.measuring import told
from patients.models import CheckIn, Patient, Preferences
from patients.models.check_in import SCALES
from programs.items import dose_text
from programs.models import Decision, Prescription, ProgramVersion, Session
from programs.wording import exercise_names, in_language, retold


@dataclass(frozen=True)
class Table:
    """``rows`` are cells; a cell is one text or several lines."""

    title: str
    heads: tuple[str, ...]
    rows: list[tuple[str | tuple[str, ...], ...]]

    @property
    def named_rows(self) -> list[list[tuple[str, str | tuple[str, ...]]]]:
        """The rows with each cell under its head, for a screen too narrow for a table."""
        return [list(zip(self.heads, row, strict=True)) for row in self.rows]


def tables_of(patient: Patient) -> list[Table]:
    """The tables that hold anything, in the order somebody would look for it."""
    names = exercise_names()
    found = [
        _addresses(patient),
        _versions(patient),
        _sessions(patient, names),
        _check_ins(patient, names),
        _decisions(patient),
        _red_flags(patient),
        _measures(patient),
        _consents(patient),
        _messages(patient),
        _texts(patient),
        _helpers(patient),
        _looks(patient),
    ]
    return [table for table in found if table.rows]


# --- as files for a table program ------------------------------------------------------------


def check_in_cells(patient: Patient) -> tuple[list[str], Iterable[list[object]]]:
    """Heads and rows of every check-in, oldest first: one column for each question."""
    words = check_in_words()
    heads = [_("Day"), _("Time"), _("Kind"), *words.values()]
    rows = (
        [
            check_in.day.isoformat(),
            _clock(check_in.at),
            check_in.get_kind_display(),
            *(_answer(check_in, name) for name in words),
        ]
        for check_in in patient.check_ins.order_by("day", "at", "pk").iterator()
    )
    return heads, rows


def session_cells(patient: Patient) -> tuple[list[str], Iterable[list[object]]]:
    """Heads and rows of every exercise of every session, oldest first."""
    names = exercise_names()
    heads = [
        _("Day"),
        _("Session"),
        _("Reason"),
        _("How it is known"),
        _("Exercise"),
        _("Level"),
        _("Sets"),
        _("Repetitions"),
        _("Hold, seconds"),
        _("Done"),
    ]
    sessions = Session.objects.filter(program__patient=patient).order_by("day")

    def rows() -> Iterable[list[object]]:
        for session in sessions.iterator():
            start = [
                session.day.isoformat(),
                session.get_status_display(),
                session.get_skip_reason_display(),
                session.get_known_display(),
            ]
            for item in session.items or [{}]:
                yield [
                    *start,
                    names.get(item.get("exercise", ""), item.get("exercise")),
                    *(item.get(name) for name in ("level", "sets", "reps", "hold_s")),
                    _yes_no(item.get("done")),
                ]

    return heads, rows()


def check_in_words() -> dict[str, str]:
    """What each answer of a check-in is called, by its column."""
    return {
        "usual_pain": _("Usual pain, 0 to 10"),
        "pain_before": _("Pain before, 0 to 10"),
        "pain_during": _("Pain during, 0 to 10"),
        "pain_this_morning": _("Pain this morning, 0 to 10"),
        "effort": _("Effort, 0 to 10"),
        "sleep": _("Sleep, 0 to 10"),
        "stress": _("Stress, 0 to 10"),
        "feels_safe": _("How safe moving feels, 0 to 10"),
        "stiffer_after": _("Stiffer after"),
        "neck_tension": _("Neck tense"),
        "form_kept": _("Moved as described"),
        "soreness": _("Soreness"),
        "side": _("Side"),
        "place": _("Place"),
        "exercise": _("Exercise that hurt"),
        "note": _("Note"),
    }


def _answer(check_in: CheckIn, name: str) -> str | int | None:
    value = getattr(check_in, name)
    if name in SCALES:
        return value
    if isinstance(value, bool) or value is None:
        return _yes_no(value)
    said = getattr(check_in, f"get_{name}_display", None)
    return said() if said else value


# --- to read ---------------------------------------------------------------------------------


def _addresses(patient: Patient) -> Table:
    rows = [
        (point.get_channel_display(), point.address, _yes_no(point.reminders) or "")
        for point in patient.contact_points.all()
    ]
    return Table(_("How we reach you"), (_("By"), _("Address"), _("Reminders here")), rows)


def _versions(patient: Patient) -> Table:
    units = Preferences.of(patient).units
    prescribed: dict[int, list[str]] = {}
    for one in Prescription.objects.filter(version__program__patient=patient).select_related(
        "exercise"
    ):
        said = _("%(exercise)s, level %(level)s: %(dose)s") % {
            "exercise": in_language(one.exercise).name,
            "level": one.level,
            "dose": dose_text(one, units),
        }
        prescribed.setdefault(one.version_id, []).append(said)
    versions = ProgramVersion.objects.filter(program__patient=patient).select_related("by")
    rows = [
        (
            _moment(version.at),
            version.by.name if version.by else "",
            retold(version.patient_reason),
            tuple(prescribed.get(version.pk, [])),
        )
        for version in versions.order_by("at", "pk")
    ]
    return Table(
        _("Your program and how it changed"),
        (_("When"), _("By"), _("Why"), _("Exercises")),
        rows,
    )


def _sessions(patient: Patient, names: dict[str, str]) -> Table:
    rows = []
    for session in Session.objects.filter(program__patient=patient).order_by("day"):
        done = tuple(
            names.get(item["exercise"], item["exercise"])
            for item in session.items
            if item.get("done")
        )
        rows.append(
            (
                _date(session.day),
                session.get_status_display(),
                session.get_skip_reason_display(),
                done,
            )
        )
    heads = (_("Day"), _("Session"), _("Reason"), _("Exercises you did"))
    return Table(_("Your sessions"), heads, rows)


def _check_ins(patient: Patient, names: dict[str, str]) -> Table:
    words = check_in_words()
    rows = []
    for check_in in patient.check_ins.order_by("day", "at", "pk"):
        answers = []
        for name, word in words.items():
            said = _answer(check_in, name)
            if said not in (None, ""):
                said = names.get(str(said), said) if name == "exercise" else said
                answers.append(_("%(question)s: %(answer)s") % {"question": word, "answer": said})
        rows.append((_moment(check_in.at), check_in.get_kind_display(), tuple(answers)))
    return Table(_("Your answers"), (_("When"), _("Kind"), _("What you said")), rows)


def _decisions(patient: Patient) -> Table:
    decisions = Decision.objects.filter(program__patient=patient).exclude(patient_text="")
    rows = [
        (_moment(at), retold(text))
        for at, text in decisions.order_by("at", "pk").values_list("at", "patient_text")
    ]
    return Table(_("What followed from your answers"), (_("When"), _("What we said")), rows)


def _red_flags(patient: Patient) -> Table:
    rows = [
        (
            _moment(flag.opened_at),
            flag.get_severity_display(),
            _moment(flag.closed_at) if flag.closed_at else "",
            flag.close_reason,
        )
        for flag in patient.red_flags.order_by("opened_at")
    ]
    heads = (_("When"), _("How urgent"), _("Closed"), _("What was found"))
    return Table(_("When your program was stopped for safety"), heads, rows)


def _measures(patient: Patient) -> Table:
    rows = []
    for measure in patient.measures.select_related("questionnaire").order_by("day", "pk"):
        title, results = told(measure, language=get_language() or "en")
        rows.append((_date(measure.day), title, measure.get_point_display(), results))
    return Table(_("Longer questions"), (_("Day"), _("Which"), _("When"), _("Result")), rows)


def _consents(patient: Patient) -> Table:
    rows = [
        (
            consent.get_purpose_display(),
            _moment(consent.given_at),
            consent.get_way_display(),
            _moment(consent.withdrawn_at) if consent.withdrawn_at else "",
        )
        for consent in patient.consents.order_by("given_at")
    ]
    heads = (_("To what"), _("You said yes"), _("How"), _("You took it back"))
    return Table(_("What you agreed to"), heads, rows)


def _messages(patient: Patient) -> Table:
    messages = OutboxMessage.objects.about("patient", patient.pk).select_related("text")
    rows = [
        (
            _moment(message.due_at),
            message.get_channel_display(),
            message.address,
            message.text.subject_line or message.text.body,
            message.get_status_display(),
        )
        for message in messages.order_by("due_at", "pk")
    ]
    heads = (_("When"), _("By"), _("To"), _("Words"), _("What became of it"))
    return Table(_("Messages to you"), heads, rows)


def _texts(patient: Patient) -> Table:
    texts = IncomingText.objects.filter(subject_type="patient", subject_id=str(patient.pk))
    rows = [(_moment(text.received_at), text.words) for text in texts.order_by("received_at")]
    return Table(_("Texts you sent us"), (_("When"), _("Words")), rows)


def _helpers(patient: Patient) -> Table:
    rows = [
        (
            carer.name,
            _moment(carer.invited_at),
            _moment(carer.accepted_at) if carer.accepted_at else "",
            _moment(carer.ended_at) if carer.ended_at else "",
        )
        for carer in patient.carers.order_by("invited_at")
    ]
    return Table(_("Who helps you"), (_("Name"), _("Asked"), _("Since"), _("Until")), rows)


def _looks(patient: Patient) -> Table:
    looks = AccessRecord.objects.filter(
        subject_type="patient", subject_id=str(patient.pk)
    ).select_related("actor")
    rows = [
        (
            _moment(look.at),
            look.actor.name if look.actor else _("At the practice’s server"),
            look.get_action_display(),
        )
        for look in looks.order_by("at", "pk")
    ]
    return Table(_("Who opened your record"), (_("When"), _("Who"), _("What")), rows)


# --- words -----------------------------------------------------------------------------------


def _yes_no(value: bool | None) -> str | None:
    if value is None:
        return None
    return _("Yes") if value else _("No")


def _moment(at: dt.datetime) -> str:
    return date_format(timezone.localtime(at), "DATETIME_FORMAT")


def _date(day: dt.date) -> str:
    return date_format(day, "DATE_FORMAT")


def _clock(at: dt.datetime) -> str:
    return f"{timezone.localtime(at):%H:%M}"
