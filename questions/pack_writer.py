"""Packs as files, in the formats that ``questions/pack_reader.py`` reads.

Reading a written file returns the same pack.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence

from fsm.question import ORDER, SEVERAL, Question
from questions.packs import ANSWERS, COLUMNS, answers_in, cells_of

CSV, JSON, XLSX = FORMATS = ("csv", "json", "xlsx")
FORMULA = re.compile(r"'*[=+\-@]")
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")


def write_pack(questions: Sequence[Question], form: str, separator: str = ",") -> bytes:
    """Return the questions as a file. Raises KeyError for an unknown format; see ``FORMATS``."""
    if form == CSV:
        return to_csv(questions, separator)
    return {JSON: to_json, XLSX: to_xlsx}[form](questions)


def to_csv(questions: Sequence[Question], separator: str = ",") -> bytes:
    """Return the questions as CSV."""
    rows = [cells_of(question) for question in questions]
    return write_csv([COLUMNS, *([cells[column] for column in COLUMNS] for cells in rows)], separator)


def write_csv(rows: Iterable[Sequence[str]], separator: str) -> bytes:
    """Return CSV with the byte order mark by which Excel recognizes UTF-8. No cell can run as a formula."""
    target = io.StringIO(newline="")
    writer = csv.writer(target, delimiter=separator)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return target.getvalue().encode("utf-8-sig")


def harmless(text: str) -> str:
    """Put an apostrophe before a cell that a spreadsheet would take for a formula; plain numbers are left alone."""
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text


def to_json(questions: Sequence[Question]) -> bytes:
    """Return JSON: ``{"questions": [{"question", "answer", "wrong": [...], ...}]}``, with ``COLUMNS`` as the fields.

    An answer of several parts is a list.
    """
    items = []
    for question in questions:
        cells = cells_of(question)
        item: dict[str, object] = {name: cells[name] for name in COLUMNS if cells[name] and name not in ANSWERS[1:]}
        item["wrong"] = [cells[name] for name in ANSWERS[1:] if cells[name]]
        if question.type in {SEVERAL, ORDER}:
            item |= {"answer": list(answers_in(cells["answer"])), "wrong": list(answers_in(cells["wrong1"]))}
        items.append(item)
    return json.dumps({"questions": items}, ensure_ascii=False, indent=2).encode()


def to_xlsx(questions: Sequence[Question]) -> bytes:
    """Return a workbook of one sheet, every cell of it text."""
    from questions.xlsx_writer import write_xlsx  # noqa: PLC0415 -- slow to import, and rarely needed

    rows = [cells_of(question) for question in questions]
    return write_xlsx([[cells[column] for column in COLUMNS] for cells in rows])
