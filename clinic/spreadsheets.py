"""Files that people open with a table program. Pure: no Django."""

import csv
from collections.abc import Iterable, Sequence
from typing import TextIO

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# Without this mark table programs take the file for one in an old encoding.
MARK = "\ufeff"


def harmless(words: str) -> str:
    """Words that a table program takes for words, never for a formula."""
    return f"'{words}" if words[:1] in _FORMULA else words


def write_table(out: TextIO, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table as CSV; an empty cell for None."""
    out.write(MARK)
    writer = csv.writer(out)
    writer.writerow([harmless(head) for head in heads])
    for row in rows:
        writer.writerow(["" if cell is None else harmless(str(cell)) for cell in row])
