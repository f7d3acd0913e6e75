"""What the words of a reminder may hold. Pure: no Django, no clock.

Every refusal is a sentence that names what is in the way, under the field it stands in.
"""

import re
from collections.abc import Iterable, Sequence

from clinic.messaging.filling import PLACE, SMS_LENGTH, fill, fill_text, not_gsm, sent_length
from clinic.messaging.health_words import given_away

SUBJECT_LENGTH, MAIL_LENGTH = 78, 2000
_EMAIL, _SMS = "email", "sms"
PLACES = {
    ("subject_line", _EMAIL): ("practice",),
    ("body", _EMAIL): ("practice", "phone", "link", "stop_link"),
    ("body", _SMS): ("practice", "phone", "link"),
}
_HTML = re.compile(r"</?[a-z!][^>]*>?|&(?:#\d+|[a-z]+);", re.IGNORECASE)
_ADDRESS = re.compile(
    r"\S+@\S+|\b(?:https?|ftp|mailto|tel):\S*|\bwww\.\S+|//\S+|\b[\w-]{2,}\.[a-z]{2,}(?:/\S*)?\b",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def problems(
    *,
    channel: str,
    subject_line: str,
    body: str,
    sites: Sequence[tuple[str, str]],
    link_length: int,
    exercises: Iterable[str] = (),
) -> dict[str, list[str]]:
    """What is wrong with these words, by field ("subject_line", "body"); empty when nothing is.

    ``sites``: name and telephone number of every site that would use them. ``link_length``: the
    letters of a whole link. ``exercises``: names that must not be said.
    """
    exercises = list(exercises)
    found: dict[str, list[str]] = {"subject_line": [], "body": []}
    if channel == _SMS:
        if subject_line:
            found["subject_line"].append("A text message has no subject.")
        found["body"] += _of_text(body, sites, link_length, exercises)
    else:
        found["subject_line"] += _of_subject(subject_line, exercises)
        found["body"] += _of_mail(body, exercises)
        if "{practice}" not in subject_line + body:
            found["body"].append("Say who writes: {practice} stands for the name of the site.")
    return {field: sentences for field, sentences in found.items() if sentences}


def _of_text(
    body: str, sites: Sequence[tuple[str, str]], link_length: int, exercises: list[str]
) -> list[str]:
    if not body.strip():
        return ["Write the words of the text message."]
    found = _of_any(body, PLACES["body", _SMS], exercises, strict=True)
    found += _of_link(body)
    if body.count("{practice}") != 1:
        found.append("Say who writes, once: {practice} stands for the name of the site.")
    unfit = not_gsm(PLACE.sub("", body))
    if unfit:
        letters = " ".join(f"“{letter}”" for letter in unfit)
        found.append(f"Text messages cannot carry {letters}. Please write it another way.")
    if found:
        return found
    for name, phone in sites:
        if fill_text(body, practice=name, phone=phone, link_length=link_length) is None:
            length = sent_length(fill(body, practice=name, phone=phone), link_length)
            return [
                f"Too long for one text message: with “{name}” and the link it is {length} of "
                f"{SMS_LENGTH} letters."
            ]
    return []


def _of_subject(subject: str, exercises: list[str]) -> list[str]:
    if not subject.strip():
        return ["Write a subject."]
    if "\n" in subject or "\r" in subject:
        return ["The subject must stand on one line."]
    found = _of_any(subject, PLACES["subject_line", _EMAIL], exercises, strict=True)
    if subject.count("{practice}") > 1:
        found.append("{practice} can stand in the subject once.")
    if len(subject) > SUBJECT_LENGTH:
        found.append(f"The subject has {len(subject)} letters; at most {SUBJECT_LENGTH} are shown.")
    return found


def _of_mail(body: str, exercises: list[str]) -> list[str]:
    if not body.strip():
        return ["Write the words of the e-mail."]
    found = _of_any(body, PLACES["body", _EMAIL], exercises, strict=False)
    if len(body) > MAIL_LENGTH:
        found.append(f"The e-mail has {len(body)} letters; at most {MAIL_LENGTH} are read.")
    for place, purpose in (("{link}", "opens the routine"), ("{stop_link}", "stops the e-mails")):
        if body.count(place) != 1:
            found.append(f"{place} {purpose}: it must stand in the e-mail, once.")
        elif not re.search(rf"(?m)^(?!\s*$).*\n{re.escape(place)}$", body):
            found.append(
                f"{place} must stand on a line of its own, right under the line that says what it "
                "opens."
            )
        elif not re.search(rf"{re.escape(place)}(?:\n[ \t]*\n|\n*\Z)", body):
            found.append(f"Leave an empty line after {place}.")
    if not found and body.index("{link}") > body.index("{stop_link}"):
        found.append("{link} must come before {stop_link}.")
    return found


def _of_link(body: str) -> list[str]:
    if body.count("{link}") != 1:
        return ["{link} opens the routine: it must stand in the text message, once."]
    if not re.search(r"(?:^|\s)\{link\}(?:\s|$)", body):
        return ["Put a space before and after {link}, so that it can be tapped."]
    return []


def _of_any(text: str, places: Sequence[str], exercises: list[str], *, strict: bool) -> list[str]:
    """What is refused wherever it stands."""
    found = []
    for place in PLACE.finditer(text):
        if place[1] not in places:
            known = ", ".join(f"{{{name}}}" for name in places)
            found.append(f"{place[0]} is not known here. There is: {known}.")
    rest = PLACE.sub(" . ", text)
    if "{" in rest or "}" in rest:
        found.append("There is a { or } without its other half.")
    if _CONTROL.search(text.replace("\r\n", "\n").replace("\n", "")):
        found.append("There is a letter in it that cannot be seen. Please type the words again.")
    for pattern, said in (
        (_HTML, "is HTML. Write plain words; the e-mail gets its looks by itself."),
        (_ADDRESS, "is an address. The only ones in a message are {link} and {stop_link}."),
    ):
        hit = pattern.search(rest)
        if hit:
            found.append(f"“{hit[0]}” {said}")
    words = given_away(rest, names=exercises, others_read_along=strict)
    if words:
        quoted = ", ".join(f"“{word}”" for word in words[:8])
        found.append(
            f"{quoted}: could tell others about somebody’s health. Please say it without."
            if strict
            else f"{quoted}: speaks of a condition, an exercise or a score. Please say it without."
        )
    return found
