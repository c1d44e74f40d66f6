"""A message as a view makes it, and the same as parameters of the Bot API."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

NO_PREVIEW = {"is_disabled": True}


@dataclass(frozen=True, slots=True)
class Button:
    """A button: ``data`` comes back with a tap (1 to 64 bytes), or ``url`` is opened.

    ``style``: ``primary`` (blue), ``success`` (green), ``danger`` (red), or as the app likes.
    """

    text: str
    data: str | None = None
    url: str | None = None
    style: str | None = None

    def json(self) -> dict[str, str]:
        """The Bot API's InlineKeyboardButton."""
        fields = {"text": self.text}
        if self.data is not None:
            fields["callback_data"] = self.data
        if self.url is not None:
            fields["url"] = self.url
        if self.style is not None:
            fields["style"] = self.style
        return fields


Row = tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """What a message shows: HTML of Telegram's kind, and an inline keyboard."""

    text: str
    keyboard: tuple[Row, ...] = ()


def send_params(message: Message, chat_id: int | None = None, topic_id: int = 0) -> dict[str, Any]:
    """Parameters of ``sendMessage``; without ``chat_id`` the content alone, for the outbox, which knows the chat."""
    params: dict[str, Any] = {} if chat_id is None else {"chat_id": chat_id}
    if topic_id:
        params["message_thread_id"] = topic_id
    # A plain str: the encoders on the way out know no subclass.
    params |= {"text": str(message.text), "parse_mode": "HTML", "link_preview_options": NO_PREVIEW}
    if message.keyboard:
        params["reply_markup"] = {"inline_keyboard": [[button.json() for button in row] for row in message.keyboard]}
    return params


def edit_params(message: Message, chat_id: int, message_id: int) -> dict[str, Any]:
    """Parameters of ``editMessageText``. Without a keyboard, the one that was there goes."""
    return {"message_id": message_id, **send_params(message, chat_id)}


def ephemeral_edit_params(
    message: Message, chat_id: int, receiver_user_id: int, ephemeral_message_id: int
) -> dict[str, Any]:
    """Parameters of ``editEphemeralMessageText``."""
    receiver = {"receiver_user_id": receiver_user_id, "ephemeral_message_id": ephemeral_message_id}
    return {**receiver, **send_params(message, chat_id)}


def rows(buttons: Iterable[Button | None], width: int) -> tuple[Row, ...]:
    """The buttons that there are, ``width`` to a row."""
    there = [button for button in buttons if button is not None]
    return tuple(tuple(there[start : start + width]) for start in range(0, len(there), width))


@lru_cache(maxsize=1024)
def date_time(unix: int | str, fallback: str, form: str = "r") -> str:
    """A moment as Telegram's date-time entity, which every reader's app keeps current in their own time zone.

    ``form``: ``r`` relative, or any of ``w`` (day of the week), ``d`` or ``D`` (date), ``t`` or ``T`` (time), in that
    order. ``fallback`` is what an older app shows.
    """
    return f'<tg-time unix="{unix}" format="{form}">{fallback}</tg-time>'
