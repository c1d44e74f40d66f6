"""Quizzes in every phase, played by the rules, with the longest and most hostile texts that Telegram allows."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from fsm.lobby import Cancel
from fsm.question import Question
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
    assert state.question.right is not None
    assert state.deadline is not None
    choice = state.question.right if right else (state.question.right + 1) % len(state.question.answers)
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
        *list(every_phase(1000, count=2, topic="<i>Rivers</i> & seas", **prize))[-6:],
    ]
