"""People who leave a group, or are removed from it, while games run there.

A person who is gone before the entries of a game are final is out of it: they leave the lobby, and a number that they
have picked is free again. A draw whose entries are final goes on as it is. In a quiz they keep their points.
"""

from loguru import logger

from fsm.engine import Engine
from fsm.kind import Instant, NotNow, PlayerId, Rejected, UnknownGame
from fsm.lobby import Leave, Remove
from play.bans import live_games
from play.members import Members
from play.next_games import NextGames
from storage.archive import Archive
from storage.games import RedisGames
from storage.people import People


class Departures:
    """Applies departures and returns to a chat's live games, whether an update or a check reports them.

    Args:
        engine: takes people out of live games.
        games: the live games of chats.
        archive: the live games in topics.
        people: marks the people who have left a chat.
        members: the members of chats.
        next_games: the subscriptions to a chat's games.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        games: RedisGames,
        archive: Archive,
        people: People,
        members: Members,
        next_games: NextGames,
    ) -> None:
        self._engine = engine
        self._games = games
        self._archive = archive
        self._people = people
        self._members = members
        self._next_games = next_games

    async def came(self, chat_id: int, player_id: PlayerId) -> None:
        """Record that a person is in the chat, perhaps again."""
        await self._members.note(chat_id, player_id, here=True)
        await self._people.player_returned(chat_id, player_id)

    async def went(self, chat_id: int, player_id: PlayerId, command_id: str, received: Instant) -> None:
        """Take a person out of the chat's games where the rules still allow that, and bar them from the others."""
        await self._members.note(chat_id, player_id, here=False)
        await self._next_games.left(chat_id, player_id)
        for game_id in await live_games(self._games, self._archive, chat_id):
            try:
                # Another replica may have let the person in: memory does not suffice.
                state = (await self._engine.look(game_id)).state
            except UnknownGame:
                continue
            if player_id in state.players:
                # The mark comes first: a move that arrives meanwhile is refused.
                await self._people.player_departed(chat_id, player_id)
                await self._take_out(game_id, chat_id, player_id, command_id, received)

    async def _take_out(
        self, game_id: str, chat_id: int, player_id: PlayerId, command_id: str, received: Instant
    ) -> None:
        """Let a person leave a game. A phase that nobody can leave may still allow a removal, in the group's name."""
        try:
            try:
                await self._engine.execute(game_id, Leave(player_id), command_id=command_id, received=received)
            except NotNow:
                await self._engine.execute(
                    game_id, Remove(player_id, by=chat_id), command_id=f"{command_id}:removed", received=received
                )
        except Rejected as refusal:
            logger.bind(game=game_id).info("somebody left the group too late to leave the game: {}", refusal)
