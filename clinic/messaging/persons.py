"""Whom an address belongs to, as this room needs to know it to answer."""

from dataclasses import dataclass

from clinic.models import Site, User


@dataclass(frozen=True)
class Person:
    """Somebody who may write to the practice. ``subject`` is their type and id as a room above
    keeps them, ``reader`` who of the staff reads their words."""

    subject: tuple[str, str]
    given_name: str
    family_name: str
    language: str
    site: Site
    reader: User


def called(persons: list[Person]) -> list[str]:
    """What a family tells its members apart by: first names, with the first letter of the family
    name where two have the same."""
    names = [person.given_name for person in persons]
    return [
        name if names.count(name) == 1 else f"{name} {person.family_name[:1]}."
        for name, person in zip(names, persons, strict=True)
    ]
