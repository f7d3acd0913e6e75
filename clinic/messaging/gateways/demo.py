"""A carrier of our own: texts go to the demo page instead of a phone."""

import asyncio

from django.conf import settings
from django.db import connection
from django.utils import timezone

from clinic.messaging import links
from clinic.messaging.gateways.errors import GatewayError
from clinic.models import DemoDelivery, OutboxMessage


class DemoGateway:
    """The one gateway that touches the database: its page is there."""

    name = "demo"
    lines = 1

    def __init__(self) -> None:
        if not (settings.DEMO or settings.TESTING):
            raise GatewayError(
                permanent=True,
                code="demo_only",
                text="The demo carrier works only in a demo practice.",
            )

    async def deliver(self, message: OutboxMessage, link: str) -> str:
        return await asyncio.to_thread(_keep, message, links.filled(message, link))

    async def close(self) -> None:
        pass


def _keep(message: OutboxMessage, text: str) -> str:
    reference = f"demo-{message.pk}"
    try:
        DemoDelivery.objects.create(
            channel=message.channel,
            sender="Steadyback",
            address=message.address,
            text=text,
            reference=reference,
            received_at=timezone.now(),
        )
    finally:
        # The thread's own; nobody else would ever close it.
        connection.close()
    return reference
