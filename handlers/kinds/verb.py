"""Taps, and the verbs in their callback data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from fsm.kind import Command, Instant
from play.access import Actor, Needs
from storage.feed import trace_of


class _Button(msgspec.Struct, gc=False):
    callback_data: str | None = None


class _Keyboard(msgspec.Struct, gc=False):
    inline_keyboard: list[list[_Button]] = []


_decode_keyboard = msgspec.json.Decoder(_Keyboard).decode


class Tap(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A tap on a button, from the fast path or from aiogram's path.

    Attributes:
        update_id: id of the update. The command id is made from it, so an update that comes twice is one command.
        query_id: id of the callback query, which the answer names.
        user_id: the person who tapped.
        user_name: the person's first and last name.
        username: the person's username without the @; None if they have none.
        language: the person's language code in Telegram; None if Telegram does not send it.
        premium: True if the person has Telegram Premium.
        chat_id: the chat of the message with the button.
        chat_type: `private`, `group` or `supergroup`.
        topic_id: the forum topic; 0 outside forums.
        message_id: the message with the button; 0 if it is ephemeral.
        ephemeral_message_id: the id of an ephemeral message with the button; None for others.
        data: the callback data, which may be forged.
        keyboard: the message's `reply_markup` as JSON from Telegram; empty if the update does not contain it.
        received: time of receipt, in milliseconds since the epoch.
    """

    update_id: int
    query_id: str
    user_id: int
    user_name: str
    username: str | None = None
    language: str | None = None
    premium: bool = False
    chat_id: int
    chat_type: str
    topic_id: int = 0
    message_id: int = 0
    ephemeral_message_id: int | None = None
    data: str
    keyboard: bytes | msgspec.Raw = b""
    received: Instant

    @property
    def actor(self) -> Actor:
        """The person who tapped, acting from the chat of the message."""
        return Actor(self.user_id, self.user_name, self.chat_id, premium=self.premium)

    @property
    def is_real(self) -> bool:
        """True if the tapped message has a button with this callback data.

        Callback data can be forged, but the message cannot, because Telegram adds it to the update. Only a message with
        the button is edited or deleted. An ephemeral message may come without its keyboard, and counts as real, because
        nobody else sees it.
        """
        keyboard = bytes(self.keyboard)
        if not keyboard:
            return self.ephemeral_message_id is not None
        rows = _decode_keyboard(keyboard).inline_keyboard
        return any(button.callback_data == self.data for row in rows for button in row)

    @property
    def command_id(self) -> str:
        """The id under which the tap's command is sent to the engine."""
        return f"tg:{self.update_id}"

    @property
    def trace(self) -> str:
        """The trace id in the logs of everything that the tap causes. A person sees it if the tap fails."""
        return trace_of(self.command_id)

    @property
    def is_private(self) -> bool:
        """True if the tap was in the private chat with the bot."""
        return self.chat_type == "private"

    @property
    def is_own(self) -> bool:
        """True if nobody but this person sees the tapped message."""
        return self.chat_type == "private" or self.ephemeral_message_id is not None


Words = tuple[str, Mapping[str, Any]]
"""A text's id and its arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """The effect on a game of a tap with this verb."""

    command: Callable[[Tap, str], Command | None]
    """Make the command from the tap and its argument; None if the argument is one that no button of the bot has."""
    done: Callable[[Any, Tap], Words]
    """Make the confirmation from the tap and the game's state after it. A repeated update gets a confirmation too."""
    needs: Needs = Needs.PLAY
    """The permission that the verb needs."""
    page: Callable[[Any, str], int | None] = lambda _game, _arg: None
    """Find the page of the own board with the tapped button, from the game and the argument; None for the default."""
    closes: bool = False
    """True if the tapped message asks for a confirmation, and is deleted by the answer."""


def whole(text: str, limit: int = 99_999) -> int | None:
    """Parse a number in the notation of callback data: ASCII digits without leading zeros, from 0 to ``limit``.

    Returns None for any other text, which is then forged.
    """
    if not text.isascii() or not text.isdigit() or len(text) > 9 or (text[0] == "0" and text != "0"):
        return None
    number = int(text)
    return number if number <= limit else None
