"""Import of other programs' text formats: Moodle's GIFT and XML, Aiken, and Anki's notes."""

import html
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from questions.packs import ANSWERS, MAX_CELL, MAX_QUESTIONS, Mistakes, Row, Vocabulary, key
from questions.sheets import Line
from questions.similarity import plain
from questions.xml_stream import Budget, Damaged, TooMuch, parse

AIKEN_ANSWER = re.compile(r"ANSWER\s*:\s*([A-Z])\s*", re.IGNORECASE)
AIKEN_ANSWERS = re.compile(r"(?mi)^[ \t]{0,9}ANSWER[ \t]{0,9}:[ \t]{0,9}[A-Z][ \t\r]{0,9}$")
AIKEN_OPTIONS = re.compile(r"(?m)^[ \t]{0,9}[A-Z][.)][ \t]")
AIKEN_OPTION = re.compile(r"([A-Z])[.)]\s+(.*)")
ANKI = re.compile(r"#(separator|html|tags|columns|notetype|deck|guid)[^:\n]{0,20}:", re.IGNORECASE)
ANKI_ASIDE = ("tags column", "notetype column", "deck column", "guid column")
ANKI_SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "space": " ", "pipe": "|", "colon": ":"}
GIFT = re.compile(r"(?m)^\s*(::|\$CATEGORY:|//)|(?<!\\)\{[^{}]{0,2000}?[=~#]|(?<!\\)\{\s*(T|F|TRUE|FALSE)\b")
GIFT_ESCAPED = re.compile(r"\\([~=#{}:\\])")
GIFT_PART = re.compile(r"(?<!\\)([=~])")
GIFT_FEEDBACK = re.compile(r"(?<!\\)#")
GIFT_WEIGHT = re.compile(r"%(-?\d{1,3}(?:\.\d{1,5})?)%")
GIFT_TRUTH = {"t": True, "true": True, "f": False, "false": False}
TAG = re.compile(r"<[^<>]{0,2000}>")
BREAK = re.compile(r"<(br|/p|/div|/li)\b[^<>]{0,200}>", re.IGNORECASE)
MAX_UNPACKED = 4 << 20
MAX_ELEMENTS = 120_000
BLANK = "_____"


def plain_of_html(text: str) -> str:
    """Return the text of HTML on one line."""
    if len(text) > 4 * MAX_CELL:
        return text  # refused as too long anyway; decoding it would only cost time
    return " ".join(html.unescape(TAG.sub("", BREAK.sub(" ", text))).split())


def lines_of(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text with their numbers from 1."""
    return enumerate(re.split("\r\n|\r|\n", text), start=1)


# -- Aiken ------------------------------------------------------------------------------------------------------


def is_aiken(text: str) -> bool:
    """Return whether a text is in Moodle's Aiken format."""
    answers = len(AIKEN_ANSWERS.findall(text))
    return bool(answers) and len(AIKEN_OPTIONS.findall(text)) >= 2 * answers


def aiken_rows(text: str, mistakes: Mistakes) -> Iterator[Row]:
    """Yield the questions of a text in the Aiken format: the question, ``A. ...`` and so on, ``ANSWER: A``."""
    asked: list[str] = []
    options: dict[str, str] = {}
    began = 0
    for number, whole in lines_of(text):
        line = whole.strip()
        if not line:
            continue
        if answer := AIKEN_ANSWER.fullmatch(line):
            row = _aiken_row(began or number, " ".join(asked), options, answer[1].upper(), mistakes)
            if row is not None:
                yield row
            asked, options, began = [], {}, 0
        elif option := AIKEN_OPTION.match(line):
            options[option[1].upper()] = option[2].strip()
        elif options:
            mistakes.add(number, "", "aiken-order")
            asked, options, began = [line], {}, number
        else:
            began = began or number
            asked.append(line)
    if asked or options:
        mistakes.add(began or 1, "", "aiken-order")


def _aiken_row(line: int, asked: str, options: Mapping[str, str], right: str, mistakes: Mistakes) -> Row | None:
    if right not in options:
        mistakes.add(line, "ANSWER", "no-such-answer")
        return None
    wrong = [option for letter, option in options.items() if letter != right]
    return _row(line, asked, options[right], wrong, mistakes)


def _row(line: int, asked: str, right: str, wrong: Sequence[str], mistakes: Mistakes, category: str = "") -> Row:
    if len(wrong) >= len(ANSWERS):
        mistakes.note("more-answers", line)
    return Row(line, {"question": asked, **dict(zip(ANSWERS, [right, *wrong], strict=False)), "category": category})


# -- GIFT -------------------------------------------------------------------------------------------------------


def is_gift(text: str) -> bool:
    """Return whether a text is in Moodle's GIFT format."""
    return bool(GIFT.search(text))


def gift_rows(text: str, mistakes: Mistakes, vocabulary: Vocabulary) -> Iterator[Row]:
    """Yield the questions of a text in the GIFT format. Each is a block between empty lines."""
    block: list[str] = []
    began, category = 0, ""
    for number, line in chain(lines_of(text), [(0, "")]):
        bare = line.strip()
        if bare.startswith("//"):
            continue
        if bare.startswith("$CATEGORY:"):
            category = bare.removeprefix("$CATEGORY:").strip().rpartition("/")[2]
        elif bare:
            began = began or number
            block.append(bare)
        elif block:
            row = _gift_row(began, " ".join(block), category, mistakes, vocabulary)
            if row is not None:
                yield row
            block, began = [], 0


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
    form = re.match(r"\[(html|moodle|plain|markdown)\]", before)
    before = before[form.end() :] if form else before
    asked = f"{before} {BLANK} {after}".strip() if after else before
    tidy: Callable[[str], str] = plain_of_html if form and form[1] != "plain" else str.strip
    return _gift_answers(line, tidy(_gift_text(asked)), inside, tidy, (category, mistakes, vocabulary))


def _gift_answers(
    line: int,
    asked: str,
    inside: str,
    tidy: Callable[[str], str],
    about: tuple[str, Mistakes, Vocabulary],
) -> Row | None:
    category, mistakes, vocabulary = about
    word = GIFT_FEEDBACK.split(inside)[0].strip().lower()
    if word in GIFT_TRUTH:
        right, wrong = vocabulary.truth if GIFT_TRUTH[word] else vocabulary.truth[::-1]
        return _row(line, asked, right, [wrong], mistakes, category)
    pieces = GIFT_PART.split(inside)
    if inside.startswith("#") or pieces[0].strip() or len(pieces) < 3:
        mistakes.note("other-types", line)  # a numeric question or an essay
        return None
    right_ones: list[str] = []
    wrong_ones: list[str] = []
    for sign, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        answer, *feedback = GIFT_FEEDBACK.split(piece, maxsplit=1)
        if feedback:
            mistakes.note("explanations", line)
        weight = GIFT_WEIGHT.match(answer.strip())
        if weight:
            answer = answer.strip()[weight.end() :]
        if weight and 0 < float(weight[1]) < 100:
            mistakes.note("several-right", line)
            return None
        good = sign == "=" if weight is None else float(weight[1]) > 0
        (right_ones if good else wrong_ones).append(tidy(_gift_text(answer)))
    if not wrong_ones or any("->" in answer for answer in right_ones):
        mistakes.note("other-types", line)  # a free-text or matching question
        return None
    if len(right_ones) != 1:
        mistakes.note("several-right", line)
        return None
    return _row(line, asked, right_ones[0], wrong_ones, mistakes, category)


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
class _Asked:
    """A Moodle question that is being parsed."""

    type: str
    text: str = ""
    answers: list[tuple[float, str]] = field(default_factory=list)
    single: bool = True


class _Moodle:
    """Collector of the questions in Moodle's XML."""

    def __init__(self, mistakes: Mistakes, vocabulary: Vocabulary) -> None:
        self.rows: list[Row] = []
        self.is_quiz = False
        self.count = 0
        self._mistakes = mistakes
        self._vocabulary = vocabulary
        self._category = ""
        self._path: list[str] = []
        self._asked: _Asked | None = None
        self._pieces: list[str] = []
        self._fraction = 0.0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if not self._path:
            self.is_quiz = name == "quiz"
        self._path.append(name)
        self._pieces = []
        if name == "question":
            self._asked = _Asked(attributes.get("type", ""))
        elif name == "answer":
            self._fraction = float(attributes.get("fraction", "0"))
        elif name == "file":
            self._mistakes.note("pictures")

    def words(self, words: str) -> None:
        if self._path and self._path[-1] in {"text", "single"}:
            self._pieces.append(words)

    def end(self, name: str) -> None:
        within = self._path[-2] if len(self._path) > 1 else ""
        self._path.pop()
        asked, text = self._asked, "".join(self._pieces)
        self._pieces = []
        if asked is None:
            return
        if name == "text" and within == "questiontext":
            asked.text = plain_of_html(text)
        elif name == "text" and within == "answer":
            asked.answers.append((self._fraction, plain_of_html(text)))
        elif name == "text" and within == "category":
            self._category = plain_of_html(text).rpartition("/")[2]
        elif name == "text" and within in {"feedback", "generalfeedback"} and text.strip():
            self._mistakes.note("explanations")
        elif name == "single":
            asked.single = text.strip().lower() in {"true", "1", ""}
        elif name == "question":
            self._finish(asked)
            self._asked = None

    def _finish(self, asked: _Asked) -> None:
        if asked.type == "category":
            return
        self.count += 1
        self._mistakes.number = self.count
        if asked.type not in {"multichoice", "truefalse"}:
            self._mistakes.note("other-types", self.count)
            return
        right = [text for fraction, text in asked.answers if fraction > 0]
        wrong = [text for fraction, text in asked.answers if fraction <= 0]
        if not asked.single or len(right) > 1:
            self._mistakes.note("several-right", self.count)
            return
        if asked.type == "truefalse":
            truth = dict(zip(("true", "false"), self._vocabulary.truth, strict=True))
            right, wrong = ([truth.get(key(text), text) for text in texts] for texts in (right, wrong))
        row = _row(self.count, asked.text, right[0] if right else "", wrong, self._mistakes, self._category)
        self.rows.append(Row(row.line, row.cells, self.count))


# -- Anki -------------------------------------------------------------------------------------------------------


def is_anki(text: str) -> bool:
    """Return whether a text is an export of Anki, "Notes in plain text"."""
    return bool(ANKI.match(text.lstrip("\ufeff")))


def anki_rows(
    text: str, mistakes: Mistakes, lines: Callable[[str, str, int, Mistakes], Iterator[Line]]
) -> Iterator[Row]:
    """Yield the notes of an Anki export: front and back, with the backs of other notes as wrong answers.

    ``lines`` reads a text of separated values: the text, the separator, the number of its first line.
    """
    settings, start, skipped = _anki_settings(text)
    separator = ANKI_SEPARATORS.get(settings.get("separator", "tab").lower(), settings.get("separator", "\t")[:1])
    aside = {int(place) - 1 for name in ANKI_ASIDE if (place := settings.get(name, "")).isdecimal() and len(place) < 3}
    tidy = plain_of_html if settings.get("html", "").lower() == "true" else str.strip
    notes: list[tuple[int, str, str]] = []
    for line, cells in lines(text[start:], separator or "\t", skipped + 1, mistakes):
        told = [tidy(cell) for number, cell in enumerate(cells) if number not in aside]
        if not any(told):
            continue
        if len(told) < 2 or not told[0] or not told[1]:
            mistakes.add(line, "", "anki-fields")
            continue
        if len(notes) > MAX_QUESTIONS:
            break
        if any(told[2:]):
            mistakes.note("fields", line)
        notes.append((line, told[0], told[1]))
    backs = list({plain(back): back for _, _, back in notes}.values())
    if len(backs) < 2 and notes:
        mistakes.refuse(0, "anki-backs")
    if notes:
        mistakes.note("wrong-from-others", count=len(notes))
    for number, (line, front, back) in enumerate(notes):
        others = (backs[(number + step) % len(backs)] for step in range(1, len(backs)))
        wrong: list[str] = []
        for other in others:
            if plain(other) != plain(back):
                wrong.append(other)
            if len(wrong) == len(ANSWERS) - 1:
                break
        yield Row(line, {"question": front, **dict(zip(ANSWERS, [back, *wrong], strict=False))})


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
