"""Cache of the administrators of chats, shared by all processes through Redis."""

import msgspec
from redis.asyncio import Redis

from storage.keys import administrators_key

TTL_MS = 60_000


class Administrators:
    """Cache of a chat's administrators, kept for a minute. Its methods raise ``RedisError`` and ``OSError``."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def of(self, chat_id: int) -> list[int] | None:
        """Return the user ids of a chat's administrators, or None if they are not cached."""
        known = await self._redis.get(administrators_key(chat_id))
        return None if known is None else msgspec.json.decode(known, type=list[int])

    async def remember(self, chat_id: int, user_ids: list[int]) -> None:
        """Cache a chat's administrators for ``TTL_MS``."""
        await self._redis.set(administrators_key(chat_id), msgspec.json.encode(user_ids), px=TTL_MS)

    async def forget(self, chat_id: int) -> None:
        """Drop a chat's administrators from the cache, because Telegram has reported a change."""
        await self._redis.delete(administrators_key(chat_id))
