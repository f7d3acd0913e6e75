"""The words of messages. None of them carries a health detail, whoever reads over a shoulder.

A site's own words go before the practice's, those before the supplied ones (``words/``, a file
for each language). A body may hold ``{link}`` and a mail's ``{stop_link}``. It is text; the HTML
of a mail is drawn from the same text, so that the two parts cannot say different things.
"""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.db.models import Q
from django.template.loader import get_template, render_to_string

from clinic.messaging import outbox
from clinic.messaging.filling import SMS_LENGTH, fill, fill_text, plain_gsm
from clinic.messaging.health_words import given_away
from clinic.models import Alert, MessageTemplate, MessageText, Site
from clinic.models.messaging import Channel

__all__ = ["SMS_LENGTH", "html_of", "plain_gsm", "staff_alert", "text_for"]

# "/r/" and the token of ``links``: 26 bytes in URL-safe base64.
_LINK_TAIL = len("/r/") + 35
_PLACES = ("{link}", "{stop_link}")
_ENGLISH = "en"

URGENCY = {
    Alert.Severity.EMERGENCY: "urgent",
    Alert.Severity.SAME_DAY: "today",
    Alert.Severity.SOON: "soon",
    Alert.Severity.ROUTINE: "soon",
}


# --- reminders -------------------------------------------------------------------------------


def text_for(*, kind: str, channel: str, site: Site, language: str) -> MessageText:
    """The finished words of one kind of reminder, the same for every patient of a site.

    In ``language`` where there are words in it, else in English. ``kind`` is one of
    ``OutboxMessage.REMINDERS``.
    """
    language = supported(language)
    own = own_words(kind=kind, channel=channel, site=site, language=language)
    subject, body = finished(kind=kind, channel=channel, site=site, language=language, own=own)
    return outbox.keep_text(channel=channel, body=body, subject_line=subject, language=language)


def own_words(
    *, kind: str, channel: str, site: Site | None, language: str
) -> MessageTemplate | None:
    """The practice's own words that are in use at a site, or at sites that have none."""
    rows = MessageTemplate.objects.filter(
        Q(site=site) | Q(site=None), kind=kind, channel=channel, language=language
    ).exclude(body="")
    return min(rows, key=lambda row: row.site_id is None, default=None)


def finished(
    *, kind: str, channel: str, site: Site, language: str, own: MessageTemplate | None = None
) -> tuple[str, str]:
    """Subject and body with the site's name and number in them; no database is asked."""
    name = shown_name(site, language)
    if channel == Channel.SMS:
        bodies = [own.body] if own else []
        return "", _first_that_fits([*bodies, *supplied_texts(kind, language)], name, site.phone)
    subject, body = (own.subject_line, own.body) if own else supplied_mail(kind, language)
    return (
        fill(subject, practice=name, phone=site.phone),
        fill(body, practice=site.name, phone=site.phone).strip(),
    )


def shown_name(site: Site, language: str) -> str:
    """The site's name where others read along; a name that says what is treated stays away."""
    if given_away(site.name):
        return _supplied(language)["practice"]
    return site.name


def _first_that_fits(bodies: Sequence[str], name: str, phone: str) -> str:
    for body in bodies:
        text = fill_text(body, practice=name, phone=phone, link_length=link_length())
        if text is not None:
            return text
    # Only an address longer than a text message comes here: better two messages than none.
    return bodies[-1]


def link_length() -> int:
    """Letters of the link in a message."""
    return len(settings.BASE_URL) + _LINK_TAIL


# --- supplied words --------------------------------------------------------------------------


def supported(language: str) -> str:
    """The language to write in for somebody who reads ``language`` ("de-AT" is "de")."""
    for code in (language, language.split("-")[0]):
        if code in dict(settings.LANGUAGES):
            return code
    return _ENGLISH


def supplied_mail(kind: str, language: str) -> tuple[str, str]:
    """Subject and body of a mail before it is filled."""
    words = _supplied(language)[kind]["email"]
    return words["subject_line"], words["body"].strip()


def supplied_texts(kind: str, language: str) -> list[str]:
    """A text message before it is filled, from the fullest to the shortest form of it."""
    return _supplied(language)[kind]["sms"]


@functools.cache
def _supplied(language: str) -> dict[str, Any]:
    path = Path(__file__).parent / "words" / f"{language}.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))


# --- staff -----------------------------------------------------------------------------------


def staff_alert(
    alert: Alert, *, channel: str = Channel.EMAIL, why: str = "raised", place: str = "owner"
) -> tuple[str, str]:
    """Subject and body of an alert to one of the staff: how urgent, why they, and where to look.

    ``why`` is of ``AlertStep.Why``, ``place`` of ``clinic.duty``. No patient, no health detail: a
    text message has no subject, and one sentence.
    """
    urgency = URGENCY[Alert.Severity(alert.severity)]
    address = f"{settings.BASE_URL}/clinic/alerts/{alert.pk}/"
    subject = f"{_staff_words(why, place)}: {urgency}"
    if channel == Channel.SMS:
        name = shown_name(alert.site, _ENGLISH)
        text = f"{_staff_words(why, place)} ({urgency}). {address}"
        whole = plain_gsm(f"{name}: {text}")
        return "", whole if len(whole) <= SMS_LENGTH else plain_gsm(text)
    context = {"urgency": urgency, "address": address, "why": why, "place": place}
    return subject, render_to_string("email/staff_alert.txt", context).strip()


def _staff_words(why: str, place: str) -> str:
    """What a message to staff is about, in half a sentence."""
    if why in ("handed_over", "reassigned"):
        return "An alert is yours now"
    if why != "raised":
        return "An alert still waits for somebody"
    return (
        "Someone on your caseload needs you"
        if place == "owner"
        else ("Someone on a colleague’s caseload needs you")
    )


# --- the HTML of a mail ----------------------------------------------------------------------


def html_of(text: MessageText, body: str) -> str:
    """The HTML part of a mail, from its words and its finished text."""
    context = {
        "language": text.language,
        "title": text.subject_line,
        "paragraphs": paragraphs_of(body),
    }
    return _shell().render(context)


def paragraphs_of(body: str) -> list[dict[str, Any]]:
    """What to draw: ``lines``, or an ``address`` with its ``label``.

    A paragraph whose last line is an address is a link with the lines before it as its words. The
    first one is what the mail is for: its ``button``.
    """
    paragraphs: list[dict[str, Any]] = []
    button = True
    for block in body.split("\n\n"):
        *lines, last = block.strip().split("\n")
        is_link = last in _PLACES or (last.startswith(("https://", "http://")) and " " not in last)
        if is_link and lines:
            label = " ".join(lines).rstrip(" :")
            paragraphs.append({"label": label, "address": last, "button": button})
            button = False
        elif last:
            paragraphs.append({"lines": block.strip().split("\n")})
    return paragraphs


@functools.cache
def _shell():
    return get_template("email/message.html")
