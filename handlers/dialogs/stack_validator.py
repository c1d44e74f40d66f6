"""The validator that aiogram_dialog asks before each tap on a dialog and each message to it."""

from typing import TYPE_CHECKING, Any

from aiogram.filters import Filter
from aiogram.types import CallbackQuery, Message
from aiogram_dialog import ChatEvent
from aiogram_dialog.api.entities import Context, Stack
from aiogram_dialog.api.protocols import StackAccessValidator

from fsm.kind import ChatTopic, Rejected
from handlers.filters import has_its_button
from play.access import Needs, NotYours

if TYPE_CHECKING:
    from handlers.context import UpdateContext

REFUSAL = "refusal"
"""Key of the middleware data that holds the refusal, if a person may not use the dialog that they tapped."""


class DialogAccess(StackAccessValidator):
    """Authorises every tap on a dialog and every message to it, because rights may change while a dialog is open.

    The states group of a dialog names its permission (``needs``). A dialog belongs to the person who opened it.
    """

    async def is_allowed(
        self,
        stack: Stack,  # noqa: ARG002
        context: Context | None,
        event: ChatEvent,
        data: dict[str, Any],
    ) -> bool:
        """Return whether the person may use the dialog of ``context``. If not, ``data[REFUSAL]`` may hold a reason."""
        update: UpdateContext | None = data.get("context")
        if update is None or context is None:
            return True
        needs: Needs | None = getattr(context.state.group, "needs", None)
        if needs is None:  # one of aiogram_dialog's own dialogs, which the bot never opens
            return False
        if isinstance(event, Message) and update.command is not None:
            needs = Needs.NOTHING  # not meant for this dialog; the command's handler authorises it
        where = None if needs is Needs.NOTHING else target_in(context)
        try:
            await update.authorise(
                needs, where, owners=context.access_settings.user_ids if context.access_settings else ()
            )
        except NotYours:  # `left_over` answers a tap; a message is left to the other routers
            return False
        except Rejected as refusal:
            data[REFUSAL] = refusal
            return False
        # A forged tap could name items that the window does not offer, such as packs of other people.
        return not isinstance(event, CallbackQuery) or has_its_button(event)


def target_in(context: Context) -> ChatTopic | None:
    """Return the chat and topic that a dialog is about; None if it is about none.

    Forms are in private, and about a group.
    """
    target = context.start_data.get("target") if isinstance(context.start_data, dict) else None
    return ChatTopic(*target) if target is not None else None


class RefusedByDialog(Filter):
    """Selects messages to a dialog that `DialogAccess` has refused."""

    async def __call__(self, _: Message, **data: Any) -> bool:
        """Return whether the middleware data holds a refusal."""
        return REFUSAL in data
