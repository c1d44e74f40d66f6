"""What taps ask of the world. The real ones are in ``storage/``, ``play/hosts.py`` and ``handlers/boards.py``."""

from collections.abc import Awaitable, Mapping
from typing import Any, Protocol

from fsm.kind import ChatTopic, Game, PlayerId


class Api(Protocol):
    """The Bot API client, for calls that don't wait in the outbox."""

    def call(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        files: Mapping[str, tuple[str, bytes]] | None = None,
    ) -> Awaitable[Any]:
        """The result of a method. ``files``: field -> (file name, content)."""


class People(Protocol):
    """Who speaks which language, and who is banned."""

    def saw_player(self, player_id: PlayerId, name: str, username: str | None) -> None:
        """Note what a person is called now."""

    def remembered_locale(self, player_id: PlayerId) -> str | None:
        """As `locale_of_player`, of what is remembered: empty for none chosen; None: that has to be asked."""

    async def locale_of_player(self, player_id: PlayerId) -> str | None:
        """The locale that a person has chosen."""

    def remembered_ban(self, chat_id: int, player_id: PlayerId) -> bool | None:
        """As `is_banned`, of what is remembered; None: that has to be asked."""

    async def is_banned(self, chat_id: int, player_id: PlayerId) -> bool:
        """Whether a person may not play in a chat, or anywhere."""


class Hosts(Protocol):
    """Who may host in a chat."""

    async def is_host(self, chat_id: int, user_id: int) -> bool:
        """Whether Telegram says so, not longer than a minute ago."""


class Boards(Protocol):
    """The living messages."""

    async def turn(self, game_id: str, page: int) -> None:
        """Turn the group's board to a page."""

    async def show(self, game_id: str, *, at_least: int | None = 0) -> None:
        """Show a game as it is at a version, or later; None: as the store has it. Raises ``Unavailable``."""

    async def living(self, game_id: str) -> tuple[int, int] | None:
        """Chat and message id of a game's living message, if it has been sent."""


class Archive(Protocol):
    """Games that have ended."""

    async def finished(self, game_id: str) -> Game | None:
        """A game that ended, however long ago."""


class Ids(Protocol):
    """Where the ids of new games come from."""

    def new_id(self, place: ChatTopic, command_id: str) -> str:
        """The id of the game that a command opens in a place: for the same command always the same."""
