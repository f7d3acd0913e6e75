"""The product: one sending process, from the queue to the last outcome committed."""

import dataclasses

import django

from tests.benchmarks.team import done, wait_for_go


def main() -> None:
    django.setup()
    from django.db import connection

    from clinic.messaging import sending

    connection.ensure_connection()
    wait_for_go()
    report = sending.send_all_due()
    done(report=dataclasses.asdict(report))


if __name__ == "__main__":
    main()
