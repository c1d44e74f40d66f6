"""Widgets that take their words from the locales, and the manager that answers taps our way."""

from typing import Any

from aiogram import Router
from aiogram_dialog import ChatEvent, DialogManager
from aiogram_dialog.api.internal import DialogManagerFactory
from aiogram_dialog.api.protocols import DialogRegistryProtocol
from aiogram_dialog.context.media_storage import MediaIdStorage
from aiogram_dialog.manager.manager import ManagerImpl
from aiogram_dialog.manager.message_manager import MessageManager
from aiogram_dialog.widgets.text import Text

from handlers.incoming import Incoming


def incoming_of(manager: DialogManager) -> Incoming:
    """The update that the dialog is handling."""
    found: Incoming = manager.middleware_data["incoming"]
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


def value_of(item: tuple[str, str]) -> str:
    """What a selection's item stands for."""
    return item[0]


class Answering(ManagerImpl):
    """A dialog manager that answers each tap once, with the toast of whoever had something to say."""

    async def answer_callback(self) -> None:
        """Answer, unless a handler has."""
        await incoming_of(self).toast()


class Managers(DialogManagerFactory):
    """Makes the manager of an update."""

    def __init__(self) -> None:
        self._messages = MessageManager()
        self._media = MediaIdStorage()  # type: ignore[no-untyped-call] # of the library

    def __call__(
        self, event: ChatEvent, data: dict[str, Any], registry: DialogRegistryProtocol, router: Router
    ) -> DialogManager:
        """A manager for this event."""
        return Answering(
            event=event,
            data=data,
            message_manager=self._messages,
            media_id_storage=self._media,
            registry=registry,
            router=router,
            getter=None,
        )
