"""Codes as tests read them: from the outbox, as the carrier would."""

from clinic.messaging import links
from clinic.models import OutboxMessage


def codes_to(address: str) -> list[str]:
    """The codes that were sent to this address, oldest first."""
    sent = OutboxMessage.objects.filter(
        kind=OutboxMessage.Kind.SIGN_IN_CODE, address=address
    ).order_by("created_at")
    return [links.code_for(message.pk) for message in sent]


def everybody_written_to() -> list[str]:
    """The addresses of all sign-in messages, oldest first."""
    sent = OutboxMessage.objects.filter(kind=OutboxMessage.Kind.SIGN_IN_CODE)
    return list(sent.order_by("created_at").values_list("address", flat=True))
