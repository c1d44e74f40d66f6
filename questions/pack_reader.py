"""Reading of people's files as packs: tables, JSON, workbooks, and the formats of other quiz programs.

Reading any file ends within a second, in bounded memory, with a pack or with ``PackRefused``. As a second defence, it
runs in a separate process (``questions/isolation.py``).
"""

import base64
import csv
import html
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any, NoReturn, TypeGuard
from urllib.parse import unquote_plus

from fsm.question import MOST_OPTIONS, ORDER, SEVERAL, TRUE_FALSE
from questions.encodings import decode
from questions.foreign_formats import anki_rows, gift_rows, is_anki, is_gift, moodle_rows
from questions.foreign_rows import are_truths, choice_row
from questions.packs import (
    ANSWERS,
    COLUMNS,
    IGNORED,
    MAX_CELL,
    MAX_QUESTIONS,
    NO_WORDS,
    Mistakes,
    Pack,
    PackRefused,
    Row,
    Vocabulary,
    columns_of,
    joined,
    key,
    pack_of,
    shown_name,
)
from questions.sheets import Flaw, Line
from questions.tables import FORMULA, is_table, table
from questions.tables import HEAD as HEADER_LINES
from questions.text_lists import dialogue_rows, is_dialogue, is_list, is_pairs, list_rows, pair_rows
from questions.tidying import tidied

MAX_BYTES = 1 << 20
SEPARATORS = (",", ";", "\t", "|")
TEXTS = ("csv", "tsv", "tab", "txt", "text", "json", "xml", "fods", "gift", "md", "aiken")
ZIP = b"PK"
"""First bytes of XLSX and ODS files."""
WORKBOOKS = frozenset({"xlsx", "xlsm", "xltx", "ods", "ots"})
OTHERS = (
    (bytes.fromhex("D0CF11E0A1B11AE1"), "old-excel"),  # a file with a password, too
    (b"\t\x08\x10\0", "old-excel"),
    (b"%PDF", "not-a-table"),
    (b"\x1f\x8b", "packed-files"),
    (b"Rar!", "packed-files"),
    (b"7z\xbc\xaf", "packed-files"),
)
"""First bytes of files of other kinds, with the code of the mistake that says what to send instead."""
WEB_PAGE = re.compile(r"(<\?xml[^>]{0,200}>\s{0,20})?<(!doctype\s+html|html|head|body|table|div)\b", re.IGNORECASE)
EXCEL_SEPARATOR = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)
"""Optional first line that declares the separator to Excel."""
ERROR = re.compile(
    r"#{4,}|#[¡¿]?(?:REF|VALUE|VALOR|NAME|NOMBRE|NUM|NULL|NULO|DIV/0|SPILL|ССЫЛКА|ЗНАЧ|ИМЯ|ЧИСЛО|ПУСТО|ДЕЛ/0)[!?]"
    r"|#N/[AD]|#Н/Д|Err:5\d\d"
)
"""Error that a spreadsheet shows in a cell, in the languages of the bot, or the signs of a column too narrow."""
KEPT = re.compile(r'="((?:[^"]|"")*)"', re.DOTALL)
FENCE = re.compile(r"(```|~~~)\s*(csv|tsv|json|jsonl|xml|gift|aiken|md|markdown|txt|text|plaintext)?", re.IGNORECASE)
"""Line before and after a file in a chatbot's answer."""
MARKDOWN_RULE = re.compile(r"(?m)^[ \t]{0,9}\|(?:[ \t]{0,9}:?-{2,200}:?[ \t]{0,9}\|){2,64}[ \t\r]{0,9}$")
"""Line below the header of a table in Markdown."""
EMPHASIS = re.compile(r"(\*\*|__|\*|`)(.+)\1")
HEAD = 4000
"""Characters within which the separator is searched."""

LISTS = ("questions", "results")
"""Keys of the list of questions in a JSON object: ours, and Open Trivia DB's."""
IN_BASE64 = frozenset(
    base64.b64encode(word).decode() for word in (b"multiple", b"boolean", b"easy", b"medium", b"hard")
)
"""Types and difficulties of Open Trivia DB, in base64 as it writes them on request."""
OPTIONS = ("options", "choices", "answers")
"""Keys of a list of all answers, and of the right one."""
RIGHT = (
    "answer", "correct", "correctAnswer", "correct_answer", "correct_option", "correctOption", "rightAnswer",
    "right_answer", "answerKey", "correctIndex", "correct_index", "correctAnswerIndex", "answerIndex", "answer_index",
)  # fmt: skip
OPTION_TEXTS = ("text", "answer", "option", "value", "content", "label", "title")
"""Keys of the text of an answer that is an object."""
OPTION_FLAGS = ("correct", "isCorrect", "is_correct", "isRight", "right")
"""Keys that tell whether such an answer is right."""
OPTION_NAME = re.compile(r"(?:answer|option|choice)?[_ ]?([a-h])", re.IGNORECASE)
OPTION_FIELD = re.compile(r"(?:answer|option|choice)_?(?:[a-h]|[1-8])", re.IGNORECASE)
"""Key of one answer: "A", "optionB", "answer_c", "choice1"."""
BOOLEAN = ("boolean", base64.b64encode(b"boolean").decode())
IN_URL = re.compile(r"[A-Za-z0-9_.~%+-]*")
ESCAPED = re.compile(r"%[0-9A-Fa-f]{2}|\w\+\w")
REPEATED = None
"""Key under which a JSON object with a duplicate key records that key. It differs from every key of JSON."""


def read_pack(content: bytes, name: str, vocabulary: Vocabulary = NO_WORDS) -> Pack:
    """Return the pack in a file of that name. Raises ``PackRefused`` with all mistakes, up to a limit."""
    mistakes = Mistakes()
    rows = _rows(content, name.rpartition(".")[2].lower(), mistakes, vocabulary)
    return pack_of(tidied(rows, mistakes, vocabulary), mistakes, vocabulary)


def _rows(content: bytes, extension: str, mistakes: Mistakes, vocabulary: Vocabulary) -> Iterator[Row]:
    if len(content) > MAX_BYTES:
        mistakes.refuse(0, "file-too-large", limit=MAX_BYTES >> 10)
    if not content.strip(b"\0 \t\r\n"):
        mistakes.refuse(0, "empty-file")
    if content.startswith(ZIP):
        return table(_sheet(content, mistakes, vocabulary), mistakes, vocabulary)
    refusal = next((code for start, code in OTHERS if content.startswith(start)), None)
    if refusal is not None:
        mistakes.refuse(0, refusal)
    text = decode(content)
    if text is None:
        mistakes.refuse(0, _unreadable(content, extension))
    return _text_rows(text.lstrip("\ufeff"), extension, mistakes, vocabulary)


def _unreadable(content: bytes, extension: str) -> str:
    """Return the mistake of a file that is no text in a known encoding."""
    if extension in WORKBOOKS:
        return "damaged-xlsx"
    return "unknown-encoding" if extension in TEXTS or b"\0" not in content[:HEAD] else "unknown-format"


def _sheet(content: bytes, mistakes: Mistakes, vocabulary: Vocabulary) -> list[Line]:
    """Return the lines of a workbook."""
    from questions.ods_reader import read_ods  # noqa: PLC0415 -- most files need no reader of workbooks
    from questions.xlsx_reader import read_xlsx  # noqa: PLC0415 -- likewise

    wanted = partial(is_table, vocabulary=vocabulary)
    if b"mimetypeapplication/vnd." in content[:100] or content[:1] == b"<":
        return read_ods(content, mistakes, wanted)
    return read_xlsx(content, mistakes, wanted, english=vocabulary.english_numbers)


def _text_rows(text: str, extension: str, mistakes: Mistakes, vocabulary: Vocabulary) -> Iterator[Row]:
    """Yield the questions of a text. Its content tells the format, and the extension helps where it does not."""
    text = _unfenced(text)
    start = text[:HEAD].lstrip("\ufeff \t\r\n")
    if start.startswith("<"):
        return _xml_rows(text, start, mistakes, vocabulary)
    if start.startswith("{\\rtf"):
        mistakes.refuse(0, "not-a-table")
    if extension == "json" or (extension != "gift" and start[:1] in {"{", "["} and not is_gift(start)):
        return _json_rows(text, mistakes, vocabulary)
    if is_anki(start):
        return anki_rows(text, mistakes, _lines)
    if MARKDOWN_RULE.search(text[: 4 * HEAD]):
        return table(_markdown_lines(text), mistakes, vocabulary)
    header = _has_header(text, vocabulary)
    if not header and extension != "gift":
        if is_list(text, vocabulary):
            return list_rows(text, mistakes, vocabulary)
        if is_dialogue(text, vocabulary):
            return dialogue_rows(text, vocabulary)
        if is_pairs(text) and not _names_a_column(text, vocabulary):
            return pair_rows(text, mistakes)
    if extension == "gift" or (not header and extension not in {"csv", "tsv", "tab"} and is_gift(text)):
        return gift_rows(text, mistakes, vocabulary)
    if extension not in TEXTS and not header:
        mistakes.refuse(0, "damaged-xlsx" if extension in WORKBOOKS else "unknown-format")
    return table(_csv_lines(text, mistakes, vocabulary), mistakes, vocabulary)


def _xml_rows(text: str, start: str, mistakes: Mistakes, vocabulary: Vocabulary) -> Iterator[Row]:
    """Yield the questions of a text in XML. The encoding that it declares doesn't count any more."""
    content = text.encode("utf-8", "surrogatepass")
    if "<office:document" in start:
        return table(_sheet(content[content.index(b"<") :], mistakes, vocabulary), mistakes, vocabulary)
    if WEB_PAGE.match(start):
        mistakes.refuse(0, "web-page")
    if "<Workbook" in start or "urn:schemas-microsoft-com:office" in start:
        mistakes.refuse(0, "old-excel")
    return moodle_rows(content, mistakes, vocabulary)


# -- tables -----------------------------------------------------------------------------------------------------


def _csv_lines(text: str, mistakes: Mistakes, vocabulary: Vocabulary) -> Iterator[Line]:
    text = text.lstrip("\ufeff")
    told = EXCEL_SEPARATOR.match(text)
    if told is not None:
        lines = _lines(text[told.end() :], told[1], 2, mistakes)
    else:
        lines = _lines(text, _separator(text, vocabulary), 1, mistakes)
    return ((line, [_shown_error(cell) for cell in cells]) for line, cells in lines)


def _unfenced(text: str) -> str:
    """Return the lines between the two fences that a chatbot puts around a file, all others emptied."""
    lines = text.split("\n")
    fences = [number for number, line in enumerate(lines) if FENCE.fullmatch(line.strip())]
    if len(fences) != 2:
        return text
    first, last = fences
    return "\n".join(line if first < number < last else "" for number, line in enumerate(lines))


def _markdown_lines(text: str) -> Iterator[Line]:
    """Yield the lines of a table in Markdown."""
    for number, line in enumerate(text.splitlines(), start=1):
        bare = line.strip()
        if bare.startswith("|") and not MARKDOWN_RULE.fullmatch(line):
            cells = re.split(r"(?<!\\)\|", bare.strip("|"))
            yield number, [EMPHASIS.sub(r"\2", cell.strip()).replace("\\|", "|") for cell in cells]


def _names_a_column(text: str, vocabulary: Vocabulary) -> bool:
    """Return whether the first line of a text names a column."""
    first = next((line for line in text[:HEAD].splitlines() if line.strip()), "")
    return any(set(columns_of(first.split(separator), vocabulary)) & set(COLUMNS) for separator in SEPARATORS)


def _lines(text: str, separator: str, first: int, mistakes: Mistakes) -> Iterator[Line]:
    """Yield the lines of a table with this separator; ``first`` is the number of the first one."""
    # Chatbots and people write a space after a comma, before a quotation mark too.
    spaced = separator in ",;"
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=spaced, strict=True)
    line = first
    try:
        for cells in reader:
            yield line, [_told_from_formula(cell) for cell in cells]
            line = reader.line_num + first
    except csv.Error:
        mistakes.refuse(line, "bad-quotes")


def _separator(text: str, vocabulary: Vocabulary) -> str:
    """Return the separator with which one of the first lines names the most columns, or has the most cells."""
    lines = [line for line in text[:HEAD].splitlines() if line.strip()][:10]

    def names(separator: str) -> tuple[int, int]:
        cells = [[cell.strip(' "') for cell in line.split(separator)] for line in lines]
        known = max((len(set(columns_of(each, vocabulary)) & set(COLUMNS)) for each in cells), default=0)
        return known, max((len(each) for each in cells), default=0)

    return max(SEPARATORS, key=names)


def _has_header(text: str, vocabulary: Vocabulary) -> bool:
    """Return whether the first lines of a text name the columns of a table."""
    lines = _csv_lines(text[:HEAD], Mistakes(), vocabulary)
    try:
        return is_table(list(islice(lines, HEADER_LINES)), vocabulary)
    except PackRefused:
        return False


def _shown_error(cell: str) -> str:
    """Return a cell; as a flaw if a spreadsheet shows an error or a too narrow column in it."""
    return Flaw("error-cell", given=cell[:20]) if cell[:1] in {"#", "E"} and ERROR.fullmatch(cell.strip()) else cell


def _told_from_formula(cell: str) -> str:
    """Return a cell as a spreadsheet shows it.

    Programs keep zeros at the beginning of a number as ``="007"``, and put an apostrophe before a formula's characters.
    """
    kept = KEPT.fullmatch(cell) if cell.startswith('="') else None
    if kept is not None:
        return kept[1].replace('""', '"')
    return cell[1:] if FORMULA.match(cell) else cell


# -- JSON -------------------------------------------------------------------------------------------------------


def _json_rows(text: str, mistakes: Mistakes, vocabulary: Vocabulary) -> Iterator[Row]:
    mistakes.by_field = True
    text = _as_list(text)
    found: list[tuple[int, Any]] | None = None
    try:
        whole = _DECODER.decode(text)
        found = _items(text)
    except json.JSONDecodeError as error:
        mistakes.refuse(error.lineno, "bad-json", column_number=error.colno)
    except (RecursionError, ValueError):  # nested a thousand levels deep, or an invalid number
        mistakes.refuse(0, "strange-json")
    if isinstance(whole, dict) and REPEATED in whole:
        mistakes.add(0, str(whole[REPEATED])[:30], "repeated-field")
        mistakes.check()
    if found is None:
        mistakes.refuse(0, "no-list")
    found = [(line, _with_options(item, vocabulary) if _is_whole(item) else item) for line, item in found]
    first = _first_index(item for _, item in found if _is_whole(item))
    for number, (line, item) in enumerate(found, start=1):
        mistakes.number = number  # the file may be a single long line, so questions are counted
        row = _json_row(line, item, first, mistakes, vocabulary)
        if row is not None:
            yield replace(row, number=number)


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _object(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    """Return an object. A duplicate key is recorded, because the intended value is unknown."""
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[Any] = set()
        for name, _ in pairs:
            if name in seen:
                found[REPEATED] = name
                break
            seen.add(name)
    return found


_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_no_number, object_pairs_hook=_object)
"""Decoder that keeps numbers as written, and refuses NaN and Infinity."""


def _items(text: str) -> list[tuple[int, Any]] | None:
    """Return the questions of a JSON text with the lines on which they begin; None if there is no list.

    The standard decoder reports no positions, so the list is walked here, and each item decoded separately.
    """
    at = _list_start(text)
    if at is None:
        return None
    items: list[tuple[int, Any]] = []
    at, line, counted = _skip(text, at + 1), 1, 0
    while text[at] != "]" and len(items) <= MAX_QUESTIONS:
        # Count only the new part: counting from the beginning each time would be quadratic.
        line, counted = line + text.count("\n", counted, at), at
        item, at = _DECODER.raw_decode(text, at)
        items.append((line, item))
        at = _skip(text, at)
        at = _skip(text, at + 1) if text[at] == "," else at
    return items


def _list_start(text: str) -> int | None:
    """Return the position at which the list of questions begins in a JSON text, or None."""
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


def _as_list(text: str) -> str:
    """Return a text with an object on each line as one list, with the same lines; any other text unchanged."""
    lines = text.split("\n")
    filled = [number for number, line in enumerate(lines) if line.strip()]
    if len(filled) < 2 or not all(
        lines[number].strip()[:1] == "{" and lines[number].strip()[-1:] == "}" for number in filled
    ):
        return text
    for number in filled[:-1]:
        lines[number] += ","
    return "[" + "\n".join(lines) + "]"


def _is_whole(item: Any) -> TypeGuard[dict[str, Any]]:
    """Return whether a value is an object without a duplicate key."""
    return isinstance(item, dict) and REPEATED not in item


def _with_options(item: dict[str, Any], vocabulary: Vocabulary) -> dict[str, Any]:
    """Return a question with our names of fields, and with its answers as a list of texts if it has them otherwise."""
    if "incorrect_answers" in item or "incorrectAnswers" in item:
        return item
    told: dict[str, Any] = {}
    for name, value in item.items():
        column = vocabulary.columns.get(key(name), name) if name not in (*COLUMNS, *OPTIONS, *RIGHT) else name
        column = "wrong" if column in {"wrong", "wrong1"} and isinstance(value, list) else column
        told[name if column in item or column in told or column not in (*COLUMNS, "wrong") else column] = value
    right = next((name for name in RIGHT if name in told), None)
    if right is not None and isinstance(told.get("wrong"), list) and not any(name in told for name in OPTIONS):
        told["answer"] = told.pop(right)
    fields = [name for name in told if OPTION_FIELD.fullmatch(name)]
    if len(fields) > 1 and not any(name in told for name in OPTIONS):
        told["options"] = {name: told.pop(name) for name in fields}
    listed = next((name for name in OPTIONS if name in told), None)
    options = told.get(listed) if listed else None
    if isinstance(options, dict):
        filled = {name: value for name, value in options.items() if value is not None}
        names = [OPTION_NAME.fullmatch(str(name)) for name in filled]
        counted = all(name[-1:] == str(number) for number, name in enumerate(filled, start=1))
        if counted or [found and found[1].lower() for found in names] == list("abcdefgh")[: len(filled)]:
            told[str(listed)] = list(filled.values())
        right = next((name for name in RIGHT if name in told), None)
        if counted and right and told[right] in filled:
            told[right] = filled[told[right]]
    elif isinstance(options, list) and options and all(isinstance(option, dict) for option in options):
        text = next((name for name in OPTION_TEXTS if all(isinstance(each.get(name), str) for each in options)), None)
        flag = next((name for name in OPTION_FLAGS if all(isinstance(each.get(name), bool) for each in options)), None)
        if text is not None and text != flag:
            told[str(listed)] = [each[text] for each in options]
            if flag is not None:
                told = {name: value for name, value in told.items() if name not in RIGHT or name == listed}
                told["answer"] = [each[text] for each in options if each[flag]]
    return told


def _first_index(items: Iterable[dict[str, Any]]) -> int | None:
    """Return 0 or 1, from which a file counts answers; None if no question proves it.

    An index of 0 proves the first, and an index as large as the number of answers the second.
    """
    proofs: set[int] = set()
    for item in items:
        options: list[Any] = next((item[name] for name in OPTIONS if isinstance(item.get(name), list)), [])
        right = next((item[name] for name in RIGHT if name in item and item[name] is not options), "")
        for index in right if _is_list_of_texts(right) else [right]:
            if isinstance(index, str) and index.isdecimal() and len(index) < 3 and index not in options:
                proofs |= {0} if int(index) == 0 else {1} if int(index) == len(options) else set()
    return proofs.pop() if len(proofs) == 1 else None


def _json_row(line: int, item: Any, first: int | None, mistakes: Mistakes, vocabulary: Vocabulary) -> Row | None:
    if not isinstance(item, dict):
        mistakes.add(line, "", "not-an-object")
        return None
    if REPEATED in item:
        mistakes.add(line, str(item[REPEATED])[:30], "repeated-field")
        return None
    if "correct_answer" in item and not any(name in item for name in OPTIONS):
        return _trivia_row(line, item, mistakes, vocabulary)
    if "incorrectAnswers" in item:
        item = _of_the_trivia_api(item)
    if any(name in item for name in OPTIONS):
        return _options_row(line, item, first, mistakes)
    if isinstance(item.get("answer"), bool) and not item.get("wrong"):
        item = {**item, "answer": vocabulary.truth[0 if item["answer"] else 1], "type": TRUE_FALSE}
    wrong, answer = item.get("wrong", []), item.get("answer")
    lists = (
        isinstance(answer, list) and isinstance(wrong, list) and all(isinstance(each, str) for each in answer + wrong)
    )
    if lists and item.get("type") in (SEVERAL, ORDER):
        assert isinstance(answer, list)
        item, wrong = {**item, "answer": joined(answer)}, [joined(wrong)] if wrong else []
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


def _of_the_trivia_api(item: dict[str, Any]) -> dict[str, Any]:
    """Return a question of The Trivia API with our fields."""
    asked = item.get("question", "")
    return {
        "question": asked.get("text", "") if isinstance(asked, dict) else asked,
        "answer": item.get("correctAnswer", ""),
        "wrong": item["incorrectAnswers"],
        **{name: item[name] for name in ("category", "difficulty") if name in item},
    }


def _options_row(line: int, item: dict[str, Any], first: int | None, mistakes: Mistakes) -> Row | None:
    """Return a question with a list of all answers, the right ones named by text, letter, or number from ``first``."""
    listed = next(name for name in OPTIONS if name in item)
    told = next((name for name in RIGHT if name in item and name != listed), "answer")
    options, right = item[listed], item.get(told, "")
    if not _is_list_of_texts(options) or not 1 < len(options) <= MOST_OPTIONS:
        mistakes.add(line, listed, "bad-list", limit=MOST_OPTIONS)
        return None
    names = right if _is_list_of_texts(right) else [_text(line, told, right, mistakes)]
    before = len(mistakes.found)
    rights = [_option(name.strip(), options, first) for name in names]
    if None in rights or not rights:
        index = any(name.strip().isdecimal() for name in names)
        mistakes.add(line, told, "index-answer" if index else "no-such-answer" if any(names) else "missing-right")
    others = tuple(name for name in item if name not in {*COLUMNS, IGNORED, listed, told, "type"})
    if others:
        mistakes.note("other-columns", count=len(others), names=tuple(map(shown_name, others)))
    fields = item.keys() & {"question", "category", "difficulty", "photo", "explanation", "source"}
    cells = {name: _text(line, name, item[name], mistakes) for name in fields}
    if len(mistakes.found) > before:
        return None
    chosen = [options[index] for index in dict.fromkeys(rights) if index is not None]
    wrong = [option for option in options if option not in chosen]
    return choice_row(line, cells.pop("question", ""), chosen, wrong, mistakes, **cells)


def _option(name: str, options: list[str], first: int | None) -> int | None:
    """Return the index of the answer with a text, letter or number; None if there is none, or if readings differ."""
    readings = {index for index, option in enumerate(options) if option.strip() == name}
    letter = OPTION_NAME.fullmatch(name)
    if letter and (index := ord(letter[1].lower()) - ord("a")) < len(options):
        readings.add(index)
    if first is not None and name.isdecimal() and len(name) < 3 and 0 <= (index := int(name) - first) < len(options):
        readings.add(index)
    return readings.pop() if len(readings) == 1 else None


def _is_list_of_texts(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _trivia_row(line: int, item: dict[str, Any], mistakes: Mistakes, vocabulary: Vocabulary) -> Row | None:
    """Return a question of Open Trivia DB as a row, in any of its encodings of texts."""
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
    if any(len(text) > MAX_CELL for text in cells.values()):
        return Row(line, cells)  # refused as too long; decoding it would only cost time
    decoded = _trivia_decoder(cells, item.get("type"))
    for name, text in cells.items():
        try:
            cells[name] = decoded(text)
        except ValueError:
            mistakes.add(line, name, "bad-base64")
    if item.get("type") in BOOLEAN and are_truths([cells["answer"], cells.get("wrong1", "")], vocabulary):
        cells["type"] = TRUE_FALSE
    return Row(line, cells) if len(mistakes.found) == before else None


def _trivia_decoder(cells: dict[str, str], type_: Any) -> Callable[[str], str]:
    """Return the function that decodes the texts of a question of Open Trivia DB.

    They are HTML-escaped, unless the request asked for base64 or URL encoding; the file does not say which.
    """
    if type_ in IN_BASE64 or cells["difficulty"] in IN_BASE64:
        return _from_base64
    if all(IN_URL.fullmatch(text) for text in cells.values()) and ESCAPED.search(cells["question"]):
        return unquote_plus
    return html.unescape


def _from_base64(text: str) -> str:
    return base64.b64decode(text, validate=True).decode()


def _text(line: int, name: str, value: Any, mistakes: Mistakes) -> str:
    """Return a JSON value as a cell's text. A number is accepted as it is written."""
    if value is None:
        return ""
    if not isinstance(value, str):
        mistakes.add(line, name, "not-text")
        return ""
    return value
