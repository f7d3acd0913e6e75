"""Twilio's Messages resource as a stub over HTTP/1.1 with connections that are kept.

POST takes a text in, GET lists those it took for a number, as far as the product reads it.

Troubles, each for a share of the numbers:

- ``busy``: 429 with ``Retry-After: 1``, the first time; ``away``: 503, the first time;
- ``dead``: 400 with code 21211, always; ``landline``: 400 with code 21614, always;
- ``broken``: 500, the text is not kept; ``kept_broken``: 500, but it is kept;
- ``cut_after``: kept, then the line ends without an answer; ``cut_before``: the same, not kept;
- ``silent``: kept and never answered; ``slow``: answered after two seconds.
"""

import email.utils
import functools
import itertools
import json
import re
import socket
import time
import urllib.parse

from tests.sinks.wire import House, Line

_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_NUMBER = itertools.count(1)
_SLOW_S = 2.0
# Every text it took, by number.
_kept: dict[str, list[tuple[str, dict[str, str]]]] = {}
_REFUSALS = {"dead": 21211, "landline": 21614}


class TextLine(Line):
    def __init__(self, house: House, connection: socket.socket) -> None:
        super().__init__(house, connection)
        self._buffer = b""

    def heard(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        while not self.closed:
            head = self._buffer.find(b"\r\n\r\n")
            if head < 0:
                return
            found = _LENGTH.search(self._buffer, 0, head + 2)
            end = head + 4 + (int(found.group(1)) if found else 0)
            if len(self._buffer) < end:
                return
            line = self._buffer[: self._buffer.find(b"\r\n")]
            body, self._buffer = self._buffer[head + 4 : end], self._buffer[end:]
            if line.startswith(b"GET"):
                self._list(line.split()[1].decode())
            else:
                self._asked(body)

    def _list(self, path: str) -> None:
        fields = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query))
        number = fields.get("To", "")
        kept = [_message(sid, number, text) for sid, text in _kept.get(number, [])]
        self.say(_answer(200, {"messages": kept, "next_page_uri": None}))

    def _asked(self, body: bytes) -> None:
        fields = dict(urllib.parse.parse_qsl(body.decode()))
        number = fields.get("To", "")
        troubles = self.house.troubles
        if troubles.once(number, "busy"):
            self.say(_answer(429, _error(429, 20429), "Retry-After: 1\r\n"))
        elif troubles.once(number, "away"):
            self.say(_answer(503, {"status": 503}))
        elif troubles.once(number, "broken"):
            self.say(_answer(500, {"status": 500}))
        elif troubles.once(number, "cut_before"):
            self.close()
        elif (name := troubles.of(number)) in _REFUSALS:
            troubles.met[name] += 1
            self.say(_answer(400, _error(400, _REFUSALS[name])))
        else:
            self._take(number, fields)

    def _take(self, number: str, fields: dict[str, str]) -> None:
        troubles = self.house.troubles
        sid = f"SM{next(_NUMBER):032d}"
        fields["at"] = _now()
        _kept.setdefault(number, []).append((sid, fields))
        self.house.accepted.append((time.time(), sid, number, len(fields.get("Body", ""))))
        if troubles.once(number, "kept_broken"):
            self.say(_answer(500, {"status": 500}))
        elif troubles.once(number, "cut_after"):
            self.close()
        elif troubles.once(number, "silent"):
            return
        else:
            slow = _SLOW_S if troubles.once(number, "slow") else 0.0
            self.say(_answer(201, _message(sid, number, fields)), later=slow)


def _message(sid: str, number: str, fields: dict[str, str]) -> dict[str, object]:
    """https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource"""
    return {
        "account_sid": "AC00000000000000000000000000000000",
        "api_version": "2010-04-01",
        "body": fields.get("Body", ""),
        "date_created": fields["at"],
        "date_sent": None,
        "date_updated": fields["at"],
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": fields.get("From", ""),
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": None,
        "sid": sid,
        "status": "queued",
        "subresource_uris": {"media": f"/2010-04-01/Accounts/AC/Messages/{sid}/Media.json"},
        "to": number,
        "uri": f"/2010-04-01/Accounts/AC/Messages/{sid}.json",
    }


@functools.lru_cache(maxsize=2)
def _date(second: int) -> str:
    return email.utils.formatdate(second)


def _now() -> str:
    return _date(int(time.time()))


def _error(status: int, code: int) -> dict[str, object]:
    link = f"https://www.twilio.com/docs/errors/{code}"
    return {"code": code, "message": "No.", "more_info": link, "status": status}


def _answer(status: int, said: dict[str, object], more: str = "") -> bytes:
    body = json.dumps(said)
    return (
        f"HTTP/1.1 {status} As said\r\nContent-Type: application/json\r\n{more}"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


if __name__ == "__main__":
    House(TextLine).run()
