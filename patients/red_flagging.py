"""Opening and closing red flags."""

import datetime as dt
import json
import uuid
from collections.abc import Collection, Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from clinic import alerts
from clinic.models import Alert, User
from patients.access import require_clinician
from patients.models import Patient, RedFlag, RedFlagScreening
from patients.red_flags import BY_ID, REPEATED, Question, assess
from patients.signals import red_flag_raised


@transaction.atomic
def answer_red_flags(
    *,
    patient: Patient,
    answers: Mapping[str, str],
    source: str,
    client_id: uuid.UUID,
    at: dt.datetime,
    given_at: dt.datetime | None = None,
    questions: tuple[Question, ...] = REPEATED,
) -> RedFlag | None:
    """Take a whole set of answers; any yes or not-sure opens a flag.

    In the same transaction the running program is suspended (by the room above, through the
    signal) and the responsible physiotherapist gets an alert. A replay with the same
    ``client_id`` changes nothing and returns the flag it opened, if any; other answers under the
    same id are not a replay. Answers given before they arrive (``given_at``) are taken however
    late they come: the flag opens now, and now is when the physiotherapist is told. Raises
    ValueError for unknown or missing answers.
    """
    assessment = assess(answers, questions=questions)
    # One at a time with assigning, so that no program begins beside a flag it could not see.
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    client_id = _id_of(client_id, answers)
    screening, created = RedFlagScreening.objects.get_or_create(
        client_id=client_id,
        defaults={
            "patient": patient,
            "answers": dict(answers),
            "source": source,
            # Whatever a device's clock says: these answers are never refused.
            "at": min(given_at or at, at),
        },
    )
    if screening.patient_id != patient.pk:
        raise ValidationError(_("These answers belong to somebody else."))
    if not created or assessment.severity is None:
        return RedFlag.objects.filter(screening=screening).first()
    red_flag = RedFlag.objects.create(
        patient=patient,
        screening=screening,
        severity=assessment.severity,
        answers=assessment.raised,
        opened_at=at,
    )
    alerts.raise_alert(
        severity=assessment.severity,
        subject_type="patient",
        subject_id=patient.pk,
        site=patient.site,
        owner=patient.physiotherapist,
        summary=describe(assessment.raised),
        key=alert_key(red_flag),
        at=at,
    )
    red_flag_raised.send(RedFlag, red_flag=red_flag, at=at)
    return red_flag


def _id_of(client_id: uuid.UUID, answers: Mapping[str, str]) -> uuid.UUID:
    """The id these answers are kept under: a yes must never pass for a replay of a no."""
    kept = RedFlagScreening.objects.filter(client_id=client_id).first()
    if kept is None or kept.answers == dict(answers):
        return client_id
    return uuid.uuid5(client_id, json.dumps(dict(answers), sort_keys=True))


def alert_key(red_flag: RedFlag) -> str:
    return f"red_flag:{red_flag.screening_id}"


@transaction.atomic
def close_red_flags(
    *,
    patient: Patient,
    by: User,
    reason: str,
    at: dt.datetime,
    seen: Collection[int] | None = None,
) -> int:
    """Close every open flag of the patient, and acknowledge their alerts. Clinicians only.

    ``seen`` names the flags the clinician had before her; one that came in since is not closed
    unread, and then none is.
    """
    require_clinician(by, patient)
    if not reason.strip():
        raise ValidationError({"reason": "Say what was found and why it is safe to go on."})
    open_flags = list(RedFlag.objects.select_for_update().filter(patient=patient).open())
    if seen is not None and any(flag.pk not in seen for flag in open_flags):
        raise ValidationError("A newer red flag has come in. Look at it before you go on.")
    for red_flag in open_flags:
        red_flag.closed_at, red_flag.closed_by, red_flag.close_reason = at, by, reason.strip()
        red_flag.save(update_fields=["closed_at", "closed_by", "close_reason"])
        for alert in Alert.objects.filter(key=alert_key(red_flag)).unresolved():
            alerts.settle(
                alert=alert, by=by, outcome=reason.strip(), kind=Alert.Outcome.REOPENED, at=at
            )
    return len(open_flags)


def describe(raised: Mapping[str, str]) -> str:
    """The raised answers in a clinician's words."""
    return "; ".join(
        BY_ID[question_id].short + (" (not sure)" if answer == "not_sure" else "")
        for question_id, answer in raised.items()
    )
