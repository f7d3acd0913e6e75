"""Everything that hangs on a patient, found by the relations of the tables themselves.

A new table with a relation to the patient, or to anything of the patient's, is found without
being named here. Tables that name their subject by type and id have no such relation and are
listed; what is left out is listed with the reason.
"""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db.models import Field, ForeignKey, Model, Q, QuerySet

from clinic.models import (
    AccessRecord,
    Alert,
    Enquiry,
    IncomingText,
    MessageText,
    OutboxMessage,
    Suppression,
    User,
)
from patients.models import ContactPoint, Patient
from programs.models import Program

ROOMS = ("patients", "programs", "clinic")
# Of these tables a patient is given nothing, and why.
LEFT_OUT = {
    "programs.ReminderSchedule": "a working copy of the program, its days and the address",
    "programs.ReminderPlace": "where a row of that working copy stands",
    "programs.ReminderChange": "a note to look at that working copy again",
    "programs.CaseloadRow": "a working copy of the record for the list of the staff",
    "programs.CaseloadMark": "a note to make that working copy again",
}
# What opens something, or is only of use to the machine.
_SECRET = re.compile(
    r"token|secret|password|digest|hash|^key$|^data$|^sender$|^wake_at$|^pgh_(id|context)$"
)


@dataclass(frozen=True)
class Part:
    """The rows of one table that are this patient's; ``earlier`` for those that say what stood
    in another table before."""

    label: str
    rows: QuerySet[Any]
    fields: list[Field]
    earlier: bool


def parts_of(patient: Patient) -> Iterator[Part]:
    """Every table with something of this patient, the patient's own first."""
    found = rows_of(patient)
    for model, rows in found.items():
        fields = [f for f in model._meta.concrete_fields if not _SECRET.search(f.name)]
        rows = rows.order_by(*_in_order(model))
        if not is_earlier(model):
            # What an earlier state leads to may be gone, and a join would lose the state with it.
            rows = rows.select_related(*_to_name(fields, found))
        yield Part(model._meta.label, rows, fields, is_earlier(model))


def _to_name(fields: list[Field], found: Container[type[Model]]) -> list[str]:
    """The relations that lead out of what is the patient's, and those to people."""
    relations = [f for f in fields if isinstance(f, ForeignKey)]
    return [f.name for f in relations if f.related_model is User or f.related_model not in found]


def rows_of(patient: Patient) -> dict[type[Model], QuerySet[Any]]:
    """The rows of this patient by their table."""
    found: dict[type[Model], QuerySet[Any]] = {
        Patient: Patient.objects.filter(pk=patient.pk),
        **_by_name(patient),
    }
    # A person's account leads to whatever that person did to others, too: no way leads on from it.
    closed = {User, EmailAddress, Authenticator}
    waiting = [
        model
        for model in apps.get_models()
        if model._meta.app_label in ROOMS and model._meta.label not in LEFT_OUT
    ]
    grown = True
    while grown:
        grown = False
        for model in waiting:
            if model in found:
                continue
            ways = [f for f in _relations(model) if f.related_model in found.keys() - closed]
            if ways:
                found[model] = model._default_manager.filter(_any(ways, found))
                grown = True
    return found


def is_earlier(model: type[Model]) -> bool:
    return hasattr(model, "pgh_tracked_model")


def _by_name(patient: Patient) -> dict[type[Model], QuerySet[Any]]:
    """What names the patient by type and id, by an address, or is the account's."""
    programs = Program.objects.filter(patient=patient).values_list("pk", flat=True)
    about = Q(subject_type="patient", subject_id=str(patient.pk)) | Q(
        subject_type="program", subject_id__in=[str(pk) for pk in programs]
    )
    addresses = Q(pk__in=[])
    for point in ContactPoint.objects.filter(patient=patient):
        addresses |= Q(channel=point.channel, address=point.address)
    account, earlier = patient.user_id, apps.get_model("clinic", "UserEvent")
    return {
        User: User.objects.filter(pk=account),
        earlier: earlier.objects.filter(pgh_obj=account),
        EmailAddress: EmailAddress.objects.filter(user=account),
        Authenticator: Authenticator.objects.filter(user=account),
        OutboxMessage: OutboxMessage.objects.filter(about),
        # A text from a shared telephone that nobody claimed may be another's.
        IncomingText: IncomingText.objects.filter(about),
        Alert: Alert.objects.filter(about),
        # What they wrote before they were a patient.
        Enquiry: Enquiry.objects.filter(patient_id=patient.pk),
        AccessRecord: AccessRecord.objects.filter(about),
        Suppression: Suppression.objects.filter(addresses),
    }


def _relations(model: type[Model]) -> list[ForeignKey]:
    return [f for f in model._meta.concrete_fields if isinstance(f, ForeignKey)]


def _any(ways: list[ForeignKey], found: dict[type[Model], QuerySet[Any]]) -> Q:
    """Rows that any of these relations leads to; one that is never empty says it alone."""
    sure = [way for way in ways if not way.null]
    condition = Q()
    for way in sure[:1] or ways:
        condition |= Q(**{f"{way.name}__in": found[way.related_model].order_by().values("pk")})
    return condition


def _in_order(model: type[Model]) -> list[str]:
    """The order in which things happened, where the table knows it."""
    names = {field.name for field in model._meta.concrete_fields}
    times = [name for name in ("pgh_created_at", "at", "day", "due_at") if name in names]
    return [*times[:1], "pk"]


def as_dict(part: Part, row: Model) -> dict[str, Any]:
    """One row by the names of its columns. A relation inside the patient's own tables is a key,
    any other the name of what it leads to."""
    said: dict[str, Any] = {}
    for field in part.fields:
        if not isinstance(field, ForeignKey) or field.attname not in row.__dict__:
            said[field.name] = getattr(row, field.attname)
        elif field.name in row._state.fields_cache:
            said[field.name] = _named(getattr(row, field.name))
        else:
            said[field.name] = getattr(row, field.attname)
    return said


def _named(other: Model | None) -> str | None:
    if other is None:
        return None
    if isinstance(other, MessageText):
        return f"{other.subject_line}\n\n{other.body}".strip()
    return str(other)
