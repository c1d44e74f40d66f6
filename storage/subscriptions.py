"""Subscriptions in PostgreSQL: the people whom a private word tells when a game opens in a chat.

Methods raise asyncpg's errors.
"""

from collections.abc import Sequence
from typing import Final

from fsm.kind import PlayerId
from storage.audit import wrote
from storage.connections import Connection, Pool
from storage.jobs import NewJob, enqueue

NEXT_GAME: Final = "next-game"
"""Kind of the jobs that tell subscribers of a game; the key is the game's id."""
MOST_SUBSCRIPTIONS: Final = 50
"""Maximum number of chats that a person may subscribe to."""

_SUBSCRIBE = """
INSERT INTO game_subscriptions (chat_id, player_id)
SELECT $1, $2 WHERE (SELECT count(*) FROM game_subscriptions WHERE player_id = $2) < $3
    OR EXISTS (SELECT 1 FROM game_subscriptions WHERE chat_id = $1 AND player_id = $2)
ON CONFLICT (chat_id, player_id) DO UPDATE SET chat_id = excluded.chat_id
RETURNING xmax = 0
"""
_OF_PLAYER = """
SELECT s.chat_id, COALESCE(c.title, '') FROM game_subscriptions s LEFT JOIN chats c ON c.id = s.chat_id
WHERE s.player_id = $1 ORDER BY s.chat_id LIMIT $2
"""
_SUBSCRIBERS = """
SELECT player_id FROM game_subscriptions WHERE chat_id = $1 AND player_id > $2 ORDER BY player_id LIMIT $3
"""


class Subscriptions:
    """Repository of subscriptions."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(self, chat_id: int, player_id: PlayerId) -> bool | None:
        """Subscribe a person. Returns False if they were subscribed before; None if they have too many."""
        new: bool | None = await self._pool.fetchval(_SUBSCRIBE, chat_id, player_id, MOST_SUBSCRIPTIONS)
        if new:
            wrote("subscribe", chat_id=chat_id, target=player_id)
        return new

    async def remove(self, chat_id: int, player_id: PlayerId) -> bool:
        """End a person's subscription. Returns False if there was none."""
        done = await self._pool.execute(
            "DELETE FROM game_subscriptions WHERE chat_id = $1 AND player_id = $2", chat_id, player_id
        )
        found = not done.endswith(" 0")
        if found:
            wrote("unsubscribe", chat_id=chat_id, target=player_id)
        return found

    async def remove_all(self, player_id: PlayerId) -> None:
        """End all subscriptions of a person who has blocked the bot."""
        await self._pool.execute("DELETE FROM game_subscriptions WHERE player_id = $1", player_id)

    async def of_player(self, player_id: PlayerId) -> list[tuple[int, str]]:
        """Return the chats that a person is subscribed to: id and title."""
        rows = await self._pool.fetch(_OF_PLAYER, player_id, MOST_SUBSCRIPTIONS)
        return [(row[0], row[1]) for row in rows]

    async def of_chat(self, chat_id: int, after: PlayerId, limit: int) -> list[PlayerId]:
        """Return a page of the subscribers of a chat, by ascending id, after an id."""
        return [row[0] for row in await self._pool.fetch(_SUBSCRIBERS, chat_id, after, limit)]


async def enqueue_words(connection: Connection, opened: Sequence[tuple[str, int]]) -> bool:
    """Enqueue a job for each opened game, by id and chat, whose chat has subscribers, in the caller's transaction.

    Returns True if there is any.
    """
    chats = await connection.fetch(
        "SELECT DISTINCT chat_id FROM game_subscriptions WHERE chat_id = ANY($1::bigint[])",
        [chat_id for _, chat_id in opened],
    )
    followed = {row[0] for row in chats}
    jobs = [NewJob(NEXT_GAME, game_id, chat_id=chat_id) for game_id, chat_id in opened if chat_id in followed]
    if jobs:
        await enqueue(connection, *jobs)
    return bool(jobs)
