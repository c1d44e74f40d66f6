"""The administrators of chats, as Telegram named them: kept for a moment, for all processes alike."""

import msgspec
from redis.asyncio import Redis

from storage.keys import administrators_key

TTL_MS = 60_000


class Administrators:
    """Remembers who administers a chat, for a minute. Raises ``RedisError`` and ``OSError`` while Redis is away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def of(self, chat_id: int) -> list[int] | None:
        """User ids of a chat's administrators; None if they are not remembered."""
        known = await self._redis.get(administrators_key(chat_id))
        return None if known is None else msgspec.json.decode(known, type=list[int])

    async def remember(self, chat_id: int, user_ids: list[int]) -> None:
        """Remember a chat's administrators for ``TTL_MS``."""
        await self._redis.set(administrators_key(chat_id), msgspec.json.encode(user_ids), px=TTL_MS)

    async def forget(self, chat_id: int) -> None:
        """Forget a chat's administrators."""
        await self._redis.delete(administrators_key(chat_id))
