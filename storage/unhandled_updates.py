"""Polled updates that were confirmed to Telegram before they were handled, kept until they are.

Telegram shows a poller only the first hundred unconfirmed updates. In a crowd, all later updates would wait until those
are handled. They are therefore stored here, confirmed, and handled in a fair order; a successor of a poller that died
reads them back.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from redis.asyncio import Redis

from storage import keys

KEPT_MS = 86_400_000
"""Lifetime after the last addition. Telegram too keeps an update for at most a day."""


class UnhandledUpdates:
    """The updates of a bot that are confirmed and not yet handled."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def read(self) -> dict[int, bytes]:
        """Return all updates by id, in the order in which Telegram gave them. Raises redis-py's errors."""
        found: Any = await self._redis.hgetall(keys.unhandled_updates_key())
        return {int(update_id): found[update_id] for update_id in sorted(found, key=int)}

    async def change(self, added: Mapping[int, bytes], removed: Iterable[int]) -> None:
        """Add and remove updates in one round trip. Raises redis-py's errors; then nothing may be confirmed."""
        key, fields = keys.unhandled_updates_key(), dict[Any, Any](added)
        async with self._redis.pipeline(transaction=True) as pipe:
            if gone := list(removed):
                pipe.hdel(key, *gone)
            if added:
                pipe.hset(key, mapping=fields)
                pipe.pexpire(key, KEPT_MS)
            await pipe.execute()
