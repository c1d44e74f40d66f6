"""Tables of questions: our own columns, or numbered answers and a column with the number of the right one.

The second form is that of the templates of Kahoot, Quizizz and Blooket, and common in hand-written tables.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NoReturn

from fsm.question import CHOICE, SEVERAL, TRUE_FALSE
from questions.foreign_rows import are_truths, choice_row, row_of
from questions.garbled import garbled
from questions.packs import (
    ANSWERS,
    COLUMNS,
    FURTHER_WRONG,
    IGNORED,
    MAX_NAME,
    MAX_QUESTIONS,
    NEEDED,
    WRONG_LIST,
    Mistakes,
    Row,
    Vocabulary,
    check_header,
    columns_of,
    key,
    shown_name,
)
from questions.sheets import MAX_COLUMNS, Flaw, Line
from questions.similarity import plain

HEAD = 15
"""Lines among which the header is searched: templates have a title and hints above it."""
MAX_BLANK = 10_000
"""Limit of rows without a question in a table."""
MOST_OPTIONS = 12

QUESTION = frozenset({"question", "questiontext", "questions", "prompt", "content", "titletext", "questiontitle"})
EXTRA = frozenset({"category", "difficulty", "photo", "explanation", "source"})
OPTION = ("answer", "option", "choice")
CORRECT = ("correctanswer", "correct", "rightanswer", "answerkey", "answerindex", "answered")
INDEX = ("index", "индекс", "índice", "indice")
TIME = ("time",)
TEMPLATES = ("timelimitsec", "timeinseconds")
"""Names of the column of times in the templates of Kahoot, Blooket and Quizizz."""
TYPE = ("questiontype", "type")
PHOTO = ("imagelink", "image", "photo")
EXPLANATION = ("answerexplanation", "explanation", "feedback", "rationale")
HINTS = ("textforoption",)
"""Prefixes of the answers in a row that explains the columns, as in Quizizz."""
CHOICES = frozenset({
    "", "multiplechoice", "multichoice", "truefalse", "trueorfalse", "quiz", "mcq", "mc", "tf", "checkbox",
    "multipleselect", "multiselect", "multipleanswers", "multipleresponse", "pickanswer", "singlechoice",
    "singleselect", "singleanswer", "radio",
})  # fmt: skip
"""Types of questions with answers to choose from."""
NUMBERS = re.compile(r"\d{1,2}(?:\s*[,;]\s*\d{1,2})*")
LETTERS, CYRILLIC_LETTERS = "abcdefghijkl", "абвгде"
LOOK_ALIKE = {"а": "a", "в": "b", "с": "c", "е": "e"}
"""Cyrillic letters -> the Latin ones that look the same."""
LETTERED = re.compile(r"[A-Lа-еА-ЕсСa-l](?:\s*[,;/]\s*[A-Lа-еА-ЕсСa-l]){0,11}")
QUOTED = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""")
LETTERED_PARTS = re.compile(r"(?:^|[\s,;|/])\(?([A-Ha-hА-Иа-и])[).]\s*(?=\S)")
LETTER_BEFORE = re.compile(r"\(?([A-La-lА-Еа-е])\s?(?:\)\s*|[.:](?:\s+|$))")
"""Letter before an answer, or alone: "b) Lima", "B.", "(c)"."""
SEVERAL_LETTERS = re.compile(r"[A-LА-ЕС](?:\s*(?:,|;|/|&|\band\b|\by\b|\bи\b)\s*[A-LА-ЕС])+")
JOINED_LETTERS = re.compile(r"[A-F]{2,6}|[А-Е]{2,6}")
MANY = re.compile(r"\s*[,;|]\s*")
HINT = re.compile(r"[ \n]*[(\[](?![0-9a-eA-E][)\]])[^()\[\]]*[)\]]|\n.*", re.DOTALL)
"""Hint in a column's name: "(optional)", or a further line."""
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
        _refuse_without_header(head, mistakes, vocabulary)
    if isinstance(layout, _Columns):
        for number, cell in enumerate(cells):
            _flawless(line, number, cell, mistakes)
        mistakes.check()
        check_header(layout.names, layout.line, mistakes, vocabulary)
        mistakes.check()
    if layout.others:
        mistakes.note("other-columns", count=len(layout.others), names=layout.others)
    for line, cells in _filled(rest, mistakes):
        row = layout.row(line, cells, mistakes, vocabulary)
        if row is not None:
            yield row


def _refuse_without_header(head: Sequence[Line], mistakes: Mistakes, vocabulary: Vocabulary) -> NoReturn:
    """Raise ``PackRefused`` with the mistakes of a file whose first lines are not the header of a table."""
    line, cells = next(((line, cells) for line, cells in head if _names_a_column(cells, vocabulary)), head[0])
    for number, cell in enumerate(cells[:MAX_COLUMNS]):
        if _flawless(line, number, cell, mistakes) and (broken := garbled(cell[:MAX_NAME])):
            mistakes.add(line, letters(number), "garbled", given=broken)
    mistakes.check()
    if len(head) > 1 and not any(any(cell.strip() for cell in cells[1:]) for _, cells in head):
        mistakes.refuse(0, "no-table")
    if any(_lacks_right(cells, vocabulary) for _, cells in head):
        mistakes.refuse(line, "no-correct-column")
    check_header(columns_of(map(without_hints, cells), vocabulary), line, mistakes, vocabulary)
    mistakes.check()
    mistakes.refuse(line, "no-header", columns=", ".join(COLUMNS))


def is_table(lines: Iterable[Line], vocabulary: Vocabulary) -> bool:
    """Return whether one of the first lines names the columns of a table of questions."""
    filled = (cells for _, cells in lines if any(cell.strip() for cell in cells))
    return any(_layout(0, cells[:MAX_COLUMNS], vocabulary) is not None for cells in islice(filled, HEAD))


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


def _names_a_column(cells: Sequence[str], vocabulary: Vocabulary) -> bool:
    return bool(set(columns_of(map(without_hints, cells), vocabulary)) & set(COLUMNS))


def _layout(line: int, cells: Sequence[str], vocabulary: Vocabulary) -> "_Columns | _Numbered | None":
    """Return the layout that a header line describes; None if it names no columns."""
    found = _numbered(cells, vocabulary)
    if found is not None:
        return found
    names = columns_of(map(without_hints, cells), vocabulary)
    if not set(NEEDED) <= set(names):
        return None
    others = []
    for number, cell in enumerate(cells):
        name = key(without_hints(cell))
        if names[number] in COLUMNS or not name:
            continue
        if _is_counter(name):
            names[number] = IGNORED
        elif name in vocabulary.aside:
            names[number] = IGNORED
            others.append(shown_name(cell))
    return _Columns(line, names, tuple(others))


def without_hints(name: str) -> str:
    """Return a column's name without its hints; unchanged if nothing else is left."""
    return (HINT.sub("", name[:MAX_NAME].strip()) or name) if "(" in name or "[" in name or "\n" in name else name


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
    others: tuple[str, ...] = ()
    """Names of the columns that are left out."""

    def row(self, line: int, cells: Sequence[str], mistakes: Mistakes, _: Vocabulary) -> Row | None:
        """Return the question of a line; None if it has mistakes."""
        if any(cell.strip() and not isinstance(cell, Flaw) for cell in cells[len(self.names) :]):
            mistakes.add(line, "", "too-many-cells", cells=len(cells), columns=len(self.names))
            return None
        sound = [_flawless(line, number, cell, mistakes) for number, cell in enumerate(cells)]
        if not all(sound):
            return None
        told = {name: cell for name, cell in zip(self.names, cells, strict=False) if name}
        wrong = [told[name] for name in ANSWERS[1:] if told.get(name, "").strip()]
        further = self._further_wrong(line, cells, mistakes)
        if not further:
            return Row(line, told)
        if len(wrong) + len(further) >= len(ANSWERS):
            mistakes.note("more-answers", line)
        return Row(line, {**told, **dict(zip(ANSWERS[1:], [*wrong, *further], strict=False))})

    def _further_wrong(self, line: int, cells: Sequence[str], mistakes: Mistakes) -> list[str]:
        """Return the wrong answers outside ``wrong1`` to ``wrong3``: in a list, or in columns without an own name.

        A header that stands above several columns names only the first of them.
        """
        found: list[str] = []
        last = ""
        for number, (name, cell) in enumerate(zip(self.names, cells, strict=False)):
            last = name or last
            if not cell.strip():
                continue
            if name == WRONG_LIST:
                found += _listed(cell)
            elif name in FURTHER_WRONG or (not name and (last in ANSWERS[1:] or last == WRONG_LIST)):
                found.append(cell)
            elif not name:
                mistakes.note("unnamed-columns", line, names=(letters(number),))
        return found


def _options_in(cell: str) -> list[str]:
    """Return the answers in a cell that lists all of them: after letters, or as ``_listed`` reads it."""
    found = list(LETTERED_PARTS.finditer(cell))
    told = "".join(match[1].lower() for match in found)
    if len(found) > 1 and any(told == alphabet[: len(told)] for alphabet in (LETTERS, CYRILLIC_LETTERS)):
        ends = [match.start() for match in found[1:]] + [len(cell)]
        return [cell[match.end() : end].strip(" ,;|/\n") for match, end in zip(found, ends, strict=True)]
    return _listed(cell)


def _listed(cell: str) -> list[str]:
    """Return the answers in a cell that lists several. A comma within a number separates none."""
    cell = cell.strip()
    if cell.startswith("[") and cell.endswith("]"):
        # Programs write a list of Python or JSON as text.
        quoted = [text or other for text, other in QUOTED.findall(cell)]
        return quoted if quoted and not QUOTED.sub("", cell).strip("[], \n") else [cell]
    if re.search(r"[;|\n]", cell):
        parts = re.split(r"[;|\n]", cell)
    elif re.search(r",\s", cell):
        parts = re.split(r",\s+", cell)
    else:
        parts = re.split(r"(?<!\d),|,(?!\d)", cell)
    return [part.strip() for part in parts if part.strip()]


@dataclass(frozen=True)
class _Numbered:
    """Layout with columns of numbered answers."""

    question: int
    options: tuple[int, ...]
    correct: int
    alphabet: str
    """Letters by which the header names the answers; empty if it numbers them."""
    from_zero: bool
    """True if an index names the right answer: programs count it from 0, people from 1."""
    extra: Mapping[str, int]
    """Category, difficulty, photo, explanation and source."""
    type: int | None
    time: int | None
    template: bool
    """True if the header is that of Kahoot, Quizizz or Blooket."""
    player: int | None
    """Column of a report, which repeats each question for each player."""
    others: tuple[str, ...]
    """Names of the columns that are left out."""
    listed: bool = False
    """True if one cell holds all answers."""
    reported: set[str] = field(default_factory=set)
    """Questions of a report that are read already."""

    @property
    def by_number(self) -> bool:
        """Return whether the right answer is given only by number, as in the templates of quiz programs."""
        return self.template and self.player is None

    def row(self, line: int, cells: Sequence[str], mistakes: Mistakes, vocabulary: Vocabulary) -> Row | None:
        """Return the question of a line; None if it has mistakes, or a type that packs don't support."""

        def at(number: int | None) -> str:
            return cells[number].strip() if number is not None and number < len(cells) else ""

        used = (self.question, *self.options, self.correct, *self.extra.values())
        if key(at(self.options[0])).startswith(HINTS) or not any(
            at(number) for number in (self.question, *self.options)
        ):
            return None
        if self.player is not None:
            if at(self.question) in self.reported:
                return None
            self.reported.add(at(self.question))
        type_ = key(at(self.type))
        if type_ not in CHOICES and vocabulary.types.get(type_) not in {CHOICE, TRUE_FALSE, SEVERAL}:
            mistakes.note("other-types", line)
            return None
        sound = [_flawless(line, number, cells[number], mistakes) for number in used if number < len(cells)]
        if not all(sound):
            return None
        options = _options_in(at(self.options[0])) if self.listed else [at(number) for number in self.options]
        told = at(self.correct)
        if self.listed and "," in told and told not in options and told in at(self.options[0]):
            # The commas may stand within the answers: "Paris, France, Rome, Italy".
            mistakes.add(line, letters(self.options[0]), "unclear-list")
            return None
        rights = self._rights(line, told, options, mistakes, vocabulary)
        if not rights:
            return None
        if self.time is not None and at(self.time):
            mistakes.note("times")
        more = {name: at(number) for name, number in self.extra.items()}
        wrong = [option for number, option in enumerate(options) if option and number not in rights]
        if are_truths([option for option in options if option], vocabulary):
            return row_of(line, TRUE_FALSE, at(self.question), [options[rights[0]], *wrong], mistakes, **more)
        return choice_row(line, at(self.question), [options[number] for number in rights], wrong, mistakes, **more)

    def _rights(
        self, line: int, told: str, options: Sequence[str], mistakes: Mistakes, vocabulary: Vocabulary
    ) -> list[int]:
        """Return the indexes of the right answers; none, with a mistake recorded, if they are not told."""
        choices = sorted(self._told(told, options, vocabulary))
        if choices and all(0 <= choice < len(options) and options[choice] for choice in choices):
            return choices
        if NUMBERS.fullmatch(told) and not self.from_zero and told in options:
            mistakes.add(line, letters(self.correct), "ambiguous-answer", given=told)
            return []
        index = self.from_zero and NUMBERS.fullmatch(told)
        code = "index-answer" if index else "no-such-answer" if told else "missing-right"
        mistakes.add(line, letters(self.correct), code)
        return []

    def _told(self, told: str, options: Sequence[str], vocabulary: Vocabulary) -> set[int]:
        """Return the indexes of the answers that a cell names by number, letter or text; {-1} if readings differ."""
        number = re.sub(r"\.0+$", "", told)
        numbers = {int(each) - 1 for each in re.findall(r"\d+", number)} if NUMBERS.fullmatch(number) else set()
        if self.by_number and not self.from_zero:
            return numbers
        if self.from_zero and numbers:
            numbers = {-1}
        texts = {index for index, option in enumerate(options) if option and option == told} or _alike(told, options)
        if texts and any(number >= len(options) for number in numbers):
            numbers = set()  # too large to count answers
        if not texts and not numbers:
            told, named = _plainly(told, options, vocabulary)
            if named is not None:
                return {named}
        if LETTERED.fullmatch(told):
            found = [_letter(each, self.alphabet) for each in re.findall(r"[^\W\d_]", told)]
            numbers = {-1 if each is None else each for each in found}
            if texts and numbers == {-1}:
                numbers = set()
        if not texts and not numbers and MANY.search(told):
            parts = [part.strip() for part in MANY.split(told)]
            texts = {options.index(part) if part in options else -1 for part in parts if part}
        if texts and numbers and texts != numbers:
            return {-1}
        return texts or numbers


def _alike(told: str, options: Sequence[str]) -> set[int]:
    """Return the index of the answer that differs from a text only by case, spaces or the letter before it."""
    found = {
        index
        for index, option in enumerate(options)
        if option and plain(told) in {plain(option), plain(LETTER_BEFORE.sub("", option))}
    }
    return found if len(found) == 1 else set()


def _plainly(told: str, options: Sequence[str], vocabulary: Vocabulary) -> tuple[str, int | None]:
    """Return the letters that a cell means by "b)", "A and C" or "AC", and the index of an answer that it names.

    The index is -1 if letter and text disagree.
    """
    place = _place(key(told), (*OPTION, *vocabulary.options))
    if place is not None and place[1] < len(options):
        return told, place[1]
    letter = LETTER_BEFORE.match(told)
    if letter is not None:
        rest = told[letter.end() :].strip()
        if not rest:
            return letter[1], None
        found, named = _alike(rest, options), _letter(letter[1], "")
        return told, named if named is not None and found == {named} else -1
    if SEVERAL_LETTERS.fullmatch(told):
        return re.sub(r"\s*(?:,|;|/|&|and|y|и)\s*", ",", told), None
    if JOINED_LETTERS.fullmatch(told) and len(set(told)) == len(told) <= len(options):
        return ",".join(told), None
    return told, None


def _letter(letter: str, alphabet: str) -> int | None:
    """Return the number of the answer that a letter names, from 0; None if it is uncertain.

    Cyrillic letters may be meant as such, or as the Latin ones that look the same: the header tells, or both agree.
    """
    letter = letter.lower()
    if alphabet:
        like = LOOK_ALIKE.get(letter, letter) if alphabet == LETTERS else letter
        return alphabet.index(like) if like in alphabet else None
    readings = {each.index(found) for each, found in (
        (LETTERS, LOOK_ALIKE.get(letter, letter)), (CYRILLIC_LETTERS, letter)) if found in each}  # fmt: skip
    return readings.pop() if len(readings) == 1 else None


def _lacks_right(cells: Sequence[str], vocabulary: Vocabulary) -> bool:
    """Return whether a header names a question and numbered answers, and no column that tells the right one."""
    names = [key(without_hints(cell)) for cell in cells]
    question = next((number for number, name in enumerate(names) if _is_question(name, vocabulary)), None)
    if question is None or _numbered(cells, vocabulary) is not None:
        return False
    places = [_place(name, (*OPTION, *vocabulary.options)) for name in names]
    found = {place[1] for place in places if place} or {place for _, place in _bare_places(names, {question}).values()}
    return {0, 1} <= found and "answer" not in columns_of(map(without_hints, cells), vocabulary)


def _numbered(cells: Sequence[str], vocabulary: Vocabulary) -> _Numbered | None:
    """Return the layout of a header with numbered answers, or None."""
    names = [key(without_hints(cell)) for cell in cells]
    option, correct = (*OPTION, *vocabulary.options), (*CORRECT, *vocabulary.correct)
    question = next((number for number, name in enumerate(names) if _is_question(name, vocabulary)), None)
    right = next((number for number, name in enumerate(names) if _begins(name, correct)), None)
    if right is None:
        right = next(
            (number for number, name in enumerate(names) if vocabulary.columns.get(name, name) == "answer"), None
        )
    if question is None or right is None:
        return None
    places = {
        number: place
        for number, name in enumerate(names)
        if number not in {right, question} and (place := _place(name, option)) is not None
    } or _bare_places(names, {right, question})
    listed = next((number for number, name in enumerate(names) if name in vocabulary.lists), None)
    if not places and listed is not None and listed not in {right, question}:
        return _layout_of(cells, names, question, (listed,), right, "", vocabulary, listed=True)
    options = {place: number for number, (_, place) in places.items()}
    alphabets = {alphabet for alphabet, _ in places.values()}
    if sorted(options)[:2] != [0, 1] or len(options) > MOST_OPTIONS or len(options) < len(places):
        return None
    if sorted(options) != list(range(len(options))) or len(alphabets) > 1:
        return None
    ordered = tuple(options[place] for place in sorted(options))
    return _layout_of(cells, names, question, ordered, right, alphabets.pop(), vocabulary)


def _layout_of(
    cells: Sequence[str],
    names: Sequence[str],
    question: int,
    options: tuple[int, ...],
    right: int,
    alphabet: str,
    vocabulary: Vocabulary,
    *,
    listed: bool = False,
) -> _Numbered:
    """Return the layout of a header, given the columns of the question, of its answers, and of the right one."""
    extra = {
        column: number
        for number, name in enumerate(names)
        if (column := vocabulary.columns.get(name, name)) in EXTRA and number not in {question, right}
    }
    photo = _first(names, PHOTO)
    if photo is not None:
        extra.setdefault("photo", photo)
    explanation, time, type_ = _first(names, EXPLANATION), _first(names, TIME), _type_column(names, vocabulary)
    if explanation is not None:
        extra.setdefault("explanation", explanation)
    known = {question, right, *options, *extra.values(), time, type_}
    player = names.index("player") if "player" in names else None
    others = tuple(
        shown_name(cells[number])
        for number, name in enumerate(names)
        if name and number not in known and player is None and not _is_counter(name)
    )
    return _Numbered(
        question,
        options,
        right,
        alphabet,
        any(word in names[right] for word in INDEX),
        extra,
        type_,
        time,
        any(key(cell).startswith(TEMPLATES) for cell in cells),
        player,
        others,
        listed,
    )


def _is_question(name: str, vocabulary: Vocabulary) -> bool:
    if vocabulary.columns.get(name) == "question":
        return True
    return name in QUESTION or bool(re.match(r"question(text)?max\d+characters", name))


def _type_column(names: Sequence[str], vocabulary: Vocabulary) -> int | None:
    return next((number for number, name in enumerate(names) if vocabulary.columns.get(name, name) in TYPE), None)


def _is_counter(name: str) -> bool:
    """Return whether a column's name says that it numbers the questions."""
    return name in {
        "no",
        "id",
        "questionno",
        "questionnumber",
        "nr",
        "num",
        "number",
        "n",
        "номер",
        "номервопроса",
        "nпп",
        "noпп",
        "пп",
        "número",
        "numero",
        "núm",
    }


def _first(names: Sequence[str], beginnings: tuple[str, ...]) -> int | None:
    return next((number for number, name in enumerate(names) if name.startswith(beginnings)), None)


def _begins(name: str, beginnings: tuple[str, ...]) -> bool:
    """Return whether a name has such a beginning and no number: ``correct answer(s) - choose at least one``."""
    return any(name.startswith(each) and not name[len(each) :][:1].isdecimal() for each in beginnings)


def _place(name: str, beginnings: tuple[str, ...]) -> tuple[str, int] | None:
    """Return the alphabet and the number of a column of possible answers, from 0; None if it is another column."""
    for each in beginnings:
        found = (
            re.match(r"(?:(?:no)?(\d{1,2})(?!\d)|([a-lа-е])$)", name[len(each) :]) if name.startswith(each) else None
        )
        if found is not None:
            return ("", int(found[1]) - 1) if found[1] else _lettered(found[2])
    return None


def _bare_places(names: Sequence[str], taken: set[int]) -> dict[int, tuple[str, int]]:
    """Return the columns of possible answers whose names are only letters or numbers: A, B, C, D."""
    return {
        number: _lettered(name) if name.isalpha() else ("", int(name) - 1)
        for number, name in enumerate(names)
        if number not in taken and re.fullmatch(r"[a-fа-е]|[1-9]", name)
    }


def _lettered(letter: str) -> tuple[str, int]:
    alphabet = LETTERS if letter.isascii() else CYRILLIC_LETTERS
    return alphabet, alphabet.index(letter)
