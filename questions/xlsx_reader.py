"""XLSX, read as a stream: only the needed parts, and of each no more than a pack of questions needs.

The sizes that the archive declares are not trusted. A cell's value is the text that the spreadsheet shows; if that is
not known for certain, the value is a ``Flaw``, which becomes a mistake if the cell is used.
"""

import datetime as dt
import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from questions.foreign_rows import lowered, raised
from questions.number_formats import (
    BUILT_IN,
    DATES,
    EPOCH,
    EPOCH_1904,
    GENERAL,
    is_date,
    is_plain_text,
    shown,
    shown_date,
)
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
MAX_PARTS = 200
MAX_RELATIONS = 2000
MAX_FORMATS = 20_000
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
"""Escape sequence of Open XML for a character that XML can't contain."""
REFERENCE = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")
COUNTRY = "[$-F800]yyyy"
"""Format that stands for the formats of dates that differ by country."""
ISO_TIME = re.compile(r"\d\d:\d\d(:\d\d(\.\d{1,6})?)?Z?")
PACKED = (".csv", ".xlsx", ".xls", ".ods", ".txt", ".tsv", ".json", "imsmanifest.xml")
"""Endings of the files in an archive that may hold questions."""
PACKED = (".csv", ".xlsx", ".xls", ".ods", ".txt", ".tsv", ".json", "imsmanifest.xml")
"""Endings of the files in an archive that may hold questions."""
SEPARATED = re.compile(r"\d[.,]\d")
NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([Ee][+-]?\d{1,3})?\s*")
DAMAGED = (
    Damaged, zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, OSError, NotImplementedError, RuntimeError
)  # fmt: skip
"""Errors that ``zipfile`` and the readers below raise for a damaged archive."""


def read_xlsx(content: bytes, mistakes: Mistakes, wanted: Wanted, *, english: bool = True) -> list[Line]:
    """Return the lines of a workbook's first visible sheet with questions, numbered from 1. Raises ``PackRefused``.

    If no sheet has questions, they are those of the first one that is not empty. The file does not tell how the
    reader's program separates digits: they are read as in English, and noted if the reader's language does otherwise.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _Workbook(archive, mistakes).lines(wanted, english=english)
    except TooMuch:
        mistakes.refuse(0, "xlsx-too-large")
    except Refusal as refusal:
        mistakes.refuse(0, str(refusal))
    except DAMAGED:
        mistakes.refuse(0, "damaged-xlsx")


class _Workbook:
    """One workbook. Its parts are found by the relations between them, because programs may name parts freely."""

    def __init__(self, archive: zipfile.ZipFile, mistakes: Mistakes) -> None:
        self._archive = archive
        self._mistakes = mistakes
        self._budget = Budget(unpacked=MAX_UNPACKED, elements=MAX_ELEMENTS, characters=MAX_CHARACTERS)
        # Open XML compares the names of parts without regard to case.
        self._parts = {part.filename.lstrip("/").lower(): part for part in archive.infolist()}
        if len(archive.infolist()) > MAX_PARTS:
            raise TooMuch

    def lines(self, wanted: Wanted, *, english: bool) -> list[Line]:
        """Return the lines of the first visible sheet with questions."""
        book = self._book()
        relations = self._relations(book)
        found = _Book()
        self._parse(book, found)
        sheets = self._sheets(found, relations)
        texts = self._texts(self._kin(relations, "sharedStrings")) if sheets else []
        formats = self._formats(self._kin(relations, "styles")) if sheets else []
        first: tuple[str, _Sheet, list[Line]] | None = None
        # A report of Kahoot has a sheet for each question, and all questions on the last one.
        for name in dict.fromkeys([*sheets[: MAX_SHEETS - 1], *sheets[-1:]]):
            sheet = _Sheet(texts, formats, self._budget, recalculates=found.recalculates, from_1904=found.from_1904)
            self._parse(name, sheet)
            lines = lines_of(sheet.merged())
            if first is None or not first[2] or wanted(lines):
                first = name, sheet, lines
            if wanted(lines):
                break
        if first is None:
            return []
        name, sheet, lines = first
        if sheet.hidden_columns and not wanted(lines):
            raise Refusal("hidden-columns")
        if len(sheets) > 1:
            self._mistakes.note("other-sheets", count=len(sheets) - 1)
        for line in () if english else sorted(sheet.separated):
            self._mistakes.note("english-numbers", line)
        if sheet.hidden:
            self._mistakes.note("hidden-rows", count=sheet.hidden)
        if sheet.hidden_columns:
            self._mistakes.note("hidden-columns", count=len(sheet.hidden_columns))
        drawing = self._related(name, "drawing")
        if drawing is not None and (pictures := self._count(drawing, "pic")):
            self._mistakes.note("pictures", count=pictures)
        return lines

    def _book(self) -> str:
        """Return the name of the part that lists the sheets. Raises ``Refusal`` if this is no workbook."""
        if "[content_types].xml" not in self._parts:
            raise Refusal(self._other_kind())
        # every workbook has this part, so reading it reveals a damaged file
        self._parse("[Content_Types].xml", _Attributes("Override"))
        book = self._related("", "officeDocument")
        if book is None:
            raise Damaged
        if book.endswith(".bin"):
            raise Refusal("binary-xlsx")
        if not posixpath.basename(book).startswith("workbook"):
            raise Refusal("not-a-table")  # a text or a presentation
        return book

    def _other_kind(self) -> str:
        """Return the mistake of an archive that is no workbook."""
        if "collection.anki2" in self._parts or "collection.anki21" in self._parts:
            return "anki-package"
        packed = any(name.endswith(PACKED) for name in self._parts) and not any("xl/" in name for name in self._parts)
        return "packed-files" if packed else "damaged-xlsx"

    def _count(self, part: str, element: str) -> int:
        counter = _Attributes(element)
        self._parse(part, counter)
        return len(counter.found)

    def _parse(self, name: str, handler: Any) -> None:
        parse(self._chunks(name), self._budget, handler.start, handler.end, handler.words)

    def _chunks(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a part in small chunks, because its declared size may be wrong."""
        part = self._parts[name.lower()]
        if part.flag_bits & 1:
            raise Refusal("old-excel")  # protected by a password
        if part.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise Damaged  # other methods can't be decompressed a few bytes at a time
        with self._archive.open(part) as stream:
            while chunk := stream.read(CHUNK):
                yield chunk

    # -- which part is which ------------------------------------------------------------------------------------

    def _relations(self, part: str) -> dict[str, tuple[str, str]]:
        """Return the id -> type and target of the parts related to a part."""
        folder, name = posixpath.split(part)
        path = posixpath.join(folder, "_rels", f"{name}.rels")
        if path.lower() not in self._parts:
            return {}
        found = _Attributes("Relationship")
        self._parse(path, found)
        return {
            each.get("Id", ""): (
                each.get("Type", "").rpartition("/")[2],
                posixpath.normpath(posixpath.join("/", folder, each.get("Target", ""))).lstrip("/"),
            )
            for each in found.found
            if each.get("TargetMode") != "External"
        }

    def _related(self, part: str, type_: str) -> str | None:
        return self._kin(self._relations(part), type_)

    def _kin(self, relations: Mapping[str, tuple[str, str]], type_: str) -> str | None:
        """Return the first existing part of a type, or None."""
        return next((to for of, to in relations.values() if of == type_ and to.lower() in self._parts), None)

    def _sheets(self, book: "_Book", relations: Mapping[str, tuple[str, str]]) -> list[str]:
        """Return the parts of the visible sheets."""
        visible: list[str] = []
        for sheet in book.sheets:
            id_ = next((value for name, value in sheet.items() if ":" in name and local(name) == "id"), "")
            type_, target = relations.get(id_, ("", ""))
            if type_ == "worksheet" and sheet.get("state", "visible") == "visible":
                visible.append(target)
        return visible

    def _texts(self, part: str | None) -> list[str]:
        if part is None:
            return []
        found = _Texts(self._budget)
        self._parse(part, found)
        return found.found

    def _formats(self, part: str | None) -> list[str | None]:
        """Return the number format of each style; None for an unknown one."""
        if part is None:
            return []
        found = _Formats()
        self._parse(part, found)
        return found.codes()


class _Attributes:
    """Collector of the attributes of every element of one name."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.found: list[Mapping[str, str]] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == self._name:
            self.found.append(attributes)
            if len(self.found) > MAX_RELATIONS:
                raise TooMuch

    def end(self, name: str) -> None:
        """Ignore the end of an element."""

    def words(self, words: str) -> None:
        """Ignore text."""


class _Book:
    """Collector of the sheets and settings of a workbook."""

    def __init__(self) -> None:
        self.sheets: list[Mapping[str, str]] = []
        self.from_1904 = False
        self.recalculates = False
        """True if a spreadsheet program calculates all formulas on opening: the values in the file are not shown."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "sheet":
            self.sheets.append(attributes)
            if len(self.sheets) > MAX_RELATIONS:
                raise TooMuch
        elif name == "workbookPr":
            self.from_1904 = _true(attributes.get("date1904"))
        elif name == "calcPr":
            self.recalculates = _true(attributes.get("fullCalcOnLoad"))

    def end(self, name: str) -> None:
        """Ignore the end of an element."""

    def words(self, words: str) -> None:
        """Ignore text."""


class _Collector:
    """Collector of the text of one cell, without phonetic annotations."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._pieces: list[str] = []
        self._size = 0
        self._open = False
        self._phonetic = False
        self._position = ""
        """Position of the current piece of text: ``superscript``, ``subscript`` or neither."""

    def begin(self) -> None:
        """Begin a new cell."""
        self._pieces.clear()
        self._size = 0
        self._position = ""

    def starts(self, name: str, attributes: Mapping[str, str]) -> None:
        """Handle the start of an element within the cell."""
        if name in {"t", "v"}:
            self._open = not self._phonetic
        elif name == "rPh":
            self._phonetic = True
        elif name == "r":
            self._position = ""
        elif name == "vertAlign":
            self._position = attributes.get("val", "")

    def ends(self, name: str) -> None:
        """Handle the end of an element within the cell."""
        if name in {"t", "v"}:
            self._open = False
        elif name == "rPh":
            self._phonetic = False

    def words(self, words: str) -> None:
        if self._open:
            self._size += len(words)
            self._budget.spend(characters=len(words))
            if self._size > MAX_CELL:
                raise TooMuch
            if self._position == "superscript":
                words = raised(words)
            elif self._position == "subscript":
                words = lowered(words)
            self._pieces.append(words)

    def text(self) -> str:
        """Return the text of the cell."""
        return "".join(self._pieces)


class _Texts:
    """Collector of the shared texts, which cells refer to by number."""

    def __init__(self, budget: Budget) -> None:
        self.found: list[str] = []
        self._text = _Collector(budget)
        self.words = self._text.words

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "si":
            self._text.begin()
        else:
            self._text.starts(name, attributes)

    def end(self, name: str) -> None:
        if name == "si":
            self.found.append(self._text.text())
        else:
            self._text.ends(name)


class _Formats:
    """Collector of the number formats of a workbook's styles."""

    def __init__(self) -> None:
        self._own: dict[int, str] = {}
        self._styles: list[int] = []
        self._in_cells = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "numFmt":
            self._own[int(attributes.get("numFmtId", "-1"))] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self._in_cells = True
        elif name == "xf" and self._in_cells:
            self._styles.append(int(attributes.get("numFmtId", "0")))
        if len(self._own) + len(self._styles) > MAX_FORMATS:
            raise TooMuch

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._in_cells = False

    def words(self, words: str) -> None:
        """Ignore text."""

    def codes(self) -> list[str | None]:
        """Return the format of each style."""
        return [self._own.get(id_) or BUILT_IN.get(id_) or (COUNTRY if id_ in DATES else None) for id_ in self._styles]


class _Sheet:
    """Collector of the cells of a sheet."""

    def __init__(
        self, texts: list[str], formats: list[str | None], budget: Budget, *, recalculates: bool, from_1904: bool
    ) -> None:
        self._texts = texts
        self._formats = formats
        self._recalculates = recalculates
        self._from_1904 = from_1904
        self.hidden_columns: set[int] = set()
        self.separated: set[int] = set()
        """Rows with numbers that have a decimal point or separated thousands."""
        self._text = _Collector(budget)
        self.words = self._text.words
        self.hidden = 0
        self._rows: dict[int, Cells] = {}
        self._merges: list[Area] = []
        self._hidden: set[int] = set()
        self._row = self._column = 0
        self._cells: Cells = {}
        self._skipped = False
        self._type, self._style, self._formula = "n", 0, False
        self._in_cell = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if self._in_cell:
            self._formula = self._formula or name == "f"
            self._text.starts(name, attributes)
        elif name == "c":
            self._begin_cell(attributes)
        elif name == "row":
            self._begin_row(attributes)
        elif name == "col":
            self._column_range(attributes)
        elif name == "mergeCell":
            self._merges.append(_area(attributes.get("ref", "")))
            if len(self._merges) > MAX_MERGES:
                raise TooMuch

    def end(self, name: str) -> None:
        if name == "c" and self._in_cell:
            self._in_cell = False
            self._end_cell()
        elif self._in_cell:
            self._text.ends(name)
        elif name == "row":
            self._end_row()

    def _column_range(self, attributes: Mapping[str, str]) -> None:
        if _true(attributes.get("hidden")) or attributes.get("width") == "0":
            first, last = int(attributes.get("min", "1")), int(attributes.get("max", "1"))
            self._hidden.update(range(max(first - 1, 0), min(last, MAX_COLUMNS)))

    def _begin_row(self, attributes: Mapping[str, str]) -> None:
        number = int(attributes.get("r") or self._row + 1)
        # Rows must ascend: a repeated number could replace cells that are already counted.
        if not self._row < number <= LAST_ROW:
            raise Damaged
        self._row, self._column, self._cells = number, -1, {}
        self._skipped = _true(attributes.get("hidden")) or attributes.get("ht") == "0"

    def _begin_cell(self, attributes: Mapping[str, str]) -> None:
        reference = attributes.get("r")
        column = _column(reference) if reference else self._column + 1
        if column <= self._column or not self._row:
            raise Damaged
        self._column, self._in_cell, self._formula = column, True, False
        self._type, self._style = attributes.get("t", "n"), int(attributes.get("s") or 0)
        self._text.begin()

    def _end_cell(self) -> None:
        text = self._value(self._text.text())
        if not text:
            return
        if self._column in self._hidden:
            self.hidden_columns.add(self._column)
        elif self._column >= MAX_COLUMNS:
            self._cells[MAX_COLUMNS] = text  # refused later, as beyond the last column
        else:
            self._cells[self._column] = text

    def _end_row(self) -> None:
        if not self._cells:
            return
        if self._skipped:
            self.hidden += 1
            return
        self._rows[self._row] = self._cells
        if len(self._rows) > MAX_ROWS:
            raise Refusal("too-many-rows")

    def _value(self, text: str) -> str:
        """Return the cell's text as it is shown."""
        if not text:
            return Flaw("formula-cell") if self._formula and self._type != "str" else ""
        if self._formula and self._recalculates:
            return Flaw("formula-cell")
        if not 0 <= self._style < max(1, len(self._formats)):
            raise Damaged
        code = self._formats[self._style] if self._formats else GENERAL
        match self._type:
            case "s":
                return self._in_format(_unescaped(self._texts[_index(text, len(self._texts))]), code)
            case "inlineStr" | "str":
                return self._in_format(_unescaped(text), code)
            case "b":
                return "TRUE" if text.strip() == "1" else "FALSE"
            case "e":
                return Flaw("error-cell", given=text[:20])
            case "d":
                return self._date(_days(text.strip(), from_1904=self._from_1904), code)
            case "n":
                return self._number(text, code)
            case _:
                raise Damaged

    def _number(self, text: str, code: str | None) -> str:
        if not NUMBER.fullmatch(text):
            raise Damaged
        if code is not None and is_date(code):
            return self._date(Decimal(text.strip()), code)
        told = shown(text.strip(), code) if code is not None else None
        if told and SEPARATED.search(told) and len(self.separated) < MAX_ROWS:
            self.separated.add(self._row)
        return told or Flaw("number-format")

    def _date(self, days: Decimal, code: str | None) -> str:
        if code is None or not is_date(code):
            return Flaw("date-cell")
        return shown_date(days, code, from_1904=self._from_1904) or Flaw("date-cell")

    def _in_format(self, text: str, code: str | None) -> str:
        """Return a text in the cell's format."""
        if code is not None and not is_plain_text(code) and text.strip():
            return Flaw("number-format")
        return text

    def merged(self) -> dict[int, Cells]:
        """Return the rows, with the merged cells repeated."""
        merge(self._rows, self._merges)
        return self._rows


def _true(text: str | None) -> bool:
    return text in {"1", "true"}


def _days(text: str, *, from_1904: bool) -> Decimal:
    """Return a date or a time of strict Open XML as a number of days."""
    if ISO_TIME.fullmatch(text):
        text = f"{(EPOCH_1904 if from_1904 else EPOCH):%Y-%m-%d}T{text}"
    moment = dt.datetime.fromisoformat(text.removesuffix("Z"))
    return Decimal(repr((moment - (EPOCH_1904 if from_1904 else EPOCH)).total_seconds())) / 86_400


def _unescaped(text: str) -> str:
    return ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def _index(text: str, size: int) -> int:
    index = int(text)
    if not 0 <= index < size:
        raise Damaged
    return index


def _column(reference: str) -> int:
    """Return the number of a cell's column: 0 for A."""
    found = REFERENCE.fullmatch(reference)
    if found is None:
        raise Damaged
    number = 0
    for letter in found[1]:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _area(reference: str) -> Area:
    """Return the first row and column of an area, then the last ones."""
    first, _, last = reference.partition(":")
    ends = [(int(found[2]), _column(each)) for each in (first, last or first) if (found := REFERENCE.fullmatch(each))]
    if len(ends) != 2:
        raise Damaged
    return (*ends[0], *ends[1])
