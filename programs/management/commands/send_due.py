"""Plan and send what is due now, once, without beat, worker or Redis; or keep watch over it."""

import logging
import os
import signal
import threading

from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseTrouble
from django.db import connections

from clinic.messaging.sending import Dispatcher
from programs import standing_in

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 5.0


class Command(BaseCommand):
    help = "Plan and send what is due now, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--watch",
            action="store_true",
            help="Go on, and send whenever no wake-up has come from the queue. A worker starts "
            "this by itself.",
        )

    def handle(self, *args, watch: bool = False, **options) -> None:
        dispatcher = Dispatcher()
        try:
            if watch:
                _watch(dispatcher)
                return
            done = standing_in.go_round(dispatcher=dispatcher)
        finally:
            dispatcher.close()
        swept, planned, report = done.swept, done.planned, done.sent
        self.stdout.write(
            f"planned {planned.due}, sent {report.sent}, failed {report.failed}, "
            f"put back {report.put_back}, unknown {report.unknown + swept.unknown}, "
            f"held back {planned.suppressed + report.suppressed}, "
            f"too late {planned.expired + report.expired + swept.expired}"
        )


def _watch(dispatcher: Dispatcher) -> None:
    """Until we are told to stop, or whoever started us is gone."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    # Ctrl+C reaches the whole group; the worker tells us when it is done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getppid()
    while not stop.wait(_LOOK_EVERY_S) and os.getppid() == parent:
        try:
            standing_in.stand_in(dispatcher=dispatcher)
        except DatabaseTrouble as error:
            log.warning("%s while standing watch", type(error).__name__)
            connections.close_all()
