"""One worker that takes messages and marks what became of them, with no carrier in between."""

import os
import sys

import django

from tests.benchmarks.team import done, wait_for_go


def main() -> None:
    django.setup()
    from django.db import connection
    from django.utils import timezone

    from clinic.messaging.ledger import Ledger, Outcome

    batch = int(sys.argv[1])
    ledger = Ledger(channel="email", name=f"bench {os.getpid()}")
    taken: list[str] = []
    outcomes: list[Outcome] = []
    connection.ensure_connection()
    wait_for_go()
    while True:
        ledger.refill(batch)
        start = list(ledger.stock)
        ledger.stock.clear()
        if not start and not outcomes:
            break
        # As when sending: what came back is written down with what goes out next.
        started = ledger.exchange(outcomes=outcomes, start=start, carrier="none")
        now = timezone.now()
        outcomes = [
            Outcome(message=message, status="sent", at=now, reference=str(message.pk))
            for message in started
        ]
        taken += [str(message.pk) for message in started]
    ledger.end()
    done(taken=taken)


if __name__ == "__main__":
    main()
