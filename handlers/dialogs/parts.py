"""Widgets that take their words from the locales, and the manager that answers taps our way."""

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
"""UTF-16 units of a label that a phone shows whole, with so many to a row; a longer one has its row to itself."""

GOOD, GRAVE = Style(ButtonStyle.SUCCESS), Style(ButtonStyle.DANGER)
"""Of the button that a window is for; of one whose deed can't be undone."""

SHOWN = "shown"
"""In a dialog's data: its message, and a digest of what that shows."""


def incoming_of(manager: DialogManager) -> UpdateContext:
    """The update that the dialog is handling."""
    found: UpdateContext = manager.middleware_data["context"]
    return found


class Label(Text):
    """A button's words, by their id."""

    def __init__(self, text_id: str, when: Any = None) -> None:
        super().__init__(when=when)
        self._id = text_id

    async def _render_text(self, data: dict[str, Any], manager: DialogManager) -> str:  # noqa: ARG002
        return incoming_of(manager).label(self._id)


class Given(Text):
    """HTML that the window's getter has put together."""

    def __init__(self, key: str, when: Any = None) -> None:
        super().__init__(when=when)
        self._key = key

    async def _render_text(self, data: dict[str, Any], manager: DialogManager) -> str:  # noqa: ARG002
        return str(data[self._key])


class ItemLabel(Text):
    """The words of one of a selection's items, which are pairs of value and words."""

    async def _render_text(self, data: dict[str, Any], manager: DialogManager) -> str:  # noqa: ARG002
        return str(data["item"][1])


class Fitting(Group):
    """Buttons side by side, as many to a row as a phone shows whole."""

    def __init__(self, *buttons: Keyboard) -> None:
        super().__init__(*buttons, width=1)  # any: without one nothing is arranged

    def _wrap_kbd(self, kbd: Iterable[InlineKeyboardButton]) -> list[list[Any]]:
        buttons = list(kbd)
        longest = max((units(button.text) for button in buttons), default=0)
        width = next((count for limit, count in WIDTHS if longest <= limit), 1)
        return [buttons[start : start + width] for start in range(0, len(buttons), width)]


def value_of(item: tuple[str, str]) -> str:
    """What a selection's item stands for."""
    return item[0]


class Answering(ManagerImpl):
    """A dialog manager that answers each tap once, with the toast of whoever had something to say."""

    async def answer_callback(self) -> None:
        """Answer, unless a handler has."""
        await incoming_of(self).toast()


class Windows(MessageManager):
    """Shows the windows of one update's dialog. None is edited into what it shows already: Telegram refuses that."""

    manager: DialogManager

    async def show_message(self, bot: Bot, new_message: NewMessage, old_message: OldMessage | None) -> OldMessage:
        """Send or edit. Raises ``MessageNotModified``, which the library takes for shown."""
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
    """Makes the manager of an update."""

    def __init__(self) -> None:
        self._media = MediaIdStorage()  # type: ignore[no-untyped-call] # of the library

    def __call__(
        self, event: ChatEvent, data: dict[str, Any], registry: DialogRegistryProtocol, router: Router
    ) -> DialogManager:
        """A manager for this event."""
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
