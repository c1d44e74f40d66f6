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

KNOWN_MS: Final = 90 * 86_400_000
MOST_CHATS: Final = 1000
"""Maximum number of chats that a change may name on each side."""

_ALL = "SELECT name, percent, on_chats, off_chats, reason FROM feature_flags ORDER BY name LIMIT 1000"
# $3 and $4 are NULL for chats that stay as they are: as stored, or before the first change as in $6 and $7. A chat
# that a change names on one side leaves the other.
_SET = """
INSERT INTO feature_flags AS kept (name, percent, on_chats, off_chats, reason, changed_at)
VALUES ($1, $2, COALESCE($3::bigint[], $6), COALESCE($4::bigint[], $7), $5, now())
ON CONFLICT (name) DO UPDATE SET percent = excluded.percent, reason = excluded.reason, changed_at = excluded.changed_at,
    on_chats = COALESCE($3, ARRAY(SELECT unnest(kept.on_chats) EXCEPT SELECT unnest($4::bigint[]) ORDER BY 1)),
    off_chats = COALESCE($4, ARRAY(SELECT unnest(kept.off_chats) EXCEPT SELECT unnest($3::bigint[]) ORDER BY 1))
RETURNING percent, on_chats, off_chats, reason
"""
_BEFORE = "SELECT percent, on_chats, off_chats, reason FROM feature_flags WHERE name = $1"
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


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a flag's setting.

    Attributes:
        percent: share of all chats, 0 to 100.
        on_chats: chats for which it is on, regardless of the share; None keeps the present ones.
        off_chats: chats for which it is off, regardless of the share; None keeps the present ones.
        reason: a note for people.
    """

    percent: float
    on_chats: frozenset[int] | None = None
    off_chats: frozenset[int] | None = None
    reason: str = ""

    def applied(self, to: Setting) -> Setting:
        """Return a setting after this change. A chat that it names on one side leaves the other."""
        on, off = self.on_chats, self.off_chats
        return Setting(
            percent=self.percent,
            on_chats=to.on_chats - (off or frozenset()) if on is None else on,
            off_chats=to.off_chats - (on or frozenset()) if off is None else off,
            reason=self.reason,
        )


_KNOWN: Final = msgspec.json.Decoder(dict[str, Setting])


class FlagSettings:
    """Repository of the changes.

    Args:
        pool: PostgreSQL.
        redis: announces changes to other processes; the client for commands that wait.
    """

    def __init__(self, pool: Pool, redis: Redis) -> None:
        self._pool = pool
        self._redis = redis
        self._untold = ""
        """Name of a changed flag that could not be announced; empty if there is none."""

    async def all(self) -> dict[str, Setting]:
        """Return the changed flags, by name."""
        found = {row["name"]: _setting(row) for row in await self._pool.fetch(_ALL)}
        try:
            await self._redis.set(keys.flags_known_key(), msgspec.json.encode(found), px=KNOWN_MS)
        except STORE_GONE as problem:
            logger.debug("the changes of flags are not kept: {}", type(problem).__name__)
        return found

    async def known(self) -> dict[str, Setting]:
        """Return the changed flags as a process last read them, also while PostgreSQL is away; empty if none did.

        Raises Redis's errors.
        """
        found = await self._redis.get(keys.flags_known_key())
        try:
            return _KNOWN.decode(found) if found else {}
        except msgspec.DecodeError:  # written by another version
            return {}

    async def set(self, name: str, change: Change, before: Setting) -> Setting:
        """Change a flag for all processes, from the setting `before` if no change is stored. Returns the new one."""
        first = change.applied(before)
        given = (None if chats is None else sorted(chats) for chats in (change.on_chats, change.off_chats))
        values = (change.percent, *given, change.reason, sorted(first.on_chats), sorted(first.off_chats))
        async with self._pool.acquire() as connection, connection.transaction():
            stored = await connection.fetchrow(_BEFORE, name)
            row = await connection.fetchrow(_SET, name, *values)
        setting = _setting(row)
        await self._told("set-flag", name, changed=stored is None or _setting(stored) != setting)
        return setting

    async def reset(self, name: str) -> bool:
        """Take the change of a flag back. Returns False if there was none."""
        done = await self._pool.execute(_RESET, name)
        return await self._told("reset-flag", name, changed=done.endswith(" 1"))

    async def _told(self, action: str, name: str, *, changed: bool) -> bool:
        if changed:
            wrote(action, target=name)
        # Also after a write that changed nothing: the announcement of an earlier one may have failed.
        try:
            await self._redis.publish(keys.FLAGS_CHANGED, name)
        except STORE_GONE as problem:
            # The change is stored, so it has not failed: other processes read it as soon as they hear Redis again.
            self._untold = name
            logger.warning("the change of {} is announced when Redis is back: {}", name, type(problem).__name__)
        return changed

    async def listen(self, heard: Callable[[], None]) -> None:
        """Hear of changes by any process, until cancelled. `heard` is also called whenever some may have been lost."""
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(keys.FLAGS_CHANGED)
                    if self._untold:
                        await self._redis.publish(keys.FLAGS_CHANGED, self._untold)
                        self._untold = ""
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
