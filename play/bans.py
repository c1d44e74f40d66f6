"""Bans from games: of one chat by its hosts, of all chats by operators. Every face bans through `Bans`."""

from dataclasses import dataclass
from typing import Final

from fsm.engine import Engine
from fsm.kind import ChatTopic, Instant, PlayerId, Rejected
from fsm.lobby import Remove
from play.access import Access, Actor, Needs
from storage.archive import Archive
from storage.games import RedisGames
from storage.people import People

MOST_GAMES: Final = 1000
"""Maximum number of live games of one chat that are found, far above ``max_live_per_chat``."""
LONGEST_REASON: Final = 200
EVERYWHERE: Final = 0
"""Stands for all chats."""


@dataclass(unsafe_hash=True)
class CannotBan(Rejected):
    """Hosts, operators and the person who bans cannot be banned."""


class Bans:
    """Bans people, and lifts bans.

    Args:
        engine: removes a banned person from live games.
        access: authorises, and knows the people who cannot be banned.
        people: stores the bans.
        games: the live games of chats.
        archive: the live games in topics.
    """

    def __init__(self, *, engine: Engine, access: Access, people: People, games: RedisGames, archive: Archive) -> None:
        self._engine = engine
        self._access = access
        self._people = people
        self._games = games
        self._archive = archive

    async def ban(
        self,
        actor: Actor,
        chat_id: int,
        player_id: PlayerId,
        *,
        reason: str = "",
        expires_at: Instant | None = None,
        command_id: str,
        received: Instant,
        topic_id: int = 0,
    ) -> bool:
        """Ban a person from a chat's games (0: from all chats'), and remove them from those of the chat.

        Returns False if the same ban was in force already.

        Games in `topic_id` and outside topics are found at once, those in other topics when PostgreSQL knows them.

        Raises ``CannotBan`` and the errors of ``Access.authorise``.
        """
        await self._authorise(actor, chat_id)
        if (actor.token is None and player_id == actor.id) or await self._access.is_protected(chat_id, player_id):
            raise CannotBan
        by = actor.host.id
        changed = await self._people.ban(chat_id, player_id, by, reason[:LONGEST_REASON], expires_at)
        if chat_id != EVERYWHERE:
            await self._remove(ChatTopic(chat_id, topic_id), player_id, by, command_id, received)
        return changed

    async def unban(self, actor: Actor, chat_id: int, player_id: PlayerId) -> bool:
        """Lift a ban. Returns False if there is none in force. Raises the errors of ``Access.authorise``."""
        await self._authorise(actor, chat_id)
        return await self._people.unban(chat_id, player_id)

    async def _authorise(self, actor: Actor, chat_id: int) -> None:
        if chat_id == EVERYWHERE:
            await self._access.authorise(actor, None, Needs.OPERATE)
        else:
            await self._access.authorise(actor, ChatTopic(chat_id), Needs.HOST)

    async def _remove(
        self, place: ChatTopic, player_id: PlayerId, by: PlayerId, command_id: str, received: Instant
    ) -> None:
        """Remove a person from the live games in all topics of the chat. Games whose rules refuse it are skipped."""
        here = await self._games.live_in(place)
        anywhere = await live_games(self._games, self._archive, place.chat_id)
        for number, game_id in enumerate(dict.fromkeys([*here, *anywhere])):
            try:
                await self._engine.execute(
                    game_id, Remove(player_id, by), command_id=f"{command_id}:{number}", received=received
                )
            except Rejected:
                continue


async def live_games(games: RedisGames, archive: Archive, chat_id: int) -> list[str]:
    """Return the ids of a chat's live games: from Redis those outside topics, from the archive those in any topic."""
    in_topics = [game.id for game in await archive.live_games(chat_id, MOST_GAMES, 0)]
    return list(dict.fromkeys([*await games.live_in(ChatTopic(chat_id)), *in_topics]))
