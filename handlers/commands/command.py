"""Commands, their permissions, and the router that finds a command's handler by its name."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiogram import Router
from aiogram.types import Message

from handlers.context import UpdateContext
from handlers.filters import Linked, Named
from handlers.views.message import Button
from play.access import Needs

Handler = Callable[[UpdateContext], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Command:
    """A command and its permission.

    Attributes:
        handle: carries the command out. If it is about a game, this also authorises the person for that game.
        needs: the permission that the command needs in its chat.
        in_groups: True if the command works in groups only. In private it then answers with a hint.
    """

    handle: Handler
    needs: Needs
    in_groups: bool = False

    async def __call__(self, context: UpdateContext) -> None:
        """Authorise the person and carry the command out. Raises the refusals of `Access`."""
        if self.in_groups and context.private:
            keyboard = [[Button(context.label("cmd-add-to-group"), url=add_to_group(context))]]
            await context.answer(context.text("cmd-use-in-group"), keyboard)
            return
        await context.authorise(self.needs)
        await self.handle(context)


def for_hosts(handle: Handler, needs: Needs = Needs.HOST) -> Command:
    """Return a command that works in groups only, by default for hosts."""
    return Command(handle, needs, in_groups=True)


def add_to_group(context: UpdateContext) -> str:
    """Return a link with which a person adds the bot to a group."""
    return f"https://t.me/{context.deps.bot_username}?startgroup=true"


def commands_router(commands: Mapping[str, Command], *, but: tuple[str, ...] = ()) -> Router:
    """Return a router of commands by their names. It has one filter for all of them, which is faster than one each.

    Deep links whose payload begins with one of ``but`` are left to other routers.
    """
    router = Router(name="commands")

    async def handle(_: Message, context: UpdateContext, **__: Any) -> None:
        assert context.command is not None
        await commands[context.command.name](context)

    router.message.register(handle, Named(*commands), Linked(*but, there=False))
    return router
