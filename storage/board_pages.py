"""The page that the board of each live game is turned to, for all processes alike."""

from redis.asyncio import Redis

from storage.games import LIVE_TTL_MS
from storage.keys import page_key


class BoardPages:
    """Remembers the page of each board. Raises ``RedisError`` and ``OSError`` while Redis is away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def of(self, game_id: str) -> int:
        """Return the page of a game's board; 0 if nobody has turned it."""
        stored = await self._redis.get(page_key(game_id))
        return int(stored or 0)

    async def turn(self, game_id: str, page: int) -> None:
        """Remember the page for as long as a game lives."""
        await self._redis.set(page_key(game_id), page, px=LIVE_TTL_MS)
