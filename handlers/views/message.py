"""The message that a view renders, and its conversion to parameters of the Bot API."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

NO_PREVIEW = {"is_disabled": True}


@dataclass(frozen=True, slots=True)
class Button:
    """An inline button. A tap on it sends ``data`` to the bot (1 to 64 bytes), or opens ``url``; or it is disabled.

    ``app`` is the address of a Mini App; Telegram allows such buttons in private chats alone.

    ``style`` is ``primary`` (blue), ``success`` (green) or ``danger`` (red); None leaves it to the app.
    """

    text: str
    data: str | None = None
    url: str | None = None
    app: str | None = None
    style: str | None = None
    disabled: bool = False

    def json(self) -> dict[str, Any]:
        """Return the button as the Bot API's InlineKeyboardButton."""
        fields: dict[str, Any] = {"text": self.text}
        if self.disabled:
            fields["disabled"] = {}
        if self.data is not None:
            fields["callback_data"] = self.data
        if self.url is not None:
            fields["url"] = self.url
        if self.app is not None:
            fields["web_app"] = {"url": self.app}
        if self.style is not None:
            fields["style"] = self.style
        return fields


Row = tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """The content of a message: Telegram's HTML and an inline keyboard."""

    text: str
    keyboard: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """A phase that is shown in a message of its own, at the end of the chat.

    Attributes:
        above: the board meanwhile.
        part: the name of the message. A phase with another name has a new message.
        heard: True if the message also comes with a sound in a chat that has not asked for lively games.
    """

    above: Message
    part: str = ""
    heard: bool = False


def send_params(message: Message, chat_id: int | None = None, topic_id: int = 0) -> dict[str, Any]:
    """Return the parameters of ``sendMessage``. For the outbox, which adds the chat, leave out ``chat_id``."""
    params: dict[str, Any] = {} if chat_id is None else {"chat_id": chat_id}
    if topic_id:
        params["message_thread_id"] = topic_id
    # Convert to a plain str, because msgspec encodes no subclasses of it.
    params |= {"text": str(message.text), "parse_mode": "HTML", "link_preview_options": NO_PREVIEW}
    if message.keyboard:
        params["reply_markup"] = {"inline_keyboard": [[button.json() for button in row] for row in message.keyboard]}
    return params


def edit_params(message: Message, chat_id: int, message_id: int) -> dict[str, Any]:
    """Return the parameters of ``editMessageText``. A message without a keyboard loses the one it had."""
    return {"message_id": message_id, **send_params(message, chat_id)}


def ephemeral_edit_params(
    message: Message, chat_id: int, receiver_user_id: int, ephemeral_message_id: int
) -> dict[str, Any]:
    """Return the parameters of ``editEphemeralMessageText``, in the chat of the ephemeral message."""
    receiver = {"receiver_user_id": receiver_user_id, "ephemeral_message_id": ephemeral_message_id}
    return {**receiver, **send_params(message, chat_id)}


def rows(buttons: Iterable[Button | None], width: int) -> tuple[Row, ...]:
    """Arrange the buttons that are not None, ``width`` to a row."""
    there = [button for button in buttons if button is not None]
    return tuple(tuple(there[start : start + width]) for start in range(0, len(there), width))
