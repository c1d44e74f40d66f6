"""XLSX, written by openpyxl. ``questions/workbooks.py`` reads it, as openpyxl can't do that in bounded memory."""

import io
import re
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from questions.packs import COLUMNS

ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
"""The beginning of a text that Open XML would take for an escaped character."""


def write_xlsx(rows: Sequence[Sequence[str]], header: Sequence[str] = COLUMNS) -> bytes:
    """A workbook of one sheet with those rows under a header, every cell text and nothing a formula."""
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
