"""Carers: the people whom a patient lets help, from the invitation to the end.

Only the patient gives access, and only the patient or the carer ends it. What a carer records is
written down with the carer's name: ``note_deed``.
"""

import datetime as dt

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from clinic.acting import acting
from clinic.addresses import read_address
from clinic.audit import record_access
from clinic.messaging import links, outbox
from clinic.messaging.asked_for import asked_words
from clinic.models import BY_CODE, AccessRecord, OutboxMessage, Role, User
from clinic.models.messaging import Channel
from patients.models import Carer, Patient

MOST = 5
MOST_A_DAY = 5
_INVITED_FOR = dt.timedelta(days=14)


@transaction.atomic
def invite_carer(*, patient: Patient, name: str, address: str, by: User, at: dt.datetime) -> Carer:
    """Ask somebody, at an e-mail address or a mobile number, to help this patient.

    Nothing opens before they say yes. Raises ValidationError on ``name`` or ``address`` with
    words for the patient, and then nobody is asked.
    """
    _own_hand(patient, by)
    Patient.objects.select_for_update(of=["self"]).get(pk=patient.pk)
    name = " ".join(name.replace("\0", "").split())
    if not name:
        raise ValidationError({"name": _("Type the name of this person.")})
    try:
        channel, address = read_address(address)
    except ValidationError as error:
        raise ValidationError({"address": error.messages}) from error
    if patient.carers.standing().count() >= MOST:
        raise ValidationError(_("Five people help you already. Remove one first."))
    if patient.carers.filter(invited_at__gt=at - dt.timedelta(days=1)).count() >= MOST_A_DAY:
        raise ValidationError(_("You asked five people today. Please try again tomorrow."))
    user = _person_at(channel, address, name[:80])
    if user.pk == patient.user_id:
        raise ValidationError({"address": _("This is your own address or number.")})
    if patient.carers.standing().filter(user=user).exists():
        raise ValidationError({"address": _("You have asked this person already.")})
    carer = Carer.objects.create(
        patient=patient, user=user, name=name[:80], channel=channel, address=address, invited_at=at
    )
    _send_invitation(carer, at)
    return carer


@transaction.atomic
def accept_invitation(*, carer: Carer, by: User, at: dt.datetime) -> Carer:
    """The invited person says yes. Twice is the same as once."""
    carer = Carer.objects.select_for_update(of=["self"]).get(pk=carer.pk)
    if carer.user_id != by.pk:
        raise PermissionDenied("Only the invited person says yes.")
    if carer.ended_at is not None or is_too_old(carer, at):
        raise ValidationError(_("This invitation has ended. Ask for a new one."))
    if carer.accepted_at is None:
        carer.accepted_at = at
        carer.save(update_fields=["accepted_at"])
    return carer


@transaction.atomic
def remove_carer(*, carer: Carer, by: User, at: dt.datetime) -> Carer:
    """End the access at once, or take the invitation back: the patient does, or the carer."""
    carer = Carer.objects.select_for_update(of=["self"]).select_related("patient").get(pk=carer.pk)
    if by.pk not in (carer.user_id, carer.patient.user_id):
        raise PermissionDenied("Only the patient or the carer ends this.")
    if carer.ended_at is None:
        carer.ended_at, carer.ended_by = at, by
        carer.save(update_fields=["ended_at", "ended_by"])
        outbox.hold_back(
            subject=("carer", carer.pk),
            reason="The patient took the invitation back.",
            at=at,
            kinds=[OutboxMessage.Kind.INVITATION],
        )
    return carer


def is_too_old(carer: Carer, at: dt.datetime) -> bool:
    """Whether an invitation that nobody answered has run out."""
    return carer.accepted_at is None and at - carer.invited_at > _INVITED_FOR


def helps(user: User, patient: Patient) -> bool:
    """Whether this person is a carer of the patient now."""
    return Carer.objects.helping().filter(user=user, patient=patient).exists()


def note_deed(*, row: models.Model, subject_type: str, at: dt.datetime) -> AccessRecord | None:
    """Write down that a carer, and not the patient, recorded this row; None for anybody else."""
    carer = acting()
    if carer is None:
        return None
    return record_access(
        actor=carer,
        action=AccessRecord.Action.CHANGE,
        subject_type=subject_type,
        subject_id=row.pk,
        page="carer",
        at=at,
    )


# --- inside ----------------------------------------------------------------------------------


def _own_hand(patient: Patient, by: User) -> None:
    if by.pk != patient.user_id:
        raise PermissionDenied("Only the patient gives access.")


def _person_at(channel: Channel, address: str, name: str) -> User:
    """Who signs in with this address as a carer: somebody we know, or a new account."""
    if channel == Channel.EMAIL:
        known = User.objects.with_email(address)
        if known is not None and known.role not in BY_CODE:
            raise ValidationError(
                {"address": _("This address cannot be used. Ask for another one of this person.")}
            )
    else:
        # Only who helps there now: a number that was given back may be somebody else's since.
        carers = Carer.objects.standing().filter(
            channel=channel, address=address, user__role=Role.CARER
        )
        known = User.objects.filter(helps__in=carers, is_active=True).first()
    email = address if channel == Channel.EMAIL else None
    return known or User.objects.create_user(email, name=name, role=Role.CARER)


def _send_invitation(carer: Carer, at: dt.datetime) -> None:
    patient = carer.patient
    subject_line, body = asked_words(
        "invitation",
        channel=carer.channel,
        site=patient.site,
        language=patient.language,
        who=patient.given_name,
        door=links.door_for("invitation", carer.pk),
    )
    outbox.queue_message(
        key=f"invitation:{carer.pk}",
        kind=OutboxMessage.Kind.INVITATION,
        channel=Channel(carer.channel),
        subject_type="carer",
        subject_id=carer.pk,
        address=carer.address,
        subject_line=subject_line,
        body=body,
        language=patient.language,
        due_at=at,
        expires_at=at + dt.timedelta(days=1),
        at=at,
    )
