"""Files that people send, read as packs: CSV, JSON (ours and Open Trivia DB's) and XLSX.

Whatever a file holds, reading it ends in bounded time and memory with a pack or with ``PackRefused``. It is plain work
of the processor, a second at most: callers with an event loop give it to a thread.
"""

import base64
import codecs
import csv
import html
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, NoReturn
from urllib.parse import unquote_plus

from questions.packs import ANSWERS, COLUMNS, IGNORED, MAX_QUESTIONS, Mistakes, Pack, Row, check_header, pack_of

MAX_BYTES = 1 << 20
SEPARATORS = (",", ";", "\t")
TABLES = ("csv", "tsv", "txt")
ZIP, OLE = b"PK\x03\x04", bytes.fromhex("D0CF11E0A1B11AE1")
"""How XLSX files begin, and those of old Excels and of password-protected new ones."""
MAX_BLANK = 10_000
"""Rows without a question that a table may have."""

LISTS = ("questions", "results")
"""Where a JSON object keeps its questions: ours, and Open Trivia DB's."""
IN_BASE64 = frozenset(
    base64.b64encode(word).decode() for word in (b"multiple", b"boolean", b"easy", b"medium", b"hard")
)
"""Types and difficulties of Open Trivia DB, as it writes them where it was asked for base64."""
IN_URL = re.compile(r"[A-Za-z0-9_.~%+-]*")
ESCAPED = re.compile(r"%[0-9A-Fa-f]{2}|\w\+\w")
REPEATED = None
"""The key under which an object that has a key twice tells which; no key of JSON's own."""

CYRILLIC = re.compile("[\u0400-\u04ff]")
FOREIGN = re.compile("[\u0080-\uffff]")
TYPOGRAPHY = "«»„“”‘’–—…№°±§×\xa0€"


def read_pack(content: bytes, name: str) -> Pack:
    """The pack in a file of that name. Raises ``PackRefused``: all mistakes, up to a bound."""
    mistakes = Mistakes()
    return pack_of(_rows(content, name.rpartition(".")[2].lower(), mistakes), mistakes)


def _rows(content: bytes, extension: str, mistakes: Mistakes) -> Iterator[Row]:
    if len(content) > MAX_BYTES:
        mistakes.refuse(0, "file-too-large", limit=MAX_BYTES >> 10)
    if not content.strip(b"\0 \t\r\n"):
        mistakes.refuse(0, "empty-file")
    if content.startswith(OLE):
        mistakes.refuse(0, "old-excel")
    if content.startswith(ZIP):
        from questions.spreadsheets import read_xlsx  # noqa: PLC0415 -- slow to import, and rarely needed

        return table(read_xlsx(content, mistakes), mistakes)
    if extension not in {*TABLES, "json"}:
        mistakes.refuse(0, "damaged-xlsx" if extension in {"xlsx", "xlsm"} else "unknown-format")
    text = decode(content)
    if text is None:
        mistakes.refuse(0, "unknown-encoding")
    if extension == "json" or text.lstrip()[:1] in {"{", "["}:
        return _json_rows(text, mistakes)
    return table(_csv_lines(text, mistakes), mistakes)


# -- text -------------------------------------------------------------------------------------------------------


def decode(content: bytes) -> str | None:
    """The text of a file: UTF-8, UTF-16, or Windows' Cyrillic where it reads as such. None: in none of these."""
    for mark, encoding in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"),
                           (codecs.BOM_UTF16_BE, "utf-16")):  # fmt: skip
        if content.startswith(mark):
            return _decoded(content, encoding)
    head = content[:200]
    if head[1::2].count(0) > len(head) // 3:
        return _decoded(content, "utf-16-le")
    if head[::2].count(0) > len(head) // 3:
        return _decoded(content, "utf-16-be")
    text = _decoded(content, "utf-8")
    if text is not None:
        return text
    text = _decoded(content, "cp1251")
    return text if text is not None and _reads_as_cyrillic(text) else None


def _decoded(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def _reads_as_cyrillic(text: str) -> bool:
    """Whether what is not ASCII in a text is nearly all Russian letters in words, as chance would not have it."""
    foreign = [char for char in FOREIGN.findall(text) if char not in TYPOGRAPHY]
    cyrillic = sum(bool(CYRILLIC.match(char)) for char in foreign)
    words = re.findall("[А-Яа-яЁё]{3,}", text)
    natural = sum(word.islower() or word.istitle() or word.isupper() for word in words)
    return bool(words) and cyrillic >= 0.95 * len(foreign) and natural >= 0.9 * len(words)


# -- tables -----------------------------------------------------------------------------------------------------


def table(lines: Iterable[tuple[int, list[str]]], mistakes: Mistakes) -> Iterator[Row]:
    """The rows of a table whose first line names its columns. Empty lines are passed over."""
    header: list[str] | None = None
    blank, noted = 0, len(mistakes.found)
    for line, cells in lines:
        if len(mistakes.found) > noted and header is not None:
            pass  # told already, while the line was read
        elif not any(cell.strip() for cell in cells):
            blank += 1
            if blank > MAX_BLANK:
                mistakes.refuse(line, "too-many-questions", limit=MAX_QUESTIONS)
        elif header is None:
            header = [cell.strip().strip("\ufeff").lower() for cell in cells]
            check_header(header, line, mistakes)
            mistakes.check()
        elif any(cell.strip() for cell in cells[len(header) :]):
            mistakes.add(line, "", "too-many-cells", cells=len(cells), columns=len(header))
        else:
            yield Row(line, {name: cell for name, cell in zip(header, cells, strict=False) if name})
        noted = len(mistakes.found)


def _csv_lines(text: str, mistakes: Mistakes) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, [_told_from_formula(cell) for cell in cells]
            line = reader.line_num + 1
    except csv.Error:
        mistakes.refuse(line, "bad-quotes")


def _separator(text: str) -> str:
    """The separator with which the first line names the most columns."""
    first = text.lstrip("\ufeff \t\r\n").splitlines()[:1] or [""]
    names = [{cell.strip(' "').lower() for cell in first[0].split(separator)} for separator in SEPARATORS]
    return max(zip(names, SEPARATORS, strict=True), key=lambda pair: len(pair[0] & set(COLUMNS)))[1]


def _told_from_formula(cell: str) -> str:
    """A cell without the apostrophe that an export put before what a spreadsheet would take for a formula."""
    return cell[1:] if re.match(r"'+[=+\-@]", cell) else cell


# -- JSON -------------------------------------------------------------------------------------------------------


def _json_rows(text: str, mistakes: Mistakes) -> Iterator[Row]:
    found: list[tuple[int, Any]] | None = None
    try:
        whole = _DECODER.decode(text)
        found = _items(text)
    except json.JSONDecodeError as error:
        mistakes.refuse(error.lineno, "bad-json", column_number=error.colno)
    except (RecursionError, ValueError):  # nested a thousand deep; a number that is none
        mistakes.refuse(0, "strange-json")
    if isinstance(whole, dict) and REPEATED in whole:
        mistakes.add(0, str(whole[REPEATED])[:30], "repeated-field")
        mistakes.check()
    if found is None:
        mistakes.refuse(0, "no-list")
    for number, (line, item) in enumerate(found, start=1):
        mistakes.number = number  # a file may well be one long line
        row = _json_row(line, item, mistakes)
        if row is not None:
            yield replace(row, number=number)


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _object(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    """An object; one that says something twice tells so, as nobody knows which was meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        found[REPEATED] = next(name for name in found if names.count(name) > 1)
    return found


_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_no_number, object_pairs_hook=_object)
"""Numbers stay as they are written; NaN and Infinity are none."""


def _items(text: str) -> list[tuple[int, Any]] | None:
    """The questions of a JSON text and the lines they begin on; None where it has no list of them.

    The standard decoder tells no positions: so the list is walked here, and each item decoded for itself.
    """
    at = _list_start(text)
    if at is None:
        return None
    items: list[tuple[int, Any]] = []
    at, line, counted = _skip(text, at + 1), 1, 0
    while text[at] != "]" and len(items) <= MAX_QUESTIONS:
        line, counted = line + text.count("\n", counted, at), at
        item, at = _DECODER.raw_decode(text, at)
        items.append((line, item))
        at = _skip(text, at)
        at = _skip(text, at + 1) if text[at] == "," else at
    return items


def _list_start(text: str) -> int | None:
    """Where the list of questions begins in a text that is JSON."""
    at = _skip(text, 0)
    if text[at] == "[":
        return at
    if text[at] != "{":
        return None
    at = _skip(text, at + 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        if key in LISTS and text[at] == "[":
            return at
        _, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)
        at = _skip(text, at + 1) if text[at] == "," else at
    return None


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] in {" ", "\t", "\n", "\r"}:
        at += 1
    return at


def _json_row(line: int, item: Any, mistakes: Mistakes) -> Row | None:
    if not isinstance(item, dict):
        mistakes.add(line, "", "not-an-object")
        return None
    if REPEATED in item:
        mistakes.add(line, str(item[REPEATED])[:30], "repeated-field")
        return None
    if "correct_answer" in item:
        return _trivia_row(line, item, mistakes)
    wrong = item.get("wrong", [])
    if not isinstance(wrong, list) or len(wrong) >= len(ANSWERS):
        mistakes.add(line, "wrong", "bad-list", limit=len(ANSWERS) - 1)
        return None
    before = len(mistakes.found)
    fields = {name: value for name, value in item.items() if name != "wrong"}
    for name in fields.keys() - {*COLUMNS, IGNORED}:
        mistakes.add(line, name[:30], "unknown-field")
    fields |= dict(zip(ANSWERS[1:], wrong, strict=False))
    cells = {name: _text(line, name, fields[name], mistakes) for name in fields.keys() & set(COLUMNS)}
    return Row(line, cells) if len(mistakes.found) == before else None


def _trivia_row(line: int, item: dict[str, Any], mistakes: Mistakes) -> Row | None:
    """A question as Open Trivia DB gives it, in any of the ways in which it writes texts."""
    wrong = item.get("incorrect_answers", [])
    if not isinstance(wrong, list) or len(wrong) >= len(ANSWERS):
        mistakes.add(line, "incorrect_answers", "bad-list", limit=len(ANSWERS) - 1)
        return None
    before = len(mistakes.found)
    fields = {
        "question": item.get("question", ""),
        **dict(zip(ANSWERS, [item["correct_answer"], *wrong], strict=False)),
        "category": item.get("category", ""),
        "difficulty": item.get("difficulty", ""),
    }
    cells = {name: _text(line, name, value, mistakes) for name, value in fields.items()}
    if len(mistakes.found) > before:
        return None
    decoded = _trivia_decoder(cells, item.get("type"))
    for name, text in cells.items():
        try:
            cells[name] = decoded(text)
        except ValueError:
            mistakes.add(line, name, "bad-base64")
    return Row(line, cells) if len(mistakes.found) == before else None


def _trivia_decoder(cells: dict[str, str], type_: Any) -> Callable[[str], str]:
    """What turns the texts of a question of Open Trivia DB into what they say.

    It writes them as in HTML, unless it was asked for base64 or for what an URL may hold; it does not say which.
    """
    if type_ in IN_BASE64 or cells["difficulty"] in IN_BASE64:
        return _from_base64
    if all(IN_URL.fullmatch(text) for text in cells.values()) and ESCAPED.search(cells["question"]):
        return unquote_plus
    return html.unescape


def _from_base64(text: str) -> str:
    return base64.b64decode(text, validate=True).decode()


def _text(line: int, name: str, value: Any, mistakes: Mistakes) -> str:
    """A JSON value as a cell: text, which a number is too, as it is written."""
    if value is None:
        return ""
    if not isinstance(value, str):
        mistakes.add(line, name, "not-text")
        return ""
    return value
