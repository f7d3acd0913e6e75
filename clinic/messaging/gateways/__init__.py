"""Gateways: the ways a message leaves the house, one class per carrier.

A gateway has a ``name``, a number of ``lines`` and two coroutines:

- ``deliver(message, link) -> str`` hands one message (an ``OutboxMessage`` with its ``text``) to
  the carrier and returns the carrier's reference. ``links.filled`` puts ``link`` and a code in
  their places. It raises ``GatewayError`` when the carrier has said no (for good, or for now), and
  ``OutcomeUnknown`` when the line broke after the message had been handed over, so that nobody
  can tell. Up to ``lines`` deliveries are under way at once, all on one event loop.
- ``close()`` gives connections back; ``deliver`` opens them again as needed.

A gateway is kept for as long as its sending process lives. It must not touch the database.
"""

from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from clinic.messaging.gateways.errors import GatewayError, OutcomeUnknown
from clinic.models import OutboxMessage
from clinic.models.messaging import Channel

__all__ = ["Gateway", "GatewayError", "OutcomeUnknown", "gateway_for"]


class Gateway(Protocol):
    name: str
    lines: int

    async def deliver(self, message: OutboxMessage, link: str) -> str: ...

    async def close(self) -> None: ...


def gateway_for(channel: str) -> Gateway:
    """The gateway the settings name for a channel; a GatewayError says when there is none."""
    # Imported here, so that a practice loads only what speaks to the carriers it has.
    if channel == Channel.EMAIL:
        if settings.EMAIL_BACKEND == "django.core.mail.backends.smtp.EmailBackend":
            from clinic.messaging.gateways.smtp import SMTPGateway

            return SMTPGateway()
        from clinic.messaging.gateways.service_mail import ServiceMailGateway

        return ServiceMailGateway()
    if settings.SMS_GATEWAY == "twilio":
        from clinic.messaging.gateways.twilio import TwilioGateway

        return TwilioGateway()
    if settings.SMS_GATEWAY == "http":
        from clinic.messaging.gateways.plain_http import PlainHttpGateway

        return PlainHttpGateway()
    if settings.SMS_GATEWAY == "demo":
        from clinic.messaging.gateways.demo import DemoGateway

        return DemoGateway()
    if settings.SMS_GATEWAY:
        return _of_the_practice(settings.SMS_GATEWAY)
    raise GatewayError(permanent=True, code="no_carrier", text="No text message carrier is set up.")


def _of_the_practice(path: str) -> Gateway:
    """A gateway the practice wrote itself, by the dotted path of its class (docs/carriers.md)."""
    try:
        return import_string(path)()
    except GatewayError:
        raise
    except ImportError as error:
        raise GatewayError(
            permanent=True,
            code="unknown_carrier",
            text=f"“{path}” is not a text message carrier we know.",
        ) from error
    except Exception as error:
        # Not our code: whatever it is, the other channel goes on.
        raise GatewayError(
            permanent=False,
            code=type(error).__name__,
            text=f"“{path}” could not be started ({type(error).__name__}).",
            carrier_away=True,
        ) from error
