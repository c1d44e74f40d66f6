"""Commands that open dialogs, with their permissions."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiogram.types import Message
from aiogram_dialog import Dialog, DialogManager

from handlers.commands.command import for_hosts
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
        in_private: id of the text that answers the command in a group, if it works in private only; None if it works in
            groups only.
    """

    needs: Needs
    start: Start
    dialogs: Callable[[], tuple[Dialog, ...]]
    in_private: str | None = None

    async def handle(
        self, _: Message, context: UpdateContext, dialog_manager: DialogManager | None = None, **__: Any
    ) -> None:
        """Authorise the person and open the dialog. Raises the refusals of `Access`."""

        async def start(asker: UpdateContext) -> None:
            if dialog_manager is None:  # the command replies to another person's dialog
                raise NotYours
            await self.start(asker, dialog_manager)

        if self.in_private is None:
            await for_hosts(start, self.needs)(context)
            return
        await context.authorise(self.needs)
        if context.private:
            await start(context)
        else:
            await context.reply(self.in_private)
