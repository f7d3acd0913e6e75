"""What this room does when the practice's messages speak: a stop or a start from outside."""

import datetime as dt
from typing import Any

from django.dispatch import receiver

from clinic.signals import address_started, address_stopped
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
    sender: Any, *, channel: str, address: str, at: dt.datetime, way: str, **kwargs: Any
) -> None:
    """Give consent anew, for those at the address who had taken it back themselves."""
    for patient in patients_at(channel, address):
        if Refusal.objects.in_force().filter(patient=patient, channel=channel).exists():
            start_messages(patient=patient, channel=channel, at=at, way=way)
