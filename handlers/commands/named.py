"""How commands find their handlers."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiogram import Router
from aiogram.types import Message

from handlers.context import UpdateContext
from handlers.filters import Named

Command = Callable[[UpdateContext], Awaitable[None]]


def commands_router(commands: Mapping[str, Command]) -> Router:
    """A router of commands by their names: asked once, not once for each."""
    router = Router(name="commands")

    async def handle(_: Message, incoming: UpdateContext, **__: Any) -> None:
        assert incoming.command is not None
        await commands[incoming.command.name](incoming)

    router.message.register(handle, Named(*commands))
    return router
