"""The current page of each live game's board, shared by all processes through Redis."""

from redis.asyncio import Redis

from storage.games import LIVE_TTL_MS
from storage.keys import page_key


class BoardPages:
    """Repository of the pages of boards. Its methods raise ``RedisError`` and ``OSError``."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def of(self, game_id: str) -> int:
        """Return the current page of a game's board, counted from 0."""
        stored = await self._redis.get(page_key(game_id))
        return int(stored or 0)

    async def turn(self, game_id: str, page: int) -> None:
        """Store the current page for as long as a live game is kept."""
        await self._redis.set(page_key(game_id), page, px=LIVE_TTL_MS)
