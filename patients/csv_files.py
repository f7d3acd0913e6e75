"""Reading a table that some other program wrote as CSV. Pure: no Django, no clock.

What can be read: UTF-8 with or without its mark, and Windows-1252; comma, semicolon or tab between
cells; any quotation. What cannot be read is refused with a sentence that says what to do.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

MAX_BYTES = 5 * 1024 * 1024
MAX_ROWS = 5_000
MAX_COLUMNS = 80
MAX_CELL = 1_000
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
_ENCODINGS = {"utf-8-sig": "UTF-8", "cp1252": "Windows-1252"}


class FileProblem(ValueError):
    """The file as a whole cannot be read; says why and what to do."""


@dataclass(frozen=True)
class Line:
    """One row: the line of the file it begins on, and its cells without spaces around them."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """``encoding`` and ``delimiter`` are words for people, such as "UTF-8" and "semicolon"."""

    heads: tuple[str, ...]
    lines: tuple[Line, ...]
    encoding: str
    delimiter: str

    def column(self, number: int) -> list[str]:
        """The cells under one head, without empty ones."""
        return [line.cells[number] for line in self.lines if number < len(line.cells)]


def read_table(content: bytes) -> Table:
    """The table in a file. Raises FileProblem."""
    if len(content) > MAX_BYTES:
        raise FileProblem(
            f"The file is larger than {MAX_BYTES // 1024 // 1024} MB. Split it into several."
        )
    text, encoding = _decoded(content)
    delimiter = _delimiter_of(text)
    rows = _rows(text, delimiter)
    first = next(rows, None)
    if first is None:
        raise FileProblem("The file is empty.")
    heads = _heads(first.cells)
    if len(heads) < 2:
        raise FileProblem(
            "There is only one column. Put a comma, a semicolon or a tab between the cells."
        )
    if len(heads) > MAX_COLUMNS:
        raise FileProblem(f"There are more than {MAX_COLUMNS} columns.")
    lines: list[Line] = []
    for row in rows:
        if len(lines) >= MAX_ROWS:
            raise FileProblem(f"There are more than {MAX_ROWS:,} rows. Split the file.")
        lines.append(row)
    if not lines:
        raise FileProblem("There is a row of heads and nothing below it.")
    return Table(heads, tuple(lines), encoding, DELIMITERS[delimiter])


def _decoded(content: bytes) -> tuple[str, str]:
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise FileProblem("This is a file of a table program. Save it as “CSV UTF-8” there.")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in content:
        raise FileProblem("This is not plain text. Save it as “CSV UTF-8” in your table program.")
    for code, name in _ENCODINGS.items():
        try:
            return content.decode(code), name
        except UnicodeDecodeError:
            continue
    raise FileProblem(
        "Some letters cannot be read: the file is neither UTF-8 nor Windows-1252. Save it as "
        "“CSV UTF-8” in your table program."
    )


def _delimiter_of(text: str) -> str:
    """What stands most often between the cells of the first row."""
    widths = {}
    for delimiter in DELIMITERS:
        try:
            row = next(_rows(text, delimiter), None)
        except FileProblem:
            row = None
        widths[delimiter] = len(row.cells) if row else 0
    return max(widths, key=lambda delimiter: widths[delimiter])


def _rows(text: str, delimiter: str) -> Iterator[Line]:
    """Every row that has anything in it."""
    # What ends a line is told apart from what stands inside quotation marks by the reader.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise FileProblem(
                f"Line {begins}: a quotation mark has no other half, or stands inside a cell "
                "without being doubled."
            ) from error
        number, begins = begins, reader.line_num + 1
        cells = tuple(" ".join(cell.split()) for cell in row)
        if any(cells):
            if any(len(cell) > MAX_CELL for cell in cells):
                raise FileProblem(f"Line {number}: a cell has more than {MAX_CELL:,} letters.")
            yield Line(number, cells)


def _heads(cells: tuple[str, ...]) -> tuple[str, ...]:
    """The names of the columns; one without a name is called by its place."""
    named = list(cells)
    while named and not named[-1]:
        named.pop()
    return tuple(head[:80] or f"Column {place}" for place, head in enumerate(named, 1))
