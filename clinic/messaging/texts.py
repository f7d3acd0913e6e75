"""The words of messages. None of them carries a health detail, whoever reads over a shoulder.

A body may hold ``{link}``. It is text; the HTML of a mail is drawn from the same text, so that
the two parts cannot say different things.
"""

import functools
import unicodedata

from django.conf import settings
from django.template.loader import render_to_string

from clinic.models import Alert, OutboxMessage, Site
from clinic.models.messaging import Channel

# What one text message of the GSM alphabet holds (3GPP TS 23.038, 6.2.1).
SMS_LENGTH = 160
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_LOOKS_LIKE = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "."})
# "/r/" and the token of ``links``: 26 bytes in URL-safe base64.
_LINK_TAIL = len("/r/") + 35

URGENCY = {
    Alert.Severity.EMERGENCY: "urgent",
    Alert.Severity.SAME_DAY: "today",
    Alert.Severity.SOON: "soon",
    Alert.Severity.ROUTINE: "soon",
}


def plain_gsm(text: str) -> str:
    """``text`` in the GSM alphabet: an accent it has not is dropped, a letter it has not too."""
    letters = []
    for letter in text.translate(_LOOKS_LIKE):
        if letter in _GSM:
            letters.append(letter)
        else:
            letters += [part for part in unicodedata.normalize("NFKD", letter) if part in _GSM]
    return " ".join("".join(letters).split())


def routine_reminder(*, site: Site, channel: str, language: str = "en") -> tuple[str, str]:
    """Subject and body of the reminder; the same for every patient of a site and language."""
    if channel == Channel.SMS:
        return "", _sms_reminder(site)
    subject = "Your ten minutes for today"
    return subject, _render("email/routine_reminder.txt", {"site": site})


def _sms_reminder(site: Site) -> str:
    """At most 160 characters with the link. Too long, and the name gives way, then the phone."""
    link = len(settings.BASE_URL) + _LINK_TAIL
    phone = plain_gsm(site.phone)
    for name, number in ((plain_gsm(site.name), phone), (plain_gsm(site.name), "")):
        context = {"name": "", "phone": number}
        length = len(_render("sms/routine_reminder.txt", context)) - len("{link}") + link
        # The name stands with ": " behind it.
        room = SMS_LENGTH - length - 2
        if room >= min(len(name), 12):
            break
    name = name if len(name) <= room else name[: max(room - 1, 0)].rstrip() + "."
    context["name"] = name if room > 1 else ""
    return _render("sms/routine_reminder.txt", context)


def staff_alert(alert: Alert) -> tuple[str, str]:
    """Subject and body of the mail to the alert's owner: how urgent, and where to look."""
    urgency = URGENCY[Alert.Severity(alert.severity)]
    context = {"urgency": urgency, "address": f"{settings.BASE_URL}/clinic/"}
    subject = f"Someone on your caseload needs you: {urgency}"
    return subject, _render("email/staff_alert.txt", context)


def html_of(message: OutboxMessage, body: str) -> str:
    """The HTML part of a mail, from its finished text.

    A paragraph whose last line is an address becomes a button with the line before it as label.
    """
    paragraphs = []
    for block in body.split("\n\n"):
        *lines, last = block.strip().split("\n")
        is_link = last.startswith(("https://", "http://")) and " " not in last
        if is_link and lines:
            paragraphs.append({"label": " ".join(lines).rstrip(":"), "address": last})
        elif block.strip():
            paragraphs.append({"lines": block.strip().split("\n")})
    context = {
        "language": message.language,
        "title": message.subject_line,
        "paragraphs": paragraphs,
    }
    return _shell().render(context)


@functools.cache
def _shell():
    from django.template.loader import get_template

    return get_template("email/message.html")


def _render(template: str, context: dict[str, object]) -> str:
    return render_to_string(template, context).strip()
