"""The messages that the bot has pinned for its games, noted before they are pinned, so that every pin can be undone."""

from dataclasses import dataclass

from redis.asyncio import Redis

from storage import keys

KEPT_MS = 30 * 86_400_000
"""Lifetime of all notes after the last change, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A board that is pinned, or is about to be."""

    game_id: str
    chat_id: int
    message_id: int


class Pins:
    """The pinned boards, one for each game. Its methods raise ``RedisError`` and ``OSError``."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def note(self, pin: Pin) -> None:
        """Note a board that is about to be pinned."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(keys.pins_key(), pin.game_id, f"{pin.chat_id}:{pin.message_id}")
            pipe.pexpire(keys.pins_key(), KEPT_MS)
            await pipe.execute()

    async def of(self, game_id: str) -> Pin | None:
        """Return the pinned board of a game, or None."""
        found = await self._redis.hget(keys.pins_key(), game_id)
        return None if found is None else _pin(game_id, found)

    async def all(self) -> list[Pin]:
        """Return all pinned boards."""
        found = await self._redis.hgetall(keys.pins_key())
        return [_pin(game_id, value) for game_id, value in found.items()]

    async def forget(self, game_id: str) -> None:
        """Remove the note of a game whose board is no longer pinned."""
        await self._redis.hdel(keys.pins_key(), game_id)


def _pin(game_id: str | bytes, value: str | bytes) -> Pin:
    chat_id, _, message_id = (value if isinstance(value, str) else value.decode()).partition(":")
    return Pin(game_id if isinstance(game_id, str) else game_id.decode(), int(chat_id), int(message_id))
