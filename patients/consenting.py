"""Yes and no: consent as staff write it down, and the patient's own stop and start.

Staff record what a patient said in the room. What the patient said with their own hand, on the
page, by a text message or by a link, stands above it: only the patient takes that back.
"""

import datetime as dt
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction

from clinic.messaging import outbox
from clinic.models import Suppression, User
from clinic.models.messaging import Channel
from patients import consent_wordings
from patients.models import Consent, ContactPoint, Patient, Refusal
from patients.models.consent import RECORDED_WAYS, UNSIGNED_WAYS, Way

_WHAT = {Channel.EMAIL: "e-mails", Channel.SMS: "text messages"}
_HOW_AGAIN = {
    Channel.EMAIL: "on the page “My reminders”",
    Channel.SMS: "on the page “My reminders” or by texting START",
}


@dataclass(frozen=True)
class OwnNo:
    """A no that staff cannot undo: on which day (the patient's), and both sentences about it."""

    day: dt.date
    said: str
    again: str

    def __str__(self) -> str:
        return f"{self.said} {self.again}"


# --- what staff write down -------------------------------------------------------------------


@transaction.atomic
def give_consent(
    *,
    patient: Patient,
    purpose: str,
    way: str,
    by: User,
    at: dt.datetime,
    wording_version: str = consent_wordings.CURRENT,
) -> Consent:
    """Write down the patient's yes to one purpose. A yes that already stands is returned as it is.

    Raises ValidationError when the patient's own no stands against it.
    """
    if not by.is_staff:
        raise PermissionDenied("Only staff write down what somebody agreed to.")
    if way not in RECORDED_WAYS:
        raise ValidationError("Say how the patient agreed: in person or on paper.")
    _hold(patient)
    if purpose in Channel.values:
        no = own_no(patient=patient, channel=purpose)
        if no is not None:
            raise ValidationError(str(no))
    return _yes(patient, purpose, way, by, at, wording_version)


@transaction.atomic
def withdraw_consent(
    *, patient: Patient, purpose: str, by: User, at: dt.datetime, way: str = Way.IN_PERSON
) -> bool:
    """Write down that the patient's yes to one purpose has ended; says whether one stood."""
    if not by.is_staff:
        raise PermissionDenied("Only staff write down what somebody said.")
    if way not in RECORDED_WAYS:
        raise ValidationError("Say how the patient said it: in person or on paper.")
    _nothing_goes_out()
    _hold(patient)
    stood = _no(patient, purpose, way, by, at)
    if stood and purpose in Channel.values:
        for point in patient.contact_points.filter(channel=purpose):
            _hold_back(point, "The patient withdrew consent to these reminders.", at)
    return stood


# --- the patient's own stop and start --------------------------------------------------------


@transaction.atomic
def stop_messages(
    *, patient: Patient, channel: str, at: dt.datetime, way: str, by: User | None = None
) -> bool:
    """The patient says no to messages by one channel; says whether that was news.

    ``way`` is "web", "text", "link" or "carrier"; ``by`` the patient's own sign-in, which only
    "web" needs. When this is committed no reminder of this patient starts there any more. An
    address that nobody else of the practice gets messages at is suppressed whole; a telephone
    that a family shares goes on for the others.
    """
    _own_hand(patient, way, by)
    _nothing_goes_out()
    _hold(patient)
    by = by or patient.user
    stood = _no(patient, channel, way, by, at)
    _, new = Refusal.objects.in_force().get_or_create(
        patient=patient, channel=channel, defaults={"said_at": at, "way": way}
    )
    reason = f"The patient said no to {_WHAT[Channel(channel)]}."
    for point in patient.contact_points.filter(channel=channel):
        if not wanted_by_others(channel, point.address, patient):
            outbox.suppress_address(
                channel=channel, address=point.address, reason=reason, at=at, by_owner=True
            )
        _hold_back(point, reason, at)
    return stood or new


@transaction.atomic
def start_messages(
    *, patient: Patient, channel: str, at: dt.datetime, way: str, by: User | None = None
) -> Consent:
    """The patient says yes to reminders by one channel, to the wording of today.

    Ends the patient's own no and lifts what keeps the patient's addresses of the channel from
    being written to. Others who share an address hear nothing: their consent is their own.
    ``way`` and ``by`` as in ``stop_messages``.
    """
    _own_hand(patient, way, by)
    _hold(patient)
    by = by or patient.user
    Refusal.objects.in_force().filter(patient=patient, channel=channel).update(
        lifted_at=at, lifted_way=way
    )
    for point in patient.contact_points.filter(channel=channel):
        outbox.lift_suppression(channel=channel, address=point.address, at=at)
    return _yes(patient, channel, way, by, at, consent_wordings.CURRENT)


# --- reading ---------------------------------------------------------------------------------


def own_no(*, patient: Patient, channel: str) -> OwnNo | None:
    """The no that keeps staff from turning this channel on, with words for them; or None.

    The patient's own; or, where nobody knows whose it was, one said at every address the patient
    has for this channel.
    """
    refusal = Refusal.objects.in_force().filter(patient=patient, channel=channel).first()
    if refusal is not None:
        return _words(patient, channel, patient.given_name, refusal.said_at)
    addresses = [
        outbox.same_address(channel, address)
        for address in patient.contact_points.filter(channel=channel).values_list(
            "address", flat=True
        )
    ]
    stopped = _stopped(channel, addresses)
    if addresses and stopped.keys() >= set(addresses):
        return _words(patient, channel, "", min(stopped.values()))
    return None


def own_no_at(point: ContactPoint) -> OwnNo | None:
    """The same for one address: also when only this one said no."""
    no = own_no(patient=point.patient, channel=point.channel)
    if no is None:
        for said_at in _stopped(
            point.channel, [outbox.same_address(point.channel, point.address)]
        ).values():
            return _words(point.patient, point.channel, "", said_at)
    return no


def patients_at(channel: str, address: str) -> list[Patient]:
    """Everybody of the practice who gave this address, in the order of their numbers."""
    points = ContactPoint.objects.at(channel, outbox.same_address(channel, address))
    found = Patient.objects.filter(contact_points__in=points).distinct()
    return list(found.select_related("site", "user", "physiotherapist").order_by("number"))


def wanted_by_others(channel: str, address: str, patient: Patient) -> bool:
    """Whether another patient has a yes that stands, for this very address."""
    others = ContactPoint.objects.at(channel, outbox.same_address(channel, address)).exclude(
        patient=patient
    )
    return (
        Consent.objects.active()
        .filter(purpose=channel, patient__in=others.values("patient"))
        .exists()
    )


# --- inside ----------------------------------------------------------------------------------


def _own_hand(patient: Patient, way: str, by: User | None) -> None:
    if by is None and way not in UNSIGNED_WAYS:
        raise PermissionDenied("On the web the patient is signed in.")
    if by is not None and by.pk != patient.user_id:
        raise PermissionDenied("Only the patient says this.")
    if way in RECORDED_WAYS:
        raise ValueError(f"Not the patient's own hand: {way}.")


def _nothing_goes_out() -> None:
    # Before anything else: no sender has asked for consent before it ends and starts after.
    with connection.cursor() as cursor:
        outbox.nothing_goes_out(cursor)


def _hold(patient: Patient) -> None:
    """Two changes to one person's yes and no come one after the other."""
    Patient.objects.select_for_update(of=["self"]).get(pk=patient.pk)


def _yes(
    patient: Patient, purpose: str, way: str, by: User | None, at: dt.datetime, version: str
) -> Consent:
    standing = Consent.objects.active().filter(patient=patient, purpose=purpose).first()
    if standing is not None:
        return standing
    consent = Consent(
        patient=patient,
        purpose=purpose,
        way=way,
        wording_version=version,
        given_at=at,
        recorded_by=by,
    )
    consent.full_clean()
    consent.save()
    return consent


def _no(patient: Patient, purpose: str, way: str, by: User | None, at: dt.datetime) -> bool:
    changed = (
        Consent.objects.active()
        .filter(patient=patient, purpose=purpose)
        .update(withdrawn_at=at, withdrawn_by=by, withdrawn_way=way)
    )
    return bool(changed)


def _hold_back(point: ContactPoint, reason: str, at: dt.datetime) -> None:
    outbox.hold_back(
        subject=("patient", point.patient_id),
        address=(point.channel, point.address),
        reason=reason,
        at=at,
    )


def _stopped(channel: str, addresses: list[str]) -> dict[str, dt.datetime]:
    """Of these addresses the ones whose owner said no, and when."""
    rows = Suppression.objects.in_force().filter(
        channel=channel, address__in=addresses, by_owner=True
    )
    return dict(rows.values_list("address", "since"))


def _words(patient: Patient, channel: str, name: str, said_at: dt.datetime) -> OwnNo:
    day, what = patient.local_date(said_at), _WHAT[Channel(channel)]
    who = name or ("The owner of this number" if channel == Channel.SMS else "Its owner")
    only = name or "the owner"
    return OwnNo(
        day=day,
        said=f"{who} said no to {what} on {day:%-d %B %Y}.",
        again=f"Only {only} can turn them on again, {_HOW_AGAIN[Channel(channel)]}.",
    )
