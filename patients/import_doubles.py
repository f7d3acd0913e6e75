"""Who of a file is in the practice, or in the file, already: asked for the whole file at once."""

import datetime as dt
from collections.abc import Sequence

from django.db.models.functions import Lower

from clinic.models import Role, Suppression, User
from clinic.models.messaging import Channel
from patients.import_cells import BY_NAME
from patients.import_people import Person, Problem
from patients.models import ContactPoint, Patient

_Birth = tuple[str, str, dt.date]
_Phone = tuple[str, str, str]


class Known:
    """A person is the same by number, by name and date of birth, by e-mail address, or by name
    and mobile. A family may share a telephone: a number alone makes nobody the same."""

    def __init__(self, people: Sequence[Person], by: User) -> None:
        self._by = by
        self._own_sites = set(by.sites.values_list("pk", flat=True))
        values = [person.values for person in people]
        emails = {v["email"] for v in values if v.get("email")}
        phones = {v["phone"] for v in values if v.get("phone")}
        self._by_number = Patient.objects.in_bulk(
            {v["number"] for v in values if v.get("number")}, field_name="number"
        )
        born = {v["date_of_birth"] for v in values if v.get("date_of_birth")}
        self._by_birth: dict[_Birth, Patient] = {
            (_small(p.given_name), _small(p.family_name), p.date_of_birth): p
            for p in Patient.objects.filter(date_of_birth__in=born)
        }
        self._by_email: dict[str, Patient] = {}
        self._by_phone: dict[_Phone, Patient] = {}
        points = ContactPoint.objects.annotate(plain=Lower("address")).select_related("patient")
        for point in points.filter(plain__in=emails | phones):
            if point.channel == Channel.EMAIL:
                self._by_email.setdefault(point.plain, point.patient)
            else:
                who = point.patient
                key = (_small(who.given_name), _small(who.family_name), point.address)
                self._by_phone.setdefault(key, who)
        users = User.objects.annotate(plain=Lower("email")).filter(plain__in=emails)
        self._taken = {user.plain: user for user in users.select_related("patient")}
        for email, user in self._taken.items():
            if hasattr(user, "patient"):
                self._by_email.setdefault(email, user.patient)
        self._stopped = set(
            Suppression.objects.in_force()
            .filter(by_owner=True, address__in=emails | phones)
            .values_list("channel", "address")
        )
        self._lines: dict[tuple[str, object], int] = {}

    def add(self, person: Person) -> None:
        """This row stands; one after it that is the same is a double of it."""
        for key in _keys(person):
            self._lines.setdefault(key, person.line)

    def double_of(self, person: Person) -> Problem | None:
        """The patient or the row before that this one is, in words; None for somebody new."""
        v = person.values
        for name, found in (
            ("number", self._by_number.get(v.get("number", ""))),
            ("date_of_birth", self._by_birth.get(_birth_of(person))),
            ("email", self._by_email.get(v.get("email", ""))),
            ("phone", self._by_phone.get(_phone_of(person))),
        ):
            if found is not None:
                return self._said(person, name, self._who(found))
        for name, key in _keys(person):
            line = self._lines.get((name, key))
            if line is not None:
                return self._said(person, name, f"line {line}")
        return None

    def clash_of(self, person: Person) -> Problem | None:
        """An address that belongs to somebody who is no patient and may not become one."""
        user = self._taken.get(person.values.get("email", ""))
        if user is None or user.role in (Role.PATIENT, Role.CARER):
            return None
        words = "is the address of a member of staff."
        return Problem(person.line, BY_NAME["email"].label, words, person.cells["email"])

    def stopped(self, person: Person) -> list[Problem]:
        """Yes to reminders at an address whose owner said no to them."""
        found = []
        for purpose, field in (("email", "email"), ("sms", "phone")):
            if (
                purpose in person.consents
                and (purpose, person.values.get(field, "")) in self._stopped
            ):
                words = "Its owner said no to messages there, and only the owner says yes again."
                label = BY_NAME[f"consent_{purpose}"].label
                found.append(Problem(person.line, label, words, person.cells[f"consent_{purpose}"]))
        return found

    def _who(self, patient: Patient) -> str:
        if self._by.is_superuser or patient.site_id in self._own_sites:
            return f"{patient.number}, {patient.name}"
        return "a patient of another site"

    def _said(self, person: Person, name: str, who: str) -> Problem:
        same = {
            "number": "has the same number",
            "date_of_birth": "has the same name and date of birth",
            "email": "has the same e-mail address",
            "phone": "has the same name and mobile",
        }[name]
        words = f"Is there already: {who} {same}."
        return Problem(person.line, BY_NAME[name].label, words, person.cells.get(name, ""))


def _keys(person: Person) -> list[tuple[str, object]]:
    v = person.values
    keys: list[tuple[str, object]] = []
    if v.get("number"):
        keys.append(("number", v["number"]))
    if v.get("date_of_birth"):
        keys.append(("date_of_birth", _birth_of(person)))
    if v.get("email"):
        keys.append(("email", v["email"]))
    if v.get("phone"):
        keys.append(("phone", _phone_of(person)))
    return keys


def _birth_of(person: Person) -> tuple[str, str, dt.date | None]:
    v = person.values
    return (
        _small(v.get("given_name", "")),
        _small(v.get("family_name", "")),
        v.get("date_of_birth"),
    )


def _phone_of(person: Person) -> _Phone:
    v = person.values
    return _small(v.get("given_name", "")), _small(v.get("family_name", "")), v.get("phone", "")


def _small(name: str) -> str:
    return name.casefold()
