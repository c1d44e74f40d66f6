"""What the stores say of themselves, asked now and then, so that a scrape waits for nothing."""

import asyncio
from typing import TYPE_CHECKING

import asyncpg
from loguru import logger
from redis.exceptions import RedisError

from bot.runtime import Runtime
from fsm.engine import Unavailable
from storage.connections import POSTGRES_GONE, REDIS_GONE
from storage.leases import jitter
from telegram.limits import Priority

if TYPE_CHECKING:
    from storage.feed import Lag

EVERY_SECONDS = 15.0
AWAY = (*POSTGRES_GONE, *REDIS_GONE, asyncpg.PostgresError, RedisError, Unavailable)


class Samples:
    """The last answers; a store that is away leaves its last ones standing."""

    def __init__(self, parts: Runtime) -> None:
        self._parts = parts
        self.live: dict[str, tuple[int, int]] = {}
        """Kind -> live games, and players in them."""
        self.lags: dict[str, Lag] = {}
        self.aside: dict[str, int] = {}
        """Group -> entries that it could not handle."""
        self.outbox: dict[str, tuple[int, int]] = {}
        """Priority -> chats with something to send, and the age of the longest waiting, ms."""
        self.dropped = 0
        """What the outbox had no room for, since ever."""
        self.overdue_ms = 0

    async def keep(self) -> None:
        """Ask every quarter of a minute, until cancelled."""
        while True:
            try:
                await self.take()
            except AWAY as problem:
                logger.debug("no samples: {}", type(problem).__name__)
            await asyncio.sleep(jitter(EVERY_SECONDS))

    async def take(self) -> None:
        """Ask once. Raises one of ``AWAY``."""
        parts = self._parts
        feeds = {group: parts.feed(group) for group in parts.groups}
        self.lags = {group: await feed.lag() for group, feed in feeds.items()}
        self.aside = {group: await feed.aside() for group, feed in feeds.items()}
        depth = await parts.outbox.depth()
        self.dropped = depth.dropped
        rows = zip(Priority, depth.ready, depth.oldest_ms, strict=True)
        self.outbox = {priority.name.lower(): (count, ms) for priority, count, ms in rows}
        now = parts.clock.now()
        due = await parts.games.due(now, limit=1)
        self.overdue_ms = max(0, now - due[0][1]) if due else 0
        self.live = await parts.archive.live_counts()
