"""Protection against two bots on one pair of stores.

A second bot would edit the first one's messages and mix the results of its players with its own.
"""

import asyncio

from redis.asyncio import Redis
from redis.exceptions import RedisError

from storage import keys
from storage.scripts import script

TTL_MS = 15_000
"""Time for which the mark of a dead process keeps another bot out, in milliseconds."""
RENEW_SECONDS = 5.0
RELEASE_SECONDS = 1.0

_OCCUPY = script("storage", "occupy")


class Occupancy:
    """The mark of one process of a bot on the stores that it uses.

    Args:
        redis: client of the Redis that stores the mark.
        bot_id: Telegram's id of the bot.
        owner: unique name of this process.
    """

    def __init__(self, redis: Redis, bot_id: int, owner: str) -> None:
        self._redis = redis
        self._bot, self._owner = str(bot_id), owner
        self._occupy = redis.register_script(_OCCUPY)

    async def take(self) -> str:
        """Set or renew the mark. Returns the id of another bot that uses these stores; empty if there is none."""
        found = await self._occupy(keys=[keys.bots_key()], args=[self._bot, self._owner, TTL_MS])
        return bytes(found).decode()

    async def keep(self) -> None:
        """Renew the mark until cancelled, then remove it."""
        try:
            while True:
                await asyncio.sleep(RENEW_SECONDS)
                try:
                    await self.take()
                except (RedisError, OSError):
                    continue  # the mark survives two failed renewals
        finally:
            await self._leave()

    async def _leave(self) -> None:
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                await self._redis.zrem(keys.bots_key(), f"{self._bot} {self._owner}")
        except (RedisError, OSError):
            return  # it expires by itself
