"""The language and the settings of the chat that reads a message, and the parameters that tie it to a game's board."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fsm.kind import Game
from play.telling import MESSAGES, PICTURE, QUIET, YES, told
from play.texts import DEFAULT_LOCALE, units
from storage.people import People
from telegram.outbox import Outbox


def slot_of(game_id: str) -> str:
    """Return the outbox slot of a game's board."""
    return f"board:{game_id}"


def below_slot_of(game_id: str, part: str = "") -> str:
    """Return the outbox slot of a message below the board, such as a draw, or the question of a quiz: its part."""
    return f"below:{game_id}:{part}" if part else f"below:{game_id}"


CAPTION = 1024
"""Longest caption of a photo, in UTF-16 units."""


@dataclass(frozen=True, slots=True)
class Audience:
    """The language and the settings of a chat."""

    locale: str
    settings: Mapping[str, Any]

    def reads_result_below(self, result: str) -> bool:
        """Return whether a message of its own has the whole result, so that the board need not repeat it.

        A quiet chat has no such message, and a picture's caption may be too short for all of it.
        """
        return not self.wants(MESSAGES, QUIET) and (not self.wants(PICTURE, YES) or units(result) <= CAPTION)

    def wants(self, setting: str, value: str) -> bool:
        """Return whether the chat has chosen a value of one of the settings of ``play/telling.py``."""
        return told(self.settings, setting) == value


async def audience_of(people: People, chat_id: int) -> Audience:
    """Return the language and the settings of a chat."""
    chat = await people.chat(chat_id)
    if chat is None:
        return Audience(DEFAULT_LOCALE, {})
    return Audience(chat.locale or DEFAULT_LOCALE, chat.settings)


async def reply_to_board(outbox: Outbox, game: Game) -> dict[str, Any]:
    """Return the parameters that make a message a reply to a game's board; none if the board was never sent."""
    living = await outbox.slot_message(slot_of(game.id))
    if living is None or living[0] != game.place.chat_id:
        return {}
    return {"reply_parameters": {"message_id": living[1], "allow_sending_without_reply": True}}
