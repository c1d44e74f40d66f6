"""ODS, LibreOffice's spreadsheets, read as a stream. The file holds the text of each cell as LibreOffice shows it."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping

from questions.foreign_rows import lowered, raised
from questions.packs import Mistakes
from questions.sheets import (
    LAST_ROW,
    MAX_CELL,
    MAX_CHARACTERS,
    MAX_COLUMNS,
    MAX_ELEMENTS,
    MAX_MERGES,
    MAX_ROWS,
    MAX_SHEETS,
    MAX_UNPACKED,
    Area,
    Cells,
    Flaw,
    Line,
    Refusal,
    Wanted,
    lines_of,
    merge,
)
from questions.xml_stream import Budget, Damaged, TooMuch, local, parse

CHUNK = 16 << 10
MAX_PARTS = 2000
"""Limit of parts: LibreOffice adds some for pictures and fonts."""
MAX_STYLES = 20_000
SPREADSHEET = b"application/vnd.oasis.opendocument.spreadsheet"
ASIDE = frozenset(
    {"annotation", "ruby-text", "frame", "tracked-changes", "shapes", "note", "named-expressions", "forms"}
)
"""Elements with texts that a cell does not show."""
HIDDEN = frozenset({"collapse", "filter"})
LIFTED = re.compile(r"(-?)(\d{1,3}(?:\.\d{1,9})?)%")
"""Distance of superscript (or, with a minus, subscript) from the line of text. Imported text has it."""
DAMAGED = (
    Damaged, zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, OSError, NotImplementedError, RuntimeError
)  # fmt: skip
"""Errors that ``zipfile`` and the reader below raise for a damaged archive."""


def read_ods(content: bytes, mistakes: Mistakes, wanted: Wanted) -> list[Line]:
    """Return the lines of the first visible sheet with questions, numbered from 1. Raises ``PackRefused``.

    The content is an archive, or XML alone ("flat"). If no sheet has questions, it is the first one that is not empty.
    """
    try:
        if not content.startswith(b"PK"):
            return _lines([content[at : at + CHUNK] for at in range(0, len(content), CHUNK)], mistakes, wanted)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_kind(archive)
            return _lines(_chunks(archive, "content.xml"), mistakes, wanted)
    except TooMuch:
        mistakes.refuse(0, "xlsx-too-large")
    except Refusal as refusal:
        mistakes.refuse(0, str(refusal))
    except DAMAGED:
        mistakes.refuse(0, "damaged-xlsx")


def _chunks(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """Yield the bytes of a part in small chunks, because its declared size may be wrong."""
    part = archive.getinfo(name)
    if part.flag_bits & 1:
        raise Refusal("old-excel")
    if part.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise Damaged
    with archive.open(part) as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _check_kind(archive: zipfile.ZipFile) -> None:
    """Check that an archive is a spreadsheet without a password. Raises ``Refusal``."""
    found = False

    def start(name: str, _: Mapping[str, str]) -> None:
        nonlocal found
        found = found or name == "encryption-data"

    if len(archive.infolist()) > MAX_PARTS:
        raise TooMuch
    if not next(_chunks(archive, "mimetype"), b"").startswith(SPREADSHEET):
        raise Refusal("not-a-table")
    if "META-INF/manifest.xml" in archive.namelist():
        budget = Budget(unpacked=MAX_UNPACKED, elements=MAX_ELEMENTS, characters=MAX_CHARACTERS)
        parse(_chunks(archive, "META-INF/manifest.xml"), budget, start, lambda _: None, lambda _: None)
    if found:
        raise Refusal("old-excel")


def _lines(chunks: Iterator[bytes] | list[bytes], mistakes: Mistakes, wanted: Wanted) -> list[Line]:
    budget = Budget(unpacked=MAX_UNPACKED, elements=MAX_ELEMENTS, characters=MAX_CHARACTERS)
    found = _Document(budget)
    flat = "utf-8" if isinstance(chunks, list) else None  # decoded before, so the declared encoding is void
    parse(chunks, budget, found.start, found.end, found.words, encoding=flat)
    sheets = [(sheet, sheet.lines()) for sheet in found.sheets if sheet.style not in found.hidden_styles]
    filled = [(sheet, lines) for sheet, lines in sheets if lines]
    if not filled:
        return []
    sheet, lines = next((each for each in filled if wanted(each[1])), filled[0])
    if sheet.hidden_columns and not wanted(lines):
        raise Refusal("hidden-columns")
    if len(sheets) > 1:
        mistakes.note("other-sheets", count=len(sheets) - 1)
    if sheet.hidden:
        mistakes.note("hidden-rows", count=sheet.hidden)
    if sheet.hidden_columns:
        mistakes.note("hidden-columns", count=len(sheet.hidden_columns))
    if sheet.pictures:
        mistakes.note("pictures", count=sheet.pictures)
    return lines


class _Sheet:
    """The cells of one sheet."""

    def __init__(self, style: str) -> None:
        self.style = style
        self.hidden = 0
        self.hidden_columns: set[int] = set()
        self.pictures = 0
        self.rows: dict[int, Cells] = {}
        self.row = 0
        self.areas: list[Area] = []
        self.concealed: set[int] = set()
        """Numbers of the hidden columns."""
        self.columns = 0

    def lines(self) -> list[Line]:
        merge(self.rows, self.areas)
        return lines_of(self.rows)


class _Document:
    """Collector of the sheets of a document."""

    def __init__(self, budget: Budget) -> None:
        self.sheets: list[_Sheet] = []
        self.hidden_styles: set[str] = set()
        self.positions: dict[str, str] = {}
        """Styles of superscript and subscript."""
        self._spans: list[str] = []
        self._budget = budget
        self._path: list[str] = []
        self._aside = 0
        self._style = ""
        self._sheet: _Sheet | None = None
        self._cells: Cells = {}
        self._column = 0
        self._repeated_row = 1
        self._hidden_row = False
        self._cell: Mapping[str, str] = {}
        self._in_cell = False
        self._open = 0
        self._pieces: list[str] = []
        self._size = 0

    # -- elements -----------------------------------------------------------------------------------------------

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._path.append(name)
        sheet = self._sheet
        if name == "image" and sheet is not None:
            sheet.pictures += 1
        if name in ASIDE:
            self._aside += 1
        if self._aside:
            return
        told = {local(key): value for key, value in attributes.items() if not key.startswith("calcext:")}
        if self._in_cell:
            self._within(name, told)
        elif name in {"style", "table-properties", "text-properties"}:
            self._styled(name, told)
        elif name == "table" and self._path[-2:-1] == ["spreadsheet"]:
            self._begin_sheet(told)
        elif sheet is None:
            return
        elif name == "table-column":
            count = _count(told.get("number-columns-repeated"))
            if told.get("visibility") in HIDDEN:
                sheet.concealed.update(range(sheet.columns, min(sheet.columns + count, MAX_COLUMNS)))
            sheet.columns += count
        elif name == "table-row":
            self._begin_row(told)
        elif name in {"table-cell", "covered-table-cell"}:
            error = attributes.get("calcext:value-type") == "error"
            self._cell = told | ({"value-type": "error"} if error else {})
            self._in_cell, self._open, self._size = True, 0, 0
            self._spans.clear()
            self._pieces.clear()

    def end(self, name: str) -> None:
        self._path.pop()
        if name in ASIDE:
            self._aside -= 1
        if self._aside:
            return
        if name in {"table-cell", "covered-table-cell"} and self._in_cell and self._path[-1:] == ["table-row"]:
            self._in_cell = False
            self._end_cell(covered=name != "table-cell")
        elif self._in_cell and name in {"p", "h"}:
            self._open -= 1
        elif self._in_cell and name == "span" and self._spans:
            self._spans.pop()
        elif name == "table-row" and not self._in_cell and self._sheet is not None:
            self._end_row(self._sheet)
        elif name == "table" and self._path[-1:] == ["spreadsheet"]:
            self._sheet = None

    def words(self, words: str) -> None:
        if self._open and not self._aside:
            position = self._spans[-1] if self._spans else ""
            self._add(raised(words) if position == "super" else lowered(words) if position == "sub" else words)

    def _styled(self, name: str, told: Mapping[str, str]) -> None:
        if name == "style":
            self._style = told.get("name", "")
        elif name == "text-properties":
            position = _position(told.get("text-position", ""))
            if position and len(self.positions) < MAX_STYLES:
                self.positions[self._style] = position
        elif told.get("display") == "false":
            self.hidden_styles.add(self._style)
            if len(self.hidden_styles) > MAX_STYLES:
                raise TooMuch

    # -- sheets, rows and cells ---------------------------------------------------------------------------------

    def _begin_sheet(self, told: Mapping[str, str]) -> None:
        if len(self.sheets) >= MAX_SHEETS:
            return
        self._sheet = _Sheet(told.get("style-name", ""))
        self.sheets.append(self._sheet)

    def _begin_row(self, told: Mapping[str, str]) -> None:
        self._cells, self._column = {}, 0
        self._repeated_row = _count(told.get("number-rows-repeated"))
        self._hidden_row = told.get("visibility") in HIDDEN

    def _end_row(self, sheet: _Sheet) -> None:
        first = sheet.row + 1
        sheet.row += self._repeated_row
        if sheet.row > LAST_ROW + MAX_ROWS:
            raise Damaged
        if not self._cells:
            return
        if self._hidden_row:
            sheet.hidden += self._repeated_row
            return
        if len(sheet.rows) + self._repeated_row > MAX_ROWS:
            raise Refusal("too-many-rows")
        for line in range(first, sheet.row + 1):
            sheet.rows[line] = dict(self._cells)

    def _within(self, name: str, told: Mapping[str, str]) -> None:
        """Handle an element within a cell."""
        if name in {"p", "h"}:
            if self._pieces:
                self._add("\n")
            self._open += 1
        elif name == "span":
            self._spans.append(self.positions.get(told.get("style-name", ""), ""))
        elif name == "s" and self._open:
            self._add(" " * min(_count(told.get("c")), 10))
        elif name in {"tab", "line-break"} and self._open:
            self._add("\n")

    def _add(self, words: str) -> None:
        self._size += len(words)
        self._budget.spend(characters=len(words))
        if self._size > MAX_CELL:
            raise TooMuch
        self._pieces.append(words)

    def _end_cell(self, *, covered: bool) -> None:
        sheet = self._sheet
        if sheet is None:
            return
        told, column = self._cell, self._column
        count = _count(told.get("number-columns-repeated"))
        self._column += count
        text = "" if covered else self._value("".join(self._pieces))
        if not text:
            return
        for number in range(column, min(column + count, MAX_COLUMNS + 1)):
            if number in sheet.concealed:
                sheet.hidden_columns.add(number)
            else:
                self._cells[number] = text
        if column + count > MAX_COLUMNS:
            self._cells[MAX_COLUMNS] = text  # refused later, as beyond the last column
        wide, high = _count(told.get("number-columns-spanned")), _count(told.get("number-rows-spanned"))
        if wide > 1 or high > 1:
            top = sheet.row + 1
            sheet.areas.append((top, column, top + high - 1, column + wide - 1))
            if len(sheet.areas) > MAX_MERGES:
                raise TooMuch

    def _value(self, text: str) -> str:
        """Return the cell's text as it is shown."""
        type_ = self._cell.get("value-type", "")
        if type_ == "error":
            return Flaw("error-cell", given=text[:20])
        if text or not type_:
            return text if text or "formula" not in self._cell else Flaw("formula-cell")
        if type_ == "string":
            return self._cell.get("string-value", "")
        # Another program has left out the text that is shown.
        return Flaw("date-cell" if type_ in {"date", "time"} else "number-format")


def _position(told: str) -> str:
    """Return "super", "sub", or "" for a position of text: one of these words, or a distance in percent."""
    position = told.partition(" ")[0]
    if position in {"super", "sub"}:
        return position
    distance = LIFTED.fullmatch(position)
    if distance is None or not float(distance[2]):
        return ""
    return "sub" if distance[1] else "super"


def _count(text: str | None) -> int:
    """Return a number of repetitions."""
    count = int(text or 1)
    if not 0 < count <= LAST_ROW:
        raise Damaged
    return count
