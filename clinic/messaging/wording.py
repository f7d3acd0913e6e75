"""Changing the words of reminders. Only what ``wording_rules`` allows is ever kept.

Every change is kept by the history of ``MessageTemplate``, with who and when. Messages that are
planned already keep the words they were planned with.
"""

import datetime as dt
from collections.abc import Sequence

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from clinic.messaging import texts, wording_rules
from clinic.messaging.filling import one_line
from clinic.models import MessageTemplate, OutboxMessage, Site, User
from clinic.models.messaging import Channel
from clinic.roles import May, may
from clinic.signals import names_not_to_say

KINDS = OutboxMessage.REMINDERS


@transaction.atomic
def edit_template(
    *,
    site: Site | None,
    kind: str,
    channel: str,
    language: str,
    subject_line: str,
    body: str,
    by: User,
    at: dt.datetime,
) -> MessageTemplate:
    """Keep a practice's own words, for one ``site`` or (None) for all that have none.

    Raises ValidationError with sentences per field, and then nothing is changed.
    """
    _require_manager(by)
    _require_known(kind, channel, language)
    subject_line, body = tidy(channel=channel, subject_line=subject_line, body=body)
    wrong = problems(
        site=site, channel=channel, language=language, subject_line=subject_line, body=body
    )
    if wrong:
        raise ValidationError(wrong)
    return _keep(site, kind, channel, language, subject_line, body, by, at)


@transaction.atomic
def use_supplied_words(
    *, site: Site | None, kind: str, channel: str, language: str, by: User, at: dt.datetime
) -> None:
    """Go back: a site to the words for all sites, the practice to the supplied ones.

    The row stays without words, so that its history says who went back, and when.
    """
    _require_manager(by)
    _require_known(kind, channel, language)
    which = {"site": site, "kind": kind, "channel": channel, "language": language}
    if MessageTemplate.objects.filter(**which).exclude(body="").exists():
        _keep(site, kind, channel, language, "", "", by, at)


def problems(
    *, site: Site | None, channel: str, language: str, subject_line: str, body: str
) -> dict[str, list[str]]:
    """What is wrong with these words at the sites that would use them, by field."""
    sites: Sequence[Site] = [site] if site else list(Site.objects.all())
    names: list[str] = []
    for _, answer in names_not_to_say.send(MessageTemplate):
        names += answer
    return wording_rules.problems(
        channel=channel,
        subject_line=subject_line,
        body=body,
        sites=[(texts.shown_name(each, language), each.phone) for each in sites],
        link_length=texts.link_length(),
        exercises=names,
    )


def tidy(*, channel: str, subject_line: str, body: str) -> tuple[str, str]:
    """The words as they are kept: a text is one line, a mail has lines without loose ends."""
    if channel == Channel.SMS:
        return subject_line.strip(), one_line(body)
    lines = [line.rstrip() for line in body.replace("\r\n", "\n").split("\n")]
    return subject_line.strip(), "\n".join(lines).strip()


def _keep(
    site: Site | None,
    kind: str,
    channel: str,
    language: str,
    subject_line: str,
    body: str,
    by: User,
    at: dt.datetime,
) -> MessageTemplate:
    row, _ = MessageTemplate.objects.select_for_update().update_or_create(
        site=site,
        kind=kind,
        channel=channel,
        language=language,
        defaults={
            "subject_line": subject_line,
            "body": body,
            "edited_by": by,
            "edited_at": at,
        },
    )
    return row


def _require_manager(by: User) -> None:
    if not may(by, May.MANAGE):
        raise PermissionDenied("Only a manager changes the words of messages.")


def _require_known(kind: str, channel: str, language: str) -> None:
    if kind not in KINDS:
        raise ValidationError("Only the words of reminders can be changed.")
    if channel not in Channel.values:
        raise ValidationError("Choose e-mail or text message.")
    if language not in dict(settings.LANGUAGES):
        raise ValidationError("There are no supplied words in this language.")
