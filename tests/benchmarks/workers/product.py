"""The product: one sending process, from the queue to the last outcome committed.

It is a worker that has been at work before: what it loads and draws once in its life is there.
"""

import dataclasses

import django

from tests.benchmarks.team import done, wait_for_go


def main() -> None:
    django.setup()
    from django.utils import timezone

    from clinic.messaging.sending import Dispatcher

    dispatcher = Dispatcher()
    # Its time is up before it began: it makes itself ready, and takes nothing.
    dispatcher.send(until=timezone.now())
    _draw_once()
    wait_for_go()
    report = dispatcher.send()
    done(report=dataclasses.asdict(report))
    dispatcher.close()


def _draw_once() -> None:
    from clinic.messaging import stencil
    from clinic.models import OutboxMessage
    from clinic.models.messaging import Channel

    message = OutboxMessage.objects.select_related("text").first()
    if message is not None and message.channel == Channel.EMAIL:
        stencil.drawn(message, "https://practice.example/r/x", message.address, "<x@y>")


if __name__ == "__main__":
    main()
