"""What this room answers to its own signals."""

import uuid
from typing import Any

from django.db.models import F
from django.dispatch import receiver

from clinic.alerts import SEEN_BEFORE_SENT, telling_of_others
from clinic.messaging import outbox
from clinic.models import Alert, AlertStep, OutboxMessage
from clinic.signals import before_sending


@receiver(before_sending, dispatch_uid="clinic.alert_still_unseen")
def alert_still_unseen(
    sender: Any, *, messages: list[OutboxMessage], **kwargs: Any
) -> dict[uuid.UUID, str]:
    """Nobody is told of an alert that somebody has seen meanwhile, unless the message also tells
    of another one; whoever was given it is, until they have seen it themselves or it is closed."""
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
    if not seen:
        return {}
    given = AlertStep.objects.filter(
        alert__in=seen, alert__resolved_at=None, why=AlertStep.Why.REASSIGNED
    ).exclude(alert__acknowledged_by=F("person"), alert__acknowledged_at__gt=F("at"))
    goes = {*given.values_list("message_key", flat=True), *telling_of_others(*seen)}
    return {
        message.pk: SEEN_BEFORE_SENT
        for message in messages
        if about.get(message.pk) in seen and outbox.first_key(message.key) not in goes
    }
