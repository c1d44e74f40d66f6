"""Who may use a dialog, and where its state is kept."""

from typing import Any

from aiogram.filters import Filter
from aiogram.fsm.storage.base import DefaultKeyBuilder
from aiogram.fsm.storage.redis import RedisEventIsolation, RedisStorage
from aiogram.types import CallbackQuery, Message
from aiogram_dialog import ChatEvent
from aiogram_dialog.api.entities import Context, Stack
from aiogram_dialog.api.protocols import StackAccessValidator

from fsm.kind import Rejected
from handlers.context import ANONYMOUS, UpdateContext
from handlers.filters import PrivateFile, has_its_button
from storage.keys import DIALOG_PREFIX

STATE_SECONDS = 86_400
"""A dialog that nobody touched for a day is forgotten."""
LOCK_SECONDS = 20
"""How long one update may hold a dialog, at most."""
_KEYS = DefaultKeyBuilder(prefix=DIALOG_PREFIX, with_bot_id=True, with_business_connection_id=True, with_destiny=True)


def dialog_storage(redis: Any) -> RedisStorage:
    """Where dialogs keep their state: in the given ``redis.asyncio.Redis``, for a day."""
    return RedisStorage(redis, key_builder=_KEYS, state_ttl=STATE_SECONDS, data_ttl=STATE_SECONDS)


def dialog_locks(redis: Any) -> RedisEventIsolation:
    """Two taps on one dialog are handled one after the other, whichever process gets them."""
    return RedisEventIsolation(
        redis, key_builder=_KEYS, lock_kwargs={"timeout": LOCK_SECONDS, "blocking_timeout": LOCK_SECONDS, "sleep": 0.02}
    )


REFUSAL = "refusal"
"""Key of the middleware data: the refusal of somebody who may not use the dialog that they tapped or answered."""


class DialogAccess(StackAccessValidator):
    """Authorises every tap on a dialog and every message to it, when it comes: a dialog may have been open for a day.

    The states of a dialog say what it needs (``needs``). In a group a dialog belongs to its opener. A dialog
    that an anonymous administrator opened is any host's: taps come under the administrator's own name.
    """

    async def is_allowed(
        self,
        stack: Stack,  # noqa: ARG002
        context: Context | None,
        event: ChatEvent,
        data: dict[str, Any],
    ) -> bool:
        """Return whether the person may use the dialog that ``context`` is of. If not, `REFUSAL` says why."""
        update: UpdateContext | None = data.get("context")
        if update is None or context is None:
            return True
        owners = context.access_settings.user_ids if context.access_settings else None
        if not update.private and owners and owners != [ANONYMOUS] and update.person.id not in owners:
            return False
        if isinstance(event, Message) and (update.command is not None or PrivateFile.is_one(event)):
            return True  # not for this dialog: the command or the file takes its place, and is authorised by itself
        needs = getattr(context.state.group, "needs", None)
        if needs is None:  # a dialog of the library's, which nobody opens
            return False
        try:
            await update.authorise(needs)
        except Rejected as refusal:
            data[REFUSAL] = refusal
            return False
        # A forged tap names items that the window does not offer: packs of others, numbers of any size.
        return not isinstance(event, CallbackQuery) or has_its_button(event)


class RefusedByDialog(Filter):
    """Lets messages through whose sender may not use the dialog that they answer."""

    async def __call__(self, _: Message, **data: Any) -> bool:
        """Return whether a refusal was noted."""
        return REFUSAL in data
