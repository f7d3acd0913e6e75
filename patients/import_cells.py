"""What a column of a patients' file may be, and how its cells are read. Pure: no Django, no clock.

A date is read in the one form that was declared for the file: 03/04/1980 is never guessed.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class CellProblem(ValueError):
    """A cell cannot be read; says what is wrong in words."""


@dataclass(frozen=True)
class Field:
    """``heads`` are the names a column of this kind goes by, without spaces and accents, in the
    three languages of messages."""

    name: str
    label: str
    heads: str
    required: bool = False
    hint: str = ""


FIELDS: tuple[Field, ...] = (
    Field(
        "given_name",
        "Given name",
        "givenname givennames firstname forename first vorname rufname nombre nombredepila",
        required=True,
    ),
    Field(
        "family_name",
        "Family name",
        "familyname lastname surname last nachname familienname zuname apellido apellidos name",
        required=True,
    ),
    Field(
        "date_of_birth",
        "Date of birth",
        "dateofbirth dob birthdate birthday born geburtsdatum geburtstag gebdatum geb "
        "fechadenacimiento fechanacimiento nacimiento fnac",
    ),
    Field(
        "number",
        "Patient number",
        "number patientnumber patientno patientid id no nr nummer patientennummer "
        "patientennr patnr numero numerodepaciente nhc",
        hint="Without one the next free number is given.",
    ),
    Field(
        "email",
        "E-mail",
        "email emailaddress mail emailadresse mailadresse correo correoelectronico",
    ),
    Field(
        "phone",
        "Mobile",
        "phone mobile mobilephone mobilenumber phonenumber telephone tel cell cellphone "
        "handy handynummer mobil mobilnummer mobiltelefon telefon telefonnummer movil "
        "telefono telefonomovil celular",
    ),
    Field("language", "Messages in", "language lang sprache idioma lengua"),
    Field(
        "physiotherapist",
        "Physiotherapist, by e-mail",
        "physiotherapist physiotherapistemail physio physioemail therapist clinician "
        "therapeut therapeutin behandler physiotherapeut fisioterapeuta fisio terapeuta",
    ),
    Field(
        "site",
        "Site, by name",
        "site practice location branch standort praxis filiale centro sede clinica",
    ),
    Field(
        "reminder_time",
        "Reminder at",
        "remindertime reminderat reminder erinnerung erinnerungszeit uhrzeit "
        "recordatorio horarecordatorio horadelrecordatorio hora",
    ),
    Field(
        "consent_record",
        "Agreed to a record, on",
        "consentrecord recordconsent consent consentdate einwilligung einwilligungakte "
        "consentimiento consentimientohistoria",
    ),
    Field(
        "consent_email",
        "Agreed to e-mail reminders, on",
        "consentemail emailconsent einwilligungemail consentimientocorreo",
    ),
    Field(
        "consent_sms",
        "Agreed to text reminders, on",
        "consentsms smsconsent consenttext textconsent einwilligungsms consentimientosms",
    ),
    Field(
        "consent_wording",
        "Wording agreed to",
        "consentwording wording wordingversion consentversion fassung versionconsentimiento",
        hint="The version of the text they agreed to, such as 2026-12.",
    ),
    Field(
        "consent_way",
        "How they agreed",
        "consentway howagreed way einwilligungart formaconsentimiento",
        hint="“In person” or “on paper”.",
    ),
)
BY_NAME = {field.name: field for field in FIELDS}

# The key of a form of dates → an example, and the order of its parts.
DATE_FORMS = {
    "dmy": ("31.12.1980 or 31/12/1980 (day, month, year)", (2, 1, 0)),
    "mdy": ("12/31/1980 (month, day, year)", (2, 0, 1)),
    "ymd": ("1980-12-31 (year, month, day)", (0, 1, 2)),
}
_DATE = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(?:[ T]00:00(?::00(?:\.0+)?)?)?", re.ASCII)
_TIME = re.compile(r"(\d{1,2})[:.](\d{2})(?::00)?", re.ASCII)
_HIDDEN = re.compile(r"[\x00-\x1f\x7f\u200b\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_LANGUAGES = {
    "en": ("en", "english", "englisch", "ingles"),
    "de": ("de", "german", "deutsch", "aleman"),
    "es": ("es", "spanish", "spanisch", "espanol", "castellano"),
}
_WAYS = {
    "in_person": ("inperson", "oral", "personlich", "mundlich", "enpersona", "oralmente"),
    "paper": ("paper", "onpaper", "written", "schriftlich", "papier", "aufpapier", "enpapel"),
}


def plain(words: str) -> str:
    """Only letters and figures, small and without accents: "E-Mail Adresse" is "emailadresse"."""
    parts = unicodedata.normalize("NFKD", words.casefold())
    return "".join(letter for letter in parts if letter.isalnum())


# --- columns -----------------------------------------------------------------------------------


def guess_columns(heads: Sequence[str]) -> dict[str, int]:
    """Which column is which field, by the names of the columns; each is used once."""
    names = [plain(head) for head in heads]
    found: dict[str, int] = {}
    for field in FIELDS:
        for name in field.heads.split():
            places = [p for p, n in enumerate(names) if n == name and p not in found.values()]
            if places:
                found[field.name] = places[0]
                break
    return found


def guess_date_form(values: Iterable[str]) -> str:
    """The one form in which most dates of a file can be read; "" where two do as well."""
    values = [value for value in values if value]
    counts = {form: sum(_is_date(value, form) for value in values) for form in DATE_FORMS}
    best = max(counts.values(), default=0)
    forms = [form for form, count in counts.items() if count == best]
    return forms[0] if best and len(forms) == 1 else ""


# --- cells -------------------------------------------------------------------------------------


def read_date(words: str, form: str) -> dt.date:
    """A day in the declared ``form`` (a key of DATE_FORMS)."""
    example, order = DATE_FORMS[form]
    found = _DATE.fullmatch(words)
    if found is None:
        if re.fullmatch(r"\d{4,6}", words, re.ASCII):
            raise CellProblem(
                "is a bare number. Give the column the format of a date in your table program."
            )
        raise CellProblem(f"is not a date like {example}.")
    parts = (found[1], found[3], found[4])
    year, month, day = (parts[place] for place in order)
    if len(year) != 4:
        if 4 in map(len, parts):
            raise CellProblem(f"is not a date like {example}.")
        raise CellProblem("needs a year with four figures.")
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        raise CellProblem(f"is no day of the calendar, read like {example}.") from None


def read_time(words: str) -> dt.time:
    """An hour such as 8:00 or 18.30."""
    found = _TIME.fullmatch(words)
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        raise CellProblem("is not a time like 8:00.")
    return dt.time(int(found[1]), int(found[2]))


def read_name(words: str, longest: int = 80) -> str:
    """What somebody is called."""
    if len(words) > longest:
        raise CellProblem(f"is longer than {longest} letters.")
    if words[:1] in ("=", "+", "@") or _HIDDEN.search(words) or not re.search(r"[^\W\d_]", words):
        raise CellProblem("is not a name.")
    return words


def read_number(words: str) -> str:
    """A patient number as the practice had it."""
    if len(words) > 20:
        raise CellProblem("is longer than 20 letters.")
    if words[:1] in ("=", "+", "@") or _HIDDEN.search(words):
        raise CellProblem("is not a number a patient can have.")
    return words


def read_language(words: str) -> str:
    """The code of a language that messages can be written in, by its code or its name."""
    said = plain(words)
    for code, names in _LANGUAGES.items():
        if said in names or re.fullmatch(rf"{code}[-_][a-z]{{2}}", words.casefold()):
            return code
    raise CellProblem("is not a language messages can be written in: en, de or es.")


def read_way(words: str) -> str:
    """How somebody agreed: "in_person" or "paper"."""
    said = plain(words)
    for way, names in _WAYS.items():
        if said in names:
            return way
    raise CellProblem("must be “in person” or “on paper”.")


def _is_date(words: str, form: str) -> bool:
    try:
        return read_date(words, form).year > 1800
    except CellProblem:
        return False
