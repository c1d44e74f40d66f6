"""Stories of the quiz: its usual rules and questions, and quizzes in each phase to begin with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from fsm.kind import Event, Instant, PlayerId
from fsm.lobby import JoiningStarted, OpenGame, PlayerRemoved
from fsm.question import CHOICE, NUMBER, ORDER, SEVERAL, Choice, Question
from fsm.quiz import (
    KIND,
    AnswerGiven,
    GameOpened,
    QuestionOpened,
    QuestionRevealed,
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

Types = Sequence[str]
ONE: Types = (CHOICE,)
BASE = {"easy": 100, "medium": 200, "hard": 300}


SCRIPT = replace(QUIZ, defaults={"questions": 3})
some_rules = SCRIPT.rules


def some_questions(count: int = 3, difficulty: str = "medium", types: Types = ONE) -> tuple[Question, ...]:
    """Return questions of these types in turn, whose first answer, or answers, are right."""
    return tuple(
        Question(
            id=f"q{index}",
            text=f"Which answer of question {index} is right?",
            difficulty=difficulty,
            explanation=f"Because of reason {index}.",
            source=f"https://example.org/{index}",
            **some_answers(index, types[index % len(types)]),
        )
        for index in range(count)
    )


def some_answers(index: int, type_: str = CHOICE) -> dict[str, Any]:
    """Return the fields of a question that hold its answers."""
    answers = (f"right {index}", f"wrong {index}a", f"wrong {index}b", f"wrong {index}c")
    match type_:
        case "choice":
            return {"answers": answers}
        case "true_false":
            return {"type": type_, "answers": (f"true {index}", f"false {index}"), "right": 0}
        case "number" | "closest":
            tolerance = Decimal(5) if type_ == NUMBER else None
            return {"type": NUMBER, "answers": (), "right": None, "number": Decimal(100), "tolerance": tolerance}
        case _:
            rights = (0, 1) if type_ == SEVERAL else (0, 1, 2, 3)
            return {"type": type_, "answers": answers, "right": None, "rights": rights}


def right_answer(question: Question) -> Choice:
    """Return the right answer to a question."""
    if question.number is not None:
        return question.number
    return question.rights if question.right is None else question.right


def wrong_answer(question: Question) -> Choice:
    """Return a wrong answer to a question; of a question for the closest number, one that is far off."""
    if question.number is not None:
        return question.number + 40
    if question.right is not None:
        return (question.right + 1) % len(question.answers)
    return question.rights[::-1] if question.type == ORDER else question.rights[1:]


def opening(**changes: Any) -> OpenGame:
    """Return the command that opens the quiz of these tests."""
    rules = changes.pop("rules", some_rules())
    opening = SCRIPT.opening(chat_topic=PLACE, content=some_questions(rules.questions))
    return replace(opening, rules=rules, **changes)


def opened(difficulty: str = "medium", types: Types = ONE, **rules: Any) -> tuple[Event, ...]:
    """Return the events of a quiz that waits for players; right answers stand first, as if no seed had moved them."""
    chosen = some_rules(**rules)
    return (
        GameOpened(GAME, PLACE, HOST, "Friday", chosen, OPENED),
        QuestionsSet(some_questions(chosen.questions, difficulty, types)),
    )


def lobby(players: int, difficulty: str = "medium", types: Types = ONE, **rules: Any) -> tuple[Event, ...]:
    """Return the events after which players 1 to ``players`` have joined, one millisecond apart."""
    return (*opened(difficulty, types, **rules), *joined(*range(1, players + 1)), JoiningStarted(OPENED + JOINING))


def asking(players: int, difficulty: str = "medium", types: Types = ONE, **rules: Any) -> tuple[Event, ...]:
    """Return the events after which the first question is open, from ``ASKED`` to ``DUE``."""
    return (
        *lobby(players, difficulty, types, **rules),
        QuestionOpened(0, ASKED, ASKED + some_rules(**rules).question_ms),
    )


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
    given: dict[PlayerId, tuple[Choice, int, int]] = {}  # answer to the open question, milliseconds used, streak before
    asked = 0
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
                given, asked = {}, event.question
            case PlayerRemoved():
                for facts in (given, points, runs):
                    facts.pop(event.player_id, None)
            case TimeBegun():
                since = event.deadline - left
            case QuizPaused():
                left, since = left - (0 if since is None else max(0, at - since)), None
            case QuizResumed():
                since = at if event.to_run is None else None
            case AnswerGiven():
                used = rules.question_ms - left + (0 if since is None else max(0, at - since))
                run = runs.setdefault(event.player_id, [])
                run += [False] * (event.question - len(run))
                streak = next((n for n, hit in enumerate(reversed(run)) if not hit), len(run))
                run.append(False)
                given[event.player_id] = (event.choice, used, streak)
            case QuestionRevealed():
                question = questions[asked]
                for player in _right_ones(question, {player: choice for player, (choice, _, _) in given.items()}):
                    _, used, streak = given[player]
                    runs[player][-1] = True
                    base = BASE[question.difficulty]
                    speed = Fraction(base, 2) * Fraction(rules.question_ms - used, rules.question_ms)
                    earned = base + (int(speed) if rules.mode == "normal" else 0) + min(20 * streak, 100)
                    points[player] = points.get(player, 0) + earned
    return {player: (points.get(player, 0), _longest(run)) for player, run in runs.items()}


def _right_ones(question: Question, choices: Mapping[PlayerId, Choice]) -> set[PlayerId]:
    if question.number is None:
        right = question.rights if question.right is None else question.right
        return {player for player, choice in choices.items() if choice == right}
    off = {player: abs(question.number - choice) for player, choice in choices.items() if isinstance(choice, Decimal)}
    limit = min(off.values(), default=Decimal(0)) if question.tolerance is None else question.tolerance
    return {player for player, distance in off.items() if distance <= limit}


def _longest(run: list[bool]) -> int:
    best = current = 0
    for hit in run:
        current = current + 1 if hit else 0
        best = max(best, current)
    return best
