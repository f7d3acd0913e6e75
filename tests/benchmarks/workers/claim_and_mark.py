"""One worker that takes messages and marks what became of them, with no carrier in between."""

import asyncio
import os
import sys

import django

from tests.benchmarks.team import done, wait_for_go


def main() -> None:
    django.setup()
    from django.db import connection
    from django.utils import timezone

    from clinic.messaging.exchange import Exchange
    from clinic.messaging.ledger import Ledger, Outcome

    batch = int(sys.argv[1])
    ledger = Ledger(channel="email", name=f"bench {os.getpid()}")
    taken: list[str] = []
    outcomes: list[Outcome] = []
    runner, line = asyncio.Runner(), Exchange()
    connection.ensure_connection()
    wait_for_go()
    while True:
        ledger.refill(batch)
        start = list(ledger.stock)
        ledger.stock.clear()
        if not start and not outcomes:
            break
        # As when sending: what came back is written down with what goes out next.
        now = timezone.now()
        started = runner.run(
            line.exchange(outcomes, start, senders=ledger.sender_ids, carrier="none", at=now)
        )
        outcomes = [
            Outcome(message=message, status="sent", at=now, reference=str(message.pk))
            for message in started
        ]
        taken += [str(message.pk) for message in started]
    runner.run(line.close())
    runner.close()
    ledger.end()
    done(taken=taken)


if __name__ == "__main__":
    main()
