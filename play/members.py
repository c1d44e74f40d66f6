"""The members of chats and channels, and the people who boost a chat.

Telegram is asked at most once a minute about a person; Redis holds its answers for all processes. While Telegram cannot
be asked, its last answer counts.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, Final, TypeAlias

from loguru import logger

from fsm.engine import Unavailable
from fsm.kind import PlayerId
from storage.chat_members import ChatMembers, LastKnown
from telegram.client import ApiError, BotApi, Conflict, Migrated, RetryAfter, ServerDown

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
RIGHT_TO_PIN: Final = "can_pin_messages"
RIGHTS: Final = (SEND, "can_send_polls", "can_send_photos", RIGHT_TO_PIN)
"""The rights in a group that the bot uses, as Telegram names them. Only the first is needed."""
WAIT_SECONDS = 1.5
"""Time that a join waits for Telegram's answer. After it the membership counts as unknown."""
SLOW_SECONDS = 5.0
"""Time after an answer that did not come, during which nobody waits for another: the last known answers count."""
Outside: TypeAlias = Callable[[], AbstractAsyncContextManager[None]]
"""Function that returns a block during which an update does not keep others from being handled."""


class Members:
    """Tells the members of chats from other people.

    Args:
        api: for `getChatMember`.
        memory: the cache of Telegram's answers.
        outside: entered while Telegram is asked, so that other updates are handled meanwhile.
    """

    def __init__(self, api: BotApi, memory: ChatMembers, outside: Outside = nullcontext) -> None:
        self._api = api
        self._memory = memory
        self._outside = outside
        self._slow_until = 0.0

    async def is_member(self, chat_id: int | str, player_id: PlayerId) -> bool | None:
        """Return whether a person is in a chat, by the last answer if Telegram cannot be asked; None if it never told.

        ``chat_id`` may be the username of a channel.
        """
        return (await self._latest(chat_id, player_id)).answer

    async def check(self, chat_id: int, player_id: PlayerId) -> bool | None:
        """Return whether a person is in a chat, by an answer of the last minute; None if Telegram does not tell now."""
        latest = await self._latest(chat_id, player_id)
        return latest.answer if latest.fresh else None

    async def _latest(self, chat_id: int | str, player_id: PlayerId) -> LastKnown:
        """Return the answer to go by, and whether Telegram gave it within the last minute."""
        known = await self._memory.member(chat_id, player_id)
        if known.fresh:
            return known
        found = await self._ask(chat_id, player_id)
        answer = known.answer if found is None else found
        await self._memory.put_member(chat_id, player_id, answer=answer, fresh=found is not None)
        return LastKnown(answer, fresh=found is not None)

    async def boosts(self, chat_id: int, player_id: PlayerId) -> bool | None:
        """Return whether a person boosts a chat, in the same way."""
        known = await self._memory.booster(chat_id, player_id)
        if known.fresh:
            return known.answer
        try:
            found: bool | None = bool((await self._call("getUserChatBoosts", chat_id, player_id))["boosts"])
        except (ApiError, TimeoutError) as problem:
            logger.info("cannot tell whether user {} boosts chat {}: {}", player_id, chat_id, problem)
            found = None
        answer = known.answer if found is None else found
        await self._memory.put_booster(chat_id, player_id, answer=answer, fresh=found is not None)
        return answer

    async def can_read(self, method: str, chat_id: int | str, player_id: PlayerId) -> bool:
        """Return whether Telegram answers the bot a question about a person in a chat.

        Args:
            method: ``getChatMember``, or ``getUserChatBoosts``.
            chat_id: the chat, or the username of a channel.
            player_id: any person; the answer itself does not matter.

        Raises ``Unavailable`` if Telegram cannot be asked.
        """
        try:
            await self._call(method, chat_id, player_id)
        except (Conflict, RetryAfter, ServerDown, TimeoutError) as problem:
            raise Unavailable(f"Telegram cannot be asked what the bot may read: {problem}") from problem
        except ApiError as problem:
            return _says_not_there(problem)
        return True

    async def lacks(self, chat_id: int, bot_id: int) -> frozenset[str]:
        """Return those of ``RIGHTS`` that the bot lacks in a group, asked from Telegram; none if it does not tell."""
        try:
            async with self._outside(), asyncio.timeout(WAIT_SECONDS):
                own = await self._api.call("getChatMember", {"chat_id": chat_id, "user_id": bot_id})
                if own["status"] == "creator":
                    return frozenset()
                if own["status"] == "administrator":  # whose other rights are not limited
                    return frozenset() if own.get(RIGHT_TO_PIN, True) else frozenset({RIGHT_TO_PIN})
                given = own
                if own["status"] != "restricted":
                    given = (await self._api.call("getChat", {"chat_id": chat_id})).get("permissions", {})
        except (ApiError, TimeoutError) as problem:
            logger.info("the bot's rights in {} are not known: {}", chat_id, problem)
            return frozenset()
        return frozenset(right for right in RIGHTS if not given.get(right, True))

    async def note(self, chat_id: int, player_id: PlayerId, *, here: bool) -> None:
        """Remember that an update has reported a person as a member, or as gone."""
        await self._memory.put_member(chat_id, player_id, answer=here, fresh=True)

    async def _ask(self, chat_id: int | str, player_id: PlayerId) -> bool | None:
        try:
            member = await self._call("getChatMember", chat_id, player_id)
        except (ApiError, TimeoutError) as problem:
            if _says_not_there(problem):
                return False
            logger.info("cannot tell whether user {} is a member of chat {}: {}", player_id, chat_id, problem)
            return None
        status = member["status"]
        return not (status in GONE or (status == "restricted" and not member.get("is_member")))

    async def _call(self, method: str, chat_id: int | str, player_id: PlayerId) -> Any:
        if time.monotonic() < self._slow_until:
            raise TimeoutError("Telegram was too slow a moment ago")
        try:
            async with self._outside(), asyncio.timeout(WAIT_SECONDS):
                return await self._api.call(method, {"chat_id": chat_id, "user_id": player_id})
        except TimeoutError:
            self._slow_until = time.monotonic() + SLOW_SECONDS
            raise
        except Migrated as moved:
            return await self._call(method, moved.chat_id, player_id)


def _says_not_there(problem: Exception) -> bool:
    return any(words in str(problem).lower() for words in NOT_THERE)
