"""The yardstick for e-mail: smtplib in a loop on each connection, messages built beforehand.

Arguments: port, connections, file of the mail, first number, how many.
"""

import smtplib
import sys
import threading
from pathlib import Path

from tests.benchmarks.mails import FROM, Mail
from tests.benchmarks.team import done, wait_for_go


def main() -> None:
    port, connections, file, first, count = sys.argv[1:]
    mail = Mail.read(Path(file))
    messages = [mail.numbered(int(first) + number) for number in range(int(count))]
    shares = [messages[place :: int(connections)] for place in range(int(connections))]
    threads = [threading.Thread(target=_send, args=(int(port), share)) for share in shares]
    wait_for_go()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done()


def _send(port: int, messages: list[tuple[str, bytes]]) -> None:
    with smtplib.SMTP("127.0.0.1", port) as line:
        for address, content in messages:
            line.sendmail(FROM, [address], content)


if __name__ == "__main__":
    main()
