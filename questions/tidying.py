"""Meaning that the rows of a file show together: numbering, lettered answers, and questions without wrong answers."""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice, pairwise

from fsm.question import CHOICE, MAX_ANSWER, SEVERAL, TRUE_FALSE
from questions.packs import ANSWERS, MAX_QUESTIONS, Mistakes, Row, Vocabulary, answers_in, joined, key, number_of
from questions.similarity import plain

NUMBERED = re.compile(
    r"\s*(?:(?:question|вопрос|pregunta|q)\s{0,3}[№#]?\s{0,3}(\d{1,4})\s{0,3}[.):]?|(\d{1,4})\s{0,3}[.)])\s+(?=\S)",
    re.IGNORECASE,
)
"""Number before a question: "1. ", "12) ", "Question 3: "."""
LETTERED = re.compile(r"\s*\(?([A-Ha-hА-Иа-и1-8])\s{0,3}([).:])(\s*)(?=\S)")
"""Letter or digit before an answer: "A) ", "b. ", "3)"."""
WITHIN = re.compile(r"(?:^|\s)\(?[AaАа][).]\s?\S")
LONE_LETTER = re.compile(r"\(?[A-Ha-hА-Иа-и][).]?")
ALPHABETS = ("abcdefgh", "абвгдежзи")
ESCAPED = re.compile(r"&(?:#0?39|quot|[lr][sd]quo|[aeiouAEIOU](?:acute|grave|uml)|[nN]tilde|hellip|[nm]dash|deg);")
ESCAPES = re.compile(rf"{ESCAPED.pattern}|&amp;|&nbsp;|&[lg]t;")
"""Escapes of HTML. An ampersand is one only in a text with another one."""
ABOUT_HTML = re.compile(r"\b(?:x?html|xml|entity|entities|tag)\b|&(?:amp|lt);\w+;", re.IGNORECASE)
BY_LETTER = re.compile(
    r"(?:both |ambos |ambas |и )?\(?[A-EА-Д]\)?(?:\s*,\s*\(?[A-EА-Д]\)?)?\s*(?:and|&|\+|y|и)\s*\(?[A-EА-Д]\)?\.?",
    re.IGNORECASE,
)
"""Answer that names others by their letters, which a quiz doesn't show: "Both A and B"."""


def tidied(rows: Iterable[Row], mistakes: Mistakes, vocabulary: Vocabulary) -> Iterator[Row]:
    """Yield the rows of a file without the numbers of questions and the letters of answers, each with wrong answers."""
    found = list(map(_unescaped, islice(rows, MAX_QUESTIONS + 1)))
    found = [_without_letters(row, mistakes) for row in _without_numbers(found)]
    yield from _with_wrong_answers(found, mistakes, vocabulary)


def _unescaped(row: Row) -> Row:
    """Return a row without the escapes that tables from the web keep, unless it asks about HTML itself."""
    cells = row.cells
    if ABOUT_HTML.search(cells.get("question", "")) or not any(map(ESCAPED.search, cells.values())):
        return row
    return replace(row, cells={name: ESCAPES.sub(lambda found: html.unescape(found[0]), cells[name]) for name in cells})


def _without_numbers(rows: list[Row]) -> list[Row]:
    """Return the rows without the numbers before their questions, if each has one, and they count up."""
    matches = [NUMBERED.match(row.cells.get("question", "")) for row in rows]
    if len(rows) < 2 or not all(matches):
        return rows
    ends = [match.end() for match in matches if match]
    numbers = [int(match[1] or match[2]) for match in matches if match]
    # A new round may begin at 1 again.
    if any(number not in {before + 1, 1} for before, number in pairwise(numbers)):
        return rows
    if len(set(numbers)) == 1:
        return rows
    asked = [row.cells["question"][end:] for row, end in zip(rows, ends, strict=True)]
    if len(set(asked)) < len(asked):
        return rows  # the numbers tell the questions apart
    return [replace(row, cells={**row.cells, "question": text}) for row, text in zip(rows, asked, strict=True)]


def _without_letters(row: Row, mistakes: Mistakes) -> Row:
    """Return a row without the letters before its answers, if each has another one."""
    type_ = row.cells.get("type", "")
    if type_ not in {"", CHOICE, SEVERAL}:
        return row
    columns = [column for column in ANSWERS if row.cells.get(column, "").strip()]
    lists = [answers_in(row.cells[column]) if type_ == SEVERAL else (row.cells[column],) for column in columns]
    bare = _bare([answer for answers in lists for answer in answers])
    if bare is not None:
        rest = iter(bare)
        lists = [tuple(islice(rest, len(answers))) for answers in lists]
        told = {
            column: joined(answers) if type_ == SEVERAL else answers[0]
            for column, answers in zip(columns, lists, strict=True)
        }
        row = replace(row, cells={**row.cells, **told})
    if len(columns) > 2 and any(BY_LETTER.fullmatch(answer.strip()) for answers in lists for answer in answers):
        mistakes.note("answers-by-letter", row.at)
    return row


def _bare(answers: Sequence[str]) -> list[str] | None:
    """Return answers without their letters; None unless each has another one."""
    matches = [LETTERED.match(answer[:20]) for answer in answers]
    if len(answers) < 2 or not all(matches):
        return None
    found = [match for match in matches if match]
    letters = sorted(match[1].lower() for match in found)
    if len(set(letters)) < len(letters):
        return None
    if any(match[2] != ")" for match in found):
        # "A. Lincoln" and "E. Poe" are names, and "1. May" is a day.
        if not any("".join(letters) == alphabet[: len(letters)] for alphabet in ALPHABETS):
            return None
        if not all(match[3] for match in found):
            return None
    return [answer[match.end() :] for answer, match in zip(answers, found, strict=True)]


def _with_wrong_answers(rows: list[Row], mistakes: Mistakes, vocabulary: Vocabulary) -> Iterator[Row]:
    """Yield the rows. If all are choices without wrong answers, they get the right answers of others as such."""
    cards = len(rows) > 1 and all(
        row.cells.get("type", "") in {"", CHOICE} and not any(row.cells.get(column) for column in ANSWERS[1:])
        for row in rows
    )
    told = [row.cells.get("answer", "").strip() for row in rows]
    # Letters of answers that stand within the question are no answers.
    lettered = all(map(LONE_LETTER.fullmatch, told)) and any(
        WITHIN.search(row.cells.get("question", "")) for row in rows
    )
    if not cards or not all(told) or lettered:
        yield from rows
        return
    if all(key(answer) in vocabulary.truths for answer in told):
        yield from (replace(row, cells={**row.cells, "type": TRUE_FALSE}) for row in rows)
        return
    backs = list({plain(answer): answer for answer in told}.values())
    if len(backs) < 2:
        mistakes.refuse(0, "anki-backs")
    mistakes.note("wrong-from-others", count=len(rows))
    for number, (row, answer) in enumerate(zip(rows, told, strict=True)):
        wrong = _others(number, answer, backs)
        yield replace(row, cells={**row.cells, **dict(zip(ANSWERS[1:], wrong, strict=False))})


def _others(number: int, answer: str, backs: Sequence[str]) -> list[str]:
    """Return up to three other answers, those of the same kind first: for a number, numbers."""
    numeric, mine = number_of(answer) is not None, plain(answer)
    alike: list[str] = []
    unlike: list[str] = []
    for step in range(len(backs)):
        other = backs[(number + step) % len(backs)]
        if len(other) > MAX_ANSWER or plain(other) == mine:
            continue
        (alike if (number_of(other) is not None) is numeric else unlike).append(other)
        if len(alike) == len(ANSWERS) - 1:
            break
    return [*alike, *unlike][: len(ANSWERS) - 1]
