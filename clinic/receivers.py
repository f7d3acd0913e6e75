"""What this room answers to its own signals."""

import uuid
from typing import Any

from django.dispatch import receiver

from clinic.alerts import SEEN_BEFORE_SENT
from clinic.models import Alert, OutboxMessage
from clinic.signals import before_sending


@receiver(before_sending, dispatch_uid="clinic.alert_still_unseen")
def alert_still_unseen(
    sender: Any, *, messages: list[OutboxMessage], **kwargs: Any
) -> dict[uuid.UUID, str]:
    """Nobody is told of an alert that somebody has seen meanwhile."""
    about = {
        message.pk: int(message.subject_id)
        for message in messages
        if message.kind == OutboxMessage.Kind.STAFF_ALERT
        and message.subject_type == "alert"
        and message.subject_id.isdecimal()
    }
    if not about:
        return {}
    seen = set(
        Alert.objects.filter(pk__in=about.values(), acknowledged_at__isnull=False).values_list(
            "pk", flat=True
        )
    )
    return {pk: SEEN_BEFORE_SENT for pk, alert in about.items() if alert in seen}
