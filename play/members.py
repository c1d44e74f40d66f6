"""The members of chats, fetched from Telegram and cached for a minute in Redis, where all processes share them."""

import asyncio
from typing import Final

from loguru import logger

from fsm.kind import PlayerId
from storage.chat_members import ChatMembers
from telegram.client import ApiError, BotApi, Migrated

GONE: Final = frozenset({"left", "kicked"})
NOT_THERE: Final = (
    "user not found",
    "member not found",
    "participant_id_invalid",
    "user_not_participant",
    "invalid user_id",
)
"""Parts of Telegram's error descriptions, in lower case, that mean that the person is not in the chat."""
SEND: Final = "can_send_messages"
RIGHTS: Final = (SEND, "can_send_polls", "can_send_photos", "can_pin_messages")
"""The rights in a group that the bot uses, as Telegram names them. Only the first is needed."""
WAIT_SECONDS = 3.0
"""Time that a join waits for Telegram's answer. After it the membership counts as unknown."""


class Members:
    """Tells the members of chats from other people.

    Args:
        api: for `getChatMember`.
        memory: the cache of Telegram's answers.
    """

    def __init__(self, api: BotApi, memory: ChatMembers) -> None:
        self._api = api
        self._memory = memory

    async def is_member(self, chat_id: int, player_id: PlayerId) -> bool | None:
        """Return whether a person is in a chat; None if Telegram cannot be asked or does not tell."""
        known = await self._memory.member(chat_id, player_id)
        if known is None:
            known = await self._ask(chat_id, player_id)
            await self._memory.put_member(chat_id, player_id, is_member=known)
        return known == ChatMembers.YES if known != ChatMembers.UNKNOWN else None

    async def lacks(self, chat_id: int, bot_id: int) -> frozenset[str]:
        """Return those of ``RIGHTS`` that the bot lacks in a group, asked from Telegram; none if it does not tell."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                own = await self._api.call("getChatMember", {"chat_id": chat_id, "user_id": bot_id})
                if own["status"] == "creator":
                    return frozenset()
                if own["status"] == "administrator":  # whose other rights are not limited
                    return frozenset() if own.get("can_pin_messages", True) else frozenset({"can_pin_messages"})
                given = own
                if own["status"] != "restricted":
                    given = (await self._api.call("getChat", {"chat_id": chat_id})).get("permissions", {})
        except (ApiError, TimeoutError) as problem:
            logger.info("the bot's rights in {} are not known: {}", chat_id, problem)
            return frozenset()
        return frozenset(right for right in RIGHTS if not given.get(right, True))

    async def forget(self, chat_id: int, player_id: PlayerId) -> None:
        """Drop the cached answer about a person, because an update has reported a change."""
        await self._memory.forget_member(chat_id, player_id)

    async def _ask(self, chat_id: int, player_id: PlayerId) -> bytes:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                member = await self._api.call("getChatMember", {"chat_id": chat_id, "user_id": player_id})
        except Migrated as moved:
            return await self._ask(moved.chat_id, player_id)
        except (ApiError, TimeoutError) as problem:
            if any(words in str(problem).lower() for words in NOT_THERE):
                return ChatMembers.NO
            logger.info("cannot tell whether user {} is a member of chat {}: {}", player_id, chat_id, problem)
            return ChatMembers.UNKNOWN
        status = member["status"]
        gone = status in GONE or (status == "restricted" and not member.get("is_member"))
        return ChatMembers.NO if gone else ChatMembers.YES
