"""The verbs of the quiz."""

from collections.abc import Mapping
from types import MappingProxyType

from fsm.kind import Command
from fsm.quiz import NONE, Answer, Pause, QuizGame, Resume
from handlers.kinds.quiz.view import LETTERS
from handlers.kinds.verb import Tap, Verb, Words, whole
from play.access import Needs


def _answer(tap: Tap, arg: str) -> Command | None:
    asked, _, chosen = arg.partition(":")
    question, choice = whole(asked), whole(chosen)
    return Answer(tap.user_id, question, choice) if question is not None and choice is not None else None


def _answered(game: QuizGame, tap: Tap) -> Words:
    """Confirm an answer from the state, not from the event, so that a repeated update gets the same text."""
    question = whole(tap.data.split(":")[2])
    choice = _choice(game, tap.user_id, question) if question is not None else None
    if question is None or choice is None:
        return "tap-done", {}
    return "tap-answered", {"letter": LETTERS[choice], "answer": game.questions[question].answers[choice]}


def _choice(game: QuizGame, player: int, question: int) -> int | None:
    """Return the index of the answer that a player has given to a question; None if there is none."""
    reply = game.replies.get(player) if question == game.index else None
    if reply is not None:
        return reply.choice
    choices = game.score(player).choices
    return choices[question] if question < len(choices) and choices[question] != NONE else None


def _pause(tap: Tap, arg: str) -> Command | None:
    return Pause(tap.user_id) if not arg else None


def _resume(tap: Tap, arg: str) -> Command | None:
    return Resume(tap.user_id) if not arg else None


def moves(labels: Mapping[str, str]) -> list[tuple[str, str, int]]:
    """Return the answers to the open question as moves. A simulated player makes one of them."""
    return [(data, data.rpartition(":")[0], 1) for data in labels if data.startswith("a:")]


VERBS: Mapping[str, Verb] = MappingProxyType(
    {
        "a": Verb(command=_answer, done=_answered),
        "z": Verb(command=_pause, done=lambda _game, _tap: ("tap-paused", {}), needs=Needs.HOST),
        "y": Verb(command=_resume, done=lambda _game, _tap: ("tap-quiz-resumed", {}), needs=Needs.HOST),
    }
)
