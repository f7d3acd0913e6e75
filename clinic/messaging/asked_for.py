"""The words of messages that somebody asked for: a sign-in code, the invitation of a carer, what
an enquiry asked for, an appointment.

They lie in ``asked/``, a file for each language, and are not the practice's to change: they carry
what keeps people from being tricked. None of them carries a health detail.
"""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from clinic.messaging.filling import fill_text, plain_gsm
from clinic.messaging.texts import link_length, shown_name, supported
from clinic.models import Site
from clinic.models.messaging import Channel


def asked_words(
    kind: str,
    *,
    channel: str,
    site: Site,
    language: str,
    who: str = "",
    door: str = "",
    guide: str = "",
    when: str = "",
) -> tuple[str, str]:
    """Subject (of a mail) and body of one message; ``{code}``, ``{link}`` and ``{stop_link}`` stay.

    ``kind`` is "sign_in_code", "invitation", "enquiry_confirm", "enquiry_guide" or
    "appointment_reminder". An invitation says ``who`` asks, and has a ``door``; ``guide`` are the
    words of the guide; ``when`` are day and time of an appointment.
    """
    words = _supplied(supported(language))[kind][channel]
    values = {
        "practice": shown_name(site, language),
        "phone": site.phone,
        "who": who.replace("{", "").replace("}", ""),
        "when": when,
    }
    if channel == Channel.SMS:
        values = {name: plain_gsm(value) for name, value in values.items()} | {"door": door}
        return "", _text(words if isinstance(words, list) else [words], values)
    values |= {"door": door, "guide": guide}
    return _filled(words["subject_line"], values), _filled(words["body"].strip(), values)


def _text(forms: Sequence[str], values: dict[str, str]) -> str:
    """The first form that fits into one message, its name cut where it must be."""
    others = {name: value for name, value in values.items() if name not in ("practice", "phone")}
    for form in forms[:-1]:
        text = fill_text(
            _filled(form, others),
            practice=values["practice"],
            phone=values["phone"],
            link_length=link_length(),
        )
        if text is not None:
            return text
    return _filled(forms[-1], values)


def _filled(template: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", value)
    return template


@functools.cache
def _supplied(language: str) -> dict[str, Any]:
    path = Path(__file__).parent / "asked" / f"{language}.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))
