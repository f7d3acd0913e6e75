"""Reading the outbox from outside while its server comes and goes."""

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import psycopg

_PATIENCE_S = 60.0


class Book:
    """Questions to the database that outlive its restarts."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection[Any] | None = None

    def ask(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        end = time.monotonic() + _PATIENCE_S
        while True:
            try:
                if self._connection is None or self._connection.closed:
                    self._connection = psycopg.connect(
                        self._url, autocommit=True, connect_timeout=5
                    )
                cursor = self._connection.execute(sql, values or None)
                return cursor.fetchall() if cursor.description else []
            except psycopg.OperationalError:
                self.close()
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def states(self) -> Counter[str]:
        """Messages by status."""
        return Counter(
            dict(self.ask("SELECT status, count(*) FROM clinic_outboxmessage GROUP BY status"))
        )

    def on_the_wire(self) -> dict[int, Counter[str]]:
        """Messages that are being sent: by the number of the process, then by channel."""
        found: dict[int, Counter[str]] = {}
        for name, channel, count in self.ask(
            "SELECT s.name, m.channel, count(*) FROM clinic_outboxmessage m"
            " JOIN clinic_sender s ON s.id = m.sender_id WHERE m.status = 'sending' GROUP BY 1, 2"
        ):
            # A sender's name is "host:process channel".
            number = int(name.partition(" ")[0].rpartition(":")[2])
            found.setdefault(number, Counter())[channel] += count
        return found
