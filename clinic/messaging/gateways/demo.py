"""A carrier of our own: texts go to the demo page instead of a phone."""

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from clinic.messaging.gateways.errors import GatewayError
from clinic.models import DemoDelivery, OutboxMessage


class DemoGateway:
    name = "demo"

    def __init__(self) -> None:
        if not (settings.DEMO or settings.TESTING):
            raise GatewayError(
                permanent=True,
                code="demo_only",
                text="The demo carrier works only in a demo practice.",
            )

    def deliver(self, message: OutboxMessage, link: str) -> str:
        reference = f"demo-{message.pk}"
        with transaction.atomic():
            DemoDelivery.objects.create(
                channel=message.channel,
                sender="Steadyback",
                address=message.address,
                text=message.body.replace("{link}", link),
                reference=reference,
                received_at=timezone.now(),
            )
        return reference

    def close(self) -> None:
        pass
