"""Signing in by a code: whom an address lets in, and the message that carries the code.

An address that nobody knows takes the same steps as a known one, up to the message itself: the
row for it is written and taken back. Nothing is said to the carrier before the page is answered,
so a carrier that is down makes no difference either.
"""

import datetime as dt
import hmac
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from clinic.messaging import links, outbox
from clinic.messaging.asked_for import asked_words
from clinic.models import BY_CODE, OutboxMessage, Site, User
from clinic.models.messaging import Channel
from clinic.signals import where_codes_go, who_signs_in

log = logging.getLogger(__name__)

VALID_FOR = dt.timedelta(minutes=15)


@dataclass(frozen=True)
class Account:
    """Somebody whom a code at an address lets in, as the message is worded for them."""

    user: User
    site: Site
    language: str


def accounts_at(channel: str, address: str) -> list[Account]:
    """Everybody who signs in with this address, each once; empty for one that nobody knows.

    Never staff: a mailbox alone must not open the portal.
    """
    found: dict[int, Account] = {}
    for _, accounts in who_signs_in.send(User, channel=channel, address=address):
        for account in accounts:
            if account.user.is_active and account.user.role in BY_CODE:
                found.setdefault(account.user.pk, account)
    return list(found.values())


def ways_to(user: User) -> list[tuple[str, str]]:
    """The channels and addresses that a code for this person can go to, each once."""
    found = [(Channel.EMAIL.value, user.email)] if user.email else []
    for _, ways in where_codes_go.send(User, user=user):
        found += [(str(channel), address) for channel, address in ways]
    return list(dict.fromkeys(found))


def send_code(
    *, channel: str, address: str, accounts: Sequence[Account], at: dt.datetime
) -> uuid.UUID | None:
    """Send one code for these accounts; None, and nothing sent, where there are none.

    Returns the id of the message, which ``is_right`` needs.
    """
    with transaction.atomic():
        written = _write(channel, address, accounts, at)
        if not accounts:
            transaction.set_rollback(True)
    transaction.on_commit(wake_sender)
    return written.pk if accounts else None


def is_right(*, message_id: uuid.UUID | None, typed: str) -> bool:
    """Whether ``typed`` is the code of that message, however it is spaced."""
    figures = "".join(letter for letter in typed if letter.isdecimal() and letter.isascii())
    # Without a message something is compared as well, and never equal.
    right = links.code_for(message_id or uuid.uuid4())
    return hmac.compare_digest(figures.encode(), right.encode()) and message_id is not None


def _write(
    channel: str, address: str, accounts: Sequence[Account], at: dt.datetime
) -> OutboxMessage:
    known = accounts[0] if accounts else None
    site = known.site if known else Site.objects.order_by("pk").first() or Site(name="Steadyback")
    subject_line, body = asked_words(
        "sign_in_code", channel=channel, site=site, language=known.language if known else "en"
    )
    return outbox.queue_message(
        key=f"sign-in:{uuid.uuid4()}",
        kind=OutboxMessage.Kind.SIGN_IN_CODE,
        channel=Channel(channel),
        subject_type="user",
        subject_id=known.user.pk if known else "",
        address=address,
        subject_line=subject_line,
        body=body,
        language=known.language if known else "en",
        priority=OutboxMessage.Priority.FIRST,
        due_at=at,
        expires_at=at + VALID_FOR,
        at=at,
    )


def wake_sender() -> None:
    """A code is waited for: the next round of the sender is now. Beat comes round all the same."""
    from clinic.tasks import send_due

    try:
        send_due.apply_async(retry=False, ignore_result=True, expires=30)
    except Exception as error:
        log.warning("The sender could not be woken: %s", type(error).__name__)
