"""What lets an update through to its handler.

Each is a coroutine: aiogram runs what is none, its own ``F`` included, in a thread, which takes longer than an answer.
"""

from collections.abc import Collection

from aiogram.filters import Filter
from aiogram.types import CallbackQuery, Message
from aiogram_dialog.utils import CB_SEP

from handlers.context import UpdateContext
from handlers.deps import Deps


class Named(Filter):
    """Lets commands of these names through."""

    def __init__(self, *names: str) -> None:
        self._names = frozenset(names)

    async def __call__(self, _: Message, context: UpdateContext | None = None) -> bool:
        """Whether the message is one of the commands."""
        return context is not None and context.command is not None and context.command.name in self._names


class ForOperators(Named):
    """Lets commands through for operators in private; to others there is no such command."""

    async def __call__(self, message: Message, context: UpdateContext | None = None) -> bool:
        """Whether the message is one of the commands, and from an operator."""
        return (
            await super().__call__(message, context)
            and context is not None
            and context.deps.access.is_operator(context.actor)
        )


class Unknown(Filter):
    """Lets commands through that there are not, in private: a dialog that is open must not take one for an answer."""

    def __init__(self, names: Collection[str], of_operators: Collection[str]) -> None:
        self._names = frozenset(names)
        self._of_operators = frozenset(of_operators)

    async def __call__(self, _: Message, context: UpdateContext) -> bool:
        """Whether it is one. To who is no operator, their commands are none."""
        if not context.private or context.command is None:
            return False
        operator = context.deps.access.is_operator(context.actor)
        return context.command.name not in (self._names if operator else self._names - self._of_operators)


class Migrated(Filter):
    """Lets Telegram's notices through that a group has become a supergroup."""

    async def __call__(self, message: Message) -> bool:
        """Whether it is one."""
        return message.migrate_to_chat_id is not None or message.migrate_from_chat_id is not None


class CameOrWent(Filter):
    """Lets Telegram's notices through that somebody has joined or left a group."""

    async def __call__(self, message: Message) -> bool:
        """Return whether it is one."""
        return bool(message.new_chat_members) or message.left_chat_member is not None


class PrivateFile(Filter):
    """Lets files through that somebody sends in private."""

    async def __call__(self, message: Message) -> bool:
        """Whether it is one."""
        return self.is_one(message)

    @staticmethod
    def is_one(message: Message) -> bool:
        """Return whether a message is a file that somebody sends in private."""
        return message.document is not None and message.chat.type == "private"


class Tapped(Filter):
    """Lets taps through whose callback data begins so."""

    def __init__(self, beginning: str) -> None:
        self._beginning = beginning

    async def __call__(self, query: CallbackQuery) -> bool:
        """Whether it is one."""
        return query.data is not None and query.data.startswith(self._beginning)


def has_its_button(query: CallbackQuery) -> bool:
    """Return whether the tapped message has a button with the tap's data: a forged tap can have any data."""
    markup = query.message.reply_markup if isinstance(query.message, Message) else None
    rows = markup.inline_keyboard if markup else []
    return any(button.callback_data == query.data for row in rows for button in row)


class OfGames(Filter):
    """Lets the taps through that ``handlers.taps`` answers, where the fast door has not been passed."""

    async def __call__(self, query: CallbackQuery, deps: Deps) -> bool:
        """Whether it is one."""
        return query.data is not None and query.message is not None and deps.taps.knows(query.data)


class OfNoDialog(Filter):
    """Lets taps through that can belong to no dialog."""

    async def __call__(self, query: CallbackQuery) -> bool:
        """Whether it is one."""
        return CB_SEP not in (query.data or "")
