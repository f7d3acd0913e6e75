"""The words of answers to text messages, one text long, in the language of the one who reads them.

They lie in ``replies/``, a file for each language. None of them says how somebody is: no
condition, no exercise and no number is given back.
"""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from clinic.messaging.filling import PLACE, SHORTEST_NAME, SMS_LENGTH, plain_gsm
from clinic.messaging.filling import sent_length as length_of
from clinic.messaging.texts import link_length, shown_name, supported
from clinic.models import Site

PURPOSES = (
    "stop",
    "stop_cancel",
    "stop_shared",
    "start",
    "help",
    "done",
    "saved",
    "nothing_due",
    "questions",
    "paused",
    "words",
    "words_after_stop",
    "who",
    "again",
)


def reply_words(
    purpose: str, *, site: Site, language: str, reader: str = "", names: Sequence[str] = ()
) -> str:
    """One of ``PURPOSES`` in words; ``{link}`` stays. ``names`` are those to choose from."""
    supplied = _supplied(supported(language))
    values = {
        "practice": plain_gsm(shown_name(site, language)),
        "phone": plain_gsm(site.phone),
        "emergency": plain_gsm(site.emergency_number),
        "reader": plain_gsm(reader),
    }
    if names:
        values["choices"] = _choices(supplied, names)
    for template in supplied[purpose]:
        body = _fitted(template, values)
        if body is not None:
            return body
    # Names no plain text can spell, or an address as long as a text: better two than none.
    return _filled(supplied[purpose][-1], values)


def _fitted(template: str, values: dict[str, str]) -> str | None:
    """The template filled, the practice's name cut where it must be; None if it cannot fit."""
    if any(place != "link" and not values[place] for place in PLACE.findall(template)):
        return None
    over = length_of(_filled(template, values), link_length()) - SMS_LENGTH
    name = values["practice"]
    if over > 0 and "{practice}" in template and len(name) - over >= SHORTEST_NAME:
        name = name[: len(name) - over - 1].rstrip() + "."
        over = 0
    return _filled(template, {**values, "practice": name}) if over <= 0 else None


def _filled(template: str, values: dict[str, str]) -> str:
    return PLACE.sub(lambda place: values.get(place[1], place[0]), template)


def _choices(supplied: dict[str, Any], names: Sequence[str]) -> str:
    """“A for Anna or B for Ben”. A name that the plain alphabet cannot spell stays as it is."""
    spelled = [plain if len(plain := plain_gsm(name)) == len(name) else name for name in names]
    parts = [
        supplied["for"].format(letter=chr(ord("A") + number), name=name[:20])
        for number, name in enumerate(spelled)
    ]
    return supplied["or"].join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


@functools.cache
def _supplied(language: str) -> dict[str, Any]:
    path = Path(__file__).parent / "replies" / f"{language}.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))
