"""Whoever enquired and becomes a patient, or is one already."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Lower

from clinic import enquiries
from clinic.models import Enquiry, User
from clinic.models.messaging import Channel
from patients.models import ContactPoint, Patient
from patients.registering import register_patient


@transaction.atomic
def register_enquirer(
    *,
    enquiry: Enquiry,
    physiotherapist: User,
    by: User,
    at: dt.datetime,
    spoke_by_phone: bool = False,
) -> Patient:
    """Make the record of somebody who enquired; a second time returns the first record.

    An address that was never confirmed is not taken over: the sign-in would go to whoever owns
    it. Nor is a telephone number, unless ``by`` says to have spoken to the person there. No
    consent is made of the enquiry: they agreed to be answered, not to be treated. Raises
    ValidationError with words, and then nothing is made.
    """
    enquiries.require_desk(enquiry, by)
    enquiry = (
        Enquiry.objects.select_for_update(of=["self"]).select_related("site").get(pk=enquiry.pk)
    )
    if enquiry.patient_id is not None:
        return Patient.objects.get(pk=enquiry.patient_id)
    if enquiry.state != Enquiry.State.NEW and enquiry.state != Enquiry.State.ANSWERED:
        raise ValidationError("This enquiry is closed. Put it back among the open ones first.")
    if enquiry.state == Enquiry.State.ANSWERED:
        enquiries.reopen_enquiry(enquiry=enquiry, by=by, at=at)
    patient = register_patient(
        site=enquiry.site,
        physiotherapist=physiotherapist,
        given_name=enquiry.given_name,
        family_name=enquiry.family_name,
        email=enquiry.email if enquiry.is_confirmed else "",
        phone=enquiry.phone if spoke_by_phone else "",
        language=enquiry.language,
        by=by,
        at=at,
    )
    enquiries.settle(
        enquiry=enquiry,
        state=Enquiry.State.REGISTERED,
        patient_id=patient.pk,
        by=by,
        at=at,
    )
    return patient


@dataclass(frozen=True)
class Known:
    """A patient who may be whoever enquired; ``by`` is what they share ("e-mail", "mobile",
    "name")."""

    patient: Patient
    by: str


def known_patients(found: Sequence[Enquiry]) -> dict[uuid.UUID, list[Known]]:
    """Patients with the address, the number or the name of each enquiry, by enquiry."""
    addresses = {(Channel.EMAIL.value, e.email.lower()) for e in found if e.email}
    addresses |= {(Channel.SMS.value, e.phone) for e in found if e.phone}
    names = {_name(e) for e in found}
    points = (
        ContactPoint.objects.annotate(plain=Lower("address"))
        .filter(plain__in={address for _, address in addresses})
        .select_related("patient")
    )
    by_address: dict[tuple[str, str], list[Patient]] = {}
    for point in points:
        by_address.setdefault((point.channel, point.address.lower()), []).append(point.patient)
    by_name: dict[tuple[str, str], list[Patient]] = {}
    wanted = Q(pk__in=[])
    for given, family in names:
        wanted |= Q(plain_given=given, plain_family=family)
    lower = {"plain_given": Lower("given_name"), "plain_family": Lower("family_name")}
    for patient in Patient.objects.annotate(**lower).filter(wanted):
        by_name.setdefault(_name(patient), []).append(patient)
    answer: dict[uuid.UUID, list[Known]] = {}
    for enquiry in found:
        known: dict[uuid.UUID, Known] = {}
        for word, patients in (
            ("e-mail", by_address.get((Channel.EMAIL.value, enquiry.email.lower()), [])),
            ("mobile", by_address.get((Channel.SMS.value, enquiry.phone), [])),
            ("name", by_name.get(_name(enquiry), [])),
        ):
            for patient in patients:
                known.setdefault(patient.pk, Known(patient, word))
        answer[enquiry.pk] = list(known.values())
    return answer


def _name(person: Enquiry | Patient) -> tuple[str, str]:
    return person.given_name.lower(), person.family_name.lower()
