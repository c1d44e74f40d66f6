"""The verbs of the quiz."""

from collections.abc import Mapping
from types import MappingProxyType

from fsm.kind import Command
from fsm.question import NUMBER, Choice
from fsm.quiz import QUESTION_OPEN, Answer, Confirm, Draft, Pause, QuizGame, Resume, gave
from handlers.kinds.quiz.answers import LETTERS, letters, short_answer
from handlers.kinds.verb import Tap, Verb, Words, whole
from play.access import Needs
from play.texts import Digits


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
    asked = game.questions[question]
    if isinstance(choice, int):
        return "tap-answered", {"letter": LETTERS[choice], "answer": asked.answers[choice]}
    return "tap-answered-so", {"answer": short_answer(choice)}


def _choice(game: QuizGame, player: int, question: int) -> Choice | None:
    """Return the answer that a player has given to a question; None if there is none."""
    reply = game.replies.get(player) if question == game.index else None
    if reply is not None:
        return reply.choice
    choices = game.score(player).choices
    return choices[question] if question < len(choices) and gave(choices[question]) else None


def _draft(tap: Tap, arg: str) -> Command | None:
    asked, _, key = arg.partition(":")
    question = whole(asked)
    return Draft(tap.user_id, question, key) if question is not None and len(key) == 1 else None


def _drafted(game: QuizGame, tap: Tap) -> Words:
    """Tell the player alone what they have chosen so far; the last item of an order has made the answer final."""
    if game.phase != QUESTION_OPEN or tap.user_id in game.replies:
        return _answered(game, tap)
    draft = game.drafts.get(tap.user_id, "")
    if not draft:
        return "tap-draft-empty", {}
    number = game.question is not None and game.question.type == NUMBER
    return "tap-draft", {"answer": Digits(draft) if number else letters(int(each) for each in draft)}


def _confirm(tap: Tap, arg: str) -> Command | None:
    question = whole(arg)
    return Confirm(tap.user_id, question) if question is not None else None


def _pause(tap: Tap, arg: str) -> Command | None:
    return Pause(tap.user_id) if not arg else None


def _resume(tap: Tap, arg: str) -> Command | None:
    return Resume(tap.user_id) if not arg else None


def moves(labels: Mapping[str, str]) -> list[tuple[str, str, int]]:
    """Return the answers to the open question as moves.

    A simulated player makes one of them; if the question takes several taps, each tap and the confirmation are moves.
    """
    answers = [(data, data.rpartition(":")[0], 1) for data in labels if data.startswith("a:")]
    return answers or [(data, data, 1) for data in labels if data.startswith(("d:", "c:"))]


VERBS: Mapping[str, Verb] = MappingProxyType(
    {
        "a": Verb(command=_answer, done=_answered),
        "d": Verb(command=_draft, done=_drafted),
        "c": Verb(command=_confirm, done=_answered),
        "z": Verb(command=_pause, done=lambda _game, _tap: ("tap-paused", {}), needs=Needs.HOST),
        "y": Verb(command=_resume, done=lambda _game, _tap: ("tap-quiz-resumed", {}), needs=Needs.HOST),
    }
)
