"""Files of patients for tests: made-up people, as some other program would write them."""

import csv
import io
from collections.abc import Iterable, Sequence

HEADS = ("Vorname", "Nachname", "Geburtsdatum", "E-Mail", "Handy", "Sprache")
_GIVEN = ("Ada", "Bruno", "Chloé", "Dörte", "Emil", "Fátima", "Gönül", "Hannah", "Íñigo", "Jürgen")
_FAMILY = ("Abel", "Brandt", "Castillo", "Dvořák", "Ekström", "Farah", "García", "Höß", "Ito")


def person(number: int) -> list[str]:
    """A row that can be imported; no two numbers share anything."""
    return [
        _GIVEN[number % len(_GIVEN)],
        f"{_FAMILY[number % len(_FAMILY)]} {_letters(number)}",
        f"{number % 28 + 1}.{number % 12 + 1}.{1940 + number % 60}",
        f"person{number}@mail.example",
        f"07700 9{number:05d}",
        "de" if number % 2 else "en",
    ]


def _letters(number: int) -> str:
    word = ""
    while True:
        number, rest = divmod(number, 26)
        word = chr(ord("a") + rest) + word
        if not number:
            return word.capitalize()


def people(count: int) -> list[list[str]]:
    return [person(number) for number in range(count)]


def as_file(
    rows: Iterable[Sequence[str]],
    *,
    heads: Sequence[str] = HEADS,
    delimiter: str = ";",
    encoding: str = "utf-8",
) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(heads)
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


# What stands in a row that is broken on purpose: place of the cell, what is put there, and a few
# words of what is said of it.
BROKEN = (
    (0, "", "Given name"),
    (1, "", "Family name"),
    (1, "x" * 81, "longer than 80"),
    (0, "=HYPERLINK(1)", "is not a name"),
    (2, "31.2.1980", "no day of the calendar"),
    (2, "1.1.80", "four figures"),
    (2, "29221", "bare number"),
    (2, "1.1.2090", "future"),
    (2, "1.1.1820", "too long ago"),
    (2, "yesterday", "is not a date"),
    (3, "nobody", "not an e-mail address"),
    (3, "a@b", "not an e-mail address"),
    (4, "call", "telephone number"),
    (4, "12", "telephone number"),
    (5, "Klingon", "not a language"),
    (5, "xx", "not a language"),
    (0, "123", "is not a name"),
    (3, "two@mail.example, three@mail.example", "not an e-mail address"),
    (4, "+44 7700", "telephone number"),
    (2, "12/31/1980", "no day of the calendar"),
)


def with_broken(rows: list[list[str]], every: int) -> dict[int, str]:
    """Break 20 rows; returns the line of each and what is to be said of it."""
    expected = {}
    for count, (place, value, words) in enumerate(BROKEN):
        row = (count + 1) * every - 1
        rows[row][place] = value
        expected[row + 2] = words
    return expected
