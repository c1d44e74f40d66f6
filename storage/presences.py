"""The latest presence of each member that updates have told. A chat's updates are handled in any order, and at once."""

from typing import Final

from redis.asyncio import Redis

from storage import keys
from storage.scripts import script

KEPT_MS: Final = 10 * 60_000
"""Lifetime of a note in milliseconds, longer than an update waits to be handled."""
_NOTE = script("storage", "presence_note")


class Presences:
    """The latest presence of members of chats. Its methods raise ``RedisError`` and ``OSError``."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._note = redis.register_script(_NOTE)

    async def note(self, chat_id: int, person_id: int, update_id: int, presence: str) -> None:
        """Note the presence that an update tells, unless a later update has told another."""
        await self._note(keys=[keys.presence_key(chat_id, person_id)], args=[update_id, presence, KEPT_MS])

    async def latest(self, chat_id: int, person_id: int) -> str | None:
        """Return the presence that the latest update told, or None if no update has told any for a while."""
        found = await self._redis.get(keys.presence_key(chat_id, person_id))
        return None if found is None else (found if isinstance(found, str) else found.decode()).partition(" ")[2]
