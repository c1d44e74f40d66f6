"""Cache of chat membership as Telegram reported it, shared by all processes through Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from storage import keys

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from fsm.kind import PlayerId

TTL_MS: Final = 60_000
UNKNOWN_TTL_MS: Final = 10_000
"""Lifetime of the answer "unknown", in milliseconds: shorter, so that Telegram is asked again soon."""


class ChatMembers:
    """Cache of whether a person is in a chat, kept for a minute."""

    YES, NO, UNKNOWN = b"1", b"0", b"?"

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def member(self, chat_id: int, player_id: PlayerId) -> bytes | None:
        """Return `YES`, `NO` or `UNKNOWN`, or None if nothing is cached for this person and chat."""
        known: Any = await self._redis.get(keys.member_key(chat_id, player_id))
        return None if known is None else bytes(known)

    async def put_member(self, chat_id: int, player_id: PlayerId, *, is_member: bytes) -> None:
        """Remember whether a person is in a chat: `YES`, `NO` or `UNKNOWN`."""
        ttl = UNKNOWN_TTL_MS if is_member == self.UNKNOWN else TTL_MS
        await self._redis.set(keys.member_key(chat_id, player_id), is_member, px=ttl)

    async def forget_member(self, chat_id: int, player_id: PlayerId) -> None:
        """Drop a cached membership, because Telegram has reported a change."""
        await self._redis.delete(keys.member_key(chat_id, player_id))
