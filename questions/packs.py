"""Packs of questions: conversion of rows to questions, and the mistakes in them.

``questions/pack_reader.py`` reads a file into rows; here a row becomes a question or mistakes. One mistake refuses the
whole file: a host corrects it and sends it again, and nobody plays with half a pack.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, NoReturn

from fsm.question import (
    CHOICE,
    FEWEST_ITEMS,
    MAX_ANSWER,
    MAX_EXPLANATION,
    MAX_SOURCE,
    MAX_TEXT,
    MOST_ITEMS,
    MOST_OPTIONS,
    TYPES,
    Question,
)
from fsm.scoring import BASE, MEDIUM
from questions.garbled import garbled
from questions.similarity import fingerprint, gist, near_pairs, plain, rights_of

ANSWERS = ("answer", "wrong1", "wrong2", "wrong3")
"""The right answer first. The last two may be empty, and all wrong ones if the question's type has none."""
COLUMNS = ("question", *ANSWERS, "category", "difficulty", "photo", "type", "explanation", "source")
NEEDED = ("question", "answer")
"""Columns that every table needs. A choice needs ``wrong1`` too."""
BETWEEN = "|"
"""Sign between several answers in one cell. In an answer it is written with a backslash before it."""
TEXT_COLUMNS = ("question", *ANSWERS, "category", "explanation")
WRONG_LIST = "wrong"
"""Column with all wrong answers in one cell."""
FURTHER_WRONG = tuple(f"wrong{number}" for number in range(4, 10))
"""Columns of wrong answers beyond those that a question can have. They are left out, with a note."""
IGNORED = "id"
"""Column that an export of the bank may have. It is ignored, as a pack's ids are computed from its questions."""

MAX_QUESTIONS = 1000
MAX_CATEGORY = 40
MAX_NAME = 80
"""Limit of characters of a column's name that are examined."""
MAX_CELL = 4000
"""Limit of characters of a cell that are examined: a photo's address takes a quarter of it."""
MAX_MARKS = 10
"""Limit of accents on one letter. Normalizing takes quadratic time in their number."""
NOTED_LINES = 5
LEFT_OUT = ("other-types", "empty-answers", "several-right")
"""Notes of whole questions that are left out."""
MAX_MISTAKES = 50
"""Limit of reported mistakes; ``more`` then says that there are others."""

LINE, QUESTION = "line", "question"
"""Units of a position in a file."""

INVISIBLE = dict.fromkeys([
    0xFEFF, 0x200B, 0x200E, 0x200F, 0x00AD, 0x2060, 0x061C, 0x180E, 0xFFFC, *range(0x202A, 0x202F),
    *range(0x2066, 0x2070),
])  # fmt: skip
"""Invisible characters that copying leaves behind or that change the direction of text. They are removed silently."""
FILE_ID = re.compile(r"[A-Za-z0-9_-]{20,200}")
URL = re.compile(r"https://[^\s/]+\.[^\s/]+(/\S*)?")
MAX_URL = 1000
AMOUNT = re.compile(r"([-−]?)(\d{1,3}(?: \d{3})+|\d{1,13})(?:([.,])(\d{1,6}))?")
"""A number in a cell: sign, whole part, decimal separator, decimals."""
WITHIN = re.compile(r"\s*(?:±|\+/?-)\s*")
"""Sign between a right number and its tolerance."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a file, and its position."""

    line: int
    """Line as an editor or a spreadsheet counts it, from 1; 0 for the file as a whole."""
    column: str
    """Name of the column, or empty."""
    code: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    number: int = 0
    """Number of the question from 1, in JSON, where the line alone may be ambiguous; otherwise 0."""
    by_field: bool = False
    """True if the column is a field of JSON, whose name is the same in every language."""

    @property
    def text_id(self) -> str:
        """Return the id of its text in the locales, which says what is wrong and how to correct it."""
        return f"pack-mistake-{self.code}"


class PackRefused(Exception):
    """The file can't become a pack. No part of it is used."""

    def __init__(self, mistakes: Iterable[Mistake], *, more: bool = False) -> None:
        self.mistakes = tuple(mistakes)
        self.more = more
        super().__init__(", ".join(f"{mistake.line}: {mistake.code}" for mistake in self.mistakes))


@dataclass(frozen=True, slots=True)
class Alike:
    """Two questions of a pack that ask nearly the same. This is reported, not refused."""

    line: int
    """Line of the second question; its number in JSON."""
    earlier: int
    """Line of the first question; its number in JSON."""
    question: str
    """Text of the second question."""
    by: str = LINE
    """Unit of the two numbers."""

    text_id = "pack-alike"
    """Id of its text in the locales."""


@dataclass(frozen=True, slots=True)
class Note:
    """Content of a file that a pack can't hold. This is reported, not refused."""

    code: str
    count: int
    lines: tuple[int, ...] = ()
    """The first few lines concerned, if known."""
    by: str = LINE
    """Unit of the lines."""
    names: tuple[str, ...] = ()
    """The names of the columns concerned."""

    @property
    def text_id(self) -> str:
        """Return the id of its text in the locales."""
        return f"pack-note-{self.code}"


@dataclass(frozen=True, slots=True)
class Pack:
    """The questions of a file, each with its right answer first."""

    questions: tuple[Question, ...]
    alike: tuple[Alike, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Names in people's languages, normalized by ``key``."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """Name -> one of ``COLUMNS``."""
    levels: Mapping[str, str] = field(default_factory=dict)
    """Name -> difficulty."""
    options: tuple[str, ...] = ()
    """Prefixes of the names of numbered columns with possible answers."""
    correct: tuple[str, ...] = ()
    """Prefixes of the name of the column that tells which numbered answer is right."""
    truth: tuple[str, str] = ("True", "False")
    """Answers to a true-or-false statement, if a file does not write them out."""
    types: Mapping[str, str] = field(default_factory=dict)
    """Name -> type of question."""
    truths: Mapping[str, bool] = field(default_factory=dict)
    """Word for true or false -> whether it means true."""
    lists: frozenset[str] = frozenset()
    """Names of a column with all answers in one cell, the right one among them."""
    aside: frozenset[str] = frozenset()
    """Names of columns that many tables have and no pack does, such as points; they are left out, with a note."""
    english_numbers: bool = True
    """True if spreadsheets in the reader's language show numbers as English ones do: 1,234.5."""


def key(name: str) -> str:
    """Return a name in its form for lookups: only letters and digits, in one case."""
    plain_name = unicodedata.normalize("NFKC", name[:MAX_NAME]).casefold().replace("ё", "е").replace("#", "no")
    return "".join(char for char in plain_name if char.isalnum())


NO_WORDS = Vocabulary()


@dataclass(frozen=True, slots=True)
class Row:
    """A question as a file has it: text by column."""

    line: int
    cells: Mapping[str, str]
    number: int = 0
    """Number of the question, as in ``Mistake``."""

    @property
    def at(self) -> int:
        """Return the number by which its author finds it."""
        return self.number or self.line


class Mistakes:
    """The mistakes of one file, up to ``MAX_MISTAKES``."""

    def __init__(self) -> None:
        self.found: list[Mistake] = []
        self.more = False
        self.number = 0
        """Number of the question being read, if questions are counted; otherwise 0."""
        self.by_field = False
        """True if the file is JSON."""
        self._notes: dict[str, list[int]] = {}
        self._counts: dict[str, int] = {}
        self._names: dict[str, tuple[str, ...]] = {}

    def add(self, line: int, column: str, code: str, **parameters: Any) -> None:
        """Record a mistake. Raises ``PackRefused`` if there are too many to continue."""
        if len(self.found) >= MAX_MISTAKES:
            self.more = True
            raise self.refusal()
        self.found.append(Mistake(line, column, code, parameters, self.number if line else 0, self.by_field))

    def refuse(self, line: int, code: str, **parameters: Any) -> NoReturn:
        """Record a mistake that prevents further reading. Raises ``PackRefused``."""
        self.add(line, "", code, **parameters)
        raise self.refusal()

    def note(self, code: str, line: int = 0, count: int = 1, names: tuple[str, ...] = ()) -> None:
        """Record content that can't be imported."""
        if names:
            self._names[code] = names[:NOTED_LINES]
        self._counts[code] = self._counts.get(code, 0) + count
        lines = self._notes.setdefault(code, [])
        at = self.number or line
        if line and len(lines) < NOTED_LINES and at not in lines:
            lines.append(at)

    def has_noted(self, code: str) -> bool:
        """Return whether content of this kind was left out."""
        return code in self._notes

    def notes(self) -> tuple[Note, ...]:
        """Return all recorded notes."""
        by = QUESTION if self.number else LINE
        return tuple(
            Note(code, count, tuple(self._notes[code]), by, self._names.get(code, ()))
            for code, count in self._counts.items()
        )

    def check(self) -> None:
        """Raise ``PackRefused`` if there are mistakes."""
        if self.found:
            raise self.refusal()

    def refusal(self) -> PackRefused:
        """Return all mistakes as a refusal, in the order of the file."""
        return PackRefused(sorted(self.found, key=lambda mistake: (mistake.line, mistake.number)), more=self.more)


def pack_of(rows: Iterable[Row], mistakes: Mistakes, vocabulary: Vocabulary = NO_WORDS) -> Pack:
    """Return the pack of a file's rows. Raises ``PackRefused``."""
    questions: list[Question] = []
    lines: dict[str, int] = {}
    count, by = 0, LINE
    for count, row in enumerate(rows, start=1):
        mistakes.number = row.number
        if count > MAX_QUESTIONS:
            mistakes.add(row.line, "", "too-many-questions", limit=MAX_QUESTIONS)
            break
        question = question_of(row, mistakes, vocabulary)
        if question is None or not _readable(row, mistakes):
            continue
        if question.id in lines:
            mistakes.add(row.line, "question", "repeated-question", first=lines[question.id], by=_by(row))
            continue
        lines[question.id], by = row.at, _by(row)
        questions.append(question)
    if not count and not mistakes.found:
        mistakes.add(0, "", "no-known-types" if any(map(mistakes.has_noted, LEFT_OUT)) else "no-questions")
    mistakes.check()
    at = list(lines.values())
    pairs = near_pairs(questions)
    alike = tuple(Alike(at[later], at[earlier], questions[later].text, by) for earlier, later in pairs)
    return Pack(tuple(questions), alike, mistakes.notes())


def _readable(row: Row, mistakes: Mistakes) -> bool:
    """Return whether a sound row holds no letters that a wrong encoding has broken; record them otherwise."""
    broken = {column: found for column in TEXT_COLUMNS if (found := garbled(row.cells.get(column, "")))}
    for column, found in broken.items():
        mistakes.add(row.line, column, "garbled", given=found)
    return not broken


def _by(row: Row) -> str:
    return QUESTION if row.number else LINE


def question_of(row: Row, mistakes: Mistakes, vocabulary: Vocabulary = NO_WORDS) -> Question | None:
    """Return the question of a row, its right answer first. Returns None if the row has mistakes."""
    before = len(mistakes.found)
    cells = {column: _clean(row, column, mistakes) for column in COLUMNS}
    if not any(cells.values()):
        mistakes.add(row.line, "", "empty-question")
        return None
    type_ = vocabulary.types.get(key(cells["type"])) or _TYPES.get(key(cells["type"]), "")
    if not type_:
        mistakes.add(row.line, "type", "unknown-type", given=cells["type"][:30])
    for column in (*NEEDED, *(("wrong1",) if type_ == CHOICE else ())):
        if not cells[column]:
            mistakes.add(row.line, column, "missing-cell")
    for column, limit in LIMITS.items():
        if len(cells[column]) > limit:
            mistakes.add(row.line, column, "too-long", length=len(cells[column]), limit=limit)
    difficulty = cells["difficulty"].lower() or MEDIUM
    difficulty = vocabulary.levels.get(key(difficulty), difficulty)
    if difficulty not in BASE:
        mistakes.add(row.line, "difficulty", "unknown-difficulty", given=cells["difficulty"][:30])
    photo = cells["photo"]
    if photo and not is_photo(photo):
        mistakes.add(row.line, "photo", "bad-photo")
    answers = _Answers(row.line, cells, mistakes, vocabulary).of_type(type_)
    if len(mistakes.found) > before:
        return None
    question = Question(
        id="",
        text=cells["question"],
        difficulty=difficulty,
        category=cells["category"],
        photo=photo or None,
        type=type_,
        explanation=cells["explanation"],
        source=cells["source"],
        **answers,
    )
    return replace(question, id=fingerprint(gist(question)))


@dataclass(frozen=True, slots=True)
class _Answers:
    """The answers in a row, whose meaning depends on the question's type. Their mistakes are recorded."""

    line: int
    cells: Mapping[str, str]
    mistakes: Mistakes
    vocabulary: Vocabulary

    def of_type(self, type_: str) -> dict[str, Any]:
        """Return the fields of a question that hold its answers."""
        match type_:
            case "several":
                return self._several()
            case "order":
                return self._order()
            case "number":
                return self._number()
            case "true_false":
                return self._true_false()
            case _:
                return self._choice()

    def _choice(self) -> dict[str, Any]:
        known: dict[str, str] = {}
        for column in ANSWERS:
            self._check_length(column, self.cells[column])
            answer = plain(self.cells[column])
            if answer and answer in known:
                self.mistakes.add(self.line, column, "same-answers", other=known[answer])
            known.setdefault(answer, column)
        return {"answers": tuple(self.cells[column] for column in ANSWERS if self.cells[column]), "right": 0}

    def _several(self) -> dict[str, Any]:
        rights = self._parts("answer")
        answers = (*rights, *(part for column in ANSWERS[1:] for part in self._parts(column)))
        self._check_parts(answers, 2, MOST_OPTIONS)
        return {"answers": answers, "right": None, "rights": tuple(range(len(rights)))}

    def _order(self) -> dict[str, Any]:
        items = self._parts("answer")
        self._check_parts(items, FEWEST_ITEMS, MOST_ITEMS)
        self._check_no_wrong()
        return {"answers": items, "right": None, "rights": tuple(range(len(items)))}

    def _number(self) -> dict[str, Any]:
        told, *within = WITHIN.split(self.cells["answer"], maxsplit=1)
        number, tolerance = number_of(told), number_of(within[0]) if within else None
        if self.cells["answer"] and (number is None or (within and (tolerance is None or tolerance < 0))):
            self.mistakes.add(self.line, "answer", "bad-number", given=self.cells["answer"][:30])
        self._check_no_wrong()
        return {"answers": (), "right": None, "number": number, "tolerance": tolerance}

    def _true_false(self) -> dict[str, Any]:
        truths, told = {**_TRUTHS, **self.vocabulary.truths}, self.cells["answer"]
        true = truths.get(key(told))
        other = self.cells["wrong1"]
        if told and (true is None or (other and truths.get(key(other)) is not (not true))):
            self.mistakes.add(self.line, "answer", "bad-truth", words=" / ".join(self.vocabulary.truth))
        if not other:
            return {"answers": self.vocabulary.truth, "right": 0 if true else 1}
        return {"answers": (told, other) if true else (other, told), "right": 0 if true else 1}

    def _parts(self, column: str) -> tuple[str, ...]:
        parts = answers_in(self.cells[column])
        for part in parts:
            self._check_length(column, part)
        return parts

    def _check_length(self, column: str, answer: str) -> None:
        if len(answer) > MAX_ANSWER:
            self.mistakes.add(self.line, column, "too-long", length=len(answer), limit=MAX_ANSWER)

    def _check_parts(self, parts: tuple[str, ...], fewest: int, most: int) -> None:
        if self.cells["answer"] and not fewest <= len(parts) <= most:
            self.mistakes.add(self.line, "answer", "answer-count", count=len(parts), fewest=fewest, most=most)
        if len({plain(part) for part in parts}) < len(parts):
            self.mistakes.add(self.line, "answer", "same-answers", other="answer")

    def _check_no_wrong(self) -> None:
        for column in ANSWERS[1:]:
            if self.cells[column]:
                self.mistakes.add(self.line, column, "no-wrong-answers")


def answers_in(cell: str) -> tuple[str, ...]:
    """Return the answers in a cell, which are separated by ``BETWEEN``."""
    parts = re.split(r"(?<!\\)\|", cell)
    return tuple(part.strip().replace("\\|", BETWEEN) for part in parts if part.strip())


def joined(answers: Iterable[str]) -> str:
    """Return answers as a cell, the inverse of ``answers_in``."""
    return f" {BETWEEN} ".join(answer.replace(BETWEEN, f"\\{BETWEEN}") for answer in answers)


def number_of(text: str) -> Decimal | None:
    """Return the number in a text; None if there is none, or if languages read it differently, as ``1.000``."""
    found = AMOUNT.fullmatch(text.strip())
    if found is None:
        return None
    sign, whole, _, decimals = found.groups(default="")
    if len(decimals) == 3 and " " not in whole and 1 <= len(whole) <= 3 and whole != "0":
        return None
    return Decimal(f"{'-' if sign else ''}{whole.replace(' ', '')}.{decimals or '0'}").normalize() + 0


def number_text(number: Decimal) -> str:
    """Return a number as ``number_of`` reads it."""
    text = f"{number:f}"
    return text if number_of(text) is not None else f"{text}0"


def is_photo(text: str) -> bool:
    """Return whether Telegram could accept a text as a photo: a file id, or an https URL."""
    return bool(FILE_ID.fullmatch(text) or (len(text) <= MAX_URL and URL.fullmatch(text)))


def cells_of(question: Question) -> dict[str, str]:
    """Return a question as a row, the inverse of ``question_of``."""
    rights = rights_of(question)
    wrong = [answer for answer in question.answers if answer not in rights]
    match question.type:
        case "several" | "order":
            answers = [joined(rights), joined(wrong)]
        case "number":
            number, tolerance = question.number, question.tolerance
            assert number is not None
            answers = [number_text(number) + ("" if tolerance is None else f" ± {number_text(tolerance)}")]
        case _:
            answers = [*rights, *wrong]
    return {
        "question": question.text,
        **dict(zip(ANSWERS, (*answers, "", "", ""), strict=False)),
        "category": question.category,
        "difficulty": question.difficulty,
        "photo": question.photo or "",
        "type": "" if question.type == CHOICE else question.type,
        "explanation": question.explanation,
        "source": question.source,
    }


def columns_of(header: Iterable[str], vocabulary: Vocabulary = NO_WORDS) -> list[str]:
    """Return the columns of a header. Recognized names are replaced by ours, others kept."""
    return [vocabulary.columns.get(key(name)) or _OWN.get(key(name)) or shown_name(name) for name in header]


def shown_name(name: str) -> str:
    """Return a column's name for a mistake's text: on one line, without invisible characters."""
    kept = (char for char in name[:MAX_NAME] if unicodedata.category(char) not in {"Cf", "Cs"})
    return " ".join("".join(kept).split()).lower()


def check_header(header: list[str], line: int, mistakes: Mistakes, vocabulary: Vocabulary = NO_WORDS) -> None:
    """Record every mistake in the names of a table's columns."""
    names = {**{key(column): column for column in COLUMNS}, **vocabulary.columns}
    if not set(header) & set(COLUMNS):
        mistakes.add(line, "", "no-header", columns=", ".join(COLUMNS))
        return
    wrong = {*ANSWERS[1:], WRONG_LIST, *FURTHER_WRONG} & set(header)
    known = {"", IGNORED, WRONG_LIST, *COLUMNS, *FURTHER_WRONG}
    # Without any column of wrong answers, a table is a list of cards. An unknown column may be the missing one.
    cards = not wrong and set(header) <= known
    needed = () if cards or "type" in header or WRONG_LIST in wrong else ("wrong1",)
    for column in (*NEEDED, *needed):
        if column not in header:
            mistakes.add(line, column, "missing-column")
    seen: set[str] = set()
    for number, name in enumerate(header, start=1):
        if name and name != IGNORED and name in seen:
            mistakes.add(line, name[:30], "repeated-column", number=number)
        elif name not in known:
            close = difflib.get_close_matches(key(name[:30]), names, n=1)
            if close:
                mistakes.add(line, name[:30], "misspelt-column", number=number, suggestion=names[close[0]])
            else:
                mistakes.add(line, name[:30], "unknown-column", number=number)
        seen.add(name)


def _clean(row: Row, column: str, mistakes: Mistakes) -> str:
    """Return a cell's text on one line, without invisible characters."""
    text = row.cells.get(column, "")
    if len(text) > MAX_CELL:
        mistakes.add(row.line, column, "too-long", length=len(text), limit=LIMITS.get(column, MAX_URL))
        return text[:1]
    if not text.isascii():
        text = text.translate(INVISIBLE)
    bad = next((char for char in text if not char.isspace() and _no_text(char)), None)
    if bad is not None:
        mistakes.add(row.line, column, "control-character", character=f"U+{ord(bad):04X}")
    elif piled(text):
        mistakes.add(row.line, column, "piled-accents")
        text = text[:1]
    else:
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.split())


def piled(text: str) -> bool:
    """Return whether more accents stand on one letter than any writing has. Such a text must not be normalized."""
    if text.isascii():
        return False
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks > MAX_MARKS:
            return True
    return False


def _no_text(char: str) -> bool:
    """Return whether a character is not text: a control, a lone surrogate, an unassigned code."""
    return unicodedata.category(char) in {"Cc", "Cs"} or ord(char) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(char) <= 0xFDEF


LIMITS = {
    "question": MAX_TEXT, "category": MAX_CATEGORY, "explanation": MAX_EXPLANATION, "source": MAX_SOURCE,
}  # fmt: skip
_OWN = {key(column): column for column in (*COLUMNS, IGNORED)}
_TYPES = {"": CHOICE} | {key(type_): type_ for type_ in TYPES}
_TRUTHS = {"true": True, "false": False}
