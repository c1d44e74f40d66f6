"""Ids of signed calls that were handled, so that a replay is refused for as long as its signature is valid."""

from redis.asyncio import Redis

from storage import keys


class SeenCalls:
    """Remembers the ids of calls.

    Args:
        redis: Redis.
        ttl_ms: time for which an id is remembered; longer than a signature is valid.
    """

    def __init__(self, redis: Redis, *, ttl_ms: int) -> None:
        self._redis = redis
        self._ttl = ttl_ms

    async def begin(self, source: str, id_: str) -> bool:
        """Remember a call. Returns False if it was remembered before. Raises redis-py's errors."""
        return bool(await self._redis.set(keys.seen_call_key(source, id_), b"", nx=True, px=self._ttl))

    async def forget(self, source: str, id_: str) -> None:
        """Forget a call that was not handled, so that its sender can repeat it. Raises redis-py's errors."""
        await self._redis.delete(keys.seen_call_key(source, id_))
