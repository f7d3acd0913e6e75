"""The yardstick for texts: Twilio's own client, made once, in a loop. Arguments: port, how many."""

import logging
import sys

from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from tests.benchmarks.team import done, wait_for_go

_BODY = "Harbour Street: Your ten minutes for today https://practice.example/r/" + "x" * 35


class _Here(TwilioHttpClient):
    def __init__(self, port: int) -> None:
        super().__init__(pool_connections=True)
        self._port = port

    def request(self, method, url, *args, **options):
        here = url.replace("https://api.twilio.com", f"http://127.0.0.1:{self._port}")
        return super().request(method, here, *args, **options)


def main() -> None:
    port, count = int(sys.argv[1]), int(sys.argv[2])
    # It would write every request into the log.
    logging.getLogger("twilio.http_client").setLevel(logging.WARNING)
    client = Client("AC00000000000000000000000000000000", "stub", http_client=_Here(port))
    wait_for_go()
    for number in range(count):
        client.messages.create(
            to=f"+4477{number:08d}", from_="+442079460100", body=_BODY, validity_period=21_600
        )
    done()


if __name__ == "__main__":
    main()
