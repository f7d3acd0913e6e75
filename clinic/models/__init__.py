"""Tables of the practice itself."""

from clinic.models.absence import Absence
from clinic.models.alert import Alert, AlertSeen, AlertStep, Reassignment, Seen
from clinic.models.audit import AccessRecord
from clinic.models.enquiry import Enquiry
from clinic.models.heartbeat import Heartbeat
from clinic.models.messaging import (
    DemoDelivery,
    IncomingText,
    MessageTemplate,
    MessageText,
    OutboxMessage,
    Receipt,
    Sender,
    Suppression,
)
from clinic.models.people import BY_CODE, Role, Site, User

__all__ = [
    "BY_CODE",
    "Absence",
    "AccessRecord",
    "Alert",
    "AlertSeen",
    "AlertStep",
    "DemoDelivery",
    "Enquiry",
    "Heartbeat",
    "IncomingText",
    "MessageTemplate",
    "MessageText",
    "OutboxMessage",
    "Reassignment",
    "Receipt",
    "Role",
    "Seen",
    "Sender",
    "Site",
    "Suppression",
    "User",
]
