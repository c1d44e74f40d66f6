"""The language and the settings of the chat that reads a message, and the parameters that tie it to a game's board."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fsm.kind import Game
from play.telling import told
from play.texts import DEFAULT_LOCALE
from storage.people import People
from telegram.outbox import Outbox


def slot_of(game_id: str) -> str:
    """Return the outbox slot of a game's board."""
    return f"board:{game_id}"


def below_slot_of(game_id: str, part: str = "") -> str:
    """Return the outbox slot of a message below the board, such as a draw, or the question of a quiz: its part."""
    return f"below:{game_id}:{part}" if part else f"below:{game_id}"


@dataclass(frozen=True, slots=True)
class Audience:
    """The language and the settings of a chat."""

    locale: str
    settings: Mapping[str, Any]

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
