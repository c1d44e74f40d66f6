"""How commands find their handlers, and what each needs of the person who gives it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiogram import Router
from aiogram.types import Message

from handlers.context import UpdateContext
from handlers.filters import Named
from handlers.views.message import Button
from play.access import Needs

Handler = Callable[[UpdateContext], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Command:
    """A command.

    Attributes:
        handle: carries it out. Where the command is about a game, it authorises the person for that game as well.
        needs: what the command needs in the chat that it is given in.
        in_groups: in private, where nobody is a host, the command only says where to use it.
    """

    handle: Handler
    needs: Needs
    in_groups: bool = False

    async def __call__(self, context: UpdateContext) -> None:
        """Carry the command out if the person may give it here. Raises the refusals of `Access`."""
        if self.in_groups and context.private:
            keyboard = [[Button(context.label("cmd-add-to-group"), url=add_to_group(context))]]
            await context.answer(context.text("cmd-use-in-group"), keyboard)
            return
        await context.authorise(self.needs)
        await self.handle(context)


def for_hosts(handle: Handler, needs: Needs = Needs.HOST) -> Command:
    """Return a command of hosts."""
    return Command(handle, needs, in_groups=True)


def add_to_group(context: UpdateContext) -> str:
    """Return the link that adds the bot to a group."""
    return f"https://t.me/{context.deps.bot_username}?startgroup=true"


def commands_router(commands: Mapping[str, Command]) -> Router:
    """Return a router of commands by their names: one filter for all, not one for each."""
    router = Router(name="commands")

    async def handle(_: Message, context: UpdateContext, **__: Any) -> None:
        assert context.command is not None
        await commands[context.command.name](context)

    router.message.register(handle, Named(*commands))
    return router
