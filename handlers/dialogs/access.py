"""Whose dialog it is, and where its state is kept."""

from typing import Any

from aiogram.fsm.storage.base import DefaultKeyBuilder
from aiogram.fsm.storage.redis import RedisEventIsolation, RedisStorage
from aiogram_dialog import ChatEvent
from aiogram_dialog.api.entities import Context, Stack
from aiogram_dialog.api.protocols import StackAccessValidator

from handlers.commands.finding import NotAHost
from handlers.context import ANONYMOUS, UpdateContext
from handlers.opening import may_open

STATE_SECONDS = 86_400
"""A dialog that nobody touched for a day is forgotten."""
LOCK_SECONDS = 20
"""How long one update may hold a dialog, at most."""
_KEYS = DefaultKeyBuilder(
    prefix="tombola:dialog", with_bot_id=True, with_business_connection_id=True, with_destiny=True
)


def dialog_storage(redis: Any) -> RedisStorage:
    """Where dialogs keep their state: in the given ``redis.asyncio.Redis``, for a day."""
    return RedisStorage(redis, key_builder=_KEYS, state_ttl=STATE_SECONDS, data_ttl=STATE_SECONDS)


def dialog_locks(redis: Any) -> RedisEventIsolation:
    """Two taps on one dialog are handled one after the other, whichever process gets them."""
    return RedisEventIsolation(
        redis, key_builder=_KEYS, lock_kwargs={"timeout": LOCK_SECONDS, "blocking_timeout": LOCK_SECONDS, "sleep": 0.02}
    )


class OwnersOnly(StackAccessValidator):
    """In a group a dialog belongs to the host who opened it, as long as they are a host.

    An anonymous administrator opens it as the group, and taps under their own name: then any host may.
    """

    async def is_allowed(
        self,
        stack: Stack,  # noqa: ARG002
        context: Context | None,
        event: ChatEvent,  # noqa: ARG002
        data: dict[str, Any],
    ) -> bool:
        """Whether the person may use the dialog that ``context`` is of."""
        incoming: UpdateContext | None = data.get("incoming")
        if incoming is None or incoming.private or context is None or context.access_settings is None:
            return True
        owners = context.access_settings.user_ids
        if owners and owners != [ANONYMOUS] and incoming.person.id not in owners:
            return False
        return await may_use(incoming)


async def may_use(incoming: UpdateContext) -> bool:
    """Whether the person may still open games here: who ceased to be a host has no dialog any more."""
    try:
        await may_open(incoming)
    except NotAHost:
        return False
    return True
