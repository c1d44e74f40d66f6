"""Questions of other programs as rows of a pack: their types, explanations, pictures and formatting."""

import html
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from fsm.question import (
    CHOICE,
    FEWEST_ITEMS,
    MAX_EXPLANATION,
    MOST_ITEMS,
    MOST_OPTIONS,
    NUMBER,
    ORDER,
    SEVERAL,
    TRUE_FALSE,
    is_number,
)
from questions.packs import ANSWERS, MAX_CELL, Mistakes, Row, Vocabulary, is_photo, joined, key, number_text

TAG = re.compile(r"<[/!]?[A-Za-z][^<>]{0,2000}>|<!--[^<>]{0,2000}-->")
"""A tag of HTML. The sign before a blank or a digit means "less than", as browsers show it."""
BREAK = re.compile(r"<(br|/p|/div|/li|/td|/th|/tr|/h[1-6]|/pre)\b[^<>]{0,200}>", re.IGNORECASE)
UNSEEN = re.compile(r"<(style|script)\b[^<>]{0,200}>[^<]{0,4000}</\1>", re.IGNORECASE)
RAISED = re.compile(r"<(sup|sub)\b[^<>]{0,100}>([^<>]{1,100})</\1>", re.IGNORECASE)
PICTURE = re.compile(r"<img\b[^<>]{0,2000}>", re.IGNORECASE)
SOURCE = re.compile(r"""\bsrc\s*=\s*["']?([^"'\s>]{1,1000})""", re.IGNORECASE)
SOUND = re.compile(r"\[sound:[^\]]{1,200}\]|<(?:audio|video|object|iframe)\b", re.IGNORECASE)
FORMULA = re.compile(r"\\\(|\\\[|\$\$|\[latex\]|\[\$\]|<math\b|\\frac\b", re.IGNORECASE)
SUPERSCRIPT = str.maketrans("0123456789+-−=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱ")
SUBSCRIPT = str.maketrans("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")


def raised(text: str) -> str:
    """Return a text as superscript: by the characters for it, or after a caret."""
    told = text.translate(SUPERSCRIPT)
    return told if not set(told) & set(text) - {" "} else f"^{text}" if len(text) == 1 else f"^({text})"


def lowered(text: str) -> str:
    """Return a text as subscript, as far as there are characters for it."""
    told = text.translate(SUBSCRIPT)
    return told if not set(told) & set(text) - {" "} else text


def plain_of_html(text: str) -> str:
    """Return the text of HTML on one line."""
    if len(text) > 4 * MAX_CELL:
        return text  # refused as too long anyway; decoding it would only cost time
    if "<" in text:
        text = UNSEEN.sub(" ", text)
        text = RAISED.sub(lambda found: (raised if found[1].lower() == "sup" else lowered)(found[2]), text)
        text = TAG.sub("", BREAK.sub(" ", text))
    return " ".join(html.unescape(text).split())


def picture_of(text: str) -> str:
    """Return the https address of the first picture in HTML; empty if there is none."""
    for found in PICTURE.finditer(text[: 4 * MAX_CELL]):
        address = SOURCE.search(found[0])
        if address is not None and is_photo(found_address := html.unescape(address[1])):
            return found_address
    return ""


def without_files(text: str) -> str:
    """Return HTML of Moodle without the pictures that are files of the same export."""
    if "@@PLUGINFILE@@" not in text or len(text) > 4 * MAX_CELL:
        return text
    return PICTURE.sub(lambda found: " " if "@@PLUGINFILE@@" in found[0] else found[0], text)


def note_media(text: str, line: int, mistakes: Mistakes, *, taken: bool = False) -> None:
    """Record the pictures, sounds and formulas in HTML that a pack can't hold. ``taken``: the first picture is."""
    if len(text) > 4 * MAX_CELL:
        return
    pictures = len(PICTURE.findall(text)) - taken
    if pictures > 0:
        mistakes.note("pictures", line, pictures)
    if SOUND.search(text):
        mistakes.note("sounds", line)
    if FORMULA.search(text):
        mistakes.note("formulas", line)


def choice_row(
    line: int, asked: str, rights: Sequence[str], wrong: Sequence[str], mistakes: Mistakes, **more: str
) -> Row | None:
    """Return a question with one right answer of several, or with several right ones; None if it is left out.

    Args:
        line: line of the file.
        asked: the question.
        rights: the right answers.
        wrong: the wrong answers.
        mistakes: collects the notes.
        more: other columns.
    """
    if len(rights) > 1:
        if len(rights) > MOST_OPTIONS:
            mistakes.note("several-right", line)
            return None
        if len(rights) + len(wrong) > MOST_OPTIONS:
            mistakes.note("more-answers", line)
        wrong = wrong[: MOST_OPTIONS - len(rights)]
        return row_of(line, SEVERAL, asked, [joined(rights), joined(wrong)], mistakes, **more)
    if len(wrong) >= len(ANSWERS):
        mistakes.note("more-answers", line)
    # Without a right answer its cell is empty, which is a mistake: the first wrong one must not get there.
    return row_of(line, CHOICE, asked, [rights[0] if rights else "", *wrong], mistakes, **more)


def truth_row(line: int, asked: str, mistakes: Mistakes, vocabulary: Vocabulary, *, true: bool, **more: str) -> Row:
    """Return a statement that is true or false."""
    return row_of(line, TRUE_FALSE, asked, [vocabulary.truth[0 if true else 1]], mistakes, **more)


def are_truths(options: Sequence[str], vocabulary: Vocabulary) -> bool:
    """Return whether two answers are the words for true and false."""
    told = {vocabulary.truths.get(key(option)) for option in options}
    return len(options) == 2 and told == {True, False}


def number_row(
    line: int, asked: str, number: Decimal, tolerance: Decimal, mistakes: Mistakes, **more: str
) -> Row | None:
    """Return a question for a number; None if the number is too long for a pack."""
    if not is_number(number) or not is_number(tolerance) or tolerance < 0:
        mistakes.note("other-types", line)
        return None
    return row_of(line, NUMBER, asked, [f"{number_text(number)} ± {number_text(tolerance)}"], mistakes, **more)


def order_row(line: int, asked: str, items: Sequence[str], mistakes: Mistakes, **more: str) -> Row | None:
    """Return a question for an order; None if it has too few or too many items."""
    if not FEWEST_ITEMS <= len(items) <= MOST_ITEMS:
        mistakes.note("other-types", line)
        return None
    return row_of(line, ORDER, asked, [joined(items)], mistakes, **more)


def row_of(line: int, type_: str, asked: str, answers: Sequence[str], mistakes: Mistakes, **more: str) -> Row:
    """Return a row of a pack. A long explanation is cut."""
    explanation = more.get("explanation", "")
    if len(explanation) > MAX_EXPLANATION:
        mistakes.note("long-explanations", line)
        more["explanation"] = explanation[: MAX_EXPLANATION - 1].rsplit(" ", 1)[0] + "…"
    cells = {"question": asked, "type": "" if type_ == CHOICE else type_}
    return Row(line, {**cells, **dict(zip(ANSWERS, answers, strict=False)), **more})


def decimal_of(text: str) -> Decimal | None:
    """Return a number as programs write it, with a decimal point; None if it is none."""
    try:
        number = Decimal(text.strip()).normalize() + 0
    except InvalidOperation:
        return None
    return number if number.is_finite() and is_number(number) else None
