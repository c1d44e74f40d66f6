"""Stories of the quiz: its usual rules and questions, and quizzes in each phase to begin with."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from fsm.kind import Event, Instant, PlayerId
from fsm.lobby import JoiningStarted, OpenGame
from fsm.question import Question
from fsm.quiz import (
    KIND,
    AnswerGiven,
    GameOpened,
    QuestionOpened,
    QuestionsSet,
    QuizPaused,
    QuizResumed,
    QuizRules,
)
from fsm.showing import TimeBegun
from tests.rules.given_when_then import JOINING, OPENED, PLACE, joined
from tests.support.games import GAME, HOST, QUIZ
from tests.support.spec import spec

QUESTION, REVEAL = 15_000, 3_000
ASKED = OPENED + 70_000
"""Time when the first question is asked in ``asking``."""
DUE = ASKED + QUESTION

BASE = {"easy": 100, "medium": 200, "hard": 300}


SCRIPT = replace(QUIZ, defaults={"questions": 3})
some_rules = SCRIPT.rules


def some_questions(count: int = 3, difficulty: str = "medium") -> tuple[Question, ...]:
    """Return questions whose first answer is right."""
    return tuple(
        Question(
            id=f"q{index}",
            text=f"Which answer of question {index} is right?",
            answers=(f"right {index}", f"wrong {index}a", f"wrong {index}b", f"wrong {index}c"),
            difficulty=difficulty,
        )
        for index in range(count)
    )


def opening(**changes: Any) -> OpenGame:
    """Return the command that opens the quiz of these tests."""
    rules = changes.pop("rules", some_rules())
    opening = SCRIPT.opening(chat_topic=PLACE, content=some_questions(rules.questions))
    return replace(opening, rules=rules, **changes)


def opened(difficulty: str = "medium", **rules: Any) -> tuple[Event, ...]:
    """Return the events of a quiz that waits for players; right answers stand first, as if no seed had moved them."""
    chosen = some_rules(**rules)
    return (
        GameOpened(GAME, PLACE, HOST, "Friday", chosen, OPENED),
        QuestionsSet(some_questions(chosen.questions, difficulty)),
    )


def lobby(players: int, difficulty: str = "medium", **rules: Any) -> tuple[Event, ...]:
    """Return the events after which players 1 to ``players`` have joined, one millisecond apart."""
    return (*opened(difficulty, **rules), *joined(*range(1, players + 1)), JoiningStarted(OPENED + JOINING))


def asking(players: int, difficulty: str = "medium", **rules: Any) -> tuple[Event, ...]:
    """Return the events after which the first question is open, from ``ASKED`` to ``DUE``."""
    return (*lobby(players, difficulty, **rules), QuestionOpened(0, ASKED, ASKED + some_rules(**rules).question_ms))


given = spec(KIND).given
play = spec(KIND).play


def recompute(log: Iterable[tuple[Instant, Event]]) -> Mapping[PlayerId, tuple[int, int]]:
    """Return points and longest streak of everybody who has answered, from the players' choices and their times alone.

    Independent of the rules: it uses the time when each event was received, not the rules' result.
    """
    rules = QuizRules()
    questions: tuple[Question, ...] = ()
    points: dict[PlayerId, int] = {}
    runs: dict[PlayerId, list[bool]] = {}
    left = 0  # milliseconds left of the question when its clock was last started or stopped
    since: Instant | None = None  # time when its clock was started; None while it is stopped
    for at, event in log:
        match event:
            case GameOpened():
                rules = event.rules
            case QuestionsSet():
                questions = event.questions
            case QuestionOpened():
                left, since = rules.question_ms, at if event.to_run is None else None
            case TimeBegun():
                since = event.deadline - left
            case QuizPaused():
                left, since = left - (0 if since is None else max(0, at - since)), None
            case QuizResumed():
                since = at if event.to_run is None else None
            case AnswerGiven():
                used = rules.question_ms - left + (0 if since is None else max(0, at - since))
                question = questions[event.question]
                run = runs.setdefault(event.player_id, [])
                run += [False] * (event.question - len(run))
                streak = next((n for n, hit in enumerate(reversed(run)) if not hit), len(run))
                run.append(event.choice == question.right)
                if run[-1]:
                    base = BASE[question.difficulty]
                    speed = Fraction(base, 2) * Fraction(rules.question_ms - used, rules.question_ms)
                    earned = base + (int(speed) if rules.mode == "normal" else 0) + min(20 * streak, 100)
                    points[event.player_id] = points.get(event.player_id, 0) + earned
    return {player: (points.get(player, 0), _longest(run)) for player, run in runs.items()}


def _longest(run: list[bool]) -> int:
    best = current = 0
    for hit in run:
        current = current + 1 if hit else 0
        best = max(best, current)
    return best
