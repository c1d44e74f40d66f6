"""Tables of questions: our own columns, or numbered answers and a column with the number of the right one.

The second form is that of the templates of Kahoot, Quizizz and Blooket, and common in hand-written tables.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from questions.packs import (
    ANSWERS,
    COLUMNS,
    MAX_QUESTIONS,
    NEEDED,
    Mistakes,
    Row,
    Vocabulary,
    check_header,
    columns_of,
    key,
)
from questions.xlsx_reader import MAX_COLUMNS, Flaw

Line = tuple[int, Sequence[str]]

HEAD = 15
"""Lines among which the header is searched: templates have a title and hints above it."""
MAX_BLANK = 10_000
"""Limit of rows without a question in a table."""
MOST_OPTIONS = 12

OPTION = ("answer", "option", "choice")
CORRECT = ("correctanswer", "correct", "rightanswer")
TIME = ("time",)
TYPE = ("questiontype", "type")
PHOTO = ("imagelink", "image", "photo")
EXPLANATION = ("answerexplanation", "explanation")
HINTS = ("textforoption",)
"""Prefixes of the answers in a row that explains the columns, as in Quizizz."""
ONE_ANSWER = frozenset({"", "multiplechoice", "multichoice", "truefalse", "trueorfalse", "quiz"})
"""Types of questions with one right answer."""
NUMBERS = re.compile(r"\d{1,2}(?:\s*[,;]\s*\d{1,2})*")
LETTERS = "abcdefghijkl"
FORMULA = re.compile(r"'+[=+\-@]")


def table(lines: Iterable[Line], mistakes: Mistakes, vocabulary: Vocabulary) -> Iterator[Row]:
    """Yield the rows of a table. The first line that names columns is its header; empty lines are skipped."""
    rest = iter(lines)
    head: list[Line] = []
    layout: _Columns | _Numbered | None = None
    for line, cells in _filled(rest, mistakes):
        head.append((line, cells))
        layout = _layout(line, cells, vocabulary)
        if layout is not None or len(head) == HEAD:
            break
    if not head:
        return
    if layout is None:
        line, cells = head[0]
        check_header(columns_of(cells, vocabulary), line, mistakes)
        mistakes.check()
        mistakes.refuse(line, "no-header", columns=", ".join(COLUMNS))
    if isinstance(layout, _Columns):
        check_header(layout.names, layout.line, mistakes)
        mistakes.check()
    for line, cells in _filled(rest, mistakes):
        row = layout.row(line, cells, mistakes)
        if row is not None:
            yield row


def _filled(lines: Iterable[Line], mistakes: Mistakes) -> Iterator[Line]:
    blank = 0
    for line, cells in lines:
        if any(cell.strip() for cell in cells):
            if len(cells) > MAX_COLUMNS and any(cells[MAX_COLUMNS:]):
                mistakes.refuse(line, "far-column", limit=MAX_COLUMNS)
            yield line, cells[:MAX_COLUMNS]
            continue
        blank += 1
        if blank > MAX_BLANK:
            mistakes.refuse(line, "too-many-questions", limit=MAX_QUESTIONS)


def _layout(line: int, cells: Sequence[str], vocabulary: Vocabulary) -> "_Columns | _Numbered | None":
    """Return the layout that a header line describes; None if it names no columns."""
    found = _numbered(cells, vocabulary)
    if found is not None:
        return found
    names = columns_of(cells, vocabulary)
    return _Columns(line, names) if set(NEEDED) <= set(names) else None


def _flawless(line: int, number: int, cell: str, mistakes: Mistakes) -> bool:
    """Return whether a cell is usable as it is; record its mistake otherwise."""
    if not isinstance(cell, Flaw):
        return True
    mistakes.add(line, letters(number), cell.code, **cell.parameters)
    return False


def letters(number: int) -> str:
    """Return a column's name in a spreadsheet: 0 is A, 26 is AA."""
    high, low = divmod(number, 26)
    return (chr(64 + high) if high else "") + chr(65 + low)


@dataclass(frozen=True)
class _Columns:
    """Layout with our own columns."""

    line: int
    names: list[str]

    def row(self, line: int, cells: Sequence[str], mistakes: Mistakes) -> Row | None:
        """Return the question of a line; None if it has mistakes."""
        if any(cell.strip() and not isinstance(cell, Flaw) for cell in cells[len(self.names) :]):
            mistakes.add(line, "", "too-many-cells", cells=len(cells), columns=len(self.names))
            return None
        sound = [_flawless(line, number, cell, mistakes) for number, cell in enumerate(cells)]
        if not all(sound):
            return None
        return Row(line, {name: cell for name, cell in zip(self.names, cells, strict=False) if name})


@dataclass(frozen=True)
class _Numbered:
    """Layout with columns of numbered answers."""

    question: int
    options: tuple[int, ...]
    correct: int
    extra: Mapping[str, int]
    """Category, difficulty and photo."""
    type: int | None
    explanation: int | None
    time: int | None

    @property
    def by_number(self) -> bool:
        """Return whether the right answer is given only by number, as in the programs that have time limits."""
        return self.time is not None

    def row(self, line: int, cells: Sequence[str], mistakes: Mistakes) -> Row | None:
        """Return the question of a line; None if it has mistakes, or a type that packs don't support."""

        def at(number: int | None) -> str:
            return cells[number].strip() if number is not None and number < len(cells) else ""

        used = (self.question, *self.options, self.correct, *self.extra.values())
        if key(at(self.options[0])).startswith(HINTS) or not any(
            at(number) for number in (self.question, *self.options)
        ):
            return None
        if key(at(self.type)) not in ONE_ANSWER and key(at(self.type)) != "checkbox":
            mistakes.note("other-types", line)
            return None
        sound = [_flawless(line, number, cells[number], mistakes) for number in used if number < len(cells)]
        if not all(sound):
            return None
        options = [at(number) for number in self.options]
        right = self._right(line, at(self.correct), options, mistakes)
        if right is None:
            return None
        wrong = [option for number, option in enumerate(options) if option and number != right]
        if len(wrong) >= len(ANSWERS):
            mistakes.note("more-answers", line)
        if at(self.explanation):
            mistakes.note("explanations", line)
        if self.time is not None and at(self.time):
            mistakes.note("times")
        more = {name: at(number) for name, number in self.extra.items()}
        return Row(
            line, {"question": at(self.question), **dict(zip(ANSWERS, [options[right], *wrong], strict=False)), **more}
        )

    def _right(self, line: int, told: str, options: Sequence[str], mistakes: Mistakes) -> int | None:
        """Return the index of the one right answer; None, with a mistake recorded, if it is not unique."""
        choices = _told(told, options, by_number=self.by_number)
        if len(choices) > 1:
            mistakes.note("several-right", line)
            return None
        if choices and 0 <= (choice := choices.pop()) < len(options) and options[choice]:
            return choice
        mistakes.add(line, letters(self.correct), "no-such-answer" if told else "missing-right")
        return None


def _told(told: str, options: Sequence[str], *, by_number: bool) -> set[int]:
    """Return the indexes of the answers that a cell names by number, letter or text; {-1} if two readings differ."""
    number = re.sub(r"\.0+$", "", told)
    numbers = {int(each) - 1 for each in re.findall(r"\d+", number)} if NUMBERS.fullmatch(number) else set()
    if by_number:
        return numbers
    texts = {index for index, option in enumerate(options) if option and option == told}
    if len(told) == 1 and told.lower() in LETTERS:
        numbers = {LETTERS.index(told.lower())}
    if texts and numbers and texts != numbers:
        return {-1}
    return texts or numbers


def _numbered(cells: Sequence[str], vocabulary: Vocabulary) -> _Numbered | None:
    """Return the layout of a header with numbered answers, or None."""
    names = [key(cell) for cell in cells]
    option, correct = (*OPTION, *vocabulary.options), (*CORRECT, *vocabulary.correct)
    question = next((number for number, name in enumerate(names) if _is_question(name, vocabulary)), None)
    right = next((number for number, name in enumerate(names) if _begins(name, correct)), None)
    options = {
        place: number
        for number, name in enumerate(names)
        if number != right and (place := _place(name, option)) is not None
    }
    if question is None or right is None or sorted(options)[:2] != [1, 2] or len(options) > MOST_OPTIONS:
        return None
    if sorted(options) != list(range(1, len(options) + 1)):
        return None
    extra = {
        column: number
        for number, name in enumerate(names)
        if (column := vocabulary.columns.get(name, name)) in {"category", "difficulty", "photo"}
    }
    photo = _first(names, PHOTO)
    return _Numbered(
        question,
        tuple(options[place] for place in sorted(options)),
        right,
        extra | ({"photo": photo} if photo is not None and "photo" not in extra else {}),
        _first(names, TYPE),
        _first(names, EXPLANATION),
        _first(names, TIME),
    )


def _is_question(name: str, vocabulary: Vocabulary) -> bool:
    if vocabulary.columns.get(name) == "question":
        return True
    return name in {"question", "questiontext"} or bool(re.match(r"question(text)?max\d+characters", name))


def _first(names: Sequence[str], beginnings: tuple[str, ...]) -> int | None:
    return next((number for number, name in enumerate(names) if name.startswith(beginnings)), None)


def _begins(name: str, beginnings: tuple[str, ...]) -> bool:
    """Return whether a name has such a beginning and no number: ``correct answer(s) - choose at least one``."""
    return any(name.startswith(each) and not name[len(each) :][:1].isdecimal() for each in beginnings)


def _place(name: str, beginnings: tuple[str, ...]) -> int | None:
    """Return the number of a column of possible answers, from 1, or None."""
    for each in beginnings:
        found = re.match(r"(?:(\d{1,2})(?!\d)|([a-l])$)", name[len(each) :]) if name.startswith(each) else None
        if found is not None:
            return int(found[1]) if found[1] else LETTERS.index(found[2]) + 1
    return None
