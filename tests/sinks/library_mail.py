"""A mail server as others run it: aiosmtpd, with the journal of our own sinks and PIPELINING.

It reads and answers each command by itself and parses what it is given, as a real server does, and
costs about as much for a mail as sending one does. ``mail`` is the lean one.
"""

import asyncio
import json
import re
import sys
import time
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

_ID = re.compile(rb"^message-id:\s*<([^>\r\n]*)>", re.IGNORECASE | re.MULTILINE)


class Journal:
    """Keeps what the server was given, and gives it away when it is told to on standard input."""

    def __init__(self) -> None:
        self.connections = 0
        self._begin()

    def _begin(self) -> None:
        self.accepted: list[tuple[float, str, str, int]] = []
        self.sample = b""

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, host: str, answers: list[str]
    ) -> list[str]:
        session.host_name = host
        return [*answers[:-1], "250-PIPELINING", answers[-1]]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        text = envelope.content
        assert isinstance(text, bytes)
        found = _ID.search(text, 0, 4096)
        reference = found.group(1).decode("latin-1") if found else ""
        self.accepted.append((time.time(), reference, envelope.rcpt_tos[0], len(text)))
        self.sample = self.sample or text
        return "250 2.0.0 fine"

    def told(self, word: str) -> dict[str, Any]:
        if word == "count":
            return {"count": len(self.accepted)}
        if word == "take":
            said = {
                "accepted": self.accepted,
                "connections": self.connections,
                "early": 0,
                "troubles": {},
                "sample": self.sample.decode("latin-1"),
            }
            self._begin()
            return said
        return {}


async def main() -> None:
    loop, journal = asyncio.get_running_loop(), Journal()

    def line() -> SMTP:
        journal.connections += 1
        return SMTP(journal, hostname="loopback", enable_SMTPUTF8=False, loop=loop)

    server = await loop.create_server(line, "127.0.0.1", 0)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    heard = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(heard), sys.stdin)
    while word := (await heard.readline()).decode().strip():
        print(json.dumps(journal.told(word)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
