"""Keeping a check-in exactly as the patient gave it."""

import datetime as dt
import uuid

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from clinic.written_once import written_once
from patients.asking_schedule import IN_TURN, Asked
from patients.models import CheckIn, Patient
from patients.models.check_in import SCALES

REQUIRED = {
    CheckIn.Kind.AFTER_SESSION: (
        "pain_before",
        "pain_during",
        "effort",
        "form_kept",
        "stiffer_after",
        "neck_tension",
        "soreness",
    ),
    CheckIn.Kind.NEXT_MORNING: ("pain_this_morning", "usual_pain", "soreness"),
    CheckIn.Kind.DAILY: ("pain_this_morning", "usual_pain", "soreness"),
    # A number in a text message, which leaves the morning's questions still to be asked.
    CheckIn.Kind.TEXT: ("usual_pain",),
}
USED = "This id stands for other answers already: make a new one."
# Longer ago than any turn is long.
LOOK_BACK_DAYS = 14
_FLAGS = ("form_kept", "stiffer_after", "neck_tension")
_WORDS = ("soreness", "side", "place", "exercise", "note")


def record_check_in(
    *,
    patient: Patient,
    kind: str,
    client_id: uuid.UUID,
    day: dt.date,
    at: dt.datetime,
    **answers: object,
) -> CheckIn:
    """Keep one set of answers and return it.

    A replay with the same ``client_id`` returns what was kept the first time and changes nothing.
    Raises ValidationError with a message per field, and then nothing is kept.
    """
    _refuse_what_is_wrong(kind, answers)
    check_in = CheckIn(
        patient=patient, kind=kind, client_id=client_id, day=day, at=at, **_filled(answers)
    )
    # The patient is at hand, so nobody has to ask whether there is one.
    check_in.full_clean(exclude=["patient"], validate_unique=False, validate_constraints=False)
    try:
        with transaction.atomic():
            check_in.save(force_insert=True)
    except IntegrityError:
        # They came before, or another request with the same answers was faster: that row stays.
        kept = CheckIn.objects.filter(client_id=client_id).first()
        if kept is None:
            raise
        return _same(kept, patient, kind, day)
    return check_in


def _same(kept: CheckIn, patient: Patient, kind: str, day: dt.date) -> CheckIn:
    """What is kept under this id, where it is the same answers."""
    if kept.patient_id != patient.pk:
        raise ValidationError(_("These answers belong to somebody else."))
    if (kept.kind, kept.day) != (kind, day):
        raise ValidationError({"client_id": USED})
    return kept


def answered_before(patient: Patient, *, today: dt.date) -> Asked:
    """What the patient answered on earlier days, for the questions that take turns."""
    found: dict[str, dict[int, int]] = {name: {} for name in IN_TURN}
    since = today - dt.timedelta(days=LOOK_BACK_DAYS)
    for check_in in _in_turn(patient.pk, since, today - dt.timedelta(days=1)):
        for name, answers in found.items():
            value = getattr(check_in, name)
            if value is not None:
                answers[(today - check_in.day).days] = value
    return Asked(**found)


@written_once
def _in_turn(patient: uuid.UUID, first: dt.date, last: dt.date) -> QuerySet[CheckIn]:
    answers = CheckIn.objects.filter(patient_id=patient)
    return answers.between(first, last).only("day", *IN_TURN)


def _filled(answers: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in answers.items() if value is not None}


def _refuse_what_is_wrong(kind: str, answers: dict[str, object]) -> None:
    found: dict[str, str] = {}
    for name, value in answers.items():
        if name not in (*SCALES, *_FLAGS, *_WORDS):
            found[name] = _("This is not one of the questions.")
        elif value is None:
            continue
        elif name in SCALES:
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 10:
                found[name] = _("Choose a number from 0 to 10.")
        elif name in _FLAGS and not isinstance(value, bool):
            found[name] = _("Choose yes or no.")
    for name in REQUIRED[CheckIn.Kind(kind)]:
        if answers.get(name) in (None, ""):
            found.setdefault(name, _("Please answer this question."))
    soreness = answers.get("soreness")
    if soreness and soreness not in CheckIn.Soreness.values:
        found["soreness"] = _("Choose one of the answers.")
    if soreness == CheckIn.Soreness.ONE_SIDED and answers.get("side") not in CheckIn.Side.values:
        found["side"] = _("Choose the left or the right side.")
    if soreness != CheckIn.Soreness.ONE_SIDED and answers.get("side"):
        found["side"] = _("A side belongs to a pull on one side only.")
    place = answers.get("place")
    if place and place not in CheckIn.Place.values:
        found["place"] = _("Choose one of the places.")
    elif place and soreness in (None, "", CheckIn.Soreness.NONE):
        found["place"] = _("A place belongs to soreness or to a pull.")
    if found:
        raise ValidationError(found)
