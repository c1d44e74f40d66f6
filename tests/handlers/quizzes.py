"""Quizzes in every phase, played by the rules, with the longest and most hostile texts that Telegram allows."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from fsm.lobby import Cancel
from fsm.question import Choice, Question
from fsm.quiz import QUESTION_OPEN, Answer, Pause, QuizGame, Resume
from tests.handlers.games import HOSTILE
from tests.support.games import HOST, OPENED, QUIZ

RIGHT = "RightAnswer"
"""Prefix that only right answers have."""


do, due = QUIZ.do, QUIZ.due


def questions(count: int, length: int = 10, texts: Sequence[str] = ("Which one?",)) -> tuple[Question, ...]:
    """Return questions with answers of that many characters."""
    return tuple(
        Question(
            id=f"q{index}",
            text=f"{index} {texts[index % len(texts)]}".strip()[:300].strip(),
            answers=tuple(f"{word}{index}".ljust(length, "w")[:100] for word in (RIGHT, "One", "Two", "Three")),
            difficulty=("easy", "medium", "hard")[index % 3],
            category=("geography", "", "<b>own & only</b>")[index % 3],
            pack="bank" if index % 3 != 2 else "7",
        )
        for index in range(count)
    )


def of_every_type(
    length: int = 10, explanation: str = "Because of <it> & more.", source: str = ""
) -> tuple[Question, ...]:
    """Return a question of each type but the plain choice, explained, with answers of that many characters."""
    one, two, three, four, five = (
        replace(each, explanation=explanation, source=source) for each in questions(5, length)
    )
    truth = tuple(f"{word}{length}" for word in (RIGHT, "Never"))
    return (
        replace(one, type="several", right=None, rights=(0, 2)),
        replace(two, type="order", right=None, rights=(2, 0, 3, 1)),
        replace(three, type="number", right=None, answers=(), number=Decimal("8849.5"), tolerance=Decimal(50)),
        replace(four, type="number", right=None, answers=(), number=Decimal(-7)),
        replace(five, type="true_false", answers=truth),
    )


def right_choice(question: Question) -> Choice:
    """Return the right answer to a question."""
    if question.number is not None:
        return question.number
    return question.rights if question.right is None else question.right


def wrong_choice(question: Question) -> Choice:
    """Return a wrong answer to a question."""
    if question.number is not None:
        return question.number + 1000
    return (
        question.rights[::-1][:4] if question.type == "order" else question.rights[1:] or 1 - (question.right or 0) % 2
    )


def opened(count: int = 3, *, content: tuple[Question, ...] | None = None, **rules: Any) -> QuizGame:
    """Return a quiz that waits for players."""
    rules = {"questions": count, "max_players": 1000, **rules}
    return do(None, QUIZ.opening(title="", content=content or questions(count), **rules))


def asking(players: int = 3, names: Sequence[str] = ("Ann", "Bob", "Cy"), **more: Any) -> QuizGame:
    """Return a quiz whose first question is open."""
    *_, state = QUIZ.joined(opened(**more), players, names)
    return QUIZ.started(state)


def answered(state: QuizGame, player: int, *, right: bool = True, after: int = 1000) -> QuizGame:
    """Let a player answer the current question."""
    assert state.question is not None
    assert state.deadline is not None
    choice = (right_choice if right else wrong_choice)(state.question)
    return do(state, Answer(player, state.index, choice), state.deadline - state.rules.question_ms + after)


def every_phase(players: int, names: Sequence[str] = HOSTILE, **more: Any) -> Iterator[QuizGame]:
    """Yield the states of a whole quiz. Odd players know everything, one in five never answers."""
    state = lobby = opened(**more)
    yield lobby
    for player, state in enumerate(QUIZ.joined(lobby, players, names), start=1):
        if player in {1, players}:
            yield state
    yield do(state, Cancel(None, "everybody_removed"))
    state = QUIZ.started(state)
    while state.deadline is not None:
        yield state
        if state.phase != QUESTION_OPEN or not state.rules.polls:
            paused = do(state, Pause(HOST.id), state.deadline - 10)
            yield paused
            yield do(paused, Resume(HOST.id), OPENED + 10**7)
        if state.phase == QUESTION_OPEN:
            for player in range(1, players + 1):
                if player % 5 and state.phase == QUESTION_OPEN:
                    state = answered(state, player, right=player % 2 == 1, after=player)
            yield state
        if state.phase == QUESTION_OPEN:
            state = due(state)
        yield state
        state = due(state)
    yield state


def all_quizzes() -> list[QuizGame]:
    """Return quizzes small and huge, short and long."""
    prize: dict[str, Any] = {"prize_pool": Decimal("1234567.89"), "winners": 10}
    long = questions(4, 100, [text * 20 for text in HOSTILE if text.strip() and "\u200b" not in text][:8])
    emoji = tuple(
        replace(each, text="😀" * 300, answers=("😀" * 100, "🎉" * 100, "W" * 100, "é" * 100)) for each in questions(2)
    )
    return [
        *every_phase(3),
        *every_phase(7, count=2, mode="accuracy", polls=True, **prize),
        *every_phase(4, count=4, content=long),
        *every_phase(4, count=2, content=emoji),
        *every_phase(100, count=3, categories=("geography", "art"), difficulty="hard", **prize),
        *every_phase(4, count=5, content=of_every_type(30, source="https://example.org/a?b=<&>")),
        *every_phase(4, count=5, polls=True, content=of_every_type(100, "w" * 200, "A <book> & more")),
        *list(every_phase(1000, count=2, topic="<i>Rivers</i> & seas", **prize))[-6:],
    ]
