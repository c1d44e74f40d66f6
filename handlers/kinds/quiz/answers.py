"""Questions, answers and explanations of a quiz as texts and buttons, for every type of question."""

import html
from collections.abc import Iterable
from decimal import Decimal
from urllib.parse import urlsplit

from babel.numbers import format_decimal, get_decimal_symbol

from fsm.question import ERASE, NUMBER, ONE_TAP, ORDER, SEVERAL, Choice, Question
from fsm.quiz import QuizGame
from handlers.views.message import Button, Row, rows
from play.texts import Digits, Markup, Texts, shorten, units

LETTERS = "ABCDEFGH"
HALF_ROW, WHOLE_ROW = 12, 30
"""Longest answer, in UTF-16 units, that a phone shows whole on a button: with two buttons to a row, and with one."""
BAR = 8
SUMMARY = 200
"""Longest right answer in a player's summary, in UTF-16 units."""
KEYPAD = ("123", "456", "789", "-0.")


def letters(indices: Iterable[int]) -> str:
    """Return the letters of answers."""
    return ", ".join(LETTERS[index] for index in indices)


def short_answer(choice: Choice) -> str | Digits:
    """Return a player's answer by letters, or as a number."""
    if isinstance(choice, Decimal):
        return Digits(f"{choice:f}")
    return letters((choice,) if isinstance(choice, int) else choice)


# -- an open question -------------------------------------------------------------------------------------------


def asked_html(question: Question, texts: Texts, locale: str) -> str:
    """Render the question with the way to answer it, and its answers below if they are too long for buttons."""
    parts = [str(texts.html(locale, "quiz-question", question=question.text))]
    if not _on_buttons(question):
        parts.append(
            "\n".join(
                texts.html(locale, "quiz-answer", letter=Markup(letter), answer=answer)
                for letter, answer in zip(LETTERS, question.answers, strict=False)
            )
        )
    if question.type not in ONE_TAP:
        parts.append(texts.html(locale, f"quiz-how-{question.type}"))
    return "\n\n".join(parts)


def _on_buttons(question: Question) -> bool:
    return all(units(answer) <= WHOLE_ROW for answer in question.answers)


def answer_buttons(game: QuizGame, texts: Texts, locale: str) -> tuple[Row, ...]:
    """Return the buttons of the answers. If one is too long for a phone's button, all show letters only."""
    question = game.question
    assert question is not None
    verb = "a" if question.type in ONE_TAP else "d"
    done = Button(texts.plain(locale, "button-answer-done"), f"c:{game.id}:{game.index}", style="primary")
    if question.type == NUMBER:
        signs = {"-": "±", ".": get_decimal_symbol(locale)}
        keys = [
            tuple(Button(signs.get(key, key), f"d:{game.id}:{game.index}:{key}") for key in line) for line in KEYPAD
        ]
        return (*keys, (Button("⌫", f"d:{game.id}:{game.index}:{ERASE}"), done))
    whole = _on_buttons(question)
    short = all(units(answer) <= HALF_ROW for answer in question.answers)
    buttons = [
        Button(
            texts.plain(locale, "quiz-button", letter=letter, answer=answer) if whole else letter,
            f"{verb}:{game.id}:{game.index}:{choice}",
        )
        for choice, (letter, answer) in enumerate(zip(LETTERS, question.answers, strict=False))
    ]
    arranged = rows(buttons, 2 if short else 1 if whole else min(len(buttons), 4))
    return (*arranged, (done,)) if question.type == SEVERAL else arranged


# -- a revealed question ----------------------------------------------------------------------------------------


def tally_html(game: QuizGame, question: Question, texts: Texts, locale: str) -> str:
    """Render the right answer, with the number of players who chose each or were right."""
    if question.type in {NUMBER, ORDER}:
        right, wrong = game.tally
        told = texts.html(locale, "quiz-tally-of", right=right, answered=right + wrong)
        return f"{_right_html(question, texts, locale)}\n{told}"
    most = max(1, *game.tally)
    rights = {question.right, *question.rights}
    return "\n".join(
        texts.html(
            locale,
            "quiz-tally-right" if choice in rights else "quiz-tally",
            letter=Markup(LETTERS[choice]),
            answer=answer,
            bar=Markup("▇" * -(-BAR * count // most)),
            count=count,
        )
        for choice, (answer, count) in enumerate(zip(question.answers, game.tally, strict=True))
    )


def _right_html(question: Question, texts: Texts, locale: str) -> str:
    if question.type == ORDER:
        return "\n".join(
            texts.html(locale, "quiz-item", place=place, letter=Markup(LETTERS[index]), answer=question.answers[index])
            for place, index in enumerate(question.rights, start=1)
        )
    text_id = "quiz-number-closest" if question.tolerance is None else "quiz-number"
    return texts.html(locale, text_id, answer=right_text(question, locale))


def right_text(question: Question, locale: str) -> str:
    """Return the right answer in words."""
    if question.type == NUMBER:
        assert question.number is not None
        number = _number(question.number, locale)
        return f"{number} ± {_number(question.tolerance, locale)}" if question.tolerance else number
    if question.type in ONE_TAP:
        assert question.right is not None, "the view shows it once it is revealed"
        return question.answers[question.right]
    between = " → " if question.type == ORDER else " · "
    return shorten(between.join(question.answers[index] for index in question.rights), SUMMARY)


def _number(number: Decimal, locale: str) -> str:
    """Return a number for the locale, without the two decimals that amounts of money have."""
    return str(format_decimal(number, format="#,##0.######", locale=locale, decimal_quantization=False))


def right_letters(question: Question) -> str:
    """Return the letters of the right answers; empty for a number."""
    return letters(question.rights if question.right is None else (question.right,))


def explanation_html(question: Question, texts: Texts, locale: str) -> str | None:
    """Render the explanation and the source of a revealed question; None if it has neither."""
    source = _source_html(question.source, texts, locale) if question.source else None
    if not question.explanation:
        return None if source is None else texts.html(locale, "quiz-source", source=source)
    if source is None:
        return texts.html(locale, "quiz-explanation", text=question.explanation)
    return texts.html(locale, "quiz-explanation-source", text=question.explanation, source=source)


def poll_explanation(question: Question, texts: Texts, locale: str) -> str | None:
    """Return the explanation for a native poll as HTML, with the source if Telegram's limit has room for it."""
    if not question.source or units(question.explanation) + units(_source_text(question.source)) + 3 > POLL_LIMIT:
        return html.escape(question.explanation) or None
    source = _source_html(question.source, texts, locale)
    return f"{html.escape(question.explanation)} ({source})" if question.explanation else source


POLL_LIMIT = 200
"""Longest explanation of a native poll, in UTF-16 units."""


def _source_text(source: str) -> str:
    return urlsplit(source).hostname or source if is_link(source) else source


def _source_html(source: str, texts: Texts, locale: str) -> Markup:
    if not is_link(source):
        return texts.html(locale, "quiz-value", value=source)
    return Markup(f'<a href="{html.escape(source)}">{html.escape(_source_text(source))}</a>')


def is_link(source: str) -> bool:
    """Return whether a source is an address that a message can link to."""
    try:
        return source.startswith("https://") and bool(urlsplit(source).hostname) and not any(map(str.isspace, source))
    except ValueError:
        return False
