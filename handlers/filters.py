"""Filters that select the updates for a handler.

All are coroutines. aiogram runs any other filter, its own ``F`` included, in a thread, which costs more than an answer.
"""

from collections.abc import Collection

from aiogram.filters import Filter
from aiogram.types import CallbackQuery, Message
from aiogram_dialog.utils import CB_SEP

from handlers.context import UpdateContext
from handlers.deps import Deps


class Named(Filter):
    """Selects commands by name."""

    def __init__(self, *names: str) -> None:
        self._names = frozenset(names)

    async def __call__(self, _: Message, context: UpdateContext | None = None) -> bool:
        """Return whether the message is one of the commands."""
        return context is not None and context.command is not None and context.command.name in self._names


def is_link(context: UpdateContext, *prefixes: str) -> bool:
    """Return whether an update is ``/start`` in private with a payload that begins with one of the prefixes."""
    command = context.command
    return (
        context.private and command is not None and command.name == "start" and command.arguments.startswith(prefixes)
    )


class Linked(Filter):
    """Selects deep links by the beginning of their payload; with ``there=False`` all messages but those."""

    def __init__(self, *prefixes: str, there: bool = True) -> None:
        self._prefixes = prefixes
        self._there = there

    async def __call__(self, _: Message, context: UpdateContext | None = None) -> bool:
        """Return whether the message is one of the links."""
        return (context is not None and is_link(context, *self._prefixes)) is self._there


class ForOperators(Named):
    """Selects commands of operators in private. For other people these commands do not exist."""

    async def __call__(self, message: Message, context: UpdateContext | None = None) -> bool:
        """Return whether the message is one of the commands and comes from an operator."""
        return (
            await super().__call__(message, context)
            and context is not None
            and context.deps.play.access.is_operator(context.actor)
        )


class Unknown(Filter):
    """Selects unknown commands in private, so that an open dialog does not take one for an answer."""

    def __init__(self, names: Collection[str], of_operators: Collection[str]) -> None:
        self._names = frozenset(names)
        self._of_operators = frozenset(of_operators)

    async def __call__(self, _: Message, context: UpdateContext) -> bool:
        """Return whether the command is unknown. The operators' commands are unknown to everybody else."""
        if not context.private or context.command is None:
            return False
        operator = context.deps.play.access.is_operator(context.actor)
        return context.command.name not in (self._names if operator else self._names - self._of_operators)


class Migrated(Filter):
    """Selects Telegram's notices that a group has become a supergroup."""

    async def __call__(self, message: Message) -> bool:
        """Return whether the message is such a notice, in the old chat or the new one."""
        return message.migrate_to_chat_id is not None or message.migrate_from_chat_id is not None


class CameOrWent(Filter):
    """Selects Telegram's notices that somebody has joined or left a group."""

    async def __call__(self, message: Message) -> bool:
        """Return whether the message is such a notice."""
        return bool(message.new_chat_members) or message.left_chat_member is not None


class PrivateFile(Filter):
    """Selects files that a person sends in private."""

    async def __call__(self, message: Message) -> bool:
        """Return whether the message is such a file."""
        return message.document is not None and message.chat.type == "private"


class Tapped(Filter):
    """Selects taps by the beginning of their callback data."""

    def __init__(self, beginning: str) -> None:
        self._beginning = beginning

    async def __call__(self, query: CallbackQuery) -> bool:
        """Return whether the tap's callback data has that beginning."""
        return query.data is not None and query.data.startswith(self._beginning)


def has_its_button(query: CallbackQuery) -> bool:
    """Return whether the tapped message has a button with the tap's data. If not, the tap is forged.

    An ephemeral message may come without its keyboard, and then counts as having it: nobody else sees the message.
    """
    markup = query.message.reply_markup if isinstance(query.message, Message) else None
    if markup is None and isinstance(query.message, Message) and query.message.ephemeral_message_id is not None:
        return True
    rows = markup.inline_keyboard if markup else []
    return any(button.callback_data == query.data for row in rows for button in row)


class OfGames(Filter):
    """Selects the taps that ``handlers.taps`` answers, if they did not take the fast path."""

    async def __call__(self, query: CallbackQuery, deps: Deps) -> bool:
        """Return whether ``handlers.taps`` knows the verb in the callback data."""
        return query.data is not None and query.message is not None and deps.taps.knows(query.data)


class OfNoDialog(Filter):
    """Selects taps that cannot belong to a dialog."""

    async def __call__(self, query: CallbackQuery) -> bool:
        """Return whether the callback data lacks the separator that all dialogs use."""
        return CB_SEP not in (query.data or "")
