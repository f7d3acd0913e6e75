"""Messages that no table holds, and one gateway spoken to outside any sending process."""

import asyncio
import datetime as dt

from django.utils import timezone

from clinic.messaging.gateways import Gateway
from clinic.models import MessageText, OutboxMessage
from clinic.models.messaging import Channel

LINK = "https://practice.example/r/token"
NUMBER = "+447700900123"


def mail(address: str = "ana@patients.example", **fields) -> OutboxMessage:
    return _message(
        Channel.EMAIL,
        address,
        {
            "subject_line": "Your ten minutes for today",
            "body": "Hello,\n\nStart today's routine:\n{link}\n\nÅ question? Call us.",
            **fields,
        },
    )


def text(address: str = NUMBER, **fields) -> OutboxMessage:
    words = {"body": "Harbour Street: Your ten minutes for today {link}", **fields}
    return _message(Channel.SMS, address, words)


def _message(channel: str, address: str, fields: dict) -> OutboxMessage:
    words = {
        name: fields.pop(name) for name in ("subject_line", "body", "language") if name in fields
    }
    now = timezone.now()
    return OutboxMessage(
        **{
            "kind": OutboxMessage.Kind.ROUTINE_REMINDER,
            "channel": channel,
            "address": address,
            "text": MessageText(channel=channel, **words),
            "due_at": now,
            "expires_at": now + dt.timedelta(hours=2),
            **fields,
        }
    )


def carry(gateway: Gateway, *messages: OutboxMessage, link: str = LINK) -> list[str | Exception]:
    """What became of each message, all of them at once; the gateway is closed afterwards."""

    async def all_of_them() -> list[str | Exception]:
        try:
            return await asyncio.gather(
                *(gateway.deliver(message, link) for message in messages), return_exceptions=True
            )
        finally:
            await gateway.close()

    return asyncio.run(all_of_them())


def deliver(gateway: Gateway, message: OutboxMessage, *, link: str = LINK) -> str:
    """The carrier's reference, or its error; the gateway is closed afterwards."""
    (fate,) = carry(gateway, message, link=link)
    if isinstance(fate, BaseException):
        raise fate
    return fate
