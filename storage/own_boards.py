"""Index of players' own boards that are open, so that they can be updated as a game proceeds."""

from dataclasses import dataclass

from redis.asyncio import Redis

from fsm.kind import PlayerId
from storage import keys
from storage.games import LIVE_TTL_MS

MOST = 2_000
"""Maximum number of own boards of a game: two for each of a thousand players."""


@dataclass(frozen=True, slots=True)
class OwnBoardMessage:
    """The message with a player's own board. ``ephemeral`` tells which of the two sorts of ids ``message_id`` is."""

    player_id: PlayerId
    chat_id: int
    message_id: int
    ephemeral: bool


class OwnBoardIndex:
    """The newest own board of each player in each chat, by game. Its methods raise ``RedisError`` and ``OSError``."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def opened(self, game_id: str, board: OwnBoardMessage) -> OwnBoardMessage | None:
        """Note an own board. Return the one that the player had in the same chat before, or None."""
        key, field = keys.own_boards_key(game_id), f"{board.player_id}:{board.chat_id}"
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hget(key, field)
            pipe.hlen(key)
            before, count = await pipe.execute()
        if before is None and count >= MOST:
            return None
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(key, field, f"{'e' * board.ephemeral}{board.message_id}")
            pipe.pexpire(key, LIVE_TTL_MS)
            await pipe.execute()
        return None if before is None else _read(field, before)

    async def of(self, game_id: str) -> list[OwnBoardMessage]:
        """Return the own boards of a game."""
        found = await self._redis.hgetall(keys.own_boards_key(game_id))
        return [_read(field, value) for field, value in found.items()]

    async def forget(self, game_id: str, board: OwnBoardMessage) -> None:
        """Remove an own board that shows the end of its game, or no longer exists."""
        await self._redis.hdel(keys.own_boards_key(game_id), f"{board.player_id}:{board.chat_id}")


def _read(field: str | bytes, value: str | bytes) -> OwnBoardMessage:
    player_id, _, chat_id = _text(field).partition(":")
    message = _text(value)
    return OwnBoardMessage(int(player_id), int(chat_id), int(message.removeprefix("e")), message.startswith("e"))


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()
