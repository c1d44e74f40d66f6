"""Import of other programs' text formats: Moodle's GIFT and XML, and Anki's notes."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain

from fsm.question import CHOICE
from questions.foreign_rows import (
    choice_row,
    decimal_of,
    note_media,
    number_row,
    order_row,
    picture_of,
    plain_of_html,
    row_of,
    truth_row,
    without_files,
)
from questions.packs import MAX_CELL, MAX_QUESTIONS, Mistakes, Row, Vocabulary, key
from questions.sheets import Line
from questions.text_lists import lines_of
from questions.xml_stream import Budget, Damaged, TooMuch, parse

ANKI = re.compile(r"#(separator|html|tags|columns|notetype|deck|guid)[^:\n]{0,20}:", re.IGNORECASE)
ANKI_ASIDE = ("tags column", "notetype column", "deck column", "guid column")
ANKI_EXTRA = frozenset({"extra", "backextra", "explanation", "notes", "note", "comment", "remarks"})
"""Names of fields with an explanation."""
CLOZE = re.compile(r"\{\{c(\d{1,3})::((?:(?!\}\}|::).){1,500}?)(?:::((?:(?!\}\}).){1,200}?))?\}\}", re.DOTALL)
"""Gap in a text of Anki: number, answer, hint."""
SOUND_FILE = re.compile(r"\[sound:[^\]]{1,200}\]")
ANKI_SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "space": " ", "pipe": "|", "colon": ":"}
GIFT = re.compile(r"(?m)^\s*(::|\$CATEGORY:|//)|(?<!\\)\{[^{}]{0,2000}?[=~#]|(?<!\\)\{\s*(T|F|TRUE|FALSE)\b")
GIFT_ESCAPED = re.compile(r"\\([~=#{}:\\])")
GIFT_PART = re.compile(r"(?<!\\)([=~])")
GIFT_FEEDBACK = re.compile(r"(?<!\\)#")
GIFT_WEIGHT = re.compile(r"%(-?\d{1,3}(?:\.\d{1,15})?)%")
GIFT_GENERAL = re.compile(r"(?<!\\)####")
GIFT_NUMBER = re.compile(r"(-?[\d.]{1,30}?)(?:\.\.(-?[\d.]{1,30})|:([\d.]{1,30}))?")
HTML = re.compile(r"</?(p|br|b|i|em|strong|span|div|img|sup|sub|ul|ol|li|table|code|a)\b[^<>]{0,300}/?>", re.IGNORECASE)
WEIGHT = re.compile(r"[+-]?\d{1,3}(\.\d{0,20})?")
FULL = Decimal("99.99")
GIFT_TRUTH = {"t": True, "true": True, "f": False, "false": False}
MAX_UNPACKED = 4 << 20
MAX_ELEMENTS = 120_000
BLANK = "_____"
CLOSING = tuple(".,;:!?)»”")
"""Signs without a space before them."""


# -- GIFT -------------------------------------------------------------------------------------------------------


def is_gift(text: str) -> bool:
    """Return whether a text is in Moodle's GIFT format."""
    return bool(GIFT.search(text))


def gift_rows(text: str, mistakes: Mistakes, vocabulary: Vocabulary) -> Iterator[Row]:
    """Yield the questions of a text in the GIFT format.

    Each is a block between empty lines. A line with another title or further curly brackets begins a question, too.
    """
    block: list[str] = []
    began, category, is_whole = 0, "", False
    for number, line in chain(lines_of(text), [(0, "")]):
        bare = line.strip()
        if bare.startswith("//"):
            continue
        is_category = bare.startswith("$CATEGORY:")
        is_next = is_whole and (bare.startswith("::") or _bare(bare, "{", 0) >= 0)
        if block and (is_category or is_next or not bare):
            row = _gift_row(began, " ".join(block), category, mistakes, vocabulary)
            if row is not None:
                yield row
            block, began, is_whole = [], 0, False
        if is_category:
            category = bare.removeprefix("$CATEGORY:").strip().rpartition("/")[2]
        elif bare:
            began = began or number
            is_whole = is_whole or _bare(bare, "}", 0) >= 0
            block.append(bare)


def _gift_row(line: int, block: str, category: str, mistakes: Mistakes, vocabulary: Vocabulary) -> Row | None:
    title = re.match(r"::(?:[^:\\]|\\.|:(?!:))*::", block)
    body = block[title.end() :] if title else block
    start = _bare(body, "{", 0)
    end = _bare(body, "}", start) if start >= 0 else -1
    if end < 0:
        if start < 0 and _bare(body, "}", 0) < 0:
            mistakes.note("other-types", line)  # a description without a question
        else:
            mistakes.add(line, "", "gift-braces")
        return None
    before, inside, after = body[:start].strip(), body[start + 1 : end].strip(), body[end + 1 :].strip()
    # A second question in the same block, or one whose text was taken for the end of the question before it.
    if _bare(after, "{", 0) >= 0 or not (before or after):
        mistakes.add(line, "", "gift-braces")
        return None
    form = re.match(r"\[(html|moodle|plain|markdown)\]", before)
    before = before[form.end() :] if form else before
    space = "" if after[:1] in CLOSING else " "
    asked = _gift_text(f"{before} {BLANK}{space}{after}".strip() if after else before)
    is_html = bool(form and form[1] != "plain") or bool(HTML.search(asked))
    return _Gift(line, category, is_html, mistakes, vocabulary).row(asked, inside)


@dataclass(frozen=True)
class _Gift:
    """A question of GIFT that is being read."""

    line: int
    category: str
    is_html: bool
    mistakes: Mistakes
    vocabulary: Vocabulary

    def row(self, asked: str, inside: str) -> Row | None:
        """Return the question, given the text between its curly brackets; None if it is left out."""
        inside, *general = GIFT_GENERAL.split(inside, maxsplit=1)
        more = {"category": self.category, "explanation": self._tidy(general[0]) if general else ""}
        if self.is_html:
            photo = picture_of(asked)
            note_media(asked, self.line, self.mistakes, taken=bool(photo))
            more |= {"photo": photo} if photo else {}
        asked = self._tidy(asked)
        word, *comments = GIFT_FEEDBACK.split(inside)
        truth = GIFT_TRUTH.get(word.strip().lower())
        if truth is not None:
            # The first comment is that on the wrong answer.
            more["explanation"] = more["explanation"] or next((self._tidy(each) for each in comments[1:]), "")
            if comments and comments[0].strip():
                self.mistakes.note("explanations", self.line)
            return truth_row(self.line, asked, self.mistakes, self.vocabulary, true=truth, **more)
        if inside.startswith("#"):
            return self._number(asked, inside[1:], more)
        return self._choice(asked, inside, more)

    def _choice(self, asked: str, inside: str, more: dict[str, str]) -> Row | None:
        pieces = GIFT_PART.split(inside)
        if pieces[0].strip() or len(pieces) < 3:
            self.mistakes.note("other-types", self.line)  # an essay
            return None
        answers = [self._answer(sign, piece, more) for sign, piece in zip(pieces[1::2], pieces[2::2], strict=True)]
        if not any(sign == "~" for sign in pieces[1::2]) or any("->" in text for _, text in answers):
            self.mistakes.note("other-types", self.line)  # a free-text or matching question
            return None
        return weighted_row(self.line, asked, answers, self.mistakes, single=None, **more)

    def _answer(self, sign: str, piece: str, more: dict[str, str]) -> tuple[Decimal, str]:
        """Return the weight of an answer in percent, and its text. The comment on a right one explains it."""
        answer, *comments = GIFT_FEEDBACK.split(piece, maxsplit=1)
        answer = answer.strip()
        weight = GIFT_WEIGHT.match(answer)
        value = Decimal(weight[1]) if weight else Decimal(100 if sign == "=" else 0)
        comment = self._tidy(comments[0]) if comments else ""
        if comment and value == 100 and not more["explanation"]:
            more["explanation"] = comment
        elif comment:
            self.mistakes.note("explanations", self.line)
        return value, self._tidy(answer[weight.end() :] if weight else answer)

    def _number(self, asked: str, told: str, more: dict[str, str]) -> Row | None:
        """Return a question for a number: ``3.14:0.01``, ``1..5``, or several with weights, of which one is full."""
        for part in re.split(r"(?<!\\)=", told):
            number, *comments = GIFT_FEEDBACK.split(part, maxsplit=1)
            weight = GIFT_WEIGHT.match(number.strip())
            if not number.strip() or (weight and weight[1] != "100"):
                continue
            bounds = GIFT_NUMBER.fullmatch(number.strip()[weight.end() :] if weight else number.strip())
            first, last, within = (
                (decimal_of(each or "0") for each in bounds.groups()) if bounds else (None, None, None)
            )
            if bounds is None or first is None or last is None or within is None:
                break
            if bounds[2]:
                first, within = (first + last) / 2, abs(last - first) / 2
            if comments:
                more["explanation"] = more["explanation"] or self._tidy(comments[0])
            return number_row(self.line, asked, first, within, self.mistakes, **more)
        self.mistakes.note("other-types", self.line)
        return None

    def _tidy(self, text: str) -> str:
        text = _gift_text(text)
        return plain_of_html(text) if self.is_html else text


def _weight(text: str) -> Decimal:
    """Return the weight of an answer in percent. Raises ``Damaged``: a wrong guess would make a right answer wrong."""
    if not WEIGHT.fullmatch(text.strip()):
        raise Damaged
    return Decimal(text.strip())


def weighted_row(
    line: int,
    asked: str,
    answers: Sequence[tuple[Decimal, str]],
    mistakes: Mistakes,
    *,
    single: bool | None,
    **more: str,
) -> Row | None:
    """Return a question whose answers have weights in percent.

    If one answer is chosen (``single``, None if unknown) and several are fully right, the first is kept, and the other
    ones are no wrong answers. If none is fully right, the best one counts as such.
    """
    if not all(text for _, text in answers):
        mistakes.note("empty-answers", line)  # pictures, mostly
        return None
    full = [text for weight, text in answers if weight >= FULL]
    rights = [text for weight, text in answers if weight > 0]
    wrong = [text for weight, text in answers if weight <= 0]
    if single is False or (single is None and not full and len(rights) > 1):
        return choice_row(line, asked, rights, wrong, mistakes, **more)
    if rights and not full:
        best = max(weight for weight, _ in answers)
        full = [text for weight, text in answers if weight == best]
    if len(full) > 1:
        mistakes.note("alternatives", line)
    if len(rights) > len(full) and full:
        mistakes.note("partly-right", line)
    return choice_row(line, asked, full[:1], wrong, mistakes, **more)


def _bare(text: str, sign: str, start: int) -> int:
    """Return the position of a sign without a backslash before it, or -1."""
    at = text.find(sign, start)
    while at > 0 and text[at - 1] == "\\":
        at = text.find(sign, at + 1)
    return at


def _gift_text(text: str) -> str:
    return GIFT_ESCAPED.sub(r"\1", text.replace("\\n", " ")).strip()


# -- Moodle XML -------------------------------------------------------------------------------------------------


def moodle_rows(content: bytes, mistakes: Mistakes, vocabulary: Vocabulary) -> Iterator[Row]:
    """Yield the questions of a file that Moodle exports as XML."""
    found = _Moodle(mistakes, vocabulary)
    budget = Budget(unpacked=MAX_UNPACKED, elements=MAX_ELEMENTS, characters=MAX_UNPACKED)
    try:
        parse([content[at : at + 16_384] for at in range(0, len(content), 16_384)], budget,
              found.start, found.end, found.words, encoding="utf-8")  # fmt: skip
    except TooMuch:
        mistakes.refuse(0, "too-complex")
    except (Damaged, ValueError, LookupError):
        mistakes.refuse(0, "damaged-xml")
    if not found.is_quiz:
        mistakes.refuse(0, "damaged-xml")
    mistakes.number = found.count
    yield from found.rows


@dataclass
class _Answer:
    """An answer of a Moodle question that is being parsed."""

    weight: Decimal
    text: str = ""
    tolerance: str = "0"
    comment: str = ""


@dataclass
class _Asked:
    """A Moodle question that is being parsed."""

    type: str
    text: str = ""
    answers: list[_Answer] = field(default_factory=list)
    single: bool = True
    comment: str = ""
    pictures: int = 0
    photo: str = ""


class _Moodle:
    """Collector of the questions in Moodle's XML."""

    def __init__(self, mistakes: Mistakes, vocabulary: Vocabulary) -> None:
        self.rows: list[Row] = []
        self.is_quiz = False
        self.count = 0
        self._mistakes = mistakes
        self._vocabulary = vocabulary
        self._truths = {**GIFT_TRUTH, **vocabulary.truths}
        self._category = ""
        self._path: list[str] = []
        self._forms: list[str] = []
        """Format of the text within each element of the path; empty if it doesn't tell one."""
        self._asked: _Asked | None = None
        self._pieces: list[str] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if not self._path:
            self.is_quiz = name == "quiz"
        self._path.append(name)
        self._forms.append(attributes.get("format", ""))
        self._pieces = []
        if name == "question":
            self._asked = _Asked(attributes.get("type", ""))
        elif self._asked is None:
            return
        elif name == "answer":
            self._asked.answers.append(_Answer(_weight(attributes.get("fraction", "0"))))
        elif name == "file":
            self._asked.pictures += 1

    def words(self, words: str) -> None:
        if self._path and self._path[-1] in {"text", "single", "tolerance"}:
            self._pieces.append(words)

    def end(self, name: str) -> None:
        within = self._path[-2:-1]
        is_plain = self._forms[-2:-1] == ["plain_text"]
        self._path.pop()
        self._forms.pop()
        asked, text = self._asked, "".join(self._pieces)
        self._pieces = []
        if asked is None:
            return
        if name == "text":
            self._text(asked, within[0] if within else "", text, is_plain=is_plain)
        elif name == "tolerance" and asked.answers:
            asked.answers[-1].tolerance = text.strip() or "0"
        elif name == "single":
            asked.single = text.strip().lower() in {"true", "1", ""}
        elif name == "question":
            self._finish(asked)
            self._asked = None

    def _text(self, asked: _Asked, within: str, text: str, *, is_plain: bool) -> None:
        """Take a text by the element that it is within. ``is_plain``: it is no HTML."""
        plain_text = " ".join(text.split()) if is_plain else plain_of_html(text)
        text = "" if is_plain else text  # without pictures and sounds
        if within == "questiontext":
            asked.text, asked.photo = plain_text, picture_of(text)
            self._media(text, taken=bool(asked.photo))
        elif within == "answer" and asked.answers:
            asked.answers[-1].text = plain_text
            self._media(text)
        elif within == "category":
            self._category = plain_text.rpartition("/")[2]
        elif within == "generalfeedback":
            asked.comment = plain_text
        elif within == "feedback" and asked.answers and "answer" in self._path:
            asked.answers[-1].comment = plain_text

    def _media(self, text: str, *, taken: bool = False) -> None:
        self._mistakes.number = self.count + 1
        note_media(without_files(text), self.count + 1, self._mistakes, taken=taken)

    def _finish(self, asked: _Asked) -> None:
        if asked.type == "category":
            return
        self.count += 1
        self._mistakes.number = self.count
        if asked.pictures:
            self._mistakes.note("pictures", self.count, asked.pictures)
        row = self._row(asked)
        if row is not None:
            self.rows.append(Row(row.line, row.cells, self.count))

    def _row(self, asked: _Asked) -> Row | None:
        line, mistakes = self.count, self._mistakes
        best = max(asked.answers, key=lambda answer: answer.weight, default=None)
        comment = asked.comment or (best.comment if best else "")
        if any(answer.comment and answer.comment != comment for answer in asked.answers):
            mistakes.note("explanations", line)
        more = {"category": self._category, "explanation": comment}
        if asked.photo:
            more["photo"] = asked.photo
        if asked.type == "truefalse" and best is not None:
            true = self._truths.get(key(best.text))
            if true is None:
                mistakes.add(line, "answer", "bad-truth", words=" / ".join(self._vocabulary.truth))
                return None
            return truth_row(line, asked.text, mistakes, self._vocabulary, true=true, **more)
        if asked.type in {"multichoice", "multichoiceset"}:  # the second is all or nothing
            answers = [(answer.weight, answer.text) for answer in asked.answers]
            single = asked.single and asked.type == "multichoice"
            return weighted_row(line, asked.text, answers, mistakes, single=single, **more)
        if asked.type == "ordering":
            items = [answer.text for answer in sorted(asked.answers, key=lambda answer: answer.weight)]
            return order_row(line, asked.text, items, mistakes, **more)
        if asked.type == "numerical" and best is not None:
            number, tolerance = decimal_of(best.text), decimal_of(best.tolerance)
            if number is not None and tolerance is not None:
                return number_row(line, asked.text, number, tolerance, mistakes, **more)
        mistakes.note("other-types", line)
        return None


# -- Anki -------------------------------------------------------------------------------------------------------


def is_anki(text: str) -> bool:
    """Return whether a text is an export of Anki, "Notes in plain text"."""
    return bool(ANKI.match(text.lstrip("\ufeff")))


def anki_rows(
    text: str, mistakes: Mistakes, lines: Callable[[str, str, int, Mistakes], Iterator[Line]]
) -> Iterator[Row]:
    """Yield the notes of an Anki export, front and back, without wrong answers.

    ``lines`` reads a text of separated values: the text, the separator, the number of its first line.
    """
    settings, start, skipped = _anki_settings(text)
    separator = ANKI_SEPARATORS.get(settings.get("separator", "tab").lower(), settings.get("separator", "\t")[:1])
    aside = {int(place) - 1 for name in ANKI_ASIDE if (place := settings.get(name, "")).isdecimal() and len(place) < 3}
    names = settings.get("columns", "").split(separator or "\t")
    is_html = settings.get("html", "").lower() == "true"
    notes: list[_Note] = []
    for line, cells in lines(text[start:], separator or "\t", skipped + 1, mistakes):
        fields = [cell for number, cell in enumerate(cells) if number not in aside]
        if not any(field.strip() for field in fields):
            continue
        if len(notes) > MAX_QUESTIONS:
            break
        extra = [key(name) for number, name in enumerate(names) if number not in aside]
        notes += _anki_notes(line, fields, extra, mistakes, is_html=is_html)
    for note in notes:
        photo = {"photo": note.photo} if note.photo else {}
        yield row_of(note.line, CHOICE, note.front, [note.back], mistakes, explanation=note.extra, **photo)


@dataclass(frozen=True)
class _Note:
    """A card of Anki."""

    line: int
    front: str
    back: str
    extra: str = ""
    photo: str = ""


def _anki_notes(
    line: int, fields: Sequence[str], names: Sequence[str], mistakes: Mistakes, *, is_html: bool
) -> Iterator[_Note]:
    """Yield the cards of a note: one, or one for each gap of a text with gaps."""

    def tidy(text: str) -> str:
        text = SOUND_FILE.sub(" ", text)
        return plain_of_html(text) if is_html else text.strip()

    if not any(len(cell) > MAX_CELL for cell in fields):
        for number, cell in enumerate(fields):
            note_media(cell, line, mistakes, taken=number == 0 and bool(picture_of(cell)))
    told = [tidy(cell) for cell in fields]
    photo = picture_of(fields[0]) if is_html else ""
    gaps = dict.fromkeys(found[1] for found in CLOZE.finditer(fields[0]))
    extras = [number for number, name in enumerate(names) if number < len(told) and name in ANKI_EXTRA]
    rest = [number for number in range(1 if gaps else 2, len(told)) if told[number]]
    chosen = next((number for number in extras if told[number]), rest[0] if len(rest) == 1 else None)
    if any(number != chosen for number in rest):
        mistakes.note("fields", line)
    extra = told[chosen] if chosen is not None and chosen in rest else ""
    for gap in gaps:
        answers = dict.fromkeys(tidy(found[2]) for found in CLOZE.finditer(fields[0]) if found[1] == gap)

        def shown(found: re.Match[str], gap: str = gap) -> str:
            hint = f" ({found[3]})" if found[3] else ""
            return f"{BLANK}{hint}" if found[1] == gap else found[2]

        if len(answers) == 1:
            yield _Note(line, tidy(CLOZE.sub(shown, fields[0])), next(iter(answers)), extra, photo)
        else:
            mistakes.note("other-types", line)
    if gaps:
        return
    if len(told) < 2 or not told[0] or not told[1]:
        mistakes.add(line, "", "anki-fields")
        return
    yield _Note(line, told[0], told[1], extra, photo)


def _anki_settings(text: str) -> tuple[dict[str, str], int, int]:
    """Return the settings at the head of an export, the position of their end, and their number of lines."""
    settings: dict[str, str] = {}
    at = count = 0
    while text.startswith("#", at) and count < 20:
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        name, _, value = text[at + 1 : end].strip().partition(":")
        settings[name.lower()] = value
        at, count = end + 1, count + 1
    return settings, at, count
