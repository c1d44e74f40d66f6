"""Who is a host: the administrators of a chat, asked of Telegram and remembered for a minute at most."""

from collections.abc import Awaitable, Mapping
from typing import Any, Protocol

import msgspec

from fsm.engine import Unavailable

TTL_MS = 60_000
CLOSED = frozenset({400, 403})
"""Telegram's codes for a chat that the bot is not in: it has no hosts as far as the bot can know."""
REFUSALS = frozenset({None, 401, 404})
"""Codes that are final, and what has none, a bug; after any other it is to be asked again."""
ADMINISTRATORS = frozenset({"creator", "administrator"})


class Asking(Protocol):
    """The part of the Bot API client that is needed here."""

    def call(self, method: str, params: Mapping[str, Any] | None = None) -> Awaitable[Any]:
        """The result of a method."""


class Memory(Protocol):
    """The part of Redis that is needed here: shared by all processes, so that one hears of a change for all."""

    def get(self, name: str, /) -> Awaitable[Any]:
        """The value, or None."""

    def set(self, name: str, value: bytes, /, *, px: int) -> Awaitable[Any]:
        """Remember for ``px`` ms."""

    def delete(self, name: str, /) -> Awaitable[Any]:
        """Forget."""


class Hosts:
    """Answers whether somebody is a host of a chat."""

    def __init__(self, api: Asking, redis: Memory) -> None:
        self._api = api
        self._redis = redis

    async def is_host(self, chat_id: int, user_id: int, *, sender_chat_id: int | None = None) -> bool:
        """Whether a person is an administrator of the chat.

        Raises ``Unavailable`` while Telegram is away, and what the Bot API client raises where it refuses the bot.

        An anonymous administrator writes as the chat itself: ``sender_chat_id``. In a private chat nobody is a host.
        """
        if chat_id > 0:
            return False
        if sender_chat_id is not None:
            return sender_chat_id == chat_id
        return user_id in await self._administrators(chat_id)

    async def invalidate(self, chat_id: int) -> None:
        """Forget a chat's administrators: Telegram says that something has changed."""
        await self._redis.delete(_key(chat_id))

    async def _administrators(self, chat_id: int) -> list[int]:
        known = await self._redis.get(_key(chat_id))
        if known is not None:
            return msgspec.json.decode(known, type=list[int])
        try:
            members = await self._api.call("getChatAdministrators", {"chat_id": chat_id})
        except Exception as problem:
            moved: int | None = getattr(problem, "chat_id", None)
            if moved:  # the group is a supergroup by now; that its games are to follow is still on its way
                return await self._administrators(moved)
            code = getattr(problem, "code", None)
            if code in CLOSED:
                return []
            if code in REFUSALS:
                raise
            raise Unavailable(f"Telegram can't be asked who hosts: {problem}") from problem
        found = [int(member["user"]["id"]) for member in members if member["status"] in ADMINISTRATORS]
        await self._redis.set(_key(chat_id), msgspec.json.encode(found), px=TTL_MS)
        return found


def _key(chat_id: int) -> str:
    return f"tombola:hosts:{chat_id}"
