"""What this room does when the practice's messages speak: a stop or a start from outside."""

import datetime as dt
import uuid
from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from clinic.messaging.persons import Person
from clinic.models import OutboxMessage, User
from clinic.models.messaging import Channel
from clinic.sign_in_codes import Account
from clinic.signals import (
    address_started,
    address_stopped,
    before_sending,
    may_mean_appointment,
    where_codes_go,
    who_signs_in,
    whose_address,
)
from patients import appointment_reminders
from patients.caring import note_deed
from patients.consenting import patients_at, start_messages, stop_messages, wanted_by_others
from patients.models import Carer, CheckIn, ContactPoint, Patient, RedFlagScreening, Refusal


@receiver(address_stopped, dispatch_uid="patients.stop_at_address")
def stop_at_address(
    sender: Any,
    *,
    channel: str,
    address: str,
    at: dt.datetime,
    way: str,
    subject: tuple[str, str] | None = None,
    **kwargs: Any,
) -> bool:
    """Withdraw the consent of the person whose message it was, or of everybody at the address.

    True when somebody else still wants messages there.
    """
    if subject is None:
        for patient in patients_at(channel, address):
            stop_messages(patient=patient, channel=channel, at=at, way=way)
        return False
    kind, key = subject
    if kind != "patient":
        return False
    patient = Patient.objects.select_related("user").filter(pk=key).first()
    if patient is None:
        return False
    stop_messages(patient=patient, channel=channel, at=at, way=way)
    return wanted_by_others(channel, address, patient)


@receiver(address_started, dispatch_uid="patients.start_at_address")
def start_at_address(
    sender: Any,
    *,
    channel: str,
    address: str,
    at: dt.datetime,
    way: str,
    subject: tuple[str, str] | None = None,
    **kwargs: Any,
) -> None:
    """Give consent anew, for those at the address who had taken it back themselves; of a family
    only for the one who said so."""
    for patient in patients_at(channel, address):
        if subject not in (None, ("patient", str(patient.pk))):
            continue
        if Refusal.objects.in_force().filter(patient=patient, channel=channel).exists():
            start_messages(patient=patient, channel=channel, at=at, way=way)


@receiver(whose_address, dispatch_uid="patients.whose_address")
def persons_at(sender: Any, *, channel: str, address: str, **kwargs: Any) -> list[Person]:
    """The patients who gave this address."""
    return [
        Person(
            subject=("patient", str(patient.pk)),
            given_name=patient.given_name,
            family_name=patient.family_name,
            language=patient.language,
            site=patient.site,
            reader=patient.physiotherapist,
        )
        for patient in patients_at(channel, address)
    ]


@receiver(who_signs_in, dispatch_uid="patients.accounts_at")
def accounts_at(sender: Any, *, channel: str, address: str, **kwargs: Any) -> list[Account]:
    """The patients who gave this address, and the carers who were asked at it."""
    patients = [
        Account(user=patient.user, site=patient.site, language=patient.language)
        for patient in patients_at(channel, address)
        if patient.user is not None
    ]
    if channel == Channel.EMAIL:
        user = User.objects.with_email(address)
        own = Patient.objects.filter(user=user) if user else Patient.objects.none()
        patients += [
            Account(user=p.user, site=p.site, language=p.language)
            for p in own.select_related("user", "site")
        ]
    asked = Carer.objects.standing().at_own_address().filter(channel=channel, address=address)
    carers = [
        Account(user=carer.user, site=carer.patient.site, language=carer.patient.language)
        for carer in asked.select_related("user", "patient__site")
    ]
    return [*patients, *carers]


@receiver(where_codes_go, dispatch_uid="patients.addresses_of")
def addresses_of(sender: Any, *, user: User, **kwargs: Any) -> list[tuple[str, str]]:
    """A patient's own addresses, and those at which a carer was asked."""
    own = ContactPoint.objects.filter(patient__user=user)
    asked = Carer.objects.standing().at_own_address().filter(user=user)
    return [
        *own.values_list("channel", "address"),
        *asked.values_list("channel", "address"),
    ]


@receiver(post_save, sender=CheckIn, dispatch_uid="patients.whose_check_in")
def note_check_in(sender: Any, *, instance: CheckIn, created: bool, **kwargs: Any) -> None:
    if created and not kwargs.get("raw"):
        note_deed(row=instance, subject_type="check_in", at=instance.at)


@receiver(post_save, sender=RedFlagScreening, dispatch_uid="patients.whose_red_flags")
def note_red_flags(
    sender: Any, *, instance: RedFlagScreening, created: bool, **kwargs: Any
) -> None:
    if created and not kwargs.get("raw"):
        note_deed(row=instance, subject_type="red_flag_screening", at=instance.at)


@receiver(before_sending, dispatch_uid="patients.may_remind_of_appointment")
def may_remind_of_appointment(
    sender: Any, *, messages: list[OutboxMessage], at: dt.datetime, **kwargs: Any
) -> dict[uuid.UUID, str | dt.datetime]:
    """A last look at reminders of appointments; a reason holds one back, a moment puts it off."""
    return appointment_reminders.objections(messages=messages, at=at)


@receiver(may_mean_appointment, dispatch_uid="patients.may_mean_appointment")
def appointment_meant(
    sender: Any, *, person: Person, address: str, at: dt.datetime, **kwargs: Any
) -> bool:
    """Whether somebody who texted "cancel" may have meant an appointment."""
    kind, key = person.subject
    return kind == "patient" and appointment_reminders.may_be_meant(
        patient=key, address=address, at=at
    )
