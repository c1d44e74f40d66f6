"""The changes that operators have made to feature flags, in PostgreSQL, and their announcement to all processes.

The methods raise asyncpg's errors.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import msgspec
from loguru import logger
from redis.asyncio import Redis

from storage import keys
from storage.audit import wrote
from storage.connections import Pool
from storage.leases import STORE_GONE, jitter

MOST_CHATS: Final = 1000
"""Maximum number of chats that a change may name on each side."""

_ALL = "SELECT name, percent, on_chats, off_chats, reason FROM feature_flags ORDER BY name LIMIT 1000"
_SET = """
INSERT INTO feature_flags (name, percent, on_chats, off_chats, reason, changed_at) VALUES ($1, $2, $3, $4, $5, now())
ON CONFLICT (name) DO UPDATE SET percent = excluded.percent, on_chats = excluded.on_chats,
    off_chats = excluded.off_chats, reason = excluded.reason, changed_at = excluded.changed_at
WHERE (feature_flags.percent, feature_flags.on_chats, feature_flags.off_chats, feature_flags.reason)
    IS DISTINCT FROM (excluded.percent, excluded.on_chats, excluded.off_chats, excluded.reason)
"""
_RESET = "DELETE FROM feature_flags WHERE name = $1"


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """The chats for which a flag is on.

    Attributes:
        percent: share of all chats, 0 to 100.
        on_chats: chats for which it is on, regardless of the share.
        off_chats: chats for which it is off, regardless of the share.
        reason: a note for people; the analysis of a rollout writes why it switched a flag off.
    """

    percent: float
    on_chats: frozenset[int] = frozenset()
    off_chats: frozenset[int] = frozenset()
    reason: str = ""


class FlagSettings:
    """Repository of the changes.

    Args:
        pool: PostgreSQL.
        redis: announces changes to other processes; the client for commands that wait.
    """

    def __init__(self, pool: Pool, redis: Redis) -> None:
        self._pool = pool
        self._redis = redis

    async def all(self) -> dict[str, Setting]:
        """Return the changed flags, by name."""
        return {row["name"]: _setting(row) for row in await self._pool.fetch(_ALL)}

    async def set(self, name: str, setting: Setting) -> bool:
        """Change a flag for all processes. Returns False if it was so before."""
        done = await self._pool.execute(
            _SET, name, setting.percent, sorted(setting.on_chats), sorted(setting.off_chats), setting.reason
        )
        return await self._told(done, "set-flag", name)

    async def reset(self, name: str) -> bool:
        """Take the change of a flag back. Returns False if there was none."""
        return await self._told(await self._pool.execute(_RESET, name), "reset-flag", name)

    async def _told(self, done: str, action: str, name: str) -> bool:
        changed = done.endswith(" 1")
        if changed:
            wrote(action, target=name)
        # Also after a write that changed nothing: the announcement of an earlier one may have failed.
        await self._redis.publish(keys.FLAGS_CHANGED, name)
        return changed

    async def listen(self, heard: Callable[[], None]) -> None:
        """Hear of changes by any process, until cancelled. `heard` is also called whenever some may have been lost."""
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(keys.FLAGS_CHANGED)
                    while True:
                        message = await pubsub.get_message(timeout=30)
                        if message is not None and message["type"] in {"subscribe", "message"}:
                            heard()
            except STORE_GONE as problem:
                logger.debug("changes of flags are not heard: {}", type(problem).__name__)
                await asyncio.sleep(jitter(0.5))


def _setting(row: Any) -> Setting:
    return Setting(
        percent=row["percent"],
        on_chats=frozenset(row["on_chats"]),
        off_chats=frozenset(row["off_chats"]),
        reason=row["reason"],
    )
