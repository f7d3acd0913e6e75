"""Writing down who looked at what, and who did what that no row's history shows."""

import datetime as dt

from clinic.models import AccessRecord, User


def record_access(
    *,
    actor: User | None,
    action: str,
    subject_type: str,
    subject_id: object,
    page: str,
    at: dt.datetime,
) -> AccessRecord:
    """Keep that this person read, printed, took out or changed something of a record.

    ``actor`` is None only for something taken out at the server, where nobody signs in.
    """
    return AccessRecord.objects.create(
        actor=actor,
        action=action,
        subject_type=subject_type,
        subject_id=str(subject_id),
        page=page,
        at=at,
    )
