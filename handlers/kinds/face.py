"""The face of a kind of game: everything that the Telegram side needs to know about the kind, in one object.

A kind's folder has a module ``face`` with a ``FACE``. Processes for taps and boards import it, and must do without
aiogram, whose import takes two seconds and 60 MB. The face therefore holds the names of the modules that need aiogram,
and imports them on first use.
"""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from fsm.engine import Clock
from fsm.kind import Game, Kind, PlayerId
from handlers.kinds.consumer import ConsumerContext, KindConsumer
from handlers.kinds.recheck import Facts
from handlers.kinds.verb import Verb
from handlers.views import lobby
from handlers.views.message import Apart, Message
from play.content import ContentProvider
from play.texts import Markup, Texts
from storage.people import People
from storage.questions import Questions
from storage.seeds import Seeds


class Board(Protocol):
    """A renderer of a game's board, in every phase."""

    def __call__(self, state: Any, texts: Texts, locale: str, *, bot_username: str = "") -> Message:
        """Render the board of a game in its current phase."""


class OwnBoard(Protocol):
    """A renderer of a player's own board. If ``page`` is None, the page with the player's choice is shown."""

    def __call__(self, state: Any, player_id: PlayerId, texts: Texts, locale: str, page: int | None = None) -> Message:
        """Render the player's own board in the game's current phase."""


Moves = Callable[[Mapping[str, str]], Sequence[tuple[str, str, int]]]
"""A function from the buttons of a message (callback data -> label) to the moves that a player can make with them. A
move is its callback data, the name of the decision that it makes, and how often a simulated player makes that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """The look and the controls of a kind of game. Renderers take a game's state, and hide its secrets themselves.

    Attributes:
        kind: the rules.
        board: renders the board of the group.
        own_board: renders the board of one player.
        verbs: the kind's own verbs in callback data, beside those of the lobby.
        moves: finds the moves that a simulated player can make with a message.
        dialog: name of the module whose ``DIALOG`` lists the settings that the dialogs offer. Imported on first use.
        commands: name of the module whose ``COMMANDS`` are the kind's own commands for groups, by name. Imported on
            first use.
        dialogs: name of the module whose ``DIALOG_COMMANDS`` open the kind's own dialogs in private, by name of the
            command. Imported on first use.
        router: name of the module whose ``router()`` handles the kind's other updates: votes, files, buttons that are
            neither on boards nor in dialogs. Imported on first use.
        content: makes the provider of a game's content, such as a quiz's questions.
        sample: makes content for the rules of the checker's trial game; needed if the kind has ``content``.
        consumer: makes the kind's consumer of the feed.
        prove: makes the proof of a game; raises ValueError if the game ended before its draw. None for kinds without
            proofs.
        recheck: computes the result of an ended game again from its stored events, without the code of its rules, and
            returns the mistakes. None for kinds without one.
        pages: counts the pages of a player's own board; 1 if there are none to turn.
        start: renders the message that says that the first phase after the lobby has begun; returns None later in the
            game. None for kinds that have no such message, or whose consumer sends one.
        apart: returns how a phase is shown in a message of its own below the board; None if the board shows the phase.
        closed: renders the latest such messages that are over, by the names of their parts.
        late: returns the players who have not yet made the choice that the phase asks for; they are reminded once.
        rules_text: renders the rules; None for the text ``<slug>-rules``.
        proof_text: renders the summary of a proof, short enough for a caption; None for the text ``<slug>-fair``.
        own_line: renders a player's line in a private ``/status``; None for a line that only says whether they play.
        step: returns the part of a game's state whose changes are shown at once. Other changes are progress, which is
            gathered.
        note: renders a limit that keeps a game from running as its rules say; None if nothing does.
        begins_with_board: returns whether the time of a phase that waits to be seen begins with the board. If not, it
            begins with another message, whose ``Outgoing`` then has ``begins``.
    """

    kind: Kind[Any]
    board: Board
    own_board: OwnBoard
    verbs: Mapping[str, Verb]
    moves: Moves
    dialog: str
    commands: str | None = None
    dialogs: str | None = None
    router: str | None = None
    content: Callable[[Questions, People, Seeds, Clock], ContentProvider] | None = None
    sample: Callable[[Any], Any] | None = None
    consumer: Callable[[ConsumerContext], Awaitable[KindConsumer]] | None = None
    prove: Callable[[Any], dict[str, Any]] | None = None
    recheck: Callable[[Facts], Sequence[str]] | None = None
    pages: Callable[[Any], int] = lambda _state: 1
    start: Callable[[Any, Texts, str], Message | None] | None = None
    apart: Callable[[Any, Texts, str], Apart | None] = lambda _state, _texts, _locale: None
    closed: Callable[[Any, Texts, str], Mapping[str, Message]] = lambda _state, _texts, _locale: {}
    late: Callable[[Any], Sequence[PlayerId]] = lambda _state: ()
    rules_text: Callable[[Texts, str], Message] | None = None
    proof_text: Callable[[Any, Texts, str], Message] | None = None
    own_line: Callable[[Any, PlayerId, Texts, str], Markup | None] | None = None
    note: Callable[[Any, Texts, str], Markup | None] = lambda _rules, _texts, _locale: None
    step: Callable[[Any], Hashable] = lambda state: state.phase
    begins_with_board: Callable[[Any], bool] = lambda _state: True

    @property
    def title(self) -> str:
        """The id of the text with the kind's name."""
        return f"{self.kind.slug}-name"

    @property
    def hint(self) -> str:
        """The id of the text with the rules in a few words, for a toast."""
        return f"{self.kind.slug}-hint"

    def rules(self, texts: Texts, locale: str) -> Message:
        """Render the rules of the kind as a message."""
        if self.rules_text is not None:
            return self.rules_text(texts, locale)
        return Message(texts.html(locale, f"{self.kind.slug}-rules"))

    def proof_summary(self, state: Game, texts: Texts, locale: str) -> Message:
        """Render the summary of a game's proof, in at most 1024 UTF-16 units, so that it can be a caption."""
        if self.proof_text is not None:
            return self.proof_text(state, texts, locale)
        title = lobby.title_html(state, texts, locale, self.kind)
        return Message(lobby.paragraphs(title, texts.html(locale, f"{self.kind.slug}-fair")))

    def imported(self, part: str) -> Any:
        """Import and return the module in the attribute ``part``: ``dialog``, ``commands``, ``dialogs`` or ``router``.

        Returns None if the kind has no such module.
        """
        name = getattr(self, part)
        return import_module(name) if name is not None else None
