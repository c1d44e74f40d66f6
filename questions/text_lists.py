"""Lists of questions as plain text: Moodle's Aiken, lists by people and chatbots, and pairs of question and answer."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from questions.foreign_rows import choice_row
from questions.packs import Mistakes, Row, Vocabulary, key
from questions.similarity import plain
from questions.tidying import NUMBERED

OPTION = re.compile(r"(?:[-*•+]\s+)?\(?([A-Ha-hА-Иа-и])\s?(?:\)\s*|[.:]\s+)(\S.*)")
"""Answer to choose from: "A. text", "b) text", "- C) text"."""
LABELLED = re.compile(r"([^:：]{1,40})[:：]\s*(.*)")
LETTER = re.compile(r"\(?([A-Za-zА-Яа-я])(?:\)\s*|[.:]\s+|[.:]?$)(.*)")
LETTERS = re.compile(r"\(?[A-Ha-hА-Иа-и]\)?(?:\s*(?:,|;|&|\band\b|\by\b|\bи\b)\s*\(?[A-Ha-hА-Иа-и]\)?)+")
TICKED = re.compile(r"✅|✔️?|☑️?|\((?:correct|right|верно|правильно|correcta)\)$", re.IGNORECASE)
"""Mark of a right answer."""
RULE = re.compile(r"[-*_=#\s]{3,200}")
MARKUP = re.compile(r"^#{1,6}\s+|\*\*|__(?=\S)|(?<=\S)__|^>\s*")
LOOK_ALIKE = str.maketrans("авсе", "abce")
ASIDE = frozenset({"explanation", "category", "difficulty", "source"})
MOST_LINE = 5000
ANSWER_NAMES = frozenset({"answer", "ans", "key", "correct", "thecorrectansweris", "correctansweris"})
PAIR = re.compile(r"([^\t;|=]{1,1000}[?？])\s*(?:\t|;|\||=|\s[-–—]\s)\s*([^\t;|=]{1,1000})")
"""A question and its answer on a line. No header of a table ends with a question mark."""
WITH_COMMA = re.compile(r"([^\t,]{1,1000}[?？])\s*,\s*([^\t,]{1,1000})")
TAB_PAIR = re.compile(r"([^\t]{1,4000})\t([^\t]{1,4000})")
FEWEST_PAIRS = 2
TURN = re.compile(r"\**([^\W\d]{1,20})\s?(?:№|#)?\d{0,3}\s?[.:]\**\s*(.*)")
TURNS = {"q": "question", "a": "answer", "question": "question", "answer": "answer"}


def lines_of(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text with their numbers from 1."""
    return enumerate(re.split("\r\n|\r|\n", text), start=1)


# -- pairs of a question and an answer ---------------------------------------------------------------------------


def is_pairs(text: str) -> bool:
    """Return whether each line is a question and its answer, as Quizlet exports cards."""
    return any(_all_match(pattern, text) for pattern in (TAB_PAIR, PAIR, WITH_COMMA))


def pair_rows(text: str, mistakes: Mistakes) -> Iterator[Row]:
    """Yield the lines of a text for which ``is_pairs`` is True."""
    pattern = next(pattern for pattern in (TAB_PAIR, PAIR, WITH_COMMA) if _all_match(pattern, text))
    mistakes.note("no-header")
    for number, line in lines_of(text):
        found = pattern.fullmatch(line.strip())
        if found is not None:
            yield Row(number, {"question": found[1].strip(), "answer": found[2].strip()})


def _all_match(pattern: re.Pattern[str], text: str) -> bool:
    filled = [line.strip() for _, line in lines_of(text) if line.strip()]
    return len(filled) >= FEWEST_PAIRS and all(len(line) < MOST_LINE and pattern.fullmatch(line) for line in filled)


def is_dialogue(text: str, vocabulary: Vocabulary) -> bool:
    """Return whether a text has a question and an answer in turns: ``Q: ...``, ``A: ...``."""
    labels = [_turn(line.strip(), vocabulary)[0] for _, line in lines_of(text) if line.strip()]
    return len(labels) >= 2 * FEWEST_PAIRS and labels == ["question", "answer"] * (len(labels) // 2)


def dialogue_rows(text: str, vocabulary: Vocabulary) -> Iterator[Row]:
    """Yield the questions of a text for which ``is_dialogue`` is True."""
    asked, began = "", 0
    for number, line in lines_of(text):
        label, told = _turn(line.strip(), vocabulary)
        if label == "question":
            asked, began = told, number
        elif label == "answer":
            yield Row(began, {"question": asked, "answer": told})


def _turn(line: str, vocabulary: Vocabulary) -> tuple[str, str]:
    """Return "question" or "answer", and the text after it; empty for another line."""
    found = TURN.match(line[:MOST_LINE])
    if found is None:
        return "", ""
    name = key(found[1])
    label = TURNS.get(name) or vocabulary.columns.get(name, "")
    return (label, found[2].strip()) if label in {"question", "answer"} else ("", "")


# -- questions with lettered answers -----------------------------------------------------------------------------


def is_list(text: str, vocabulary: Vocabulary) -> bool:
    """Return whether a text is a list of questions, each with lettered answers and the letter of the right one."""
    answers = options = 0
    for _, whole in lines_of(text):
        line = _bare(whole)
        ticked = bool(TICKED.search(line))
        if OPTION.match(line):
            options, answers = options + 1, answers + ticked
        elif _answer(line, vocabulary) is not None:
            answers += 1
    return 0 < 2 * answers <= options


def list_rows(text: str, mistakes: Mistakes, vocabulary: Vocabulary) -> Iterator[Row]:
    """Yield the questions of a text: the question, ``A. ...`` and so on, ``ANSWER: A`` in any language of the bot."""
    asked = _Asked()
    for number, whole in lines_of(text):
        line = _bare(whole)
        if not line:
            asked.gap = True
            continue
        if RULE.fullmatch(line):
            continue
        option = OPTION.match(line)
        label = _label(line, vocabulary)
        if label == "answer" and (asked.options or not option) and asked.right is None:
            asked.right = _answer(line, vocabulary) or ""
            asked.began = asked.began or number
        elif label in ASIDE and (asked.complete or not asked.text):
            asked.more[label] = LABELLED.match(line)[2]  # type: ignore[index]  # a label has matched
        elif option and asked.text and not asked.right:
            letter = option[1].lower()
            if letter in asked.options:
                mistakes.add(number, "", "aiken-order")
            else:
                ticked = bool(TICKED.search(option[2]))
                asked.options[letter] = TICKED.sub("", option[2]).strip()
                asked.ticked += [letter] * ticked
        else:
            if asked.options or asked.right is not None:
                yield from _finish(asked, mistakes)
                asked = _Asked()
            elif asked.text and (NUMBERED.match(line) or (asked.gap and asked.text[-1].endswith((":", "：")))):
                mistakes.note("other-text", asked.began)
                asked = _Asked()
            asked.began = asked.began or number
            asked.text.append(line)
        asked.gap = False
    if asked.text or asked.options or asked.right is not None:
        yield from _finish(asked, mistakes)


@dataclass
class _Asked:
    """A question that is being read."""

    text: list[str] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    ticked: list[str] = field(default_factory=list)
    right: str | None = None
    more: dict[str, str] = field(default_factory=dict)
    began: int = 0
    gap: bool = False
    """True if an empty line came last."""

    @property
    def complete(self) -> bool:
        """Return whether the right answer is known."""
        return self.right is not None or bool(self.ticked)


def _bare(line: str) -> str:
    """Return a line without Markdown."""
    return MARKUP.sub("", line.strip()[:MOST_LINE]).strip()


def _label(line: str, vocabulary: Vocabulary) -> str | None:
    """Return the column that a line names before a colon, or None."""
    found = LABELLED.match(line)
    if found is None:
        return None
    name = key(found[1])
    if name in ANSWER_NAMES or name in vocabulary.correct:
        return "answer"
    column = vocabulary.columns.get(name, name)
    return column if column in {"answer", *ASIDE} else None


def _answer(line: str, vocabulary: Vocabulary) -> str | None:
    """Return the right answer that a line tells, or None."""
    if _label(line, vocabulary) != "answer":
        return None
    found = LABELLED.match(line)
    assert found is not None
    return found[2].strip(" *_`\t")


def _finish(asked: _Asked, mistakes: Mistakes) -> Iterator[Row]:
    if not asked.text or len(asked.options) < 2 or not asked.complete:
        mistakes.add(asked.began or 1, "", "aiken-order")
        return
    rights = _rights(asked.right, asked.options) if asked.right is not None else asked.ticked
    if not rights or (asked.ticked and sorted(rights) != sorted(asked.ticked)):
        mistakes.add(asked.began, "ANSWER", "no-such-answer")
        return
    wrong = [option for letter, option in asked.options.items() if letter not in rights]
    right = [asked.options[letter] for letter in asked.options if letter in rights]
    row = choice_row(asked.began, " ".join(asked.text), right, wrong, mistakes, **asked.more)
    if row is not None:
        yield row


def _rights(told: str, options: dict[str, str]) -> list[str]:
    """Return the letters of the right answers, told by letter, by text or by both; none if that is uncertain."""
    texts = [letter for letter, option in options.items() if plain(option) == plain(told)]
    if texts:
        return texts
    if LETTERS.fullmatch(told):
        found = [
            _letter(each, options)
            for each in re.findall(r"\b[A-Za-zА-Яа-я]\b", told)
            if each.lower() not in {"y", "и"} or each in options
        ]
        return [letter for letter in found if letter] if all(found) else []
    match = LETTER.fullmatch(told)
    if match is None:
        return []
    letter = _letter(match[1], options)
    rest = plain(match[2]).rstrip(".")
    if letter is None or (rest and rest != plain(options[letter]).rstrip(".")):
        return []
    return [letter]


def _letter(told: str, options: dict[str, str]) -> str | None:
    """Return the letter of an answer. Cyrillic letters may be written for the Latin ones that look the same."""
    letter = told.lower()
    if letter in options:
        return letter
    alike = [each for each in options if each.translate(LOOK_ALIKE) == letter.translate(LOOK_ALIKE)]
    return alike[0] if len(alike) == 1 else None
