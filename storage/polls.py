"""Index of native polls: the game and question of a poll, and the message of a question's poll."""

from redis.asyncio import Redis

from storage import keys

KEPT_MS = 86_400_000
"""Lifetime of an entry, in milliseconds: longer than any question is open, pauses included."""


class Polls:
    """Native polls that were sent, remembered for a day."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def sent(self, poll_id: str, game_id: str, question: int, message_id: int) -> None:
        """Remember a poll that was sent."""
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.set(keys.poll_key(poll_id), f"{game_id}:{question}", px=KEPT_MS)
            pipe.set(keys.polled_key(game_id, question), message_id, px=KEPT_MS)
            await pipe.execute()

    async def asks(self, poll_id: str) -> tuple[str, int] | None:
        """Return game and question of a poll; None if it is not one of ours."""
        found = await self._redis.get(keys.poll_key(poll_id))
        if found is None:
            return None
        game_id, _, question = (found if isinstance(found, str) else found.decode()).partition(":")
        return game_id, int(question)

    async def message(self, game_id: str, question: int) -> int | None:
        """Return the message id of a question's poll; None if none was sent."""
        found = await self._redis.get(keys.polled_key(game_id, question))
        return None if found is None else int(found)
