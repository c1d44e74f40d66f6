"""Cells of spreadsheets in any file format: limits, flaws, merged cells."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from questions.packs import MAX_QUESTIONS

MAX_UNPACKED = 8 << 20
"""Limit of bytes over all parts of a file that are read. A pack of the largest size takes a third of it."""
MAX_ELEMENTS = 250_000
"""Limit of elements over all parts. A pack of the largest size, with every text formatted in pieces, takes half."""
MAX_CHARACTERS = 3 << 20
MAX_CELL = 32_767
"""Limit of characters in a cell, the same as Excel's."""
MAX_COLUMNS = 60
"""Limit of columns; a text beyond them is a mistake."""
MAX_ROWS = MAX_QUESTIONS + 100
"""Limit of non-empty rows; some programs put a title above the table."""
MAX_MERGES = 2000
MAX_SHEETS = 8
"""Limit of sheets among which the questions are searched."""
LAST_ROW = 1 << 20

Line = tuple[int, Sequence[str]]
Cells = dict[int, str]
"""The cells of a row by the number of their column, from 0."""
Area = tuple[int, int, int, int]
"""First row and column of an area, then the last ones."""
Wanted = Callable[[Sequence[Line]], bool]
"""Function that tells whether the lines of a sheet are questions."""


class Refusal(Exception):
    """The file is not read; the text is the mistake's code."""


class Flaw(str):
    """A cell that can't be used as it is. Its text only marks it as not empty."""

    __slots__ = ("code", "parameters")

    def __new__(cls, code: str, **parameters: Any) -> Self:
        """Create a flaw from the mistake's code and parameters."""
        made = super().__new__(cls, "?")
        made.code, made.parameters = code, parameters
        return made

    code: str
    parameters: Mapping[str, Any]


def merge(rows: dict[int, Cells], areas: Sequence[Area]) -> None:
    """Repeat the text of a cell that is merged downwards in every row that it spans; one merged aside is a flaw."""
    for top, left, bottom, right in areas:
        text = rows.get(top, {}).get(left)
        if text is None or left >= MAX_COLUMNS:
            continue
        if right > left:
            rows[top][left] = Flaw("merged-cell")
        # A declared area may span a million rows: walk the shorter of the two sequences.
        if bottom - top > len(rows):
            lines = [line for line in rows if top < line <= bottom]
        else:
            lines = [line for line in range(top + 1, bottom + 1) if line in rows]
        for line in lines:
            rows[line].setdefault(left, rows[top][left])


def lines_of(rows: Mapping[int, Cells]) -> list[Line]:
    """Return rows as lines, in order."""
    return [(line, [cells.get(number, "") for number in range(max(cells) + 1)]) for line, cells in sorted(rows.items())]
