"""Can the web server have this port? Also a script, run before anything is installed.

Standard library only, for that reason.
"""

import errno
import socket
import sys


def complaint(text: str) -> str:
    """One sentence on why this port cannot be used, or nothing."""
    port = int(text) if text.isdecimal() else 0
    if not 1 <= port <= 65535:
        return (
            f"PORT={text} is not a port: choose a number from 1024 to 65535, as in {_example(0)}."
        )
    with socket.socket() as probe:
        # The same as the web server does: a port that is only cooling down is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM):
                return f"Port {port} is not allowed for this account: try {_example(0)}."
            return f"Port {port} is in use by another program: try {_example(port)}."
    return ""


def free_port() -> int:
    """A port on 127.0.0.1 that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _example(port: int) -> str:
    return f"make demo PORT={port + 1 if 1024 <= port < 65535 else 8001}"


if __name__ == "__main__":
    words = complaint(sys.argv[1])
    if words:
        sys.exit(words)
