"""The demo's own mail server: takes mail by real SMTP and puts it on the demo page."""

import asyncio
import email
import email.policy
import errno
import logging
import signal
import uuid
from email.message import EmailMessage

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import Error, close_old_connections
from django.utils import timezone

from clinic.models import DemoDelivery
from clinic.models.messaging import Channel

log = logging.getLogger(__name__)

# The library writes every line of the conversation, with its addresses, at INFO.
logging.getLogger("mail.log").setLevel(logging.WARNING)

_HOST = "127.0.0.1"


class Mailbox:
    """Takes each mail into the table before saying 250, so that what was taken is kept."""

    async def handle_DATA(self, server, session, envelope) -> str:
        try:
            await asyncio.to_thread(keep, envelope.mail_from, envelope.rcpt_tos, envelope.content)
        except Error as error:
            log.error("mail not kept: %s", type(error).__name__)
            return "451 The demo mailbox cannot keep it now"
        return "250 Kept for the demo page"


def keep(sender: str, addresses: list[str], content: bytes) -> None:
    """One row per addressee; a mail that comes twice shows twice."""
    mail = email.message_from_bytes(content, policy=email.policy.default)
    close_old_connections()
    DemoDelivery.objects.bulk_create(
        DemoDelivery(
            channel=Channel.EMAIL,
            sender=str(mail["From"] or sender or "")[:254],
            address=address[:254],
            subject_line=str(mail["Subject"] or "")[:200],
            text=_part(mail, "plain"),
            html=_part(mail, "html"),
            reference=f"smtp-{uuid.uuid4()}",
            received_at=timezone.now(),
        )
        for address in addresses
    )


def _part(mail: EmailMessage, subtype: str) -> str:
    body = mail.get_body(preferencelist=(subtype,))
    if body is None:
        return ""
    # PostgreSQL keeps no NUL in text.
    return body.get_content().replace("\x00", "").replace("\r\n", "\n").strip()


class Command(BaseCommand):
    help = "Take the demo's mail by SMTP on DEMO_SMTP_PORT until it is stopped."

    def handle(self, *args, **options) -> None:
        if not (settings.DEMO or settings.TESTING):
            raise CommandError("The demo carrier runs only in a demo practice (DEMO=1).")
        try:
            asyncio.run(self._serve())
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise CommandError(
                f"Port {settings.DEMO_SMTP_PORT} is in use. Stop what uses it, or set "
                "DEMO_SMTP_PORT to another one."
            ) from error

    async def _serve(self) -> None:
        # Imported here: only a demo needs a mail server.
        from aiosmtpd.smtp import SMTP

        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signal_number, stop.set)
        server = await loop.create_server(
            lambda: SMTP(Mailbox(), hostname="localhost", enable_SMTPUTF8=True, loop=loop),
            _HOST,
            settings.DEMO_SMTP_PORT,
        )
        port = server.sockets[0].getsockname()[1]
        self.stdout.write(f"Taking the demo's mail on {_HOST}:{port}.")
        self.stdout.flush()
        await stop.wait()
        server.close()
