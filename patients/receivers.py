"""What this room does when the practice's messages speak: a stop or a start from outside."""

import datetime as dt
from typing import Any

from django.dispatch import receiver

from clinic.messaging.persons import Person
from clinic.signals import address_started, address_stopped, whose_address
from patients.consenting import patients_at, start_messages, stop_messages, wanted_by_others
from patients.models import Patient, Refusal


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
