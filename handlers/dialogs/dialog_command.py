"""Commands that open dialogs, with their permissions."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiogram.types import Message
from aiogram_dialog import Dialog, DialogManager

from handlers.context import UpdateContext
from play.access import Needs, NotYours

Start = Callable[[UpdateContext, DialogManager], Awaitable[None]]
"""A function that opens a dialog on a command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogCommand:
    """A command that opens a dialog.

    Attributes:
        needs: the permission to open the dialog. The states of the dialog repeat it, for each tap on the dialog.
        start: opens the dialog.
        dialogs: makes the dialogs that the command leads to.
        in_private: id of the text that answers the command in a group.
    """

    needs: Needs
    start: Start
    dialogs: Callable[[], tuple[Dialog, ...]]
    in_private: str

    async def handle(
        self, _: Message, context: UpdateContext, dialog_manager: DialogManager | None = None, **__: Any
    ) -> None:
        """Authorise the person and open the dialog. Raises the refusals of `Access`."""
        await context.authorise(self.needs)
        if not context.private:
            await context.reply(self.in_private)
        elif dialog_manager is None:  # the command replies to another person's dialog
            raise NotYours
        else:
            await self.start(context, dialog_manager)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedForm:
    """A form in private about a group, which a deep link opens.

    Attributes:
        start: authorises the person for the group that the link names, and opens the form.
        dialogs: makes the dialogs that the link leads to.
    """

    start: Start
    dialogs: Callable[[], tuple[Dialog, ...]]

    async def handle(self, _: Message, context: UpdateContext, dialog_manager: DialogManager, **__: Any) -> None:
        """Open the form. Raises the refusals of `Access`."""
        await self.start(context, dialog_manager)
