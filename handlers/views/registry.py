"""How each kind of game looks. A new kind adds its line to ``VIEWS``."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from fsm import pick_number as pick_number_rules
from fsm import quiz as quiz_rules
from fsm.kind import Game, Kind, PlayerId
from handlers.kinds.pick_number import view as pick_number
from handlers.kinds.quiz import view as quiz
from handlers.views.message import Message
from play.texts import Texts


class Board(Protocol):
    """Renders the living message of a game, in every phase."""

    def __call__(self, state: Any, texts: Texts, locale: str, *, page: int = 0, bot_username: str = "") -> Message:
        """Render."""


class OwnBoard(Protocol):
    """Renders what one player sees of a game alone. ``page`` None: where their choice is."""

    def __call__(self, state: Any, player_id: PlayerId, texts: Texts, locale: str, page: int | None = None) -> Message:
        """Render."""


class Rules(Protocol):
    """Renders the rules of the kind."""

    def __call__(self, texts: Texts, locale: str) -> Message:
        """Render."""


class Proof(Protocol):
    """Renders what shows that a game was fair: at most 1024 UTF-16 units of text, so that it can be a caption."""

    def __call__(self, state: Any, texts: Texts, locale: str) -> Message:
        """Render."""


class Pages(Protocol):
    """How many pages the board of a game has; 1 where it has none to turn."""

    def __call__(self, state: Any) -> int:
        """Count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How a kind looks. Renderers take a game's state and leave its secrets out by themselves."""

    kind: Kind[Any]
    title: str
    """Id of the kind's name in the texts."""
    hint: str
    """Id of the rules in a few words, for where only a toast fits."""
    board: Board
    own_board: OwnBoard
    rules: Rules
    proof_summary: Proof
    pages: Pages
    steps: frozenset[str] = frozenset()
    """Phases in which a new deadline is as much of a change as a new phase: it is shown at once."""


VIEWS: Mapping[str, View] = MappingProxyType({view.kind.name: view for view in (
    View(
        kind=pick_number_rules.KIND,
        title="pick-number-name",
        hint="pick-number-hint",
        board=pick_number.board,
        own_board=pick_number.own_board,
        rules=pick_number.rules,
        proof_summary=pick_number.proof_summary,
        pages=pick_number.pages,
    ),
    View(
        kind=quiz_rules.KIND,
        title="quiz-name",
        hint="quiz-hint",
        board=quiz.board,
        own_board=quiz.own_board,
        rules=quiz.rules,
        proof_summary=quiz.proof_summary,
        pages=quiz.pages,
        steps=frozenset({quiz_rules.QUESTION_OPEN, quiz_rules.QUESTION_REVEAL}),
    ),
)})  # fmt: skip

_BY_STATE: Mapping[type[Game], View] = MappingProxyType({view.kind.state: view for view in VIEWS.values()})


def of_state(state: Game) -> View:
    """The view of the kind that a game is of."""
    return _BY_STATE[type(state)]
