"""Filling the places of a template: {practice} and {phone}. Pure: no Django, no clock.

{link} and {stop_link} stay; what they stand for is made for each message when it goes out.
"""

import re
import unicodedata

# What one text message of the GSM alphabet holds (3GPP TS 23.038, 6.2.1).
SMS_LENGTH = 160
# A practice's name in a text may be cut, but not below this.
SHORTEST_NAME = 12
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_LOOKS_LIKE = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "."})
PLACE = re.compile(r"\{([^{}]*)\}")


def plain_gsm(text: str) -> str:
    """``text`` in the GSM alphabet: an accent it has not is dropped, a letter it has not too."""
    letters = []
    for letter in text.translate(_LOOKS_LIKE):
        if letter in _GSM:
            letters.append(letter)
        else:
            letters += [part for part in unicodedata.normalize("NFKD", letter) if part in _GSM]
    return one_line("".join(letters))


def not_gsm(text: str) -> list[str]:
    """The letters of ``text`` that would not survive, each once, in their order."""
    return [
        letter
        for letter in dict.fromkeys(text.translate(_LOOKS_LIKE))
        if letter not in _GSM and not letter.isspace()
    ]


def one_line(text: str) -> str:
    return " ".join(text.split())


def fill(template: str, *, practice: str, phone: str) -> str:
    """The template with its name and number; a name that looks like a place becomes none."""
    values = {"practice": _without_braces(practice), "phone": _without_braces(phone)}
    return PLACE.sub(lambda place: values.get(place[1], place[0]), template)


def fill_text(template: str, *, practice: str, phone: str, link_length: int) -> str | None:
    """A text message that fits into one with a link of ``link_length`` letters; None if it cannot.

    A long name is cut, though not below 12 letters.
    """
    values = {"practice": plain_gsm(practice), "phone": plain_gsm(phone)}
    if any(f"{{{place}}}" in template and not value for place, value in values.items()):
        return None
    template = one_line(template.translate(_LOOKS_LIKE))
    times, name = template.count("{practice}"), values["practice"]
    others = fill(template, practice="-", phone=values["phone"])
    room = SMS_LENGTH - sent_length(others, link_length) + times
    if room < times * min(len(name), SHORTEST_NAME):
        return None
    if times and len(name) > room // times:
        name = name[: room // times - 1].rstrip() + "."
    return fill(template, practice=name, phone=values["phone"])


def sent_length(body: str, link_length: int) -> int:
    """Letters of a text with its link in place."""
    return len(body) + body.count("{link}") * (link_length - len("{link}"))


def _without_braces(value: str) -> str:
    return one_line(value.replace("{", "").replace("}", ""))
