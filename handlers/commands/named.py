"""How commands find their handlers."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiogram import Router
from aiogram.filters import Filter
from aiogram.types import Message

from handlers.incoming import Incoming

Command = Callable[[Incoming], Awaitable[None]]


class Named(Filter):
    """Lets a command of that name through."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def __call__(self, _: Message, incoming: Incoming | None = None) -> bool:
        """Whether the message is the command."""
        return incoming is not None and incoming.command is not None and incoming.command.name == self._name


def commands_router(name: str, commands: Mapping[str, Command]) -> Router:
    """A router of these commands."""
    router = Router(name=name)
    for command, handler in commands.items():
        router.message.register(_bare(handler), Named(command))
    return router


def _bare(handler: Command) -> Callable[..., Awaitable[None]]:
    """Without the message: the incoming has it."""

    async def handle(_: Message, incoming: Incoming, **__: Any) -> None:
        await handler(incoming)

    return handle
