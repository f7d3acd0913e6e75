"""Log lines without what people wrote.

The text of an exception may quote a whole row of the record (PostgreSQL adds it as DETAIL), so
only its kind is written, with the lines of code it came through.
"""

import logging
import traceback
from collections.abc import Mapping
from typing import Any


class WithoutWords(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """One record, whatever another handler has made of its exception before."""
        kept = record.exc_text, record.args
        record.exc_text = None
        # Celery puts the exception into the line itself.
        if isinstance(record.args, Mapping) and record.exc_info and "exc" in record.args:
            record.args = {**record.args, "exc": _kinds(record.exc_info[1])}
        try:
            return super().format(record)
        finally:
            record.exc_text, record.args = kept

    def formatException(self, ei: Any) -> str:
        """The kind of the exception and the lines it came through, without its text."""
        frames = "".join(traceback.format_tb(ei[2]))
        return f"Traceback (most recent call last):\n{frames}{_kinds(ei[1])}"


def _kinds(error: BaseException | None) -> str:
    """The exception's class and those it came from, such as IntegrityError ← UniqueViolation."""
    found: list[str] = []
    while error is not None and len(found) < 10:
        found.append(type(error).__name__)
        error = error.__cause__ or error.__context__
    return " ← ".join(found)
