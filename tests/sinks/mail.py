"""A mail server that takes everything, as fast as we could make it, or with planned troubles.

It offers PIPELINING and 8BITMIME, answers a group of commands with one write, and reads a text by
searching for its end. Troubles, each for a share of the addresses:

- ``rcpt_later``, ``data_later``, ``text_later``: 451 at that stage, the first time;
- ``rcpt_never``, ``text_never``: 550 and 554, always;
- ``closing``: 421 and the end of the line at RCPT, the first time;
- ``cut_before_dot``: the line ends in the middle of the text, the first time;
- ``cut_after_dot``: the text is kept, then the line ends without an answer;
- ``lost_after_dot``: the same, but the text is not kept;
- ``silent``: the text is kept and never answered; ``slow``: answered after two seconds.
"""

import re
import socket
import time

from tests.sinks.wire import House, Line

_END = b"\r\n.\r\n"
_ID = re.compile(rb"^message-id:\s*<([^>\r\n]*)>", re.IGNORECASE | re.MULTILINE)
_EHLO = b"250-loopback\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 1000000\r\n"
_FINE = b"250 2.0.0 fine\r\n"
_SLOW_S = 2.0


class MailLine(Line):
    def __init__(self, house: House, connection: socket.socket) -> None:
        super().__init__(house, connection)
        self._buffer = b""
        self._in_text = False
        self._address = ""
        self._searched = 0

    def opened(self) -> None:
        self.say(b"220 loopback ESMTP\r\n")

    def heard(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        quick = not self.delay
        answers: list[bytes] = []
        # With a delay every answer waits for its own moment; without, a group shares a write.
        say = answers.append if quick else self.say
        while not self.closed:
            if self._in_text:
                if not self._text(say, answers):
                    break
                continue
            end = self._buffer.find(b"\r\n")
            if end < 0:
                break
            command, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
            if self._command(command, say, answers):
                break
        if answers and not self.closed:
            self.say(b"".join(answers))

    def _command(self, command, say, answers) -> bool:
        """Do one command; true when the line is to end."""
        verb = command[:4].upper()
        if verb == b"MAIL":
            self._address = ""
            say(_FINE)
        elif verb == b"RCPT":
            address = command.partition(b"<")[2].partition(b">")[0].decode("utf-8", "replace")
            return self._recipient(address, say, answers)
        elif verb == b"DATA":
            if not self._address:
                say(b"503 5.5.1 no recipient\r\n")
            elif self.house.troubles.once(self._address, "data_later"):
                self._address = ""
                say(b"451 4.3.0 later\r\n")
            else:
                # Text behind DATA in the same write was sent before anybody asked for it.
                self.house.early += bool(self._buffer)
                self._in_text, self._searched = True, 0
                say(b"354 go on\r\n")
        elif verb == b"EHLO":
            say(_EHLO)
        elif verb == b"QUIT":
            answers.append(b"221 bye\r\n")
            self._end(answers)
            return True
        elif verb == b"RSET":
            self._address = ""
            say(_FINE)
        elif verb in (b"HELO", b"NOOP"):
            say(_FINE)
        else:
            say(b"502 5.5.2 what?\r\n")
        return False

    def _recipient(self, address, say, answers) -> bool:
        troubles = self.house.troubles
        if troubles.once(address, "rcpt_later"):
            say(b"451 4.2.0 later\r\n")
        elif troubles.always(address, "rcpt_never"):
            say(b"550 5.1.1 nobody here\r\n")
        elif troubles.once(address, "closing"):
            answers.append(b"421 4.3.2 closing\r\n")
            self._end(answers)
            return True
        else:
            self._address = address
            say(_FINE)
        return False

    def _text(self, say, answers) -> bool:
        """Take the text if it is whole; false when there is more to wait for."""
        buffer = self._buffer
        if self.house.troubles.once(self._address, "cut_before_dot"):
            self.close()
            return False
        end = buffer.find(_END, self._searched)
        if end < 0:
            # The end may come in two pieces.
            self._searched = max(len(buffer) - len(_END), 0)
            return False
        text, self._buffer = buffer[: end + 2], buffer[end + len(_END) :]
        self._in_text = False
        address, self._address = self._address, ""
        return self._taken(address, text, say, answers)

    def _taken(self, address, text, say, answers) -> bool:
        house, troubles = self.house, self.house.troubles
        if troubles.once(address, "text_later"):
            say(b"451 4.3.0 later\r\n")
            return True
        if troubles.always(address, "text_never"):
            say(b"554 5.7.1 never\r\n")
            return True
        if troubles.once(address, "lost_after_dot"):
            self._end(answers)
            return False
        found = _ID.search(text, 0, 4096)
        reference = found.group(1).decode("latin-1") if found else ""
        house.accepted.append((time.time(), reference, address, len(text)))
        if not house.sample:
            house.sample = text
        if troubles.once(address, "cut_after_dot"):
            self._end(answers)
            return False
        if troubles.once(address, "silent"):
            self._searched = 0
            self._in_text = True
            self._address = "\n"
            return False
        if troubles.once(address, "slow"):
            self.say(b"".join(answers) + _FINE, later=_SLOW_S)
            answers.clear()
            return True
        say(_FINE)
        return True

    def _end(self, answers: list[bytes]) -> None:
        if self.delay or self.pending:
            self.say(b"".join(answers), close=True)
        else:
            self._send(b"".join(answers), True)
        answers.clear()


if __name__ == "__main__":
    House(MailLine).run()
