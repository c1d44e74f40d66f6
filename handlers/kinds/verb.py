"""The shape of a tap, and of what a verb in its callback data makes of it."""

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
    """A tap on a button, as both doors hand it in.

    Attributes:
        update_id: Telegram's; makes the command id, so that the same update twice is one command.
        query_id: what the answer goes to.
        user_id: who tapped.
        user_name: first and last name.
        username: without the @, where they have one.
        language: the user's language code, as Telegram says.
        chat_id: where the message with the button is.
        chat_type: `private`, `group`, `supergroup`.
        topic_id: forum topic; 0 outside forums.
        message_id: of the message with the button; 0 where it is ephemeral.
        ephemeral_message_id: where it is.
        data: callback data, as it came: anybody can send anything.
        keyboard: the JSON of the message's `reply_markup`, as Telegram has it; empty where Telegram did not tell it.
        received: ms since the epoch.
    """

    update_id: int
    query_id: str
    user_id: int
    user_name: str
    username: str | None = None
    language: str | None = None
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
        """The person who tapped, and the chat that they tapped in."""
        return Actor(self.user_id, self.user_name, self.chat_id)

    @property
    def is_real(self) -> bool:
        """Whether the tapped message has a button with this callback data.

        Callback data can be forged, the message cannot: Telegram adds it. Only such a message is edited or deleted. An
        ephemeral message may come without its keyboard; nobody else sees it.
        """
        keyboard = bytes(self.keyboard)
        if not keyboard:
            return self.ephemeral_message_id is not None
        rows = _decode_keyboard(keyboard).inline_keyboard
        return any(button.callback_data == self.data for row in rows for button in row)

    @property
    def command_id(self) -> str:
        """What the engine knows the tap's command by."""
        return f"tg:{self.update_id}"

    @property
    def trace(self) -> str:
        """What follows the tap from update to message, and what the person is shown when something goes wrong."""
        return trace_of(self.command_id)

    @property
    def is_private(self) -> bool:
        """Whether it was tapped in the private chat with the bot."""
        return self.chat_type == "private"

    @property
    def is_own(self) -> bool:
        """Whether nobody else sees the message that was tapped."""
        return self.chat_type == "private" or self.ephemeral_message_id is not None


Words = tuple[str, Mapping[str, Any]]
"""A text's id and its arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """What a tap with this verb does to its game."""

    command: Callable[[Tap, str], Command | None]
    """From the tap and its argument to the command; None where the argument is nothing that a button of ours says."""
    done: Callable[[Any, Tap], Words]
    """What the person is told when it is done, from the game's state after it. Also for the same tap a second time."""
    needs: Needs = Needs.PLAY
    """What the verb needs of the person who taps."""
    page: Callable[[Any, str], int | None] = lambda _game, _arg: None
    """The page of the own board that has the button, from the game and the argument; None: where the choice is."""
    closes: bool = False
    """The tapped message was a question, and goes when it is answered."""


def whole(text: str, limit: int = 99_999) -> int | None:
    """A number as our buttons write it: digits alone, no leading zero, 0 to ``limit``; else None."""
    if not text.isascii() or not text.isdigit() or len(text) > 9 or (text[0] == "0" and text != "0"):
        return None
    number = int(text)
    return number if number <= limit else None
