"""The face of a kind of game: everything that Telegram's side needs of it, in one object.

A kind's folder has a module ``face`` with a ``FACE``. Taps and boards need it at once, so importing it must not import
aiogram, which takes two seconds and 60 MB. The modules that do need aiogram are named in the face as text, and are
imported when they are first asked for.
"""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from fsm.engine import Clock
from fsm.kind import Game, Kind, PlayerId
from handlers.kinds.consumer import ConsumerContext, KindConsumer
from handlers.kinds.verb import Verb
from handlers.views import lobby
from handlers.views.message import Message
from play.content import ContentProvider
from play.texts import Markup, Texts
from storage.people import People
from storage.questions import Questions
from storage.seeds import Seeds


class Board(Protocol):
    """Renders the living message of a game, in every phase."""

    def __call__(self, state: Any, texts: Texts, locale: str, *, page: int = 0, bot_username: str = "") -> Message:
        """Render."""


class OwnBoard(Protocol):
    """Renders the part of a game that one player sees alone. ``page`` None: the page of their choice."""

    def __call__(self, state: Any, player_id: PlayerId, texts: Texts, locale: str, page: int | None = None) -> Message:
        """Render."""


Moves = Callable[[Mapping[str, str]], Sequence[tuple[str, str, int]]]
"""From the buttons of a message (callback data to label) to the moves that a player may make with them: the callback
data, the name of the decision that it settles, and how often a simulated player settles that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """How a kind of game looks, and how it is played. Renderers take a game's state and leave out its secrets.

    Attributes:
        kind: its rules.
        board: renders the living message of the group.
        own_board: renders the board of one player.
        verbs: the kind's own verbs in callback data; those of the lobby are added to them.
        moves: the moves that a simulated player sees in a message.
        dialog: name of the module whose ``DIALOG`` says which rules the dialogs offer. Imported late.
        commands: name of the module whose ``COMMANDS`` are the kind's own commands, by name. Imported late.
        router: name of the module whose ``router()`` handles updates that are no taps. Imported late.
        content: makes the provider of what a game is played with, a quiz's questions for one.
        sample: makes content from rules, for the checker's game on trial; needed if there is ``content``.
        consumer: makes the reader of the feed that shows more than the living message.
        prove: makes the proof of a game whose outcome can be proven; raises ValueError if it ended otherwise. None for
            kinds without proofs.
        pages: counts the pages of a game's board; 1 where it has none to turn.
        rules_text: renders the rules; None renders the text ``<slug>-rules``.
        proof_text: renders why a game is fair, short enough for a caption; None renders the text ``<slug>-fair``.
        own_line: the line of a player in ``/status``, shown in the private chat; None says whether they play.
        step: the part of a game's state that is shown at once if it changes; anything else is progress, which waits.
        begins_with_board: whether the time of a phase that waits to be seen begins with the board; False if it begins
            with another message, whose ``Outgoing`` then has ``begins``.
    """

    kind: Kind[Any]
    board: Board
    own_board: OwnBoard
    verbs: Mapping[str, Verb]
    moves: Moves
    dialog: str
    commands: str | None = None
    router: str | None = None
    content: Callable[[Questions, People, Seeds, Clock], ContentProvider] | None = None
    sample: Callable[[Any], Any] | None = None
    consumer: Callable[[ConsumerContext], Awaitable[KindConsumer]] | None = None
    prove: Callable[[Any], dict[str, Any]] | None = None
    pages: Callable[[Any], int] = lambda _state: 1
    rules_text: Callable[[Texts, str], Message] | None = None
    proof_text: Callable[[Any, Texts, str], Message] | None = None
    own_line: Callable[[Any, PlayerId, Texts, str], Markup | None] | None = None
    step: Callable[[Any], Hashable] = lambda state: state.phase
    begins_with_board: Callable[[Any], bool] = lambda _state: True

    @property
    def title(self) -> str:
        """Id of the kind's name in the texts."""
        return f"{self.kind.slug}-name"

    @property
    def hint(self) -> str:
        """Id of the rules in a few words, for places where only a toast fits."""
        return f"{self.kind.slug}-hint"

    def rules(self, texts: Texts, locale: str) -> Message:
        """Render the rules."""
        if self.rules_text is not None:
            return self.rules_text(texts, locale)
        return Message(texts.html(locale, f"{self.kind.slug}-rules"))

    def proof_summary(self, state: Game, texts: Texts, locale: str) -> Message:
        """Render why a game is fair: at most 1024 UTF-16 units of text, so that it can be a caption."""
        if self.proof_text is not None:
            return self.proof_text(state, texts, locale)
        title = lobby.title_html(state, texts, locale, self.kind)
        return Message(lobby.paragraphs(title, texts.html(locale, f"{self.kind.slug}-fair")))

    def imported(self, part: str) -> Any:
        """Import the module that the face names as ``dialog``, ``commands`` or ``router``; None if it names none."""
        name = getattr(self, part)
        return import_module(name) if name is not None else None
