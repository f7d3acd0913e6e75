"""Making the records of many people at once, for an import: the rules of one, the database asked
a few times for all."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models.functions import Lower

from clinic.models import Role, Site, User
from clinic.models.messaging import Channel
from patients.models import Consent, ContactPoint, Patient
from patients.models.consent import RECORDED_WAYS
from patients.registering import build_patient, first_hour, register_patient

_BATCH = 1_000


@dataclass(frozen=True)
class Agreed:
    """A yes that staff wrote down: to which wording, in which way, when."""

    wording: str
    way: str
    at: dt.datetime


@dataclass(frozen=True)
class NewPatient:
    """What ``register_patient`` takes for one person, and what they agreed to, by purpose."""

    site: Site
    physiotherapist: User
    given_name: str
    family_name: str
    number: str
    email: str = ""
    phone: str = ""
    date_of_birth: dt.date | None = None
    language: str = "en"
    reminder_time: dt.time | None = None
    consents: dict[str, Agreed] = field(default_factory=dict)


class ManyRefused(ValidationError):
    """Nobody was registered; ``errors`` are by the place of a person in the list."""

    def __init__(self, errors: dict[int, ValidationError]) -> None:
        self.errors = errors
        super().__init__("Nobody was registered.")


@transaction.atomic
def register_many(*, people: Sequence[NewPatient], by: User, at: dt.datetime) -> list[Patient]:
    """Register everybody or nobody, in their order.

    Numbers and addresses that somebody has already must have been looked for before: the database
    refuses them with an IntegrityError. Raises ManyRefused, and then nothing is made.
    """
    if not by.is_staff:
        raise PermissionDenied("Only staff may do this.")
    helpers = set(
        User.objects.annotate(plain=Lower("email"))
        .filter(plain__in={person.email for person in people if person.email})
        .values_list("plain", flat=True)
    )
    errors: dict[int, ValidationError] = {}
    made: list[Patient] = []
    points: list[ContactPoint] = []
    consents: list[Consent] = []
    for place, person in enumerate(people):
        try:
            if person.email in helpers:
                # A carer who becomes a patient keeps the account.
                patient = _one(person, by, at)
            else:
                patient = _record(person, at)
                points += _points(person, patient)
            made.append(patient)
            consents += _consents(person, patient, by, at)
        except ValidationError as error:
            errors[place] = error
    if errors:
        raise ManyRefused(errors)
    new = [patient for patient in made if patient._state.adding]
    User.objects.bulk_create([p.user for p in new if p.user], batch_size=_BATCH)
    Patient.objects.bulk_create(new, batch_size=_BATCH)
    ContactPoint.objects.bulk_create(points, batch_size=_BATCH)
    Consent.objects.bulk_create(consents, batch_size=_BATCH)
    return made


def _one(person: NewPatient, by: User, at: dt.datetime) -> Patient:
    return register_patient(
        site=person.site,
        physiotherapist=person.physiotherapist,
        given_name=person.given_name,
        family_name=person.family_name,
        number=person.number,
        email=person.email,
        phone=person.phone,
        date_of_birth=person.date_of_birth,
        language=person.language,
        reminder_time=person.reminder_time,
        by=by,
        at=at,
    )


def _record(person: NewPatient, at: dt.datetime) -> Patient:
    patient = build_patient(
        site=person.site,
        physiotherapist=person.physiotherapist,
        given_name=person.given_name,
        family_name=person.family_name,
        number=person.number,
        date_of_birth=person.date_of_birth,
        language=person.language,
        reminder_time=person.reminder_time,
        at=at,
    )
    if person.email or person.phone:
        # Whoever can be reached can be sent a code.
        patient.user = User(email=person.email or None, name=patient.name, role=Role.PATIENT)
        patient.user.set_unusable_password()
        patient.user.clean_fields(exclude=["password"])
    return patient


def _points(person: NewPatient, patient: Patient) -> list[ContactPoint]:
    hour = person.reminder_time or first_hour(person.site)
    points = [
        ContactPoint(patient=patient, channel=channel, address=address, reminder_time=hour)
        for channel, address in ((Channel.EMAIL, person.email), (Channel.SMS, person.phone))
        if address
    ]
    for point in points:
        name = "email" if point.channel == Channel.EMAIL else "phone"
        try:
            point.clean_fields(exclude=["patient"])
            point.clean()
        except ValidationError as error:
            raise ValidationError({name: error.messages}) from error
    return points


def _consents(person: NewPatient, patient: Patient, by: User, at: dt.datetime) -> list[Consent]:
    """A person who is new has said no to nothing yet; an address whose owner did is looked for
    before."""
    found = []
    for purpose, agreed in person.consents.items():
        if agreed.way not in RECORDED_WAYS:
            raise ValidationError("Say how the patient agreed: in person or on paper.")
        consent = Consent(
            patient=patient,
            purpose=purpose,
            way=agreed.way,
            wording_version=agreed.wording,
            given_at=min(agreed.at, at),
            recorded_by=by,
        )
        consent.clean_fields(exclude=["patient", "recorded_by"])
        found.append(consent)
    return found
