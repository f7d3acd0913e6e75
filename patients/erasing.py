"""A patient's wish to have the record deleted: asked, taken back, answered by a person.

Nothing here deletes anything. Practices must keep records of treatment for years, and how long
differs from place to place: a manager looks, does what the law allows, and answers.
"""

import datetime as dt
import uuid

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from clinic import alerts
from clinic.models import Alert, Role, User
from patients.access import require_staff
from patients.models import ErasureRequest, Patient

Status = ErasureRequest.Status
# A month is what the law gives in most of Europe; the page says it to the patient.
ANSWER_WITHIN = dt.timedelta(days=30)
_ASKS = "Asks for the record to be deleted. Answer within a month, under Deletion requests."
_TOOK_BACK = "Asked for the record to be deleted and took it back. Nothing to do."


@transaction.atomic
def ask_for_deletion(
    *, patient: Patient, client_id: uuid.UUID, by: User, at: dt.datetime, reason: str = ""
) -> ErasureRequest:
    """Keep the wish and tell the manager. While one is open, asking again returns that one."""
    _own_hand(patient, by)
    Patient.objects.select_for_update(of=["self"]).get(pk=patient.pk)
    known = ErasureRequest.objects.filter(patient=patient)
    found = known.filter(client_id=client_id).first() or known.open().first()
    if found is not None:
        return found
    request = ErasureRequest.objects.create(
        patient=patient, client_id=client_id, reason=reason.strip(), asked_at=at
    )
    alerts.raise_alert(
        # Routine: nobody's health waits for it, and it must not pass for a safety alert.
        severity=Alert.Severity.ROUTINE,
        subject_type="patient",
        subject_id=patient.pk,
        site=patient.site,
        owner=_manager_of(patient),
        summary=_ASKS,
        key=_key(request),
        at=at,
        tell=True,
    )
    return request


@transaction.atomic
def withdraw(*, request: ErasureRequest, by: User, at: dt.datetime) -> ErasureRequest:
    """The patient takes the wish back; a second time changes nothing.

    Raises ValidationError when it was answered before.
    """
    _own_hand(request.patient, by)
    request = _held(request)
    if request.status == Status.WITHDRAWN:
        return request
    if request.status != Status.OPEN:
        raise ValidationError(_("Your practice has answered already."))
    request.status, request.ended_at = Status.WITHDRAWN, at
    request.save(update_fields=["status", "ended_at"])
    alerts.say_anew(key=_key(request), summary=_TOOK_BACK)
    return request


@transaction.atomic
def answer(
    *, request: ErasureRequest, outcome: str, words: str, by: User, at: dt.datetime
) -> ErasureRequest:
    """A manager of the site says what was done; the patient reads ``words``.

    ``outcome`` is "deleted" or "kept". Raises ValidationError without words, and for a wish that
    was answered or taken back before.
    """
    if by.role != Role.MANAGER:
        raise PermissionDenied("Only a manager answers this.")
    require_staff(by, request.patient)
    if outcome not in ErasureRequest.ANSWERS:
        raise ValidationError({"outcome": "Say what was done."})
    if not words.strip():
        raise ValidationError({"words": "Write what the patient shall read."})
    request = _held(request)
    if request.status != Status.OPEN:
        raise ValidationError("This request is not open any more.")
    request.status, request.ended_at = outcome, at
    request.answered_by, request.answer = by, words.strip()
    request.save(update_fields=["status", "ended_at", "answered_by", "answer"])
    alert = Alert.objects.filter(key=_key(request)).first()
    if alert is not None:
        alerts.acknowledge(alert=alert, by=by, at=at, outcome=Status(outcome).label)
    return request


def _own_hand(patient: Patient, by: User) -> None:
    if by.pk != patient.user_id:
        raise PermissionDenied("Only the patient says this.")


def _held(request: ErasureRequest) -> ErasureRequest:
    rows = ErasureRequest.objects.select_for_update(of=["self"]).select_related("patient")
    return rows.get(pk=request.pk)


def _manager_of(patient: Patient) -> User:
    """Who answers for the practice at the patient's site; without a manager, who treats."""
    managers = User.objects.filter(role=Role.MANAGER, is_active=True, sites=patient.site)
    return managers.order_by("pk").first() or patient.physiotherapist


def _key(request: ErasureRequest) -> str:
    return f"erasure:{request.pk}"
