"""The yardstick for claiming: one bare statement in a loop. Argument: rows in a batch.

It returns what is needed to send a message, as every queue does.
"""

import gc
import sys

import django

from tests.benchmarks.team import done, wait_for_go

_FIELDS = (
    "id", "key", "kind", "channel", "subject_type", "subject_id", "local_date", "address",
    "text_id", "priority", "due_at", "expires_at", "link_expires_at", "status", "attempts",
    "sender_id",
)  # fmt: skip
_CLAIM = f"""
UPDATE clinic_outboxmessage SET status = 'claimed', sender_id = %s, wake_at = NULL
WHERE id IN (
    SELECT id FROM clinic_outboxmessage
    WHERE channel = 'email' AND wake_at <= now()
    ORDER BY priority, wake_at LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING {", ".join(_FIELDS)}
"""


def main() -> None:
    django.setup()
    from django.db import connection
    from django.utils import timezone

    from clinic.models import Sender

    now = timezone.now()
    sender = Sender.objects.create(name="bench", started_at=now, alive_until=now)
    batch = int(sys.argv[1])
    taken: list[str] = []
    wait_for_go()
    # As the product does.
    gc.freeze()
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_CLAIM, [sender.pk, batch])
            found = cursor.fetchall()
            if not found:
                break
            taken += [str(row[0]) for row in found]
    done(taken=taken)


if __name__ == "__main__":
    main()
