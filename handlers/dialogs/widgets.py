"""Widgets of dialogs with texts from the locales, and a dialog manager that answers each tap once."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from aiogram import Bot, Router
from aiogram.enums import ButtonStyle
from aiogram.types import InlineKeyboardButton
from aiogram_dialog import ChatEvent, DialogManager, ShowMode
from aiogram_dialog.api.entities import NewMessage, OldMessage
from aiogram_dialog.api.internal import DialogManagerFactory
from aiogram_dialog.api.protocols import DialogRegistryProtocol, MessageNotModified
from aiogram_dialog.context.media_storage import MediaIdStorage
from aiogram_dialog.manager.manager import ManagerImpl
from aiogram_dialog.manager.message_manager import MessageManager
from aiogram_dialog.widgets.kbd import Group, Keyboard
from aiogram_dialog.widgets.style import Style
from aiogram_dialog.widgets.text import Text

from handlers.context import UpdateContext
from play.texts import units

WIDTHS = ((8, 4), (12, 3), (19, 2))
"""Longest label in UTF-16 units, and the number of such buttons that a phone shows whole in a row."""

HALF = 17
"""Longest label in UTF-16 units of a button that is half as wide as a phone."""

GOOD, GRAVE = Style(ButtonStyle.SUCCESS), Style(ButtonStyle.DANGER)
"""Styles of a window's main button, and of a button whose action cannot be undone."""

SHOWN = "shown"
"""Key in a dialog's widget data of its message id and the digest of its content."""


def context_of(manager: DialogManager) -> UpdateContext:
    """Return the context of the update that the dialog is handling."""
    found: UpdateContext = manager.middleware_data["context"]
    return found


class Label(Text):
    """The text with this id, in the locale of the update."""

    def __init__(self, text_id: str, when: Any = None) -> None:
        super().__init__(when=when)
        self._id = text_id

    async def _render_text(self, data: dict[str, Any], manager: DialogManager) -> str:  # noqa: ARG002
        return context_of(manager).label(self._id)


class Given(Text):
    """A text or HTML that the window's getter has made, under this key."""

    def __init__(self, key: str, when: Any = None) -> None:
        super().__init__(when=when)
        self._key = key

    async def _render_text(self, data: dict[str, Any], manager: DialogManager) -> str:  # noqa: ARG002
        return str(data[self._key])


class ItemLabel(Text):
    """The label of an item of a selection. Items are pairs of value and label."""

    async def _render_text(self, data: dict[str, Any], manager: DialogManager) -> str:  # noqa: ARG002
        return str(data["item"][1])


class Fitting(Group):
    """Buttons in rows, with as many to a row as a phone shows whole."""

    def __init__(self, *buttons: Keyboard) -> None:
        super().__init__(*buttons, width=1)  # any width will do: without one the base class never wraps

    def _wrap_kbd(self, kbd: Iterable[InlineKeyboardButton]) -> list[list[Any]]:
        buttons = list(kbd)
        longest = max((units(button.text) for button in buttons), default=0)
        width = next((count for limit, count in WIDTHS if longest <= limit), 1)
        return [buttons[start : start + width] for start in range(0, len(buttons), width)]


class Paired(Fitting):
    """Buttons two to a row, in their order; a label too long for half a phone has a row to itself."""

    def _wrap_kbd(self, kbd: Iterable[InlineKeyboardButton]) -> list[list[Any]]:
        found: list[list[Any]] = []
        room = 0
        for button in kbd:
            short = units(button.text) <= HALF
            if short and room:
                found[-1].append(button)
                room = 0
            else:
                found.append([button])
                room = int(short)
        return found


def value_of(item: tuple[str, str]) -> str:
    """Return the value of a selection's item."""
    return item[0]


class Answering(ManagerImpl):
    """A dialog manager that answers a tap only if no handler has answered it."""

    async def answer_callback(self) -> None:
        """Answer the tap with an empty toast, unless a handler has answered it."""
        await context_of(self).toast()


class Windows(MessageManager):
    """Shows the windows of one update's dialog. Skips an edit that changes nothing, because Telegram refuses it."""

    manager: DialogManager

    async def show_message(self, bot: Bot, new_message: NewMessage, old_message: OldMessage | None) -> OldMessage:
        """Send or edit a message. Raises ``MessageNotModified`` for a skipped edit, as aiogram_dialog expects."""
        keyboard = new_message.reply_markup.model_dump_json() if new_message.reply_markup else ""
        shown = self.manager.current_context().widget_data
        digest = blake2b(f"{new_message.text}\0{keyboard}".encode(), digest_size=12).hexdigest()
        editing = old_message is not None and new_message.show_mode is ShowMode.EDIT
        if old_message is not None and editing and shown.get(SHOWN) == [old_message.message_id, digest]:
            raise MessageNotModified("it shows that already")
        message = await super().show_message(bot, new_message, old_message)
        shown[SHOWN] = [message.message_id, digest]
        return message


class Managers(DialogManagerFactory):
    """Makes dialog managers of the type `Answering`."""

    def __init__(self) -> None:
        self._media = MediaIdStorage()  # type: ignore[no-untyped-call] # of the library

    def __call__(
        self, event: ChatEvent, data: dict[str, Any], registry: DialogRegistryProtocol, router: Router
    ) -> DialogManager:
        """Return the manager for an event."""
        windows = Windows()
        windows.manager = Answering(
            event=event,
            data=data,
            message_manager=windows,
            media_id_storage=self._media,
            registry=registry,
            router=router,
            getter=None,
        )
        return windows.manager
