"""A peer: django-post_office with its own command, mails finished in its table beforehand.

Arguments: file of the mail, how many, processes.
"""

import email
import email.policy
import sys
from pathlib import Path

import django

from tests.benchmarks.mails import Mail
from tests.benchmarks.team import done, wait_for_go


def main() -> None:
    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from post_office.models import Email, Log

    file, count, processes = sys.argv[1:]
    call_command("migrate", "post_office", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(
            f"TRUNCATE {Email._meta.db_table}, {Log._meta.db_table} RESTART IDENTITY CASCADE"
        )
    _queue(Mail.read(Path(file)), int(count))
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
    wait_for_go()
    call_command("send_queued_mail", processes=int(processes))
    done()


def _queue(mail: Mail, count: int) -> None:
    from post_office import mail as post_office

    parsed = email.message_from_bytes(mail.content, policy=email.policy.default)
    plain = parsed.get_body(("plain",)).get_content()
    html = parsed.get_body(("html",)).get_content()
    post_office.send_many(
        [
            {
                "recipients": [mail.numbered(number)[0]],
                "subject": parsed["Subject"],
                "message": plain,
                "html_message": html,
            }
            for number in range(count)
        ]
    )


if __name__ == "__main__":
    main()
