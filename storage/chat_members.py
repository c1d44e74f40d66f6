"""Cache of facts about people in chats as Telegram reported them, shared by all processes through Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from storage import keys

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from fsm.kind import PlayerId

FRESH_MS: Final = 60_000
"""Time for which an answer is used without asking again, in milliseconds."""
KEPT_MS: Final = 86_400_000
"""Time for which the last answer is kept, in case that Telegram cannot be asked again."""
UNKNOWN_MS: Final = 10_000
"""Time after which Telegram is asked again if it did not answer: shorter, so that its return is noticed soon."""


class LastKnown(NamedTuple):
    """The last known answer of Telegram; None if there was none. `fresh`: it need not be asked again yet."""

    answer: bool | None
    fresh: bool


class ChatMembers:
    """Cache of whether a person is in a chat, or boosts it."""

    _WRITTEN: Final = {True: b"1", False: b"0", None: b"?"}
    _READ: Final = {b"1": True, b"0": False}

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def member(self, chat_id: int | str, player_id: PlayerId) -> LastKnown:
        """Return whether a person was last known to be in a chat."""
        return await self._get(keys.member_key(chat_id, player_id))

    async def booster(self, chat_id: int, player_id: PlayerId) -> LastKnown:
        """Return whether a person was last known to boost a chat."""
        return await self._get(keys.booster_key(chat_id, player_id))

    async def put_member(self, chat_id: int | str, player_id: PlayerId, *, answer: bool | None, fresh: bool) -> None:
        """Remember whether a person is in a chat; ``fresh`` is False if Telegram has just failed to tell."""
        await self._put(keys.member_key(chat_id, player_id), answer=answer, fresh=fresh)

    async def put_booster(self, chat_id: int, player_id: PlayerId, *, answer: bool | None, fresh: bool) -> None:
        """Remember whether a person boosts a chat, in the same way."""
        await self._put(keys.booster_key(chat_id, player_id), answer=answer, fresh=fresh)

    async def _get(self, key: str) -> LastKnown:
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.get(key)
            pipe.pttl(key)
            found: list[Any] = await pipe.execute()
        # The rest of the lifetime tells the age, so that no clock has to be compared.
        fresh = found[0] is not None and (found[0] == self._WRITTEN[None] or found[1] > KEPT_MS - FRESH_MS)
        return LastKnown(self._READ.get(found[0]), fresh)

    async def _put(self, key: str, *, answer: bool | None, fresh: bool) -> None:
        lifetime = KEPT_MS if fresh else UNKNOWN_MS if answer is None else KEPT_MS - FRESH_MS + UNKNOWN_MS
        await self._redis.set(key, self._WRITTEN[answer], px=lifetime)
