"""One worker that takes messages and marks them as on the wire, with no carrier in between.

What the rooms above say of each message is asked when e-mail is measured, and left out here.
Arguments: rows in a batch, and 0 to claim without marking.
"""

import asyncio
import os
import sys

import django

from tests.benchmarks.team import done, wait_for_go


async def _mark(line, ledger, messages):
    from django.utils import timezone

    return await line.exchange(
        [], list(messages), senders=ledger.sender_ids, carrier="none", at=timezone.now()
    )


def main() -> None:
    django.setup()
    from django.db import connection

    from clinic.messaging.exchange import Exchange
    from clinic.messaging.ledger import Ledger
    from clinic.messaging.sending import at_full_speed
    from clinic.signals import before_sending

    connection.ensure_connection()
    before_sending.receivers.clear()
    batch, marks = int(sys.argv[1]), sys.argv[2] == "1"
    ledger = Ledger(channel="email", name=f"bench {os.getpid()}")
    runner, line = asyncio.Runner(), Exchange()
    runner.run(_mark(line, ledger, []))
    wait_for_go()
    with at_full_speed():
        taken = _take(ledger, line, runner, batch, marks=marks)
    runner.run(line.close())
    runner.close()
    done(taken=taken)


def _take(ledger, line, runner, batch, *, marks: bool) -> list[str]:
    taken: list[str] = []
    while ledger.refill(batch).claimed:
        held = list(ledger.stock)
        taken += [
            str(message.pk)
            for message in (runner.run(_mark(line, ledger, held)) if marks else held)
        ]
        ledger.stock.clear()
    return taken


if __name__ == "__main__":
    main()
