"""Who is a host: the administrators of a chat, asked of Telegram and remembered for a minute at most."""

from fsm.engine import Unavailable
from storage.administrators import Administrators
from telegram.client import ApiError, BotApi, Conflict, Migrated, RetryAfter, ServerDown, Unauthorized

ADMINISTRATORS = frozenset({"creator", "administrator"})


class Hosts:
    """Answers whether somebody is a host of a chat."""

    def __init__(self, api: BotApi, remembered: Administrators) -> None:
        self._api = api
        self._remembered = remembered

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
        await self._remembered.forget(chat_id)

    async def _administrators(self, chat_id: int) -> list[int]:
        known = await self._remembered.of(chat_id)
        if known is not None:
            return known
        try:
            members = await self._api.call("getChatAdministrators", {"chat_id": chat_id})
        except Migrated as moved:  # the group is a supergroup by now; that its games are to follow is still on its way
            return await self._administrators(moved.chat_id)
        except (Conflict, RetryAfter, ServerDown) as problem:
            raise Unavailable(f"Telegram can't be asked who hosts: {problem}") from problem
        except Unauthorized:
            raise
        except ApiError:  # the bot is not in the chat, which has no hosts as far as the bot can know
            return []
        found = [int(member["user"]["id"]) for member in members if member["status"] in ADMINISTRATORS]
        await self._remembered.remember(chat_id, found)
        return found
