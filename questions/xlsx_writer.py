"""XLSX export, by openpyxl. ``questions/xlsx_reader.py`` reads XLSX, because openpyxl needs unbounded memory for it."""

import io
import re
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from questions.packs import COLUMNS

ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
"""Beginning of a text that Open XML would read as an escaped character."""


def write_xlsx(rows: Sequence[Sequence[str]], header: Sequence[str] = COLUMNS) -> bytes:
    """Return a workbook of one sheet: a header and rows of text cells, without any formula."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("questions")
    sheet.freeze_panes = "A2"
    for row in (header, *rows):
        cells = [WriteOnlyCell(sheet, value=ESCAPE.sub("_x005F_", text)) for text in row]
        for cell in cells:
            cell.data_type = "s"
            cell.quotePrefix = True
        sheet.append(cells)
    target = io.BytesIO()
    workbook.save(target)
    return target.getvalue()
