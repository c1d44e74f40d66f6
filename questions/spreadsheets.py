"""XLSX by openpyxl, which is imported here alone. What a hostile workbook could do is stopped before it is opened."""

import datetime as dt
import io
import math
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell

from questions.packs import COLUMNS, Mistakes, PackRefused

MAX_PARTS = 200
MAX_UNPACKED = 8 << 20
"""Bytes of all parts of a workbook together. A pack of the largest size takes a third of it."""
MAX_COLUMNS = 40
DOCTYPE = b"<!DOCTYPE"
"""Opens what XML bombs are made of; no spreadsheet program writes one."""


def read_xlsx(content: bytes, mistakes: Mistakes) -> Iterator[tuple[int, list[str]]]:
    """The lines of a workbook's first sheet, from 1. Raises ``PackRefused``."""
    try:
        code = _danger(content)
        if code is None:
            yield from _lines(content, mistakes)
    except PackRefused:
        raise
    except Exception:  # noqa: BLE001 -- openpyxl raises whatever a damaged file makes it stumble over
        code = "damaged-xlsx"
    if code is not None:
        mistakes.refuse(0, code)


def _danger(content: bytes) -> str | None:
    """Why a workbook is not opened: the code of a mistake; None where nothing speaks against it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        # A part never gives more than it says here, or its checksum is wrong and reading it fails.
        if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
            return "xlsx-too-large"
        if any(part.flag_bits & 1 for part in parts):
            return "old-excel"
        if any(DOCTYPE in archive.read(part).replace(b"\0", b"") for part in parts):
            return "damaged-xlsx"
    return None


def _lines(content: bytes, mistakes: Mistakes) -> Iterator[tuple[int, list[str]]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl tells of styles and extensions that it leaves out
        workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        try:
            if not workbook.worksheets:
                return
            sheet = workbook.worksheets[0]
            sheet.reset_dimensions()  # what the file says of its own size need not be true
            for line, cells in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS), start=1):
                yield line, [_text(line, number, cell, mistakes) for number, cell in enumerate(cells)]
        finally:
            workbook.close()


def _text(line: int, number: int, cell: Any, mistakes: Mistakes) -> str:
    """A cell as text; what a spreadsheet computes or shows otherwise than it is stored is a mistake."""
    value, column = cell.value, _letters(number)
    if value is None:
        return ""
    match cell.data_type:
        case "f":
            mistakes.add(line, column, "formula-cell")
        case "e":
            mistakes.add(line, column, "error-cell", given=str(value)[:20])
        case _ if isinstance(value, (dt.date, dt.time, dt.timedelta)):
            mistakes.add(line, column, "date-cell")
        case _ if isinstance(value, bool):
            return str(value)
        case _ if isinstance(value, float) and math.isfinite(value) and value == int(value) and abs(value) < 1e15:
            return str(int(value))
        case _:
            return str(value)
    return ""


def _letters(number: int) -> str:
    """A column as spreadsheets name it: 0 is A, 26 is AA."""
    high, low = divmod(number, 26)
    return (chr(64 + high) if high else "") + chr(65 + low)


def write_xlsx(rows: Sequence[Sequence[str]]) -> bytes:
    """A workbook of one sheet with those rows under a header, every cell text and nothing a formula."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("questions")
    sheet.freeze_panes = "A2"
    for row in (COLUMNS, *rows):
        cells = [WriteOnlyCell(sheet, value=text) for text in row]
        for cell in cells:
            cell.data_type = "s"
            cell.quotePrefix = True
        sheet.append(cells)
    target = io.BytesIO()
    workbook.save(target)
    return target.getvalue()
