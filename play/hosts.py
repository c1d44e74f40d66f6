"""Hosts: the administrators of a chat, fetched from Telegram and cached for a minute at most."""

from fsm.engine import Unavailable
from storage.administrators import Administrators
from telegram.client import ApiError, BotApi, Conflict, Migrated, RetryAfter, ServerDown, Unauthorized

ADMINISTRATORS = frozenset({"creator", "administrator"})


class Hosts:
    """Knows who the hosts of a chat are: its administrators.

    Args:
        api: for `getChatAdministrators`.
        remembered: the cache that all processes share.
    """

    def __init__(self, api: BotApi, remembered: Administrators) -> None:
        self._api = api
        self._remembered = remembered

    async def is_host(self, chat_id: int, user_id: int, *, sender_chat_id: int | None = None) -> bool:
        """Return whether a person is an administrator of the chat. In a private chat nobody is.

        An anonymous administrator writes as the chat: ``sender_chat_id`` is then the chat's own id.

        Raises:
            Unavailable: Telegram does not answer.
            Unauthorized: Telegram refuses the bot's token.
        """
        if chat_id > 0:
            return False
        if sender_chat_id is not None:
            return sender_chat_id == chat_id
        return user_id in await self._administrators(chat_id)

    async def invalidate(self, chat_id: int) -> None:
        """Drop a chat's cached administrators, because Telegram has reported a change."""
        await self._remembered.forget(chat_id)

    async def _administrators(self, chat_id: int) -> list[int]:
        known = await self._remembered.of(chat_id)
        if known is not None:
            return known
        try:
            members = await self._api.call("getChatAdministrators", {"chat_id": chat_id})
        except Migrated as moved:  # the notice that moves the games to the supergroup has yet to arrive
            return await self._administrators(moved.chat_id)
        except (Conflict, RetryAfter, ServerDown) as problem:
            raise Unavailable(f"Telegram can't be asked who hosts: {problem}") from problem
        except Unauthorized:  # a refused token concerns the whole bot, and must not read as "no hosts"
            raise
        except ApiError:  # the bot is not in the chat, so it can know of no hosts
            return []
        found = [int(member["user"]["id"]) for member in members if member["status"] in ADMINISTRATORS]
        await self._remembered.remember(chat_id, found)
        return found
