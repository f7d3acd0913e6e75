"""On a patient's page: alerts that somebody has seen and nobody has closed."""

import datetime as dt
from typing import Any

from clinic.models import Alert, User
from patients.models import Patient
from programs.models import Program


def panel(
    patient: Patient, program: Program | None, *, user: User, at: dt.datetime
) -> dict[str, Any] | None:
    """Those whose outcome is to come, the oldest first. One query."""
    found = list(
        Alert.objects.unresolved()
        .about("patient", patient.pk)
        .filter(acknowledged_at__isnull=False)
        .select_related("acknowledged_by")
        .order_by("acknowledged_at")
    )
    return {"alerts": found} if found else None
